"""Holds slopes and curvatures of every tensor beside exact derivatives in double precision.

usage: influence.py [--bin DIR] [--method M]... [--batches N] [--rows N] [-v] MODEL DATA
       influence.py --families DUMP_MODEL [--method M]... [--batches N] [--only WORD] [-v]
needs: the packages of tests/ref/requirements.txt

The first holds adapeft-probe to it. MODEL is a saved directory that transformers loads with
its head (adapeft-finetune makes one; --lr 0 --steps 1 leaves the weights as they were). DATA
is a TSV with columns sentence, label. The second holds the prober itself to it, by the
program of tests/lib/model/dump_model.c, for small random models of every family and head, and
of two with LoRA pairs beside PEFT's; a table of the worst ends it. On one core all of it takes
about a quarter of an hour, hvp alone a third of that; --only WORD takes the cases whose name
holds WORD. For each of N batches (3) and both directions, by PyTorch:

    G.g        slope
    g'Hg       curvature, by differentiating the gradient again: of fit and hvp
    g'(GGN)g   by differentiating the logits along g: of ggn

Methods are fit, hvp and ggn: of a program fit, of families all, unless --method says. With
--families g is made of our own gradients, whose float rounding AdamW's 1e-8 magnifies where
they are no larger; the slope is held to the exact one all the same. Exits 1 when
    a zero gradient is not called so, or one that is not is
    a slope is off by more than 0.01 %
    fit    more than 5 % of a batch's healthy curvatures are off by more than 5 %: those with
           g'Hg > 0 and an exact gain G.g^2 / (2 g'Hg) between 1e-4 and the loss, but for
           those that it calls lowfit itself, whose gain is 0; or these are more than half of
           the healthy. Not of a model with relu: fits feel its kinks, g'Hg does not. Of
           DistilBERT, whose head has one, 10 % may be off
    hvp    a curvature is off by more than 0.1 %, and by more than 1e-6 of g'(GGN)g: what has
           cancelled so far is rounding
    ggn    one is off by more than 0.1 %. A language model's, whose labels are drawn: the
           mean over SEEDS seeds is off by more than 4 standard errors
"""
import argparse
import collections
import dataclasses
import math
import os
import subprocess
import sys
import tempfile
import warnings

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import compare
import families
import jets

SLOPE = 1e-4
CURV, LOWFIT = 0.05, 0.5               # fit
SHARE, KINKED = 0.95, 0.9
EXACT, CANCELLED = 1e-3, 1e-6          # hvp
GGN, ERRORS, SEEDS = 1e-3, 4, 200
ZERO = 1e-12  # a gradient norm below it is an exact zero with rounding in double
LENGTHS = [7, 1, 22, 3, 40, 5, 12, 2]

Truth = collections.namedtuple("Truth", "slope curv ggn norm loss")
Ours = collections.namedtuple("Ours", "slope curv status")


class Check:
    """Of the tensors of one batch: counts, worst, and lines to print."""

    def __init__(self, method, verbose, sampled=False, kinks=False):
        self.method, self.verbose, self.sampled = method, verbose, sampled
        self.share = 1 if method != "fit" else KINKED if kinks else SHARE
        self.lines, self.bad = [], 0
        self.slope = self.curv = 0.0
        self.n = self.held = self.good = self.cancelled = self.lowfit = 0

    def fail(self, line):
        self.bad += 1
        self.lines.append(line)

    def tensor(self, name, truth, ours):
        """`ours` are the estimates of all seeds."""
        one = ours[0]
        if (truth.norm < ZERO) != (one.status == "zero"):
            self.fail(f"{name}: gradient {truth.norm:.3g} is called {one.status}")
        if truth.norm < ZERO or one.status == "zero":
            return
        self.n += 1
        off = abs(one.slope - truth.slope) / abs(truth.slope)
        self.slope = max(self.slope, off)
        if off > SLOPE:
            self.fail(f"{name}: slope {one.slope:.9g}, exact {truth.slope:.9g}")
        if self.sampled:
            self.drawn(name, truth.ggn, [x.curv for x in ours])
        else:
            getattr(self, self.method)(name, truth, one)

    def note(self, name, ours, exact, off, good, more=""):
        self.held += 1
        self.good += good
        self.curv = max(self.curv, off)
        if self.verbose or not good:
            self.lines.append(f"{name}: curv {ours:.7g} exact {exact:.7g} off "
                              f"{100 * off:.3f} % {more}")

    def fit(self, name, truth, ours):
        gain = truth.slope ** 2 / (2 * truth.curv) if truth.curv > 0 else 0
        if not 1e-4 <= gain <= truth.loss:
            return
        if ours.status == "lowfit":
            self.lowfit += 1
            return
        off = abs(ours.curv - truth.curv) / truth.curv
        self.note(name, ours.curv, truth.curv, off, off <= CURV, f"gain {gain:.3g} {ours.status}")

    def hvp(self, name, truth, ours):
        curv, gap = ours.curv, abs(ours.curv - truth.curv)
        off = gap / abs(truth.curv) if truth.curv else math.inf * (gap > 0)
        if off > EXACT and gap <= CANCELLED * truth.ggn:
            self.cancelled += 1
            self.lines.append(f"{name}: curv {curv:.7g} exact {truth.curv:.7g}, cancelled "
                              f"from {truth.ggn:.3g}")
            return
        self.note(name, curv, truth.curv, off, off <= EXACT)

    def ggn(self, name, truth, ours):
        off = abs(ours.curv - truth.ggn) / truth.ggn
        self.note(name, ours.curv, truth.ggn, off, off <= GGN)

    def drawn(self, name, exact, all_of_them):
        x = torch.tensor(all_of_them, dtype=torch.double)
        errors = ((x.mean() - exact).abs() / (x.std() / len(x) ** 0.5)).item()
        self.note(name, x.mean().item(), exact, errors / 100, errors <= ERRORS,
                  "(standard errors)")

    def end(self, what):
        good = (not self.bad and self.good >= self.share * self.held
                and self.lowfit <= LOWFIT * (self.held + self.lowfit))
        worst = (f"{100 * self.curv:.2f} standard errors" if self.sampled
                 else f"{100 * self.curv:.4f} %")
        more = "".join(f", {n} {word}" for n, word in ((self.cancelled, "cancelled"),
                                                       (self.lowfit, "lowfit")) if n)
        print(f"{what} {self.method}: {self.n} slopes, worst {100 * self.slope:.4f} %; "
              f"{self.good} of {self.held} curvatures good, worst {worst}{more}"
              f"{'' if good else '  FAIL'}", flush=True)
        for line in self.lines:
            print("  " + line)
        return good


# ---- the program ----

def probe(binary, model, data, direction, rows, method):
    run = subprocess.run(
        [os.path.join(binary, "adapeft-probe"), "-m", model, "-d", data, "--task", "sst2",
         "--steps", "1", "--every", "1", "--batch", str(rows), "--max-len", "512",
         "--method", method, "--direction", direction, "--trust", "inf", "--slopes", "batch"],
        capture_output=True, text=True, check=True)
    lines = [x for x in run.stdout.splitlines() if not x.startswith("##")]
    names = lines[0][1:].split("\t")
    rows = [dict(zip(names, x.split("\t"))) for x in lines[1:]]
    return {x["group"]: [Ours(float(x["slope"]), float(x["curv"]), x["status"])] for x in rows}


def truths(found, direction_of):
    """{tensor: Truth} of a Derivatives."""
    out = {}
    for name in found.params:
        slope, curv, ggn = found.along(name, direction_of(name))
        g = found.gradient(name)
        out[name] = Truth((g * direction_of(name)).sum().item(), curv, ggn, g.norm().item(),
                          found.loss.item())
    return out


def program(args):
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.model, dtype=torch.float64, attn_implementation="eager").eval()
    rows = [x.rstrip("\n").split("\t") for x in open(args.data, encoding="utf-8")][1:]
    good = True
    for b in range(args.batches):
        part = rows[b * args.rows:(b + 1) * args.rows]
        with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as f:
            f.write("sentence\tlabel\n" + "".join(f"{t}\t{y}\n" for t, y in part))
            f.flush()
            batch = tokenizer([t for t, _ in part], padding=True, return_tensors="pt")
            logits = model(**batch).logits
            losses = torch.nn.functional.cross_entropy(
                logits, torch.tensor([int(y) for _, y in part]), reduction="none")
            found = jets.Derivatives(dict(model.named_parameters()), losses, logits)
            for word, direct in jets.DIRECTIONS.items():
                exact = truths(found, lambda name: direct(found.gradient(name)))
                for method in args.method:
                    check = Check(method, args.v)
                    ours = probe(args.bin, args.model, f.name, word, args.rows, method)
                    for name, truth in exact.items():
                        check.tensor(name, truth, ours[name])
                    good &= check.end(f"batch {b} {word}")
    return good


# ---- every family ----

CASES = ("bert", "bert 3 classes", "bert regression",
         "distilbert 3 classes", "distilbert regression",
         "roberta", "roberta 3 classes", "roberta regression",
         "gpt2 language", "gpt2 language, untied", "gpt2", "gpt2 3 classes", "gpt2 regression",
         "vit", "vit 3 classes", "vit regression")
PAIRS = {"bert": "2,4", "gpt2 language": "2,4"}


class Worst:
    """Of every case, method and direction the worst curvature of all batches."""

    def __init__(self, methods):
        self.columns = [f"{m} {d}" for d in jets.DIRECTIONS for m in methods]
        self.rows = {}

    def add(self, name, column, check):
        row = self.rows.setdefault(name, {})
        known = row.get(column, (0, False))[0]
        row[column] = (max(known, check.curv), check.sampled)

    def show(self):
        print(f"{'worst, in %; s: standard errors':32}",
              *(f"{c:>10}" for c in self.columns))
        for name, row in self.rows.items():
            print(f"{name:32}", *(self.cell(row.get(c)) for c in self.columns))

    def cell(self, found):
        if found is None:
            return f"{'-':>10}"
        value, sampled = found
        return f"{100 * value:>9.2f}s" if sampled else f"{100 * value:>10.4f}"


def bends(config):
    """Is there a relu between the embeddings and the head?"""
    names = ("activation_function", "hidden_act", "activation")
    return "relu" in [getattr(config, x, None) for x in names]


def estimates(program, case, directory, how, lines, ranks):
    out = collections.defaultdict(list)
    for line in program(case, "influence", directory, how, lines, ranks).splitlines():
        name, slope, curv, status = line.split("\t")
        out[name].append(Ours(float(slope), float(curv), status))
    return out


def family(args, dump, worst, name, case, model, directory, seed, ranks):
    config = model.config
    batch = list(families.examples(case, config, LENGTHS, seed))
    lines = compare.lines_of(batch)
    with tempfile.TemporaryDirectory() as scratch:
        dump(case, "gradients", directory, f"{scratch}/g", lines, ranks)
        gradients = load_file(f"{scratch}/g")
    names = {n: families.spell(compare.as_saved(case), n) for n, _ in model.named_parameters()}
    if ranks:
        model, names = compare.add_pairs(case, model, ranks, gradients)
    found = jets.derivatives(case, model, batch)
    what, good = f"{name} lora {ranks}" if ranks else name, True
    for word, direct in jets.DIRECTIONS.items():
        exact = truths(found, lambda n: direct(gradients[names[n]]).double().reshape(
            found.params[n].shape))
        slopes = {n: (found.gradient(n) * direct(found.gradient(n))).sum().item()
                  for n in exact}
        for method in args.method:
            if method == "fit" and bends(config):
                continue
            sampled = method == "ggn" and case.kind == "language"
            check = Check(method, args.v, sampled, case.family == "distilbert")
            how = f"{method}:{word}:{int(sampled)}:{SEEDS if sampled else 1}"
            ours = estimates(dump, case, directory, how, lines, ranks)
            for n, truth in exact.items():
                check.tensor(names[n], truth._replace(slope=slopes[n]), ours[names[n]])
            good &= check.end(f"{what}, batch {seed} {word}")
            worst.add(what, f"{method} {word}", check)
    return good


def every_family(args):
    dump, worst, good = compare.Program(args.families), Worst(args.method), True
    for name in CASES:
        if args.only not in name:
            continue
        case = dataclasses.replace(compare.CASES[name], size="large")
        model = families.build(case)
        with tempfile.TemporaryDirectory() as directory:
            families.write(directory, case, model)
            for seed in range(args.batches):
                for ranks in ["", PAIRS[name]] if name in PAIRS else [""]:
                    good &= family(args, dump, worst, name, case, model, directory, seed,
                                   ranks)
    worst.show()
    return good


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--bin", default="bin")
    args.add_argument("--families")
    args.add_argument("--only", default="")
    args.add_argument("--method", action="append", choices=["fit", "hvp", "ggn"])
    args.add_argument("--batches", type=int, default=3)
    args.add_argument("--rows", type=int, default=32)
    args.add_argument("-v", action="store_true")
    args.add_argument("model", nargs="?")
    args.add_argument("data", nargs="?")
    args = args.parse_args()
    args.method = args.method or (["fit", "hvp", "ggn"] if args.families else ["fit"])
    warnings.simplefilter("ignore", FutureWarning)
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    sys.exit(not (every_family(args) if args.families else program(args)))


if __name__ == "__main__":
    main()
