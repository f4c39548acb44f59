"""Compares what models compute here with PyTorch, for every family, head and spelling.

usage: python tests/ref/compare.py DUMP_MODEL [--dropout] [--shared DIR] [--only WORD]
needs: the packages of tests/ref/requirements.txt

DUMP_MODEL is the program of tests/lib/model/dump_model.c. Of each case of CASES a random
model is written, and compared with PyTorch in double precision:
    logits     sequence by sequence and packed by 5; PyTorch's batch is padded
    gradients  of every tensor, of the mean loss over all sequences
    lora R     both, with LoRA pairs of ranks R and a random B beside PEFT's
    saved      saved here and loaded by transformers: no missing, unexpected or mismatched
               key, the same files and the same logits
--shared DIR adds DIR/models/minilm-l3 with a new head, on sentences of DIR/data, and
DIR/models/capp-gpt. --dropout compares, instead, the mean and the deviation of the loss
under many dropout masks, with all places of dropout on, and each of them alone. --only
takes the cases whose name holds WORD. Prints a table; exit status 1 when a difference
exceeds its tolerance.
"""
import argparse
import copy
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

import peft
import torch
import transformers
from safetensors.torch import load_file

import families
from families import Case

LOGIT_TOLERANCE = 1e-4     # |difference| / the largest logit, 1 at least
GRADIENT_TOLERANCE = 1e-4  # |difference| / |gradient|
ZERO = 1e-12               # of the largest gradient: less is 0 but for rounding in double
SAVED_TOLERANCE = 1e-5
MASKS = 1000
ERRORS = 4                 # standard errors between two means
SPREAD = 1.3               # between two standard deviations

LENGTHS = [7, 1, 40, 3, 80, 5, 22, 64, 2, 13, 31, 9]

CASES = {
    "bert": Case("bert"),
    "bert 3 classes": Case("bert", labels=3, prefix=False, old_norms=True, buffers=True),
    "bert regression": Case("bert", "regression", dtype=torch.float16,
                            config=dict(hidden_act="gelu_new")),
    "distilbert": Case("distilbert", shards=3),
    "distilbert 3 classes": Case("distilbert", labels=3, prefix=False, dtype=torch.bfloat16),
    "distilbert regression": Case("distilbert", "regression", config=dict(activation="silu")),
    "roberta": Case("roberta", buffers=True),
    "roberta 3 classes": Case("roberta", labels=3, prefix=False, shards=2),
    "roberta regression": Case("roberta", "regression", old_norms=True),
    "gpt2 language": Case("gpt2", "language", prefix=False, buffers=True),
    "gpt2 language, n_inner null": Case("gpt2", "language", shards=3,
                                        config=dict(n_inner=None)),
    "gpt2 language, untied": Case("gpt2", "language", config=dict(
        tie_word_embeddings=False, activation_function="relu")),
    "gpt2 language, by layer": Case("gpt2", "language", dtype=torch.float16, config=dict(
        scale_attn_by_inverse_layer_idx=True)),
    "gpt2 language, not scaled": Case("gpt2", "language", spread=0.15, config=dict(
        scale_attn_weights=False)),
    "gpt2": Case("gpt2", buffers=True),
    "gpt2 3 classes": Case("gpt2", labels=3, prefix=False, config=dict(
        scale_attn_by_inverse_layer_idx=True)),
    "gpt2 regression": Case("gpt2", "regression"),
    "vit": Case("vit", config=dict(image_size=[24, 40], patch_size=8)),
    "vit 3 classes": Case("vit", labels=3, newer=True, shards=2, config=dict(
        image_size=28, patch_size=7, num_channels=1)),
    "vit, no bias": Case("vit", prefix=False, config=dict(
        qkv_bias=False, image_size=[20, 32], patch_size=[6, 8])),
    "vit, no bias, newer": Case("vit", newer=True, prefix=False, dtype=torch.float16,
                                config=dict(qkv_bias=False, image_size=16, patch_size=8)),
    "vit regression": Case("vit", "regression", config=dict(image_size=16, patch_size=8)),
}

ALIKE = ("bert", "distilbert", "roberta", "gpt2 language", "gpt2", "vit")  # as to dropout

AUTO = {"language": transformers.AutoModelForCausalLM,
        "images": transformers.AutoModelForImageClassification}

TARGETS = {"bert": ["query", "value"], "distilbert": ["q_lin", "v_lin"],
           "roberta": ["query", "value"], "gpt2": ["c_attn"], "vit": ["q_proj", "v_proj"]}

DROPOUT = {
    "bert": ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"],
    "distilbert": ["dropout", "attention_dropout", "seq_classif_dropout"],
    "roberta": ["hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"],
    "gpt2": ["resid_pdrop", "embd_pdrop", "attn_pdrop"],
    "vit": ["hidden_dropout_prob", "attention_probs_dropout_prob"],
}


class Table:
    """Prints a row of each comparison, and remembers whether all were good."""

    def __init__(self):
        self.good = True
        print(f"{'case':28} {'what':28} {'difference':>10}  of")

    def row(self, case, what, difference, tolerance, note=""):
        good = difference <= tolerance
        self.good &= good
        print(f"{case:28} {what:28} {difference:10.1e}  {tolerance:g} {note}"
              f"{'' if good else '  FAIL'}", flush=True)


class Program:
    """dump_model."""

    def __init__(self, path):
        self.path = path

    def __call__(self, case, command, directory, argument, lines="", ranks="", dropout=0):
        options = (["-l"] if case.kind == "language" else []) + (
            ["-r", ranks, "-d", str(dropout)] if ranks else [])
        done = subprocess.run([self.path, *options, command, directory, str(argument)],
                              input=lines, text=True, capture_output=True)
        if done.returncode != 0 or done.stderr:
            sys.exit(f"dump_model {command}: {done.stderr}")
        return done.stdout


def lines_of(batch):
    with tempfile.TemporaryFile("w+") as out:
        families.write_examples(out, batch)
        out.seek(0)
        return out.read()


def numbers(text):
    return torch.tensor([[float(x) for x in row.split("\t")] for row in text.splitlines()],
                        dtype=torch.double)


def as_saved(case):
    """What is written has the prefix, the newer names of norms, and no buffers."""
    return dataclasses.replace(case, prefix=True, old_norms=False, buffers=False)


def apart(ours, truth):
    """The largest difference, relative to the largest of the true values or 1."""
    return ((ours - truth).abs().max() / max(1, truth.abs().max())).item()


def compare_gradients(table, name, what, ours, truth):
    largest = max(g.norm().item() for g in truth.values())
    worst, at = 0, ""
    for tensor, g in truth.items():
        size, difference = g.norm().item(), (ours[tensor] - g).norm().item()
        relative = difference / (size if size > ZERO * largest else largest)
        if relative >= worst:
            worst, at = relative, tensor
    missing = set(truth) ^ {k for k in ours if not k.startswith("value:")}
    table.row(name, what, float("inf") if missing else worst, GRADIENT_TOLERANCE,
              f"{len(truth)} tensors, worst {at}" if not missing else str(missing))


def compare_passes(table, program, name, case, model, directory, batch):
    lines = lines_of(batch)
    losses, truth = families.forward(case, model, batch)
    for most in (1, 5):
        ours = numbers(program(case, "logits", directory, most, lines))
        table.row(name, f"logits, batch {most}", apart(ours, truth), LOGIT_TOLERANCE,
                  f"largest {truth.abs().max():.2f}")
    with tempfile.TemporaryDirectory() as scratch:
        program(case, "gradients", directory, f"{scratch}/g", lines)
        ours = load_file(f"{scratch}/g")
    truth = families.gradients(model, losses.mean())
    compare_gradients(table, name, "gradients", ours,
                      {families.spell(as_saved(case), k): g for k, g in truth.items()})


# ---- LoRA ----

def rank_tail(ranks, r):
    return f".r{r}" if "," in ranks else ""


def add_pairs(case, model, ranks, values=None, dropout=0.0):
    """The model with PEFT's pairs, and those of our names to PEFT's."""
    model = copy.deepcopy(model)
    wrapped = None
    for r in ranks.split(","):
        spec = peft.LoraConfig(r=int(r), lora_alpha=2 * int(r), lora_dropout=dropout,
                               target_modules=TARGETS[case.family],
                               fan_in_fan_out=case.family == "gpt2")
        if wrapped is None:
            wrapped = peft.get_peft_model(model, spec, adapter_name=f"r{r}")
        else:
            wrapped.add_adapter(f"r{r}", spec)
    wrapped.base_model.set_adapter([f"r{r}" for r in ranks.split(",")])
    wrapped = wrapped.double()
    names = {}
    for full, w in wrapped.named_parameters():
        w.requires_grad_(True)
        plain = full.removeprefix("base_model.model.").replace(".base_layer.", ".")
        plain = re.sub(r"(lora_[AB])\.r(\d+)\.weight$",
                       lambda m: m[1] + rank_tail(ranks, m[2]) + ".weight", plain)
        names[full] = families.spell(as_saved(case), plain)
    if values is not None:
        with torch.no_grad():
            for full, w in wrapped.named_parameters():
                if "lora_" in full:
                    w.copy_(values[f"value:{names[full]}"])
    return wrapped.eval(), names


def compare_pairs(table, program, name, case, model, directory, batch, ranks):
    lines = lines_of(batch)
    with tempfile.TemporaryDirectory() as scratch:
        program(case, "gradients", directory, f"{scratch}/g", lines, ranks)
        ours = load_file(f"{scratch}/g")
    wrapped, names = add_pairs(case, model, ranks, ours)
    losses, truth = families.forward(case, wrapped, batch)
    z = numbers(program(case, "logits", directory, 32, lines, ranks))
    table.row(name, f"lora {ranks}: logits", apart(z, truth), LOGIT_TOLERANCE,
              f"{sum('lora_A' in k for k in ours) // 2} pairs")
    found = families.gradients(wrapped, losses.mean())
    compare_gradients(table, name, f"lora {ranks}: gradients", ours,
                      {names[k]: g for k, g in found.items()})


# ---- saving ----

def load(case, directory):
    kind = "images" if case.family == "vit" else case.kind
    auto = AUTO.get(kind, transformers.AutoModelForSequenceClassification)
    model, report = auto.from_pretrained(directory, dtype=torch.double,
                                         attn_implementation=families.attention(case),
                                         output_loading_info=True)
    problems = [f"{k}: {v}" for k, v in report.items() if v]
    return model.eval(), problems


def weights_in(directory):
    return sorted(f for f in os.listdir(directory) if "safetensors" in f)


def homes(directory):
    """The index, after a look at whether the files hold what it says."""
    with open(f"{directory}/model.safetensors.index.json") as f:
        index = json.load(f)
    held = {k: f for f in set(index["weight_map"].values())
            for k in load_file(f"{directory}/{f}")}
    assert held == index["weight_map"]
    return index


def compare_saved(table, program, name, case, model, directory, batch):
    with tempfile.TemporaryDirectory() as scratch:
        program(case, "save", directory, scratch)
        again, problems = load(case, scratch)
        if weights_in(scratch) != weights_in(directory):
            problems.append(f"files {weights_in(scratch)}")
        if case.shards > 1:
            before, after = homes(directory), homes(scratch)
            moved = [k for k, f in after["weight_map"].items()
                     if f != before["weight_map"].get(
                         k if case.prefix else k.removeprefix(families.PREFIX[case.family]))]
            size = sum(4 * w.numel() for k, w in families.tensors(
                as_saved(case), model).items())
            if moved or after["metadata"]["total_size"] != size:
                problems.append(f"moved {moved}, total_size {after['metadata']}")
        difference = apart(families.forward(case, again, batch)[1],
                           families.forward(case, model, batch)[1])
    table.row(name, "saved", float("inf") if problems else difference, SAVED_TOLERANCE,
              "; ".join(problems))


# ---- dropout ----

def write_with_dropout(directory, case, place, probability):
    with open(f"{directory}/config.json") as f:
        config = json.load(f)
    for key in DROPOUT[case.family]:
        config[key] = probability if place in ("all", key) else 0.0
    with open(f"{directory}/config.json", "w") as f:
        json.dump(config, f)


def compare_dropout(table, program, name, case, directory, place, ranks=""):
    write_with_dropout(directory, case, "none" if ranks else place, 0.3)
    model, _ = load(case, directory)
    batch = list(families.examples(case, model.config, [6, 9, 4]))
    lines, values = lines_of(batch), None
    if ranks:
        with tempfile.TemporaryDirectory() as scratch:
            program(case, "gradients", directory, f"{scratch}/g", lines, ranks)
            values = load_file(f"{scratch}/g")
        model, _ = add_pairs(case, model, ranks, values, dropout=0.3)
    ours = numbers(program(case, "losses", directory, MASKS, lines, ranks, 0.3))[:, 0]
    model.train()
    with torch.no_grad():
        theirs = families.forward(case, model, batch * MASKS)[0].reshape(MASKS, -1).mean(1)
    if not ours.std() > 0:
        table.row(name, place, float("inf"), ERRORS, "no dropout here")
        return
    error = ((ours.var() + theirs.var()) / MASKS).sqrt()
    ratio = (ours.std() / theirs.std()).item()
    far = ratio > SPREAD or ratio < 1 / SPREAD
    table.row(name, place, float("inf") if far else abs(ours.mean() - theirs.mean()) / error,
              ERRORS, f"mean {ours.mean():.4f} and {theirs.mean():.4f}, deviation "
              f"{ours.std():.4f} and {theirs.std():.4f}")


# ---- real models ----

def compare_minilm(table, program, shared):
    case, source = Case("bert"), f"{shared}/models/minilm-l3"
    tokenizer = transformers.BertTokenizerFast(f"{source}/vocab.txt")
    with open(f"{shared}/data/glue/sst2/dev.tsv") as rows:
        rows = [row.rstrip("\n").split("\t") for row in list(rows)[1:65]]
    batch = [(int(label), tokenizer(text)["input_ids"], None) for text, label in rows]
    with tempfile.TemporaryDirectory() as scratch:
        program(case, "save", source, scratch)
        model, problems = load(case, scratch)
        table.row("minilm-l3", "saved", float("inf") if problems else 0, SAVED_TOLERANCE,
                  "; ".join(problems))
        compare_passes(table, program, "minilm-l3", case, model, scratch, batch)
        compare_pairs(table, program, "minilm-l3", case, model, scratch, batch[:32], "8")


def compare_capp(table, program, shared):
    case, source = Case("gpt2", "language"), f"{shared}/models/capp-gpt"
    model, _ = load(case, source)
    batch = list(families.examples(case, model.config, LENGTHS))
    compare_passes(table, program, "capp-gpt", case, model, source, batch)
    compare_pairs(table, program, "capp-gpt", case, model, source, batch, "8")
    compare_saved(table, program, "capp-gpt", case, model, source, batch)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--dropout", action="store_true")
    options.add_argument("--shared")
    options.add_argument("--only", default="")
    said = options.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    program, table = Program(said.program), Table()
    for name, case in CASES.items():
        if said.only not in name or (said.dropout and name not in ALIKE):
            continue
        case = dataclasses.replace(case, size="small" if said.dropout else "large")
        model = families.build(case)
        with tempfile.TemporaryDirectory() as directory:
            families.write(directory, case, model)
            if said.dropout:
                for place in ["all", *DROPOUT[case.family]]:
                    compare_dropout(table, program, name, case, directory, place)
                compare_dropout(table, program, name, case, directory, "lora_dropout", "4")
                continue
            batch = list(families.examples(case, model.config, LENGTHS))
            compare_passes(table, program, name, case, model, directory, batch)
            for ranks in ("4", "2,8"):
                compare_pairs(table, program, name, case, model, directory, batch, ranks)
            compare_saved(table, program, name, case, model, directory, batch)
    if said.shared and not said.dropout:
        compare_minilm(table, program, said.shared)
        compare_capp(table, program, said.shared)
    sys.exit(0 if table.good else 1)


if __name__ == "__main__":
    main()
