"""Peak resident memory of the programs on models of BERT-base's and GPT-2's size.

usage: memory.py BIN [SECONDS] [WORD...]

The weights are random: memory does not depend on what they are. Batches are 32 sentences as
long as SST-2's for BERT, 8 texts of 128 tokens for GPT-2. Programs that no other needs run
for SECONDS (120) at most, for a fit's memory is all there after its first groups; with WORDs
only those whose names (gpt2/probe-fit) hold one. Prints GB a program; the status is 1 when
one takes more than LIMIT, or fails.
"""
import itertools
import json
import os
import random
import signal
import string
import subprocess
import sys
import tempfile
import time

from sentences import LENGTHS

LIMIT = 6e9
SECONDS = 120


def write_bert(directory):
    words = [c + d + e for c, d, e in itertools.product(string.ascii_lowercase, repeat=3)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    pieces += [f"{w}s" for w in words][:30522 - len(pieces)]
    with open(f"{directory}/config.json", "w", encoding="utf-8") as out:
        json.dump({"model_type": "bert", "vocab_size": len(pieces)}, out)
    with open(f"{directory}/vocab.txt", "w", encoding="utf-8") as out:
        out.writelines(f"{x}\n" for x in pieces)
    with open(f"{directory}/data.tsv", "w", encoding="utf-8") as out:
        print("sentence\tlabel", file=out)
        for i, n in enumerate(2 * LENGTHS):
            print(" ".join(random.choices(words, k=n - 2)), i % 2, sep="\t", file=out)
    return ["--task", "sst2", "--batch", "32", "-d", f"{directory}/data.tsv"]


def write_gpt2(directory):
    """The letters are tokens as they are; no others are needed."""
    vocab = {c: i for i, c in enumerate(string.ascii_lowercase)}
    vocab.update({f"a{i}": i for i in range(len(vocab), 50256)}, **{"<|endoftext|>": 50256})
    with open(f"{directory}/config.json", "w", encoding="utf-8") as out:
        json.dump({"model_type": "gpt2"}, out)
    with open(f"{directory}/vocab.json", "w", encoding="utf-8") as out:
        json.dump(vocab, out)
    with open(f"{directory}/merges.txt", "w", encoding="utf-8") as out:
        print("#version: 0.2", file=out)
    with open(f"{directory}/data.txt", "w", encoding="utf-8") as out:
        out.write("".join(random.choices(string.ascii_lowercase, k=16 * 128)))
    return ["--task", "lm", "--batch", "8", "--max-len", "128",
            "-d", f"{directory}/data.txt"]


def run(command, stdin, stdout, seconds):
    """(peak bytes, whether it was stopped, status)"""
    with open(stdin or os.devnull, "rb") as given, open(stdout, "wb") as out:
        process = subprocess.Popen(command, stdin=given, stdout=out)
    end, stopped = time.monotonic() + seconds, False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            return 1024 * usage.ru_maxrss, stopped, status
        if time.monotonic() > end and not stopped:
            process.send_signal(signal.SIGTERM)
            stopped = True
        time.sleep(0.2)


def programs(directory, data):
    """(name, program and options, stdin, stdout, whether the next ones need it)"""
    model = ["-q", "-m", f"{directory}/model", *data]
    ppi, appi, mask = (f"{directory}/{x}" for x in ("ppi", "appi", "mask"))
    finetune = ["finetune", *model, "--steps", "2"]
    return [
        ("finetune-full", ["finetune", "-q", "-m", directory, "--init", "random", *data,
                           "--preset", "full", "--steps", "2", "-o", f"{directory}/model"],
         None, f"{directory}/run", True),
        ("probe-grad", ["probe", *model, "--method", "grad", "--steps", "2",
                        "--every", "1"], None, ppi, True),
        ("rank", ["rank", "-q"], ppi, appi, True),
        ("select", ["select", "-q", "--budget", "1%"], appi, mask, True),
        ("finetune-mask", [*finetune, "-o", f"{directory}/small"], mask, f"{directory}/run",
         False),
        ("finetune-lora", [*finetune, "--preset", "lora", "-o", f"{directory}/pairs"], None,
         f"{directory}/run", False),
        ("probe-fit", ["probe", *model, "--method", "fit", "--steps", "1"], None,
         f"{directory}/fit", False),
    ]


def main():
    where, *words = sys.argv[1:]
    seconds = int(words.pop(0)) if words and words[0].isdigit() else SECONDS
    random.seed(1)
    good = True
    print(f"{'model':7}{'program':16}{'GB':>6}", flush=True)
    for name, write in (("bert", write_bert), ("gpt2", write_gpt2)):
        if words and not any(name in w or w in name for w in words):
            continue
        with tempfile.TemporaryDirectory() as directory:
            data = write(directory)
            for what, command, stdin, stdout, needed in programs(directory, data):
                program, *options = command
                if words and not needed and not any(w in f"{name}/{what}" for w in words):
                    continue
                peak, stopped, status = run([f"{where}/adapeft-{program}", *options], stdin,
                                            stdout, 1e9 if needed else seconds)
                fine = peak <= LIMIT and (stopped or status == 0)
                good = good and fine
                print(f"{name:7}{what:16}{peak / 1e9:6.2f}"
                      f"{'  stopped after %d s' % seconds if stopped else ''}"
                      f"{'' if fine else '  TOO MUCH, OR FAILED'}", flush=True)
                if needed and status != 0:
                    sys.exit(1)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
