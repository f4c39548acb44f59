"""Texts a second beside PyTorch's, in one run, turn by turn.

usage: bench.py BENCH MODEL DATA

BENCH is the program made of bench.c; MODEL a directory that transformers loads; DATA a TSV with
columns sentence and label. Both go through the same batches of 32 texts in float, with two
threads, without dropout: PyTorch with padding to the longest text of a batch, its default
attention, fused AdamW. Prints a table; ratio is ours over PyTorch's.
"""
import subprocess
import sys
import time

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

BATCH = 32
MODES = [("forward", 20), ("full", 10), ("bitfit", 10), ("one", 10), ("fit", 1)]
TURNS = 3


def batches_of(path, tokenizer, n):
    rows = [x.rstrip("\n").split("\t") for x in open(path, encoding="utf-8")][1:]
    out = []
    for b in range(n):
        part = rows[b * BATCH:(b + 1) * BATCH]
        enc = tokenizer([t for t, _ in part], padding=True, truncation=True, max_length=128,
                        return_tensors="pt")
        out.append((enc, torch.tensor([int(y) for _, y in part])))
    return out


def wanted(model, mode):
    params = list(model.named_parameters())
    if mode == "bitfit":
        return {n for n, _ in params
                if n.endswith(".bias") or n.startswith("classifier") or ".pooler." in n}
    if mode == "one":
        left, names = sum(p.numel() for _, p in params) // 100, set()
        for n, p in sorted(params, key=lambda x: x[1].numel()):
            if p.numel() > left:
                break
            names.add(n)
            left -= p.numel()
        return names
    return {n for n, _ in params}


class Torch:
    def __init__(self, path, mode):
        self.mode = mode
        self.model = AutoModelForSequenceClassification.from_pretrained(
            path, dtype=torch.float32).eval()
        names = wanted(self.model, mode)
        for n, p in self.model.named_parameters():
            p.requires_grad_(n in names)
        self.optimizer = torch.optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad], lr=1e-6, fused=True)

    def batch(self, enc, labels):
        if self.mode == "forward":
            with torch.inference_mode():
                self.model(**enc, labels=labels)
            return
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.model(**enc, labels=labels).loss
        loss.backward()
        if self.mode == "fit":
            self.fit(enc, labels)
        self.optimizer.step()

    @torch.no_grad()
    def fit(self, enc, labels):
        """4 forward passes a tensor, as the paper has it; the direction is at hand."""
        for p in self.model.parameters():
            d = p.grad / (p.grad.abs() + 1e-8)
            for r in (-2, -1, 1, 2):
                p.add_(d, alpha=-r * 1e-5)
                self.model(**enc, labels=labels)
                p.add_(d, alpha=r * 1e-5)

    def rate(self, batches):
        start = time.perf_counter()
        for enc, labels in batches:
            self.batch(enc, labels)
        return len(batches) * BATCH / (time.perf_counter() - start)


def ours(bench, mode, model, data, n, rounds):
    out = subprocess.run([bench, mode, model, data, str(n), str(rounds)], capture_output=True,
                         text=True, check=True)
    return float(out.stdout)


def main():
    bench, path, data = sys.argv[1:]
    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(path)
    print("what\tours\tpytorch\tratio", flush=True)
    for mode, n in MODES:
        batches = batches_of(data, tokenizer, n)
        reference = Torch(path, mode)
        turns = 1 if mode == "fit" else TURNS
        if turns > 1:
            reference.rate(batches)
        a, b = [], []
        for _ in range(turns):
            a.append(ours(bench, mode, path, data, n, 1 if mode == "fit" else 2))
            b.append(reference.rate(batches))
        ratio = sorted(x / y for x, y in zip(a, b))[len(a) // 2]
        print(f"{mode}\t{sorted(a)[len(a) // 2]:.1f}\t{sorted(b)[len(b) // 2]:.1f}\t{ratio:.2f}",
              flush=True)


if __name__ == "__main__":
    main()
