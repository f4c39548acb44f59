"""Compares our tokenizer with `transformers`, and makes the fixtures of its tests.

usage: python tests/ref/tokens.py --check DIR FILE... COLUMN
       python tests/ref/tokens.py --cut DIR FILE... COLUMN,COLUMN
       python tests/ref/tokens.py --all SHARED
       python tests/ref/tokens.py --forms VOCABULARIES
       python tests/ref/tokens.py --decode DIR FILE... COLUMN
       python tests/ref/tokens.py --characters
       python tests/ref/tokens.py --fixtures
       python tests/ref/tokens.py --sums DIR FILE...
       python tests/ref/tokens.py --speed DIR FILE COLUMN
needs: the packages of tests/ref/requirements.txt; `make units` for what compares

    --check       every text of a column of the files, as AutoTokenizer does it
    --cut         the first 100 pairs of two columns, cut to every length
    --all         all of this for the GPT-2, RoBERTa and BERT vocabularies in
                  SHARED/tokenizers: SST-2, CoLA, MRPC, STS-B, E2E, tinyshakespeare by line
                  and as one text, the torture files, every code point, cutting, decoding,
                  the forms of a directory, and the speed
    --forms       directories that say in various ways which tokenizer they hold, made of
                  the vocabularies in VOCABULARIES/gpt2 and roberta
    --decode      the texts of tokens, with and without the special ones
    --characters  every code point, between letters and among combining marks, with a
                  vocabulary of all characters and four settings of the normal form
    --fixtures    writes tests/fixtures/tokens-*, from torture*.txt
    --sums        tokens and their checksum in the files' lines, for test_tokenizer.c
    --speed       seconds of both, one thread, for every text of a column

FILE is TSV, or CSV by its name; COLUMN is a name in the header, a number from 1 in a file without one, or "-": whole lines.
DUMP names our program when it is not build/plain/tests/text/dump_tokens.
"""
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

DUMP = os.environ.get("DUMP", "build/plain/tests/text/dump_tokens")
FIXTURES = "tests/fixtures"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def reference(directory):
    from transformers import AutoTokenizer, BertTokenizer, GPT2Tokenizer, RobertaTokenizer
    try:
        return AutoTokenizer.from_pretrained(directory)
    except ValueError:  # a vocabulary alone does not say which class it is for
        if not os.path.exists(os.path.join(directory, "vocab.json")):
            return BertTokenizer.from_pretrained(directory)
    with open(os.path.join(directory, "vocab.json"), encoding="utf-8") as f:
        roberta = {"<s>", "</s>"} <= json.load(f).keys()
    return (RobertaTokenizer if roberta else GPT2Tokenizer).from_pretrained(directory)


def lines_of(path):
    with open(path, "rb") as f:
        lines = f.read().split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def column_of(paths, column):
    """The column's fields as bytes; for "a,b" the two with a tab between."""
    texts = []
    for path in paths:
        lines = lines_of(path)
        if column == "-":
            texts += lines
            continue
        names = column.split(",")
        if path.endswith(".csv"):
            with open(path, encoding="utf-8", newline="") as f:
                texts += ["\t".join(" ".join(row[n].split("\n")) for n in names).encode()
                          for row in csv.DictReader(f)]
            continue
        if names[0].isdigit():
            at = [int(n) - 1 for n in names]
        else:
            header = lines.pop(0).removeprefix(b"\xef\xbb\xbf").rstrip(b"\r").split(b"\t")
            at = [header.index(n.encode()) for n in names]
        for line in lines:
            fields = line.rstrip(b"\r").split(b"\t")
            if len(fields) > max(at):
                texts.append(b"\t".join(fields[i] for i in at))
    return texts


def ours(directory, texts, *more):
    run = subprocess.run([DUMP, directory, *map(str, more)], stdout=subprocess.PIPE,
                         input=b"\n".join(texts) + b"\n", check=True)
    return run.stdout.decode().split("\n")[:-1]


def theirs(tokenizer, texts, pair, **options):
    """The numbers as dump_tokens writes them; NUMBER/TYPE for pairs."""
    texts = [t.decode("utf-8", "replace") for t in texts]
    if not pair:
        ids = tokenizer(texts, **options)["input_ids"]
        return [" ".join(map(str, i)) for i in ids]
    first, second = zip(*(t.split("\t") for t in texts))
    out = tokenizer(list(first), list(second), return_token_type_ids=True, **options)
    return [" ".join(f"{i}/{t}" for i, t in zip(*both))
            for both in zip(out["input_ids"], out["token_type_ids"])]


def report(texts, got, want, what):
    different = [i for i in range(len(want)) if i >= len(got) or got[i] != want[i]]
    for i in different[:5]:
        print(f"{what} {i + 1}: {texts[i].decode('utf-8', 'replace')!a:.200}")
        print(f"  ours   {got[i] if i < len(got) else 'missing':.300}")
        print(f"  theirs {want[i]:.300}")
    print(f"{len(want) - len(different)} {what}s equal"
          + (f", {len(different)} different" if different else ""))
    return not different and len(got) == len(want)


def check(directory, paths, column):
    texts = column_of(paths, column)
    pair = "," in column
    want = theirs(reference(directory), texts, pair)
    got = ours(directory, texts, *([10**6, "pair"] if pair else []))
    return report(texts, got, want, "pair" if pair else "sentence")


def cut(directory, paths, column):
    texts = column_of(paths, column)[:100]
    tokenizer = reference(directory)
    all_texts, got, want = [], [], []
    longest = max(len(t.split(" ")) for t in theirs(tokenizer, texts, True))
    around = tokenizer.num_special_tokens_to_add(pair=True)
    for length in range(max(around, 1), longest + 2):
        all_texts += texts
        got += ours(directory, texts, length, "pair")
        want += theirs(tokenizer, texts, True, truncation=True, max_length=length)
    around = tokenizer.num_special_tokens_to_add()
    for length in range(max(around, 1), longest + 2):
        first = [t.split(b"\t")[0] for t in texts]
        all_texts += first
        got += ours(directory, first, length)
        want += theirs(tokenizer, first, False, truncation=True, max_length=length)
    return report(all_texts, got, want, "cut")


def decode(directory, paths, column):
    """Our bytes, read as UTF-8 with what is not replaced, are their text."""
    from tokenizers import decoders
    texts = column_of(paths, column)
    tokenizer = reference(directory)
    backend = tokenizer.backend_tokenizer
    if type(backend.decoder) is decoders.WordPiece:
        backend.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    strings = [t.decode("utf-8", "replace") for t in texts]
    got, want = [], []
    for mode, skip in (("decode", False), ("skip", True)):
        got += [bytes.fromhex(line).decode("utf-8", "replace")
                for line in ours(directory, texts, 10**6, mode)]
        ids = tokenizer(strings, add_special_tokens=skip)["input_ids"]
        want += [backend.decode(i, skip_special_tokens=skip) for i in ids]
    return report(texts + texts, got, want, "decoded text")


def one_text(directory, data, what):
    """All of it at once, without special tokens."""
    got = subprocess.run([DUMP, directory, "0", "whole"], input=data, check=True,
                         stdout=subprocess.PIPE).stdout.decode().split("\n")[:-1]
    backend = reference(directory).backend_tokenizer
    backend.no_truncation()
    ids = backend.encode(data.decode("utf-8", "replace"), add_special_tokens=False).ids
    return report([what.encode()], got, [" ".join(map(str, ids))], what)


def code_points(directory):
    """Each behind a letter, a number, a sign, spaces and an apostrophe; and all in a row."""
    points = [c for c in range(0x110000) if not 0xd800 <= c < 0xe000]
    backend = reference(directory).backend_tokenizer
    backend.no_truncation()
    good = one_text(directory, "".join(map(chr, points)).encode(), "row")
    points.remove(10)
    texts = [f"a{c}1{c}!{c} {c}  {c}a '{c}s".encode() for c in map(chr, points)]
    want = []
    for i in range(0, len(texts), 100000):
        batch = [t.decode() for t in texts[i:i + 100000]]
        want += [" ".join(map(str, x.ids)) for x in
                 backend.encode_batch_fast(batch, add_special_tokens=False)]
    got = ours(directory, texts, 0, "plain")
    return report(texts, got, want, "code point") and good


def form(directory, source, names, files):
    """A new directory with some of the files of another, and JSON files."""
    os.mkdir(directory)
    for name in names:
        shutil.copyfile(os.path.join(source, name), os.path.join(directory, name))
    for name, content in files.items():
        with open(os.path.join(directory, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(content, f)


def token(content, **flags):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False,
            "single_word": False, **flags}


def all_forms():
    """Vocabulary, its files, and what else lies in the directory."""
    pieces = ["vocab.json", "merges.txt"]
    gpt2 = {"tokenizer_class": "GPT2Tokenizer"}
    roberta = {"tokenizer_class": "RobertaTokenizer"}
    mask = token("<mask>", lstrip=True)
    old = {"__type": "AddedToken"}
    yield "gpt2", pieces, {}
    yield "gpt2", pieces, {"config": {"model_type": "gpt2"}}
    yield "gpt2", pieces, {"config": {"model_type": "opt", **gpt2}}
    yield "gpt2", pieces, {"tokenizer_config": {
        **gpt2, "add_bos_token": True, "add_prefix_space": True,
        "pad_token": "<|endoftext|>", "model_max_length": 1024}}
    yield "gpt2", pieces, {"tokenizer_config": {
        **gpt2, "add_bos_token": True, "add_eos_token": True, "errors": "replace",
        "bos_token": {**token("<|endoftext|>", normalized=True), **old}}}
    yield "gpt2", pieces, {"config": {"model_type": "gpt2"},
                           "added_tokens": {"movie": 50257, "[new]": 50258}}
    yield "gpt2", pieces + ["tokenizer.json"], {"config": {"model_type": "gpt2"}}
    yield "gpt2", ["tokenizer.json"], {"tokenizer_config": {
        "tokenizer_class": "GPT2TokenizerFast", "add_bos_token": True,
        "add_prefix_space": True, "pad_token": "[PAD]"}}
    yield "gpt2", ["tokenizer.json"], {"tokenizer_config": {
        "tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": True,
        "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}}
    yield "roberta", pieces, {}
    yield "roberta", pieces, {"config": {"model_type": "roberta"}}
    yield "roberta", pieces, {"tokenizer_config": {
        **roberta, "add_prefix_space": True, "mask_token": {**mask, **old},
        "cls_token": {**token("<s>", normalized=True), **old}}}
    yield "roberta", pieces, {"config": {"model_type": "roberta"}, "special_tokens_map": {
        "bos_token": "<s>", "mask_token": mask}}
    yield "roberta", pieces, {"tokenizer_config": {
        **roberta, "add_bos_token": True, "mask_token": "<mask>", "added_tokens_decoder": {
            "50264": {**mask, "special": True},
            "0": token("<s>", normalized=True, special=True)}}}
    yield "roberta", pieces, {"tokenizer_config": gpt2}
    yield "bert-uncased", ["vocab.txt"], {"config": {"model_type": "distilbert"}}
    yield "bert-uncased", ["vocab.txt"], {"tokenizer_config": {
        "tokenizer_class": "DistilBertTokenizer", "do_lower_case": False}}


def forms(vocabularies):
    texts = [t for name in ("torture.txt", "torture-bytes.txt", "torture-bpe.txt")
             for t in lines_of(f"{FIXTURES}/{name}")]
    pairs = [a.replace(b"\t", b" ") + b"\t" + b.replace(b"\t", b" ")
             for a, b in zip(texts, texts[1:])]
    good = True
    with tempfile.TemporaryDirectory() as root:
        for i, (name, names, files) in enumerate(all_forms()):
            directory, saved = os.path.join(root, str(i)), os.path.join(root, f"{i}-saved")
            form(directory, os.path.join(vocabularies, name), names, files)
            tokenizer = reference(directory)
            tokenizer.save_pretrained(saved)
            for where, its in ((directory, tokenizer), (saved, reference(saved))):
                print(name, " ".join(names), *files, "saved" if where == saved else "",
                      end=": ")
                good &= report(texts, ours(where, texts), theirs(its, texts, False), "text")
                good &= report(pairs, ours(where, pairs, 16, "pair"),
                               theirs(its, pairs, True, truncation=True, max_length=16),
                               "pair")
    return good


def everything(shared):
    good = True
    glue, e2e = f"{shared}/data/glue", f"{shared}/data/e2e"
    play = f"{shared}/data/text/tinyshakespeare.txt"
    columns = [
        (["sst2/train.tsv", "sst2/dev.tsv"], "sentence"),
        (["cola/train.tsv", "cola/dev.tsv"], "4"),
        (["mrpc/train.tsv", "mrpc/dev.tsv"], "#1 String,#2 String"),
        (["stsb/train.tsv", "stsb/dev.tsv"], "sentence1,sentence2"),
    ]
    columns = [([f"{glue}/{f}" for f in files], column) for files, column in columns]
    columns += [([f"{e2e}/devset.csv", f"{e2e}/testset_w_refs.csv"], "mr,ref"),
                ([play], "-"),
                ([f"{FIXTURES}/torture.txt", f"{FIXTURES}/torture-bytes.txt",
                  f"{FIXTURES}/torture-bpe.txt"], "-")]
    with open(play, "rb") as f:
        text = f.read()
    for name in ("gpt2", "roberta", "bert-uncased"):
        directory = f"{shared}/tokenizers/{name}"
        for files, column in columns:
            print(name, os.path.join(*files[0].split(os.sep)[-2:]), column, end=": ")
            good &= check(directory, files, column)
        print(name, end=": ")
        good &= one_text(directory, text, "whole text")
        print(name, end=": ")
        good &= code_points(directory)
        for files, column in (columns[0], columns[-1]):
            print(name, os.path.join(*files[0].split(os.sep)[-2:]), column, end=": ")
            good &= decode(directory, files, column)
        print(name, end=": ")
        good &= cut(directory, *columns[2])
        print(name, end=": ")
        speed(directory, *columns[0])
        print(name, end=": ")
        speed(directory, [play], "-")
    return forms(f"{shared}/tokenizers") and good


def whole(vocabulary, added=(), **normalizer):
    """A tokenizer.json."""
    return {
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 12,
                                         "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": [
            {"id": vocabulary[t], "content": t, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False, "special": True} for t in SPECIAL
        ] + list(added),
        "normalizer": {"type": "BertNormalizer", "clean_text": True,
                       "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True, **normalizer},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", vocabulary["[SEP]"]],
                           "cls": ["[CLS]", vocabulary["[CLS]"]]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]",
                  "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": vocabulary},
    }


def characters():
    from tokenizers import Tokenizer
    points = [c for c in range(1, 0x110000) if c != 10 and not 0xd800 <= c < 0xe000]
    pieces = SPECIAL + [p + chr(c) for c in points for p in ("", "##")]
    vocabulary = {t: i for i, t in enumerate(pieces)}
    texts = []
    for c in map(chr, points):
        texts += [f"a{c}b".encode(), f"x\u302e{c}\U0001d16d\u0345{c}.".encode()]
    good = True
    for settings in ({}, {"lowercase": False}, {"strip_accents": False},
                     {"clean_text": False, "lowercase": False, "strip_accents": True,
                      "handle_chinese_chars": False}):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "tokenizer.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(whole(vocabulary, **settings), f)
            tokenizer = Tokenizer.from_file(path)
            tokenizer.no_truncation()
            got = ours(directory, texts)
        want = []
        for i in range(0, len(texts), 100000):
            batch = [t.decode() for t in texts[i:i + 100000]]
            want += [" ".join(map(str, x.ids)) for x in tokenizer.encode_batch(batch)]
        print(settings or "as published", end=": ")
        good &= report(texts, got, want, "text")
    return good


def fixture_vocabulary(texts, lower):
    """Special tokens, the commonest characters of the texts as words and as continuing
    pieces, and a few words and endings."""
    from tokenizers.normalizers import BertNormalizer
    normal = BertNormalizer(lowercase=lower)
    count = {}
    for text in texts:
        for c in normal.normalize_str(text):
            if not c.isspace():
                count[c] = count.get(c, 0) + 1
    common = sorted(count, key=lambda c: (-count[c], c))
    words = "the quick brown fox jump over lazy dog unaff un movie good don t can s".split()
    endings = "##able ##ing ##s ##ed ##ly ##ww ##wwww ##aff ##iev".split()
    pieces = SPECIAL[:1] + ["[unused0]", "[unused1]"] + SPECIAL[1:] + words + endings
    pieces += [c for c in common if c not in words]
    pieces += ["##" + c for c in common[:len(common) // 2]]
    return list(dict.fromkeys(p for p in pieces if p == p.rstrip()))


def byte_level(texts, special, size):
    """A byte-level BPE trained on the texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return json.loads(tokenizer.to_str())["model"]


def byte_level_fixtures(texts):
    """tokens-gpt2: vocab.json and merges.txt. tokens-roberta: tokenizer.json."""
    gpt2, roberta = f"{FIXTURES}/tokens-gpt2", f"{FIXTURES}/tokens-roberta"
    for directory in (gpt2, roberta):
        os.makedirs(directory, exist_ok=True)
    model = byte_level(texts, ["<|endoftext|>"], 700)
    with open(f"{gpt2}/vocab.json", "w", encoding="utf-8") as f:
        json.dump(model["vocab"], f, ensure_ascii=False, separators=(",", ":"))
    with open(f"{gpt2}/merges.txt", "w", encoding="utf-8") as f:
        f.writelines(["#version: 0.2\n"] + [" ".join(m) + "\n" for m in model["merges"]])
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    model = byte_level(texts, special, 500)
    assert all(type(m) is list for m in model["merges"])
    added = [{**token(t, lstrip=t == "<mask>"), "id": i, "special": True}
             for i, t in enumerate(special)]
    added.append({**token("movie", normalized=True, single_word=True), "id": 500,
                  "special": False})
    split = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
             "use_regex": True}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None,
                 "added_tokens": added, "normalizer": None, "pre_tokenizer": split,
                 "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2],
                                    "cls": ["<s>", 0], "trim_offsets": True,
                                    "add_prefix_space": True},
                 "decoder": split, "model": model}
    with open(f"{roberta}/tokenizer.json", "w", encoding="utf-8") as f:
        json.dump(tokenizer, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")
    with open(f"{roberta}/tokenizer_config.json", "w", encoding="utf-8") as f:
        f.write('{"tokenizer_class": "PreTrainedTokenizerFast"}\n')
    return gpt2, roberta


def fixtures():
    """tokens-plain: vocab.txt. tokens-whole: tokenizer.json, cased, with added tokens; and
    two of byte-level BPE."""
    raw = lines_of(f"{FIXTURES}/torture.txt") + lines_of(f"{FIXTURES}/torture-bytes.txt")
    texts = [t.decode("utf-8", "replace") for t in raw]
    plain, cased = f"{FIXTURES}/tokens-plain", f"{FIXTURES}/tokens-whole"
    for directory in (plain, cased):
        os.makedirs(directory, exist_ok=True)
    with open(f"{plain}/vocab.txt", "w", encoding="utf-8") as f:
        f.writelines(p + "\n" for p in fixture_vocabulary(texts, True))
    pieces = {t: i for i, t in enumerate(fixture_vocabulary(texts, False))}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
             "special": True}
    added = [{**flags, "id": pieces["[unused1]"], "content": "[unused1]", "lstrip": True,
              "rstrip": True},
             {**flags, "id": len(pieces), "content": "caf\u00e9", "normalized": True,
              "special": False},
             {**flags, "id": len(pieces) + 1, "content": "movie", "single_word": True,
              "normalized": True, "special": False}]
    with open(f"{cased}/tokenizer.json", "w", encoding="utf-8") as f:
        json.dump(whole(pieces, added, lowercase=False, strip_accents=True), f,
                  ensure_ascii=False, separators=(",", ":"))
        f.write("\n")
    with open(f"{cased}/tokenizer_config.json", "w", encoding="utf-8") as f:
        f.write('{"tokenizer_class": "PreTrainedTokenizerFast"}\n')
    more = lines_of(f"{FIXTURES}/torture-bpe.txt")
    texts += [t.decode("utf-8", "replace") for t in more]
    for directory in (plain, cased, *byte_level_fixtures(texts)):
        bpe = directory not in (plain, cased)
        want = theirs(reference(directory), raw + more if bpe else raw, False)
        with open(f"{directory}/torture.tokens", "w", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in want)
    return True


def sums(directory, paths):
    tokenizer = reference(directory)
    for path in paths:
        total, h = 0, 0
        for line in theirs(tokenizer, lines_of(path), False):
            ids = list(map(int, line.split()))
            total += len(ids)
            for i in ids:
                h = (h * 31 + i) % 2**32
        print(f'{{"{os.path.join(*path.split(os.sep)[-2:])}", {total}, {h:#010x}u}},')
    return True


def speed(directory, paths, column):
    texts = column_of(paths, column)
    strings = [t.decode("utf-8", "replace") for t in texts]
    backend = reference(directory).backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    with tempfile.NamedTemporaryFile() as f:
        f.write(b"\n".join(texts) + b"\n")
        f.flush()
        for _ in range(3):
            began = time.perf_counter()
            backend.encode_batch(strings)
            rust = time.perf_counter() - began
            began = time.perf_counter()
            backend.encode_batch_fast(strings)
            fast = time.perf_counter() - began
            ours_seconds = float(subprocess.run(
                [DUMP, directory, str(10**6), "time"], stdin=open(f.name, "rb"),
                capture_output=True, check=True).stdout)
            print(f"{len(texts)} texts: tokenizers {rust:.3f} s, without offsets "
                  f"{fast:.3f} s, ours {ours_seconds:.3f} s, {fast / ours_seconds:.1f} x")
    return True


def main(argv):
    plain = {"--characters": characters, "--fixtures": fixtures}
    actions = {"--check": check, "--cut": cut, "--decode": decode, "--speed": speed}
    if len(argv) >= 4 and argv[0] in actions:
        good = actions[argv[0]](argv[1], argv[2:-1], argv[-1])
    elif len(argv) >= 3 and argv[0] == "--sums":
        good = sums(argv[1], argv[2:])
    elif len(argv) == 2 and argv[0] in ("--all", "--forms"):
        good = {"--all": everything, "--forms": forms}[argv[0]](argv[1])
    elif argv in ([a] for a in plain):
        good = plain[argv[0]]()
    else:
        sys.exit(__doc__)
    sys.exit(not good)


if __name__ == "__main__":
    main(sys.argv[1:])
