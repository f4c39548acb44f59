"""Derivatives along a direction, as PyTorch computes them in double precision.

usage: python tests/ref/jets.py tests/fixtures
needs: the packages of tests/ref/requirements.txt

Makes jets.tsv beside the gradients of each small model that model.py and families.py made:
for each tensor's own direction, g = G (sgd) and, AdamW's first step, G / (|G| + 1e-8), both
in single precision from gradients.safetensors,
    name  direction  slope G.g  curvature gHg  ggn g'(GGN)g
of the mean loss over batch.tsv. influence.py uses the same functions.
"""
import sys

import torch
from safetensors.torch import load_file

import families
import model as berts


def adamw(g):
    return g / (g.abs() + 1e-8)


DIRECTIONS = {"sgd": lambda g: g, "adamw": adamw}


def spread(logits, moved, regression):
    """Mean over rows of z1' A z1, A the Hessian of a row's loss in its logits."""
    if regression:
        return (2 * moved[:, 0] ** 2).mean().item()
    p = logits.detach().softmax(-1)
    mean = (p * moved).sum(-1, keepdim=True)
    return (p * (moved - mean) ** 2).sum(-1).mean().item()


class Derivatives:
    """Of one batch: gradients and, for any tensor and direction, what is behind them."""

    def __init__(self, params, losses, logits, regression=False):
        self.params, self.logits, self.regression = params, logits, regression
        self.loss = losses.mean()
        weights = list(params.values())
        grads = torch.autograd.grad(self.loss, weights, create_graph=True, allow_unused=True)
        self.cotangent = torch.zeros_like(logits, requires_grad=True)
        pulled = torch.autograd.grad(logits, weights, self.cotangent, create_graph=True,
                                     allow_unused=True)
        self.grads = dict(zip(params, grads))
        self.pulled = dict(zip(params, pulled))

    def gradient(self, name):
        g = self.grads[name]
        return torch.zeros_like(self.params[name]) if g is None else g.detach()

    def moved(self, name, d):
        """<dz/dw, d>: the pull-back is linear in its cotangent, so its derivative in that,
        along d, is the push-forward."""
        pulled = self.pulled[name]
        if pulled is None:
            return torch.zeros_like(self.logits)
        return torch.autograd.grad((pulled * d).sum(), self.cotangent, retain_graph=True)[0]

    def along(self, name, d):
        """slope, curvature, GGN"""
        g = self.grads[name]
        if g is None:
            return 0.0, 0.0, 0.0
        slope = (g * d).sum()
        h = torch.autograd.grad(slope, self.params[name], retain_graph=True,
                                allow_unused=True)[0]
        curvature = 0.0 if h is None else (h * d).sum().item()
        return slope.item(), curvature, spread(self.logits, self.moved(name, d),
                                               self.regression)


def twice_differentiable():
    """Attention whose backward pass has a derivative."""
    return torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)


def derivatives(case, model, batch, params=None):
    """Of examples as families.forward takes them, one after the other."""
    with twice_differentiable():
        parts = [families.forward(case, model, [x]) for x in batch]
        losses, logits = (torch.cat(x) for x in zip(*parts))
        return Derivatives(dict(params or model.named_parameters()), losses, logits,
                           case.kind == "regression")


def fixtures():
    for labels, name in ((2, "tiny-bert"), (1, "tiny-bert-regression")):
        kind = "classes" if labels > 1 else "regression"
        yield (name, families.Case("bert", kind), berts.build(labels).double(),
               list(berts.examples(labels)))
    for name, case in families.FIXTURES.items():
        model = families.build(case)
        yield name, case, model, list(families.examples(case, model.config))


def number(x):
    return "0" if abs(x) < 1e-16 else format(x, ".10g")


def golden(path, case, model, batch):
    found = derivatives(case, model, batch)
    rounded = load_file(f"{path}/gradients.safetensors")
    with open(f"{path}/jets.tsv", "w") as out:
        print("#name", "direction", "slope", "curvature", "ggn", sep="\t", file=out)
        for name in found.params:
            spelled = families.spell(case, name)
            g = rounded[spelled]
            assert (g.double() - found.gradient(name)).abs().max() <= 1e-7 * g.abs().max() + 1e-15
            for word, direct in DIRECTIONS.items():
                numbers = found.along(name, direct(g).double())
                print(spelled, word, *map(number, numbers), sep="\t", file=out)


def main(root):
    torch.set_num_threads(1)
    for name, case, model, batch in fixtures():
        golden(f"{root}/{name}", case, model, batch)


if __name__ == "__main__":
    main(sys.argv[1])
