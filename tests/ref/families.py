"""Small random models of every family, and what PyTorch computes with them.

usage: python tests/ref/families.py tests/fixtures
needs: the packages of tests/ref/requirements.txt

Makes tests/fixtures/tiny-{distilbert,roberta,gpt2,vit}*: config.json, the weights, and, all
computed in double precision, sequence by sequence, without padding and without dropout:
    batch.tsv              label or target, token ids, token types; of a language model the
                           number of tokens given, and token ids; of images label and pixels
    logits.tsv             loss and logits of each sequence, or of each predicted token
    gradients.safetensors  the gradient of the mean loss for every tensor
The same numbers come out every time. compare.py uses the same cases at larger sizes.
"""
import dataclasses
import json
import os
import re
import sys

import torch
import transformers
from safetensors.torch import save_file

IGNORE = -100  # a label that PyTorch's cross-entropy passes over


@dataclasses.dataclass
class Case:
    """A model: its family and head, what config.json says, and how its file spells it."""
    family: str
    kind: str = "classes"      # classes, regression, language, images
    labels: int = 2
    config: dict = dataclasses.field(default_factory=dict)
    size: str = "small"        # of SIZES
    prefix: bool = True        # names begin with the family's prefix
    old_norms: bool = False    # gamma and beta
    buffers: bool = False      # and lm_head beside the table it is tied to
    newer: bool = False        # ViT's names since transformers 5
    shards: int = 1
    spread: float = 0          # deviation of the weights; 0: as the size makes it
    dtype: torch.dtype = torch.float32


CLASSES = {
    ("bert", "classes"): transformers.BertForSequenceClassification,
    ("distilbert", "classes"): transformers.DistilBertForSequenceClassification,
    ("roberta", "classes"): transformers.RobertaForSequenceClassification,
    ("gpt2", "classes"): transformers.GPT2ForSequenceClassification,
    ("gpt2", "language"): transformers.GPT2LMHeadModel,
    ("vit", "classes"): transformers.ViTForImageClassification,
}
PREFIX = {"bert": "bert.", "distilbert": "distilbert.", "roberta": "roberta.",
          "gpt2": "transformer.", "vit": "vit."}
SIZES = {
    #            width heads inner layers vocabulary positions
    "tiny":      (8, 2, 12, 2, 24, 12),
    "small":     (16, 2, 20, 2, 32, 14),
    "large":     (64, 4, 112, 3, 300, 80),
}
PAD = {"bert": 0, "distilbert": 0, "roberta": 1, "gpt2": None}


def configuration(case):
    width, heads, inner, layers, vocabulary, positions = SIZES[case.size]
    if case.family == "distilbert":
        said = dict(dim=width, n_heads=heads, hidden_dim=inner, n_layers=layers,
                    vocab_size=vocabulary, max_position_embeddings=positions)
    elif case.family == "gpt2":
        said = dict(n_embd=width, n_head=heads, n_inner=inner, n_layer=layers,
                    vocab_size=vocabulary, n_positions=positions, bos_token_id=2,
                    eos_token_id=2, pad_token_id=vocabulary - 1)
    else:
        said = dict(hidden_size=width, num_attention_heads=heads, intermediate_size=inner,
                    num_hidden_layers=layers)
    if case.family in ("bert", "roberta"):
        said |= dict(vocab_size=vocabulary, max_position_embeddings=positions)
    if case.family == "roberta":
        said |= dict(max_position_embeddings=positions + 2, type_vocab_size=1)
    if case.family == "vit":
        said |= dict(image_size=[8, 12], patch_size=4)
    said |= case.config
    make = transformers.AutoConfig.for_model(case.family).__class__
    labels = 1 if case.kind == "regression" else case.labels
    return make(num_labels=labels, attn_implementation=attention(case), **said)


def attention(case):
    """ViT's own softmax is always in single precision."""
    return "sdpa" if case.family == "vit" else "eager"


def build(case, seed=20):
    """A model in double precision, its values such that single precision holds them."""
    head = "language" if case.kind == "language" else "classes"
    torch.manual_seed(seed)
    model = CLASSES[case.family, head](configuration(case)).eval()
    generator = torch.Generator().manual_seed(seed + 1)
    spread = case.spread or min(0.3, 3 / SIZES[case.size][0] ** 0.5)
    with torch.no_grad():
        for name, w in model.named_parameters():
            norm = re.search(r"(norm\w*|ln_\w)\.weight$", name, re.IGNORECASE)
            mean, sd = (1, 0.1) if norm else (0, spread)
            w.copy_((torch.randn(w.shape, generator=generator) * sd + mean).to(case.dtype))
    return model.double()


def spell(case, name):
    """A tensor's name in the file."""
    if case.family == "vit" and not case.newer:
        name = name.replace("vit.layers.", "vit.encoder.layer.")
        for new, old in (("attention.q_proj", "attention.attention.query"),
                         ("attention.k_proj", "attention.attention.key"),
                         ("attention.v_proj", "attention.attention.value"),
                         ("attention.o_proj", "attention.output.dense"),
                         ("mlp.fc1", "intermediate.dense"), ("mlp.fc2", "output.dense")):
            name = name.replace(new, old)
    if case.old_norms:
        name = re.sub(r"(norm\w*|ln_\w)\.weight$", r"\1.gamma", name, flags=re.IGNORECASE)
        name = re.sub(r"(norm\w*|ln_\w)\.bias$", r"\1.beta", name, flags=re.IGNORECASE)
    return name if case.prefix else name.removeprefix(PREFIX[case.family])


def buffers(case, model):
    """What older versions of transformers wrote beside the parameters."""
    config, prefix = model.config, PREFIX[case.family] if case.prefix else ""
    if case.family != "gpt2":
        return {f"{prefix}embeddings.position_ids": torch.arange(config.max_position_embeddings)}
    out = {"lm_head.weight": model.state_dict()["transformer.wte.weight"].float()}
    for i in range(config.n_layer):
        out[f"{prefix}h.{i}.attn.bias"] = torch.ones(1, 1, 4, 4, dtype=torch.uint8).tril()
        out[f"{prefix}h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    return out


def tensors(case, model):
    tied = case.kind == "language" and model.config.tie_word_embeddings
    out = {spell(case, k): v.to(case.dtype).contiguous() for k, v in model.state_dict().items()
           if not (tied and k == "lm_head.weight")}
    return out | (buffers(case, model) if case.buffers else {})


def write(path, case, model):
    os.makedirs(path, exist_ok=True)
    config = model.config.to_diff_dict()
    for key in ("transformers_version", "dtype", "_name_or_path"):
        config.pop(key, None)
    config["architectures"] = [type(model).__name__]
    config["model_type"] = case.family
    with open(f"{path}/config.json", "w") as out:
        json.dump(config, out, indent=2, sort_keys=True)
        print(file=out)
    all_tensors = tensors(case, model)
    if case.shards == 1:
        save_file(all_tensors, f"{path}/model.safetensors", metadata={"format": "pt"})
        return
    files = [f"model-{i + 1:05}-of-{case.shards:05}.safetensors" for i in range(case.shards)]
    where = {k: files[i * case.shards // len(all_tensors)]
             for i, k in enumerate(sorted(all_tensors))}
    for f in files:
        save_file({k: v for k, v in all_tensors.items() if where[k] == f}, f"{path}/{f}",
                  metadata={"format": "pt"})
    size = sum(v.numel() * v.element_size() for v in all_tensors.values())
    with open(f"{path}/model.safetensors.index.json", "w") as out:
        json.dump({"metadata": {"total_size": size}, "weight_map": where}, out, indent=1,
                  sort_keys=True)
        print(file=out)


def examples(case, config, lengths=(7, 1, 11, 3, 12, 5), seed=22):
    """(label, input, types) of each; input is token ids, some of them padding within a
    text, or pixels."""
    generator = torch.Generator().manual_seed(seed)

    def numbers(low, high, n):
        return torch.randint(low, high, (n,), generator=generator).tolist()

    for i, n in enumerate(lengths):
        label = i % case.labels
        if case.kind == "regression":
            label = round(torch.randn(1, generator=generator).item(), 3)
        if case.family == "vit":
            shape = (config.num_channels, *sides(config.image_size))
            pixels = torch.randint(-99, 100, shape, generator=generator) / 100
            yield label, pixels.reshape(-1).tolist(), None
            continue
        n += n == 1 and case.kind == "language"
        ids = numbers(5, config.vocab_size - 1, n)
        types = None
        if case.family == "bert" and i % 2 == 1:
            types = [0] * (n // 2) + [1] * (n - n // 2)
        if case.family != "gpt2" and i % 4 == 2:
            ids[n // 2] = PAD[case.family]
        if case.kind == "language":
            label = min(i % 3 + 1, n - 1)
        yield label, ids, types


def sides(size):
    return tuple(size) if isinstance(size, (list, tuple)) else (size, size)


def write_examples(out, batch):
    for label, x, types in batch:
        print(label, *(" ".join(format(v, "g") for v in values)
                       for values in (x, types) if values is not None), sep="\t", file=out)


def forward(case, model, batch):
    """Loss and logits of each sequence or predicted token, of one batch; texts are padded."""
    config, dtype = model.config, next(model.parameters()).dtype
    labels = [label for label, _, _ in batch]
    if case.family == "vit":
        shape = (len(batch), config.num_channels, *sides(config.image_size))
        z = model(pixel_values=torch.tensor([x for _, x, _ in batch], dtype=dtype)
                  .reshape(shape)).logits
        return judge(case, z, labels)
    longest = max(len(x) for _, x, _ in batch)

    def padded(rows, fill):
        return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])

    given = dict(input_ids=padded([x for _, x, _ in batch], config.pad_token_id),
                 attention_mask=padded([[1] * len(x) for _, x, _ in batch], 0))
    if any(types for _, _, types in batch):
        given["token_type_ids"] = padded([t or [0] * len(x) for _, x, t in batch], 0)
    z = model(**given).logits
    if case.kind != "language":
        return judge(case, z, labels)
    nexts = padded([[IGNORE] * first + x[first:] for first, x, _ in batch], IGNORE)[:, 1:]
    keep = nexts != IGNORE
    return judge(case, z[:, :-1][keep], nexts[keep].tolist())


def judge(case, z, labels):
    if case.kind == "regression":
        return (z[:, 0] - torch.tensor(labels, dtype=z.dtype)) ** 2, z
    return torch.nn.functional.cross_entropy(z, torch.tensor(labels), reduction="none"), z


def gradients(model, loss):
    names, weights = zip(*model.named_parameters())
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    return {n: torch.zeros_like(w) if g is None else g
            for n, w, g in zip(names, weights, found)}


def save_gradients(path, by_name):
    """Rounded to single precision; what is only rounding in double becomes 0."""
    small = {k: torch.where(v.abs() < 1e-16, 0, v).float().contiguous()
             for k, v in by_name.items()}
    save_file(small, f"{path}/gradients.safetensors", metadata={"format": "pt"})


def golden(path, case, model):
    batch = list(examples(case, model.config))
    parts = [forward(case, model, [x]) for x in batch]
    losses, logits = torch.cat([l for l, _ in parts]), torch.cat([z for _, z in parts])
    with open(f"{path}/batch.tsv", "w") as out:
        print("#label", "ids", "types", sep="\t", file=out)
        write_examples(out, batch)
    with open(f"{path}/logits.tsv", "w") as out:
        print("#loss", "logits", sep="\t", file=out)
        for loss, row in zip(losses.tolist(), logits.tolist()):
            print(format(loss, ".10g"), " ".join(format(z, ".10g") for z in row), sep="\t",
                  file=out)
    found = gradients(model, losses.mean())
    save_gradients(path, {spell(case, k): v for k, v in found.items()})


FIXTURES = {
    "tiny-distilbert": Case("distilbert", labels=3),
    "tiny-roberta": Case("roberta"),
    "tiny-roberta-regression": Case("roberta", "regression", size="tiny", old_norms=True,
                                    buffers=True, dtype=torch.bfloat16),
    "tiny-gpt2": Case("gpt2", "language", prefix=False, buffers=True),
    "tiny-gpt2-untied": Case("gpt2", "language", size="tiny", shards=2,
                             config=dict(tie_word_embeddings=False, n_inner=None)),
    "tiny-gpt2-classes": Case("gpt2", labels=3, size="tiny", dtype=torch.float16, config=dict(
        n_inner=None, scale_attn_by_inverse_layer_idx=True)),
    "tiny-vit": Case("vit", labels=3),
    "tiny-vit-newer": Case("vit", size="tiny", newer=True, config=dict(
        qkv_bias=False, num_channels=1, image_size=8, patch_size=[4, 2])),
}


def main(root):
    torch.set_num_threads(1)
    for name, case in FIXTURES.items():
        model = build(case)
        write(f"{root}/{name}", case, model)
        golden(f"{root}/{name}", case, model)


if __name__ == "__main__":
    main(sys.argv[1])
