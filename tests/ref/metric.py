"""Writes tests/fixtures/metric.tsv: what scikit-learn and SciPy make of small inputs.

usage: python tests/ref/metric.py >tests/fixtures/metric.tsv
needs: the packages of tests/ref/requirements.txt

A row is METRIC, CLASSES (0 for numbers), TRUTH, GUESS (numbers separated by commas), VALUE.
"""
import warnings

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

warnings.simplefilter("ignore")
random = np.random.default_rng(1)


def row(metric, classes, truth, guess, value):
    print(metric, classes, ",".join(repr(x) for x in truth.tolist()),
          ",".join(repr(x) for x in guess.tolist()), repr(float(value)), sep="\t")


def classes(k, truth, guess):
    truth, guess = np.array(truth), np.array(guess)
    if k == 2:
        f1 = f1_score(truth, guess, pos_label=1, labels=[0, 1], average="binary",
                      zero_division=0)
    else:
        f1 = f1_score(truth, guess, average="macro", zero_division=0)
    row("accuracy", k, truth, guess, accuracy_score(truth, guess))
    row("f1", k, truth, guess, f1)
    row("matthews", k, truth, guess, matthews_corrcoef(truth, guess))


def numbers(x, y):
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    row("pearson", 0, x, y, pearsonr(x, y).statistic)
    row("spearman", 0, x, y, spearmanr(x, y).statistic)


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
