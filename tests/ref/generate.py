"""Holds lib/train/generate.c and lib/model/decode.c beside transformers.

usage: python tests/ref/generate.py tests/fixtures
       python tests/ref/generate.py --check DUMP_GENERATE [MODEL_DIR]
       python tests/ref/generate.py --speed DUMP_GENERATE
needs: the packages of tests/ref/requirements.txt

The first makes tests/fixtures/generate/: a random GPT-2 of two layers, and texts.tsv, what
transformers generates with it: options, a prompt, its continuation.

The second compares token for token, greedy and by beams, over lengths, penalties, n-grams
that may not repeat and early stopping, on random models whose end token comes, and on
MODEL_DIR. DUMP_GENERATE is the program of tests/lib/train/dump_generate.c; it gets the
prompts in batches of several sizes, transformers each prompt alone. Where the two differ,
the options and both texts are printed, with the difference of their log-probabilities:
float rounding decides between texts that are equally likely. Exit status 1 when another
text is not as likely as transformers' to 1e-4, or more than one in a thousand differ.

The third measures tokens a second of both, and a second of processor time, on prompts of
one length and without end token, on random models.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

logging.set_verbosity_error()
END = 3


def build(seed, width=16, layers=2, heads=2, vocab=40, positions=64, deviation=0.35,
          end_bias=0.0):
    """A random model; with end_bias the end token is likelier than others."""
    torch.manual_seed(seed)
    config = GPT2Config(vocab_size=vocab, n_positions=positions, n_embd=width,
                        n_layer=layers, n_head=heads, bos_token_id=END, eos_token_id=END,
                        tie_word_embeddings=end_bias == 0)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, w in model.named_parameters():
            mean = 1 if "ln_" in name and name.endswith("weight") else 0
            w.copy_(torch.randn(w.shape) * (0.1 if mean else deviation) + mean)
        if end_bias:
            # The last norm's shift moves the logit of the end token alone.
            row = model.lm_head.weight[END]
            model.transformer.ln_f.bias.add_(row * end_bias / row.norm())
    return model


def prompts_for(seed, vocab, n, longest):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (n,), generator=generator).tolist()
    return [torch.randint(0, vocab, (k,), generator=generator).tolist() for k in lengths]


def truth(model, prompt, o):
    options = {"no_repeat_ngram_size": o["no_repeat"]} if o["no_repeat"] else {}
    if o["beams"] > 1:
        options |= {"length_penalty": o["penalty"], "early_stopping": o["early"]}
    ids = torch.tensor([prompt])
    with torch.no_grad():
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False,
            num_beams=o["beams"], max_new_tokens=o["max_new"], eos_token_id=o["end"],
            pad_token_id=o["end"] if o["end"] is not None else 0, **options)
    new = out[0, len(prompt):].tolist()
    if o["end"] in new:
        new = new[:new.index(o["end"]) + 1]
    return new


def ours(program, path, prompts, o, batch):
    end = 2**32 - 1 if o["end"] is None else o["end"]
    arguments = [o["beams"], o["max_new"], o["penalty"], o["no_repeat"], end,
                 int(o["early"]), batch]
    text = "".join(" ".join(map(str, p)) + "\n" for p in prompts)
    lines = subprocess.run([program, path, *map(str, arguments)], input=text, text=True,
                           check=True, stdout=subprocess.PIPE).stdout.split("\n")
    tokens, seconds = lines[0].split()
    return [list(map(int, s.split())) for s in lines[1:len(prompts) + 1]], \
        int(tokens), float(seconds)


def likelihood(model, prompt, new):
    """The sum of the log-probabilities of the new tokens, in double."""
    with torch.no_grad():
        z = model.double()(torch.tensor([prompt + new])).logits[0, len(prompt) - 1:-1]
    model.float()
    return torch.log_softmax(z, -1)[range(len(new)), new].sum().item()


def option_sets(end):
    for beams in (1, 2, 3, 4, 5, 7, 10):
        for penalty, early, no_repeat, max_new in (
                (1.0, False, 0, 20), (1.0, True, 0, 20), (0.0, False, 2, 20),
                (2.0, True, 3, 9), (-1.0, False, 0, 12), (0.6, False, 4, 30),
                (1.0, False, 2, 1)):
            yield {"beams": beams, "penalty": penalty, "early": early,
                   "no_repeat": no_repeat, "max_new": max_new, "end": end}


def compare(program, model, path, prompts, end):
    total = different = ended = worse = 0
    for i, o in enumerate(option_sets(end)):
        batch = (1, 3, 5, 100)[i % 4]
        got, _, _ = ours(program, path, prompts, o, batch)
        for prompt, new in zip(prompts, got):
            want = truth(model, prompt, o)
            total += 1
            ended += want[-1] == end
            if new == want:
                continue
            different += 1
            difference = likelihood(model, prompt, new) - likelihood(model, prompt, want)
            worse += len(new) != len(want) or abs(difference) > 1e-4
            print("different:", json.dumps(o), prompt, new, want, difference)
    print(f"{path}: {total} texts, {ended} of them with an end token: "
          f"{different} different, {worse} not as likely")
    return total, different, worse


def check(program, path):
    total = different = worse = 0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(6):
            model = build(seed, end_bias=(0, 1, 3)[seed % 3])
            name = os.path.join(scratch, f"gpt2-{seed}")
            model.save_pretrained(name)
            prompts = prompts_for(seed, 40, 11, 30)
            counts = compare(program, model, name, prompts, END)
            total, different, worse = (a + b for a, b in
                                       zip((total, different, worse), counts))
    if path is not None:
        model = GPT2LMHeadModel.from_pretrained(path).eval()
        prompts = prompts_for(9, 50, 20, 40)
        counts = compare(program, model, path, prompts, model.config.eos_token_id)
        total, different, worse = (a + b for a, b in
                                   zip((total, different, worse), counts))
    return worse == 0 and different * 1000 <= total


def spent():
    """Seconds of processor time of the programs that ended."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def speed(program):
    for layers, width, vocab, beams, n, max_new in (
            (4, 64, 53, 1, 64, 60), (4, 64, 53, 5, 64, 60),
            (6, 768, 50257, 1, 16, 24), (6, 768, 50257, 5, 8, 16)):
        model = build(1, width, layers, max(width // 64, 4), vocab, 256, 0.02)
        generator = torch.Generator().manual_seed(1)
        ids = torch.randint(4, vocab, (n, 40), generator=generator)
        o = {"beams": beams, "penalty": 1.0, "early": False, "no_repeat": 0,
             "max_new": max_new, "end": None}
        with tempfile.TemporaryDirectory() as path:
            model.save_pretrained(path)
            model.generation_config.eos_token_id = None
            start, used = time.perf_counter(), time.process_time()
            with torch.no_grad():
                model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False,
                               num_beams=beams, max_new_tokens=max_new, pad_token_id=0)
            theirs = time.perf_counter() - start, time.process_time() - used
            used = spent()
            _, tokens, seconds = ours(program, path, ids.tolist(), o, n)
            used = spent() - used
        print(f"{layers} layers, width {width}, vocabulary {vocab}, {n} prompts of 40, "
              f"{beams} beams: {tokens / seconds:.0f} tokens a second, transformers "
              f"{tokens / theirs[0]:.0f}; of processor time {tokens / used:.0f}, "
              f"transformers {tokens / theirs[1]:.0f}")


def fixtures(directory):
    model = build(4, end_bias=1)
    name = os.path.join(directory, "generate")
    model.save_pretrained(name)
    os.remove(os.path.join(name, "generation_config.json"))
    os.chmod(os.path.join(name, "model.safetensors"), 0o644)
    with open(os.path.join(name, "texts.tsv"), "w", encoding="ascii") as file:
        print("#beams", "max_new", "penalty", "no_repeat", "end", "early", "prompt", "new",
              sep="\t", file=file)
        for i, o in enumerate(option_sets(END)):
            for prompt in prompts_for(i, 40, 2, 30):
                print(o["beams"], o["max_new"], o["penalty"], o["no_repeat"], o["end"],
                      int(o["early"]), " ".join(map(str, prompt)),
                      " ".join(map(str, truth(model, prompt, o))), sep="\t", file=file)


torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
if len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
    fixtures(sys.argv[1])
elif sys.argv[1:2] == ["--check"] and len(sys.argv) in (3, 4):
    sys.exit(0 if check(sys.argv[2], sys.argv[3] if len(sys.argv) == 4 else None) else 1)
elif sys.argv[1:2] == ["--speed"] and len(sys.argv) == 3:
    speed(sys.argv[2])
else:
    sys.exit(__doc__)
