"""Holds lib/train/bleu.c beside sacrebleu.

usage: python tests/ref/bleu.py >tests/fixtures/bleu.json
       python tests/ref/bleu.py --check DUMP_BLEU FILE.csv
needs: the packages of tests/ref/requirements.txt

The first writes corpora of invented sentences with what sacrebleu (tokenize=13a,
smooth_method=none) counts in them, lower-cased and not.

The second compares on corpora made of the texts of E2E (columns mr and ref; those of one mr
are references of one another): one text against the others, shuffled words, fewer words,
empty hypotheses, missing references, entities, hyphens, numbers, other alphabets and random
characters. DUMP_BLEU is the program of tests/lib/train/dump_bleu.c. It prints the largest
difference of a score between 0 and 1; exit status 1 when one exceeds 1e-12 or a count
differs. sacrebleu gives 0 to a corpus without any token, DUMP_BLEU nan.
"""
import csv
import json
import math
import random
import subprocess
import sys
from collections import defaultdict

from sacrebleu.metrics import BLEU

TOLERANCE = 1e-12

PLACES = ["The Punter", "Café Adriatic", "Loch Fyne", "The Wrestlers", "Zizzi's"]
FOODS = ["English", "Italian", "fast food", "sushi, noodles", "5-star"]
PRICES = ["less than £20", "£20-25", "3.50 to 1,000 dollars", "cheap"]
PATTERNS = [
    "{0} serves {1} food at {2}.",
    "{0} is a {1} place; prices are {2}!",
    "For {1} (and more), visit {0}: {2}...",
    'At "{0}" you get {1} food, {2}, near the river.',
    "There's {1} food in {0}. It is {2}, e.g. on Sundays.",
]
SPECIAL = [
    "&quot;{}&quot;", "&amp;lt; {}", "&amp;quot;{}", "{} &lt;b&gt;", "<skipped>{}",
    "{}-\nend", "{}\n", "-{}-", "3-{}", "1.5,{}", ".5 {},", "{}..,,..1.,2", "a.b,c {}",
    "{} [x]{{y}}~`_^", "\u00a0{}\u2003", "{}\u3000\u4f60\u597d\u3002", "\u0130{}\u0130",
    "\u039f\u03a3 {} \u03a3", "\u03a3\u0391\u03a3.\u03a3' {}\u03a3",
    "stra\u00dfe STRASSE {}", "\x1c{}\x1f\x85", "$5 {} 10%", "@#{}*/+=|\\",
    "e\u0301{}\u00ad\u03a3\u00ad", "\U0001f354{}\U0001f600", "{}-\n", " {} \n\n",
]


def noise(text):
    """The same text, with one thing done to it."""
    words = text.split()
    match random.randrange(9):
        case 0: random.shuffle(words)
        case 1: words = words[:random.randrange(6)]
        case 2: words = [w for w in words if random.random() < 0.7]
        case 3: words = [w for w in words for _ in range(random.choice([1, 1, 1, 2, 3]))]
        case 4: words = []
        case 5: return text.upper()
        case 6: return random.choice(SPECIAL).format(text)
        case 7:
            i = random.randrange(len(words) + 1)
            words[i:i] = [random.choice(SPECIAL).format(random.choice(words or ["a"]))]
        case 8:
            letters = "aB1.,- \n'&;\u00c9\u03a3\u03c3\u4e2d\u00a0<>\"3"
            return "".join(random.choice(letters) for _ in range(random.randrange(60)))
    return " ".join(words)


def corpus(groups, rate):
    """One text of each group, changed at a rate, against the others, some missing."""
    segments = []
    for texts in groups:
        texts = random.sample(texts, len(texts))
        hypothesis, references = texts[0], texts[1:] or texts
        if random.random() < rate:
            hypothesis = noise(hypothesis)
        references = [noise(r) if random.random() < rate / 4 else r for r in references]
        references = [None if random.random() < 0.1 else r for r in references]
        if not any(r is not None for r in references):
            references.append(texts[0])
        segments.append([hypothesis, *references])
    return {"lowercase": random.random() < 0.5, "segments": segments}


def truth(corpus):
    segments = corpus["segments"]
    width = max(map(len, segments))
    columns = [[s[i] if i < len(s) else None for s in segments] for i in range(1, width)]
    bleu = BLEU(tokenize="13a", smooth_method="none", lowercase=corpus["lowercase"],
                force=True)
    score = bleu.corpus_score([s[0] for s in segments], columns)
    return {"score": score.score / 100, "hypothesis": score.sys_len,
            "reference": score.ref_len, "match": score.counts, "total": score.totals}


def fixture():
    random.seed(1)
    groups = []
    for place in PLACES:
        for food in FOODS:
            price = random.choice(PRICES)
            texts = [p.format(place, food, price) for p in PATTERNS]
            groups.append(random.sample(texts, random.randrange(2, 6)))
    corpora = [corpus(random.sample(groups, 12), rate) for rate in (0, 0.3, 0.6, 1) * 4]
    corpora += [{"lowercase": low, "segments": [[s.format("Food"), s.format("food")]
                                                for s in SPECIAL]} for low in (False, True)]
    corpora.append({"lowercase": False, "segments": [["", "a b c d"], ["a b c", "a b c"]]})
    print(json.dumps([{**c, **truth(c)} for c in corpora], indent=0))


def check(program, path):
    random.seed(2)
    texts = defaultdict(list)
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts[row["mr"]].append(row["ref"])
    groups = list(texts.values())
    corpora = [corpus(groups, rate) for rate in (0, 0, 0.1, 0.3, 0.6, 1)]
    corpora += [corpus(random.sample(groups, random.choice([1, 1, 2, 3, 10, 30])),
                       random.choice([0, 0.3, 1])) for _ in range(3000)]
    ours = subprocess.run([program], input=json.dumps(corpora), text=True, check=True,
                          stdout=subprocess.PIPE).stdout.splitlines()
    if len(ours) != len(corpora):
        sys.exit(f"{program} wrote {len(ours)} scores, not {len(corpora)}")
    worst, wrong, zeros, empty = 0, 0, 0, 0
    for line, c in zip(ours, corpora):
        want = truth(c)
        score, *counts = line.split()
        zeros += want["score"] == 0
        if list(map(int, counts)) != [want["hypothesis"], want["reference"],
                                      *want["match"], *want["total"]]:
            wrong += 1
            print("other counts:", json.dumps(c)[:2000], want, line)
        if want["hypothesis"] + want["reference"] == 0:
            empty += 1
            wrong += score != "nan"
            continue
        difference = abs(float(score) - want["score"])
        worst = max(worst, math.inf if math.isnan(difference) else difference)
    print(f"{len(groups)} groups of up to {max(map(len, groups))} texts, "
          f"{len(corpora)} corpora, {zeros} of score 0, {empty} without a token: "
          f"{wrong} of other counts, largest difference {worst:.2e}")
    return wrong == 0 and worst <= TOLERANCE


if len(sys.argv) == 1:
    fixture()
elif sys.argv[1] == "--check" and len(sys.argv) == 4:
    sys.exit(0 if check(*sys.argv[2:]) else 1)
else:
    sys.exit(__doc__)
