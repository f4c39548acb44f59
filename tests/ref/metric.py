"""Holds lib/train/metric.c beside scikit-learn and SciPy.

usage: python tests/ref/metric.py >tests/fixtures/metric.tsv
       python tests/ref/metric.py --check DUMP_METRIC [SETS]
needs: the packages of tests/ref/requirements.txt

The first writes what they make of small inputs. A row is METRIC, CLASSES (0 for numbers),
TRUTH, GUESS (numbers separated by commas), VALUE.

The second compares on SETS (4000) random data sets of 2 to 1000 points, half of them
classes, half numbers. DUMP_METRIC is the program of tests/lib/train/dump_metric.c. It
prints the largest difference of each metric, and how often the truth was nan; exit status 1
when a difference exceeds 1e-12. nan equals nan, and nothing else.
"""
import math
import subprocess
import sys
import warnings
from collections import defaultdict

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

warnings.simplefilter("ignore")
np.seterr(all="ignore")
random = np.random.default_rng(1)

TOLERANCE = 1e-12  # some ulps of sums of a thousand terms


def of_classes(k, truth, guess):
    if k == 2:
        f1 = f1_score(truth, guess, pos_label=1, labels=[0, 1], average="binary",
                      zero_division=0)
    else:
        f1 = f1_score(truth, guess, average="macro", zero_division=0)
    return {"accuracy": accuracy_score(truth, guess), "f1": f1,
            "matthews": matthews_corrcoef(truth, guess)}


def of_numbers(x, y):
    return {"pearson": pearsonr(x, y).statistic, "spearman": spearmanr(x, y).statistic}


def rows(k, truth, guess, values):
    for metric, value in values.items():
        print(metric, k, ",".join(repr(x) for x in truth.tolist()),
              ",".join(repr(x) for x in guess.tolist()), repr(float(value)), sep="\t")


def classes(k, truth, guess):
    truth, guess = np.array(truth), np.array(guess)
    rows(k, truth, guess, of_classes(k, truth, guess))


def numbers(x, y):
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    rows(0, x, y, of_numbers(x, y))


def fixture():
    print("#metric", "classes", "truth", "guess", "value", sep="\t")
    classes(2, [0, 1, 1, 0, 1], [0, 1, 0, 0, 1])
    classes(2, [1, 1, 1], [1, 1, 1])
    classes(2, [0, 0, 0], [0, 0, 0])
    classes(2, [1, 1, 1], [0, 0, 0])
    classes(2, [0, 1, 0, 1], [1, 1, 1, 1])
    classes(2, [0, 1, 0, 1], [1, 0, 1, 0])
    classes(2, [1], [1])
    classes(3, [0, 0, 0], [0, 0, 0])
    classes(5, [0, 1, 4, 4], [1, 1, 4, 0])
    for k in (2, 3, 7):
        truth = random.integers(0, k, 200)
        guess = np.where(random.random(200) < 0.6, truth, random.integers(0, k, 200))
        classes(k, truth, guess)
    numbers([1, 2, 3, 4], [2, 1, 4, 3])
    numbers([1, 2], [5, 3])
    numbers([1, 1, 1], [1, 2, 3])
    numbers([1, 2, 3], [0.1, 0.1, 0.1])
    numbers([0, 0, 1, 1, 2, 2], [1, 1, 1, 0, 0, 3])
    numbers([101, 102, 104], [1, 5, 2])
    numbers([1e200, -1e200, 3e200, 0], [1e-200, 2e-200, 5e-200, 4e-200])
    x = random.normal(size=150)
    numbers(x, x + random.normal(size=150))
    numbers(np.round(x, 1), np.round(-x + 0.1 * random.normal(size=150), 1))
    numbers(x, 2 * x + 1)
    numbers([1e15 + 1, 1e15 + 2, 1e15 + 4], [1, 5, 2])
    numbers([1, 1 + 2.0**-52], [2, 1])
    numbers([1, 1 + 2.0**-52], [1 - 2.0**-53, 1])
    numbers([1e308, 1.1e308, 1.2e308], [1, 2, 4])
    numbers([1, 2, 3], [1, 2, math.inf])
    for n in (140, 300):
        x = np.exp(1) + 1e-14 * random.normal(size=n)
        numbers(x, np.sign(x - np.exp(1)) + random.integers(0, 5, n))


def random_classes():
    """Truth and guess: skewed or not, of one class on one side or both, related or not."""
    k, n = int(random.integers(2, 11)), int(random.integers(2, 1001))
    if random.random() < 0.3:
        n = int(random.integers(2, 12))
    skew = random.dirichlet(np.full(k, random.choice([0.1, 1, 100])))
    truth, guess = (random.choice(k, n, p=skew) for _ in range(2))
    guess = np.where(random.random(n) < random.choice([0, 0.5, 0.9, 1]), truth, guess)
    one, another = random.integers(0, k, 2)
    match random.integers(0, 8):
        case 0: truth = np.full(n, one)
        case 1: guess = np.full(n, one)
        case 2: truth, guess = np.full(n, one), np.full(n, another)
        case 3: truth, guess = np.full(n, one), np.full(n, one)
    return k, truth, guess


def random_numbers():
    """x and y: related or not, with ties, constant, nearly so, huge, tiny, far from 0."""
    n = int(random.integers(2, 1001))
    if random.random() < 0.3:
        n = int(random.integers(2, 12))
    x = random.normal(size=n)
    noise = random.choice([0, 1e-9, 0.1, 1]) * random.normal(size=n)
    y = random.choice([-1, 0, 1]) * x + noise
    pair = [x, y]
    for i, values in enumerate(pair):
        match random.integers(0, 12):
            case 0: values = np.round(values)
            case 1: values = np.round(values, 1)
            case 2: values = np.full(n, random.choice([0, 0.1, 1 / 3, 1e300, -5e-324]))
            case 3: values = 1 + values * 10.0**random.integers(-17, -3)
            case 4: values = (1 / 3 + values * 1e-16) * 10.0**random.integers(-300, 300)
            case 5: values = values * 10.0**random.integers(-323, 308)
            case 6: values = values + 10.0**random.integers(3, 17)
            case 7: values = np.float32(1 + values * 1e-7).astype(float)
            case 8: values = np.where(np.arange(n) == random.integers(0, n), values, 0.7)
        pair[i] = values
    if random.random() < 0.02:
        pair[random.integers(0, 2)][random.integers(0, n)] = random.choice(
            [math.nan, math.inf, -math.inf])
    return pair


def check(program, sets=4000):
    text, truths = [], []
    for i in range(int(sets)):
        if i % 2 == 0:
            k, x, y = random_classes()
            truths.append(of_classes(k, x, y))
        else:
            k, (x, y) = 0, random_numbers()
            truths.append(of_numbers(x, y))
        text += [f"{k} {len(x)}", *(" ".join(map(repr, v.tolist())) for v in (x, y))]
    ours = subprocess.run([program], input="\n".join(text), text=True, check=True,
                          stdout=subprocess.PIPE).stdout.splitlines()
    truths = [pair for values in truths for pair in values.items()]
    if [line.split("\t")[0] for line in ours] != [metric for metric, _ in truths]:
        sys.exit(f"{program} wrote other metrics than were asked for")
    worst, nans, count = defaultdict(float), defaultdict(int), defaultdict(int)
    for line, (metric, truth) in zip(ours, truths):
        value = float(line.split("\t")[1])
        count[metric] += 1
        nans[metric] += math.isnan(truth)
        if math.isnan(value) and math.isnan(truth):
            continue
        difference = abs(value - truth)
        worst[metric] = max(worst[metric],
                            math.inf if math.isnan(difference) else difference)
    for metric in count:
        print(f"{metric:9s} {count[metric]} data sets, {nans[metric]} nan: "
              f"largest difference {worst[metric]:.2e}")
    return max(worst.values()) <= TOLERANCE


if len(sys.argv) == 1:
    fixture()
elif sys.argv[1] == "--check" and len(sys.argv) in (3, 4):
    sys.exit(0 if check(*sys.argv[2:]) else 1)
else:
    sys.exit(__doc__)
