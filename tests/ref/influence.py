"""Holds adapeft-probe beside exact derivatives, in double precision, of every tensor.

usage: influence.py [--bin DIR] [--batches N] [--rows N] MODEL DATA

MODEL is a saved directory that transformers loads with its head (adapeft-finetune makes one;
--lr 0 --steps 1 leaves the weights as they were). DATA is a TSV with columns sentence, label.
For each of N batches of rows and both directions, by PyTorch in double:

    G.g      slope
    g'Hg     curvature, by differentiating the gradient again

Healthy tensors are those with g'Hg > 0 and an exact gain G.g^2 / (2 g'Hg) between 1e-4 and the
loss. Exits 1 when a slope is off by more than 0.1 %, a zero gradient is not called so, or more
than 5 % of the healthy curvatures of a batch are off by more than 5 %.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

SLOPE, CURV, SHARE = 1e-3, 0.05, 0.95
ZERO = 1e-12  # a gradient norm below it is an exact zero with rounding in double


def exact(model, batch, labels, direction):
    """loss and {tensor: (slope, curvature, gradient norm)}"""
    params = dict(model.named_parameters())
    loss = model(**batch, labels=labels).loss
    grads = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    out = {}
    for (name, w), g in zip(params.items(), grads):
        d = g.detach()
        d = d / (d.abs() + 1e-8) if direction == "adamw" else d
        dot = (g * d).sum()
        hd = torch.autograd.grad(dot, w, retain_graph=True, allow_unused=True)[0]
        curv = 0.0 if hd is None else (hd * d).sum().item()
        out[name] = (dot.item(), curv, g.norm().item())
    return loss.item(), out


def probe(binary, model, data, direction, rows):
    run = subprocess.run(
        [os.path.join(binary, "adapeft-probe"), "-m", model, "-d", data, "--task", "sst2",
         "--steps", "1", "--every", "1", "--batch", str(rows), "--max-len", "512",
         "--direction", direction, "--trust", "inf"], capture_output=True, text=True, check=True)
    lines = [x for x in run.stdout.splitlines() if not x.startswith("##")]
    names = lines[0][1:].split("\t")
    return [dict(zip(names, x.split("\t"))) for x in lines[1:]]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--bin", default="bin")
    args.add_argument("--batches", type=int, default=3)
    args.add_argument("--rows", type=int, default=32)
    args.add_argument("-v", action="store_true")
    args.add_argument("model")
    args.add_argument("data")
    args = args.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.model, dtype=torch.float64, attn_implementation="eager").eval()
    rows = [x.rstrip("\n").split("\t") for x in open(args.data, encoding="utf-8")][1:]
    failed = False
    for b in range(args.batches):
        part = rows[b * args.rows:(b + 1) * args.rows]
        with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as f:
            f.write("sentence\tlabel\n" + "".join(f"{t}\t{y}\n" for t, y in part))
            f.flush()
            batch = tokenizer([t for t, _ in part], padding=True, return_tensors="pt")
            labels = torch.tensor([int(y) for _, y in part])
            for direction in ("adamw", "sgd"):
                loss, truth = exact(model, batch, labels, direction)
                ours = probe(args.bin, args.model, f.name, direction, args.rows)
                failed |= compare(b, direction, loss, truth, ours, args.v)
    sys.exit(failed)


def compare(b, direction, loss, truth, ours, verbose):
    slopes = curvs = healthy = good = 0
    worst_slope = worst_curv = 0.0
    bad = []
    for row in ours:
        slope, curv, norm = truth[row["group"]]
        if norm < ZERO:
            if row["status"] != "zero":
                bad.append(f"{row['group']}: exact zero is called {row['status']}")
            continue
        if row["status"] == "zero":
            bad.append(f"{row['group']}: called zero, slope is {slope:.3g}")
            continue
        slopes += 1
        off = abs(float(row["slope"]) - slope) / abs(slope)
        worst_slope = max(worst_slope, off)
        if off > SLOPE:
            bad.append(f"{row['group']}: slope {row['slope']}, exact {slope:.6g}")
        gain = slope * slope / (2 * curv) if curv > 0 else 0
        if not 1e-4 <= gain <= loss:
            continue
        healthy += 1
        off = abs(float(row["curv"]) - curv) / curv
        if off <= CURV:
            good += 1
        worst_curv = max(worst_curv, off)
        if verbose or off > CURV:
            print(f"  {row['group']}: curv {float(row['curv']):.6g} exact {curv:.6g} off "
                  f"{100 * off:.2f} % gain {gain:.3g} reach {row['reach']} "
                  f"spread {100 * float(row['spread']) / curv:.2f} % {row['status']}")
    print(f"batch {b} {direction}: loss {float(ours[0]['loss']):.7f} exact {loss:.7f}; "
          f"{slopes} slopes, worst off by {100 * worst_slope:.4f} %; "
          f"{good} of {healthy} healthy curvatures within {100 * CURV:.0f} %, "
          f"worst {100 * worst_curv:.2f} %")
    for line in bad:
        print("  " + line)
    return bool(bad) or good < SHARE * healthy


if __name__ == "__main__":
    main()
