"""Makes tests/fixtures/training.tsv: training runs of tiny-bert as PyTorch makes them.

usage: python tests/ref/training.py tests/fixtures
needs: the packages of tests/ref/requirements.txt

All rows of sentiment-train.tsv are one batch; double precision, no dropout, gradients clipped
to norm 1, a linear schedule with 3 of 12 steps of warm-up (transformers'), weight decay 0.1 for
matrices only. Rows are
    adamw|sgd  STEP   loss  norm of the gradient before clipping     from step 0
    adamw|sgd  TENSOR norm of its change over the run
"""
import csv
import sys

import torch
from transformers import BertForSequenceClassification, BertTokenizer, get_linear_schedule_with_warmup

STEPS, WARMUP, DECAY = 12, 3, 0.1
RATES = {"adamw": 0.01, "sgd": 0.5}


def groups_of(model):
    tensors = list(model.parameters())
    return [{"params": [p for p in tensors if p.ndim > 1], "weight_decay": DECAY},
            {"params": [p for p in tensors if p.ndim == 1], "weight_decay": 0.0}]


class DecoupledSGD(torch.optim.SGD):
    """w = (1 - lr decay) w - lr g: the decay is not a part of the gradient."""

    def step(self):
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.mul_(1 - group["lr"] * group["decay"])
        super().step()


def optimizer_of(kind, model):
    if kind == "adamw":
        return torch.optim.AdamW(groups_of(model), lr=RATES[kind])
    groups = [{"params": g["params"], "decay": g["weight_decay"]} for g in groups_of(model)]
    return DecoupledSGD(groups, lr=RATES[kind])


def run(kind, directory, out):
    with open(f"{directory}/sentiment-train.tsv", newline="") as f:
        rows = list(csv.reader(f, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    tokenizer = BertTokenizer(f"{directory}/tiny-bert/vocab.txt")
    batch = tokenizer([r[0] for r in rows], padding=True, return_tensors="pt")
    labels = torch.tensor([int(r[1]) for r in rows])
    model = BertForSequenceClassification.from_pretrained(f"{directory}/tiny-bert").double().eval()
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = optimizer_of(kind, model)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = model(**batch, labels=labels).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        out.write(f"{kind}\t{step}\t{loss.item():.9g}\t{norm.item():.9g}\n")
        optimizer.step()
        schedule.step()
    for name, p in model.named_parameters():
        out.write(f"{kind}\t{name}\t{(p.detach() - before[name]).norm().item():.9g}\n")


with open(f"{sys.argv[1]}/training.tsv", "w") as table:
    for kind in RATES:
        run(kind, sys.argv[1], table)
