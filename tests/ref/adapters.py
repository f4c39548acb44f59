"""Adapters written here are read by PEFT, and PEFT's here, with the same logits.

usage: python tests/ref/adapters.py BIN DUMP_MODEL [CASE...]
       python tests/ref/adapters.py --fixture tests/fixtures
needs: the packages of tests/ref/requirements.txt

BIN is the directory of the programs, DUMP_MODEL the program of tests/lib/model/dump_model.c.
For a small random model of every family:
  - adapeft-finetune trains it in each of WAYS, saved as full, delta and peft. PEFT loads the
    adapter over the base, transformers the full model without missing or unexpected names;
    both, and delta, give the logits that dump_model gives for the adapter, within 1e-5.
    What is in delta.safetensors beside an adapter is put into the base first; how many
    tensors that are is printed.
  - PEFT trains it in each of THEIRS, with random B; dump_model gives the logits that PEFT
    gives for the directory that it saved, within 1e-5.
PEFT and transformers compute in double precision, with the values that were saved.
The exit code is 1 when anything differs.

--fixture makes tiny-bert-peft/, an adapter that PEFT trained upon tiny-bert, with the logits
of the sequences in tiny-bert/batch.tsv.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

import peft
import torch
import transformers
from safetensors.torch import load_file

import families

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "fixtures")
WORDS = sum(1 for _ in open(f"{FIXTURES}/tiny-bert/vocab.txt"))
TOLERANCE = 1e-5

CASES = {
    "bert": families.Case("bert", config=dict(vocab_size=WORDS, max_position_embeddings=40)),
    "bert without prefix": families.Case(
        "bert", prefix=False, old_norms=True,
        config=dict(vocab_size=WORDS, max_position_embeddings=40)),
    "distilbert": families.Case(
        "distilbert", config=dict(vocab_size=WORDS, max_position_embeddings=40)),
    "roberta": families.Case(
        "roberta", config=dict(vocab_size=700, max_position_embeddings=42)),
    "gpt2": families.Case("gpt2", "language", config=dict(vocab_size=700, n_positions=40)),
    "gpt2 classes": families.Case("gpt2", config=dict(vocab_size=700, n_positions=40)),
    "vit": families.Case("vit", labels=2),
    "vit newer": families.Case("vit", labels=2, newer=True),
}
# What each family calls a block's query (or what holds it), and a norm of its first block.
QUERY = {"bert": "query", "roberta": "query", "distilbert": "q_lin", "gpt2": "attn.c_attn",
         "vit": "query", "vit newer": "q_proj"}
PAIRS = ["--lora-rank"]
WAYS = {
    "lora": ["--preset", "lora", *PAIRS, "2", "--lora-alpha", "5"],
    "lora, all linear": ["--preset", "lora", *PAIRS, "3", "--lora-targets", "all-linear"],
    "lora+bias": ["--preset", "lora+bias", *PAIRS, "2"],
    "bitfit": ["--preset", "bitfit"],
    "norm": ["--preset", "norm"],
    "head": ["--preset", "head"],
    "mixed ranks": ["--train", "*.0.*.lora.r2,*.1.*.lora.r4", *PAIRS, "2,4"],
    "ranks beside each other": ["--preset", "lora", *PAIRS, "2,4", "--lora-dropout", "0.1"],
    "mixed": ["--train", "*.0.*.bias,*.1.*,*embed*,wpe*", *PAIRS, "2"],
    "pairs and their bias": ["--train", "*.lora,*.{query}.bias", *PAIRS, "2",
                             "--lora-targets", "{query}"],
    "all": ["--preset", "full"],
}
TARGETS = {"bert": ["query", "dense"], "roberta": ["query", "value"],
           "distilbert": ["q_lin", "lin1"], "gpt2": ["c_attn", "mlp.c_proj"],
           "vit": ["q_proj", "fc2"]}
NORM = {"bert": "bert.encoder.layer.0.output.LayerNorm", "vit": "vit.layers.0.layernorm_after",
        "roberta": "roberta.encoder.layer.0.output.LayerNorm", "gpt2": "transformer.h.0.ln_1",
        "distilbert": "distilbert.transformer.layer.0.sa_layer_norm"}
THEIRS = {
    "plain": dict(r=4, lora_alpha=6),
    "rslora": dict(r=4, use_rslora=True, lora_dropout=0.1),
    "patterns": dict(r=4, rank_pattern={"{target}": 2}, alpha_pattern={"{target}": 3,
                                                                       r".*\.1\..*": 7}),
    "bias all": dict(r=2, bias="all"),
    "bias of pairs, norm": dict(r=2, bias="lora_only", modules_to_save=["{norm}"]),
    "expression": dict(r=2, target_modules=r".*\.1\..*{target}"),
}
bad = 0


def report(what, ours, theirs, note=""):
    global bad
    apart = (ours - theirs).abs().max().item() if ours.shape == theirs.shape else float("inf")
    good = apart <= TOLERANCE
    bad += not good
    print(f"{'ok  ' if good else 'BAD '} {what}: within {apart:.1g}{note}", flush=True)


class Programs:
    def __init__(self, bin, dump):
        self.bin, self.dump = bin, dump
        self.env = dict(os.environ, OMP_WAIT_POLICY="passive")

    def run(self, *words, stdin=""):
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, env=self.env)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
        return done.stdout

    def finetune(self, base, data, out, form, words):
        self.run(f"{self.bin}/adapeft-finetune", "-q", "-j", "1", "-m", base, *data, "--steps",
                 "5", "--batch", "8", "--lr", "0.02", "--save", form, "-o", out, *words)

    def logits(self, case, directory, batch):
        options = ["-l"] if case.kind == "language" else []
        lines = os.path.join(directory, "..", "batch")
        with open(lines, "w") as out:
            families.write_examples(out, batch)
        text = self.run(self.dump, *options, "logits", directory, "3",
                        stdin=open(lines).read())
        return torch.tensor([[float(x) for x in line.split()] for line in text.splitlines()],
                            dtype=torch.float64)


def data_of(case, where):
    if case.family == "vit":
        images = {"colour": ("rgb-8", "rgb-tall", "rgb-wide"),
                  "grey": ("grey-8", "grey-4", "grey-16")}
        with open(f"{where}/images.tsv", "w") as out:
            print("image\tlabel", file=out)
            for label, names in images.items():
                for name in names:
                    print(f"{os.path.abspath(FIXTURES)}/images/{name}.png\t{label}", file=out)
        return ["-d", f"{where}/images.tsv", "--task", "image"]
    if case.kind != "language":
        return ["-d", f"{FIXTURES}/sentiment-train.tsv", "--task", "sst2"]
    with open(f"{where}/lm.txt", "w") as out:
        for line in open(f"{FIXTURES}/sentiment-train.tsv"):
            out.write(line.split("\t")[0] + "\n")
    return ["-d", f"{where}/lm.txt", "--task", "lm", "--max-len", "24"]


def tokenizer_of(case, base):
    if case.family in ("bert", "distilbert"):
        shutil.copy(f"{FIXTURES}/tiny-bert/vocab.txt", base)
    for name in os.listdir(f"{FIXTURES}/tokens-{case.family}") \
            if case.family in ("gpt2", "roberta") else ():
        if name in ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"):
            shutil.copy(f"{FIXTURES}/tokens-{case.family}/{name}", base)


def open_base(case, directory):
    head = "language" if case.kind == "language" else "classes"
    model, info = families.CLASSES[case.family, head].from_pretrained(
        directory, dtype=torch.float32, output_loading_info=True)
    return model.eval(), info


def theirs_of(case, model, batch):
    with torch.inference_mode():
        return families.forward(case, model.double().eval(), batch)[1]


def put_delta(case, model, directory):
    """What PEFT has no place for, into the base; how many tensors."""
    path = f"{directory}/delta.safetensors"
    if not os.path.exists(path):
        return 0
    by_spelling = {families.spell(case, k): v for k, v in model.state_dict().items()}
    tensors = load_file(path)
    with torch.no_grad():
        for name, value in tensors.items():
            by_spelling[name].copy_(value)
    return len(tensors)


def ours_to_theirs(programs, name, case, where):
    base = f"{where}/base"
    data = data_of(case, where)
    for way, words in WAYS.items():
        if way == "head" and case.kind == "language":
            continue  # it is the table of embeddings
        words = [w.replace("{query}", QUERY.get(name, QUERY[case.family])) for w in words]
        if case.family == "gpt2":
            words = [w.replace("*embed*,", "") for w in words]
        else:
            words = [w.replace(",wpe*", "") for w in words]
        outs = {}
        for form in ("full", "delta", "peft"):
            outs[form] = f"{where}/{form}"
            programs.finetune(base, data, outs[form], form, words)
        model, info = open_base(case, base)
        batch = list(families.examples(case, model.config))
        ours = programs.logits(case, outs["peft"], batch)
        delta = put_delta(case, model, outs["peft"])
        adapted = peft.PeftModel.from_pretrained(model, outs["peft"])
        report(f"{name}, {way}: PEFT", ours, theirs_of(case, adapted, batch),
               f"; {delta} tensors in delta" if delta else "")
        report(f"{name}, {way}: delta", ours, programs.logits(case, outs["delta"], batch))
        full, info = open_base(case, outs["full"])
        report(f"{name}, {way}: full", ours, theirs_of(case, full, batch))
        if info["missing_keys"] or info["unexpected_keys"]:
            sys.exit(f"{name}, {way}: names do not match: {info}")


def train_theirs(case, model, adapted, batch):
    torch.manual_seed(5)
    with torch.no_grad():
        for k, w in adapted.named_parameters():
            if "lora_B" in k:
                w.normal_(std=0.2)
    optimizer = torch.optim.AdamW([w for w in adapted.parameters() if w.requires_grad], 0.01)
    for _ in range(3):
        optimizer.zero_grad()
        families.forward(case, adapted, batch)[0].mean().backward()
        optimizer.step()


def theirs_to_ours(programs, name, case, where):
    base = f"{where}/base"
    task = {"vit": None}.get(case.family, "CAUSAL_LM" if case.kind == "language" else "SEQ_CLS")
    for way, said in THEIRS.items():
        target = TARGETS[case.family][0]

        def filled(x):
            if isinstance(x, str):
                return x.replace("{target}", target).replace("{norm}", NORM[case.family])
            if isinstance(x, list):
                return [filled(y) for y in x]
            return {filled(k): filled(v) for k, v in x.items()} if isinstance(x, dict) else x

        options = dict(task_type=task, target_modules=TARGETS[case.family],
                       fan_in_fan_out=case.family == "gpt2") | filled(said)
        if case.family == "vit":
            options["modules_to_save"] = options.get("modules_to_save", []) + ["classifier"]
        model, _ = open_base(case, base)
        batch = list(families.examples(case, model.config))
        adapted = peft.get_peft_model(model, peft.LoraConfig(**options))
        train_theirs(case, model, adapted, batch)
        out = f"{where}/theirs"
        shutil.rmtree(out, ignore_errors=True)
        adapted.save_pretrained(out)
        settings = json.load(open(f"{out}/adapter_config.json"))
        settings["base_model_name_or_path"] = "../base"
        json.dump(settings, open(f"{out}/adapter_config.json", "w"))
        # Read again, because PEFT sorts its patterns, of which the first that fits counts.
        model, _ = open_base(case, base)
        theirs = theirs_of(case, peft.PeftModel.from_pretrained(model, out), batch)
        report(f"{name}, PEFT's {way}", programs.logits(case, out, batch), theirs)
        merged = f"{where}/merged"
        programs.run(f"{programs.bin}/adapeft-view", "--apply", base, out, "-o", merged)
        full, info = open_base(case, merged)
        report(f"{name}, PEFT's {way}: view --apply", theirs_of(case, full, batch), theirs)
        if info["missing_keys"] or info["unexpected_keys"]:
            sys.exit(f"{name}, {way}: names do not match: {info}")


def fixture(root):
    case = families.Case("bert")
    model, _ = open_base(case, f"{root}/tiny-bert")
    adapted = peft.get_peft_model(model, peft.LoraConfig(
        task_type="SEQ_CLS", r=4, lora_alpha=6, lora_dropout=0.1, use_rslora=True,
        target_modules=["query", "output.dense"], rank_pattern={"query": 2},
        alpha_pattern={r"layer\.1\..*\.query": 3}, bias="lora_only",
        modules_to_save=["bert.encoder.layer.0.output.LayerNorm"]))
    batch = []
    for line in open(f"{root}/tiny-bert/batch.tsv"):
        if not line.startswith("#"):
            label, *rest = line.rstrip("\n").split("\t")
            batch.append((int(label), *([int(x) for x in y.split()] for y in rest)))
    train_theirs(case, model, adapted, batch)
    out = f"{root}/tiny-bert-peft"
    adapted.save_pretrained(out)
    os.remove(f"{out}/README.md")
    settings = json.load(open(f"{out}/adapter_config.json"))
    settings["base_model_name_or_path"] = "../tiny-bert"
    with open(f"{out}/adapter_config.json", "w") as to:
        json.dump(settings, to, indent=2, sort_keys=True)
        print(file=to)
    with open(f"{out}/logits.tsv", "w") as to:
        print("#logits", file=to)
        for row in theirs_of(case, adapted, batch).tolist():
            print(*(format(z, ".10g") for z in row), file=to)


def main(bin, dump, *only):
    if bin == "--fixture":
        return fixture(dump)
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    programs = Programs(bin, dump)
    for name, case in CASES.items():
        if only and name not in only:
            continue
        with tempfile.TemporaryDirectory() as where:
            model = families.build(case)
            families.write(f"{where}/base", case, model)
            tokenizer_of(case, f"{where}/base")
            for part in (ours_to_theirs, theirs_to_ours):
                part(programs, name, case, where)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
