"""Fine-tunes with PyTorch as adapeft-finetune does by default, and judges on a second file.

usage: finetune.py [--seeds 0,1,2] [--epochs 2] [--threads 2] [--rows 8000] MODEL TRAIN DEV
       finetune.py --same MODEL DEV PREDICTIONS

TRAIN and DEV are TSVs with columns sentence and label. AdamW (decay 0.01, none for biases and
norms), lr 5e-5, linear schedule after 6 % warm-up, gradients clipped to 1, batches of 32,
128 tokens, dropout as the configuration has it, new head from the seed. Prints the accuracy for
each seed and the mean.

--same compares what adapeft-evaluate --predictions wrote for the saved directory MODEL with what
transformers predicts from it: every label must be the same, logits within 1e-4.
"""
import argparse
import math
import statistics
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def rows_of(path, n=None):
    rows = [x.rstrip("\n").split("\t") for x in open(path, encoding="utf-8")][1:]
    return rows[:n]


def encode(tokenizer, rows):
    batch = tokenizer([t for t, _ in rows], padding=True, truncation=True, max_length=128,
                      return_tensors="pt")
    return batch, torch.tensor([int(y) for _, y in rows])


@torch.inference_mode()
def logits_of(model, tokenizer, rows):
    model.eval()
    out = []
    for i in range(0, len(rows), 64):
        out.append(model(**encode(tokenizer, rows[i:i + 64])[0]).logits)
    return torch.cat(out)


def train(args, seed, tokenizer, rows):
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.model, num_labels=2, dtype=torch.float32)
    plain = [p for n, p in model.named_parameters() if n.endswith(".bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters()
               if not (n.endswith(".bias") or "LayerNorm" in n)]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01},
                                   {"params": plain, "weight_decay": 0.0}], lr=5e-5)
    per_epoch = math.ceil(len(rows) / 32)
    steps = per_epoch * args.epochs
    warmup = math.ceil(0.06 * steps)
    step = 0
    model.train()
    for _ in range(args.epochs):
        order = torch.randperm(len(rows)).tolist()
        for i in range(0, len(rows), 32):
            factor = step / warmup if step < warmup else (steps - step) / (steps - warmup)
            for group in optimizer.param_groups:
                group["lr"] = 5e-5 * factor
            batch, labels = encode(tokenizer, [rows[j] for j in order[i:i + 32]])
            optimizer.zero_grad(set_to_none=True)
            model(**batch, labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
    return model


def same(model_dir, dev, predictions):
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model, info = AutoModelForSequenceClassification.from_pretrained(
        model_dir, dtype=torch.float32, output_loading_info=True)
    if info["missing_keys"] or info["unexpected_keys"]:
        sys.exit(f"keys do not match: {info}")
    truth = logits_of(model, tokenizer, rows_of(dev))
    lines = [x.rstrip("\n").split("\t") for x in open(predictions)]
    names = lines[0]
    first = next(i for i, n in enumerate(names) if n.startswith("logit"))
    ours = torch.tensor([[float(x) for x in line[first:]] for line in lines[1:]])
    guess = torch.tensor([int(line[names.index("guess")]) for line in lines[1:]])
    worst = (ours - truth).abs().max().item()
    differ = (guess != truth.argmax(1)).sum().item()
    print(f"{len(guess)} predictions, {differ} differ; logits within {worst:.2g}")
    sys.exit(differ > 0 or worst > 1e-4)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seeds", default="0,1,2")
    args.add_argument("--epochs", type=int, default=2)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--rows", type=int, default=8000)
    args.add_argument("--same", action="store_true")
    args.add_argument("model")
    args.add_argument("files", nargs=2)
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    if args.same:
        same(args.model, *args.files)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    rows, dev = rows_of(args.files[0], args.rows), rows_of(args.files[1])
    truth = torch.tensor([int(y) for _, y in dev])
    scores = []
    for seed in map(int, args.seeds.split(",")):
        model = train(args, seed, tokenizer, rows)
        score = (logits_of(model, tokenizer, dev).argmax(1) == truth).float().mean().item()
        print(f"seed {seed}: accuracy {score:.4f}", flush=True)
        scores.append(score)
    print(f"mean of {len(scores)}: {statistics.mean(scores):.4f}")


if __name__ == "__main__":
    main()
