"""Seconds a step and peak memory beside PyTorch's, in one run, turn by turn.

usage: bench.py BENCH CSV [WORD...]

BENCH is the program made of bench.c. Only rows whose name (gpt2/full) has one of the words
are measured. Both sides take the same random weights and the same batch, in float, with two
threads, without dropout: PyTorch with padding to the longest text, none where all are as
long, the faster of its attentions, and its fused AdamW. Each is a process of its own, so
that its memory is its own, and warm before its first turn counts. The losses must agree.
Prints a table and writes it to CSV; ratio is PyTorch's seconds over ours, busy the same of
processor seconds, which other programs on the machine disturb less.

The rows fit, hvp, ggn and ggn-rows are a whole probed step, gradient and estimates, of all K
tensors (ggn-rows: of all their rows; fit and hvp of the larger models: of PROBED tensors,
which K is then). PyTorch's seconds beside them are those of the paper's 4K + 1 forward
passes, extrapolated from one that is measured. CSV's column passes is our step's seconds
over those of our own forward pass in the same turns, busy_passes the same of processor
seconds, and share is passes over 4K + 1.
"""
import csv
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

from sentences import LENGTHS

THREADS = 2
SECONDS = 12  # of turns that one row takes, about
TURNS = 7     # at most
PROBED = 9    # tensors of larger models, one by one
SMALL = 30e6  # parameters of a model whose tensors are all probed
ESTIMATES = ["fit", "hvp", "ggn", "ggn-rows"]
MODES = ["forward", "full", "bitfit", "lora", "one", "grad", *ESTIMATES]

MODELS = {
    "minilm": (transformers.BertConfig(
        hidden_size=384, num_hidden_layers=6, intermediate_size=1536), LENGTHS),
    "bert": (transformers.BertConfig(), LENGTHS),
    "gpt2": (transformers.GPT2Config(), [128] * 8),
    "vit": (transformers.ViTConfig(), [0] * 8),
    "vit-small": (transformers.ViTConfig(
        hidden_size=192, num_hidden_layers=6, num_attention_heads=3, intermediate_size=768,
        image_size=28, patch_size=4, num_channels=1), [0] * 32),
}

CLASSES = {
    "bert": transformers.BertForSequenceClassification,
    "gpt2": transformers.GPT2LMHeadModel,
    "vit": transformers.ViTForImageClassification,
}


def write_model(directory, config, lengths):
    """Weights, and the batch as bench.c reads it."""
    torch.manual_seed(1)
    kind = CLASSES[config.model_type]
    config.architectures = [kind.__name__]
    config.save_pretrained(directory)
    # Parameters alone: what is tied is there once, buffers are not.
    save_file({n: p.detach().contiguous() for n, p in kind(config).named_parameters()},
              f"{directory}/model.safetensors", metadata={"format": "pt"})
    with open(f"{directory}/batch.txt", "w", encoding="utf-8") as out:
        for i, n in enumerate(lengths):
            ids = torch.randint(1000, config.vocab_size, (n,)).tolist() if n else []
            print(-1 if config.model_type == "gpt2" else i % 2, *ids, file=out)
    if config.model_type == "vit":
        shape = (len(lengths), config.num_channels, config.image_size, config.image_size)
        torch.randn(shape).numpy().tofile(f"{directory}/pixels.f32")


def read_batch(directory, config):
    rows = [list(map(int, x.split())) for x in open(f"{directory}/batch.txt")]
    labels = torch.tensor([r[0] for r in rows])
    if config.model_type == "vit":
        pixels = torch.from_file(f"{directory}/pixels.f32", size=len(rows)
                                 * config.num_channels * config.image_size ** 2)
        return {"labels": labels, "pixel_values": pixels.view(
            len(rows), config.num_channels, config.image_size, config.image_size)}
    longest = max(map(len, rows)) - 1
    ids = torch.tensor([r[1:] + [0] * (longest + 1 - len(r)) for r in rows])
    if config.model_type == "gpt2":
        return {"input_ids": ids, "labels": ids}
    mask = torch.tensor([[1] * (len(r) - 1) + [0] * (longest + 1 - len(r)) for r in rows])
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def in_head(name):
    return "classifier" in name or ".pooler." in name


def wanted(params, mode):
    """Names of the tensors that are trained, or probed; None: all. Of LoRA those beside."""
    names = [n for n, _ in params]
    if mode == "bitfit":
        return [n for n in names if n.endswith("bias") or in_head(n)]
    if mode == "lora":
        return [n for n in names if "classifier" in n]
    if mode in ("fit", "hvp") and sum(n for _, n in params) > SMALL:
        return [names[(2 * i + 1) * len(names) // (2 * PROBED)] for i in range(PROBED)]
    if mode == "one":
        left, chosen = sum(n for _, n in params) // 100, []
        for name, n in sorted(params, key=lambda x: x[1]):
            if n > left:
                break
            chosen.append(name)
            left -= n
        return chosen
    return None


def paper_passes(groups):
    return 4 * len(groups) + 1


class Torch:
    def __init__(self, directory, config, mode, names, attention):
        self.mode, self.batch = mode, read_batch(directory, config)
        config._attn_implementation = attention
        self.model = CLASSES[config.model_type](config).eval()
        weights = load_file(f"{directory}/model.safetensors")
        self.model.load_state_dict(weights, strict=False)
        self.model.tie_weights()
        if mode == "lora":
            self.model = peft.get_peft_model(self.model, peft.LoraConfig(
                r=8, lora_alpha=16, lora_dropout=0,
                fan_in_fan_out=config.model_type == "gpt2",
                target_modules=r".*\.(query|value|q_proj|v_proj|c_attn)",
                modules_to_save=["classifier"] if names else None)).eval()
        elif mode in ("bitfit", "one"):
            for n, p in self.model.named_parameters():
                p.requires_grad_(n in names)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.passes = 1 if mode not in ESTIMATES else paper_passes(
            names or list(self.model.named_parameters()))
        self.optimizer = torch.optim.AdamW(self.trained, lr=1e-6, fused=True)

    def loss(self):
        if self.mode == "forward" or self.mode in ESTIMATES:
            with torch.inference_mode():
                return self.model(**self.batch).loss
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.model(**self.batch).loss
        loss.backward()
        return loss.detach()

    def step(self):
        loss = self.loss()
        if self.mode != "forward" and self.mode not in ESTIMATES:
            self.optimizer.step()
        if self.mode == "grad":
            self.slopes()
        return loss

    def timed(self):
        start, busy = time.perf_counter(), time.process_time()
        loss = float(self.step())
        end = time.perf_counter()
        return ((end - start) * self.passes, (time.process_time() - busy) * self.passes,
                loss)

    @torch.no_grad()
    def slopes(self):
        out = []
        for p in self.trained:
            s = self.optimizer.state[p]
            d = s["exp_avg"] / (s["exp_avg_sq"].sqrt() + 1e-8)
            out.append(torch.dot(p.grad.view(-1), d.view(-1)))
        return torch.stack(out)


def serve_torch(pipe, *what):
    torch.set_num_threads(THREADS)
    reference = Torch(*what)
    while pipe.recv():
        pipe.send(reference.timed())
    pipe.send(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


class TorchSide:
    """Forked from a process that has imported everything and computed nothing."""

    def __init__(self, *what):
        context = multiprocessing.get_context("fork")
        self.pipe, far = context.Pipe()
        self.process = context.Process(target=serve_torch, args=(far, *what))
        self.process.start()
        far.close()

    def step(self):
        self.pipe.send(True)
        return self.pipe.recv()

    def end(self):
        self.pipe.send(False)
        peak = self.pipe.recv()
        self.process.join()
        return peak


class OurSide:
    def __init__(self, bench, directory, mode, names):
        mode = {"full": "train", "bitfit": "train", "one": "train"}.get(mode, mode)
        self.process = subprocess.Popen(
            [bench, mode, directory, *(names or [])], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": str(THREADS)})

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))

    def end(self):
        self.process.stdin.close()
        peak = int(self.process.stdout.readline())
        self.process.wait()
        return peak


def faster_attention(directory, config):
    """By the processor seconds of a step of each, after another."""
    seconds = {}
    for attention in ("eager", "sdpa"):
        side = TorchSide(directory, config, "full", None, attention)
        side.step()
        seconds[attention] = side.step()[1]
        side.end()
    return min(seconds, key=seconds.get)


def median(x):
    x = sorted(x)
    return x[len(x) // 2]


def measure(ours, theirs, mode):
    """Seconds of both, their ratios, turns, and our estimates' seconds in forward passes."""
    start, turns = time.perf_counter(), []
    while len(turns) < 2 or (len(turns) < 1 + TURNS
                             and time.perf_counter() - start < SECONDS):
        turns.append((ours.step(), theirs.step()))
        (_, _, loss, *_), (_, _, reference) = turns[-1]
        if len(turns) == 1 and abs(loss - reference) > 1e-4 * abs(reference):
            sys.exit(f"bench: the losses differ: {loss} and PyTorch's {reference}")
        if mode in ("fit", "hvp"):
            break
    # The first turn warms up; one tensor after the other is long enough.
    counted = turns[-1:] if mode in ("fit", "hvp") else turns[1:]
    return [median(a[0] for a, b in counted),
            median(b[0] for a, b in counted),
            median(b[0] / a[0] for a, b in counted),
            median(b[1] / a[1] for a, b in counted), len(counted),
            median(a[3] for a, b in counted), median(a[4] for a, b in counted)]


def rows_of(bench, name, words, directory):
    modes = [m for m in MODES if not words or any(w in f"{name}/{m}" for w in words)]
    if not modes:
        return
    config, lengths = MODELS[name]
    writer = multiprocessing.get_context("fork").Process(
        target=write_model, args=(directory, config, lengths))
    writer.start()
    writer.join()
    with torch.device("meta"):
        params = [(n, p.numel()) for n, p in
                  CLASSES[config.model_type](config).named_parameters()]
    attention = faster_attention(directory, config)
    for mode in modes:
        names = wanted(params, mode)
        ours = OurSide(bench, directory, mode, names)
        theirs = TorchSide(directory, config, mode, names, attention)
        seconds = measure(ours, theirs, mode)
        # The forked side holds our side's stdin open.
        reference_peak = theirs.end()
        share = seconds[-2] / paper_passes(names or params) if mode in ESTIMATES else 0
        yield [name, mode, attention, *seconds[:-1], ours.end(), reference_peak,
               seconds[-1], share]


def main():
    bench, path, *words = sys.argv[1:]
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    print(f"{'model':10}{'what':9}{'ours s':>9}{'pytorch s':>11}{'ratio':>7}{'busy':>6}"
          f"{'ours MB':>9}{'pytorch MB':>12}{'passes':>8}{'share':>7}  attention",
          flush=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow("model what attention ours_seconds pytorch_seconds ratio busy turns "
                     "passes ours_bytes pytorch_bytes busy_passes share".split())
        for name in MODELS:
            with tempfile.TemporaryDirectory() as directory:
                for row in rows_of(bench, name, words, directory):
                    out.writerow(row)
                    file.flush()
                    (_, mode, attention, a, b, ratio, busy, _, passes, peak, reference, _,
                     share) = row
                    print(f"{name:10}{mode:9}{a:9.4f}{b:11.4f}{ratio:7.2f}{busy:6.2f}"
                          f"{peak / 1e6:9.0f}{reference / 1e6:12.0f}{passes:8.2f}"
                          f"{share:7.3f}  {attention}", flush=True)


if __name__ == "__main__":
    main()
