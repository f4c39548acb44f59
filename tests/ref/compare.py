"""Compares the passes with PyTorch on a real model and real sentences.

usage: python tests/ref/compare.py DUMP_MODEL DIR SENTENCES.tsv [N]
needs: the packages of tests/ref/requirements.txt

DUMP_MODEL is the program of tests/lib/model/dump_model.c; SENTENCES has a header line and
lines TEXT <tab> LABEL (SST-2's train.tsv and dev.tsv). It saves the model with a new head,
loads what was saved in transformers, and compares logits of N sentences (500), one by one
and in batches of 32, with PyTorch in single precision, and every tensor's gradient on the
first 32 with PyTorch in double. Exit status 1 when a difference exceeds its tolerance.
"""
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, BertTokenizerFast

LOGIT_TOLERANCE = 1e-4     # absolute: some hundred roundings of a logit near 1
GRADIENT_TOLERANCE = 1e-4  # |difference| / |gradient|
ZERO = 1e-12               # a gradient that is 0 but for rounding in double


def run(program, *arguments, lines=()):
    return subprocess.run([program, *arguments], input="".join(lines), text=True,
                          check=True, stdout=subprocess.PIPE).stdout


def load(directory, dtype):
    model, report = AutoModelForSequenceClassification.from_pretrained(
        directory, dtype=dtype, attn_implementation="eager", output_loading_info=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[kind]:
            sys.exit(f"{directory}: {kind}: {report[kind]}")
    return model.eval()


def compare_logits(program, directory, examples, lines):
    model, worst = load(directory, torch.float32), {}
    with torch.no_grad():
        truth = torch.stack([model(input_ids=torch.tensor([ids])).logits[0]
                             for _, ids in examples])
    for batch in (1, 32):
        ours = torch.tensor([[float(x) for x in row.split("\t")] for row in
                             run(program, "logits", directory, str(batch),
                                 lines=lines).splitlines()])
        worst[batch] = (ours - truth).abs().max().item()
        print(f"logits of {len(lines)} sentences, batch {batch}: largest difference "
              f"{worst[batch]:.2e} (of {truth.abs().max():.2f})")
    return max(worst.values()) <= LOGIT_TOLERANCE


def compare_gradients(program, directory, scratch, examples, lines):
    model = load(directory, torch.float64)
    loss = sum(model(input_ids=torch.tensor([ids]), labels=torch.tensor([label])).loss
               for label, ids in examples) / len(examples)
    loss.backward()
    run(program, "gradients", directory, f"{scratch}/gradients", lines=lines)
    ours = load_file(f"{scratch}/gradients")
    worst, worst_name, zeros = 0, "", []
    for name, w in model.named_parameters():
        size, difference = w.grad.norm().item(), (ours[name] - w.grad).norm().item()
        if size < ZERO:
            zeros.append(f"{name} {size:.1e} {difference:.1e}")
        elif difference / size > worst:
            worst, worst_name = difference / size, name
    print(f"gradients of {len(ours) - len(zeros)} tensors: largest relative difference "
          f"{worst:.2e}, in {worst_name}")
    for z in zeros:
        print(f"exactly zero (in double, of ours): {z}")
    return worst <= GRADIENT_TOLERANCE


def main(program, directory, sentences, n=500):
    tokenizer = BertTokenizerFast(f"{directory}/vocab.txt")
    with open(sentences) as rows:
        rows = [row.rstrip("\n").split("\t") for row in list(rows)[1:int(n) + 1]]
    examples = [(int(label), tokenizer(text)["input_ids"]) for text, label in rows]
    lines = [f"{label}\t{' '.join(map(str, ids))}\n" for label, ids in examples]
    with tempfile.TemporaryDirectory() as scratch:
        run(program, "save", directory, scratch)
        good = compare_logits(program, scratch, examples, lines)
        good &= compare_gradients(program, scratch, scratch, examples[:32], lines[:32])
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
