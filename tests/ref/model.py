"""Makes tests/fixtures/tiny-bert*: small models, and what PyTorch computes with them.

usage: python tests/ref/model.py tests/fixtures
needs: the packages of tests/ref/requirements.txt

    tiny-bert/            F32, two classes: config.json, model.safetensors, vocab.txt
    tiny-bert-f16/ -bf16/ the same weights in half precision
    tiny-bert-bare/       the encoder alone: no prefix, no pooler, no classifier
    tiny-bert-shards/     the same weights in two files and an index
    tiny-bert-regression/ one output
and in tiny-bert/ and tiny-bert-regression/, all in double precision, sequence by sequence,
without padding and without dropout:
    batch.tsv             label or target, token ids, token types
    logits.tsv            loss and logits of each sequence
    gradients.safetensors the gradient of the mean loss for every tensor
    influence.tsv         name, direction, slope G.g and curvature gHg of every tensor's own
                          block, for g = G (sgd) and, AdamW's first step, G / (|G| + 1e-8)
The same numbers come out every time.
"""
import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

from families import save_gradients

WORDS = """
[PAD] [UNK] [CLS] [SEP] [MASK] . , ! ? ' - a an the this that it is was not no and or but
of in to with for film movie plot story actor scene good great fine bad dull poor slow fun
warm sad love hate like ##s ##ed ##ing ##ly ##er ##ness ##less un ##able very too so at by
""".split()

LENGTHS = [7, 1, 12, 3, 32, 5]


def build(labels):
    torch.manual_seed(20)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32, num_labels=labels,
        attn_implementation="eager")
    model = BertForSequenceClassification(config).eval()
    generator = torch.Generator().manual_seed(21)
    with torch.no_grad():
        for name, w in model.named_parameters():
            mean, sd = (1, 0.1) if "LayerNorm.weight" in name else (0, 0.3)
            w.copy_(torch.randn(w.shape, generator=generator) * sd + mean)
    return model


def examples(labels):
    generator = torch.Generator().manual_seed(22)

    def numbers(low, high, n):
        return torch.randint(low, high, (n,), generator=generator).tolist()

    for i, n in enumerate(LENGTHS):
        ids = ([2] + numbers(5, len(WORDS), n - 1))[:n]
        if n > 1:
            ids[-1] = 3
        types = [0] * n if i % 2 == 0 else [0] * (n // 2) + [1] * (n - n // 2)
        label = i % 2 if labels > 1 else float(torch.randn(1, generator=generator))
        yield label, ids, types


def loss_of(model, example):
    label, ids, types = example
    z = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits[0]
    if z.numel() == 1:
        return (z[0] - label) ** 2, z
    return torch.nn.functional.cross_entropy(z[None], torch.tensor([label])), z


def text(x):
    """Numbers; what is only rounding (an attention key's bias moves no softmax) is 0."""
    return " ".join("0" if abs(v) < 1e-16 else format(v, ".13g")
                    for v in x.reshape(-1).tolist())


def table(path, comment, rows):
    with open(path, "w") as out:
        print("#" + "\t".join(comment), file=out)
        for row in rows:
            print(*row, sep="\t", file=out)


def golden(path, model, labels):
    model = model.double()
    batch = list(examples(labels))
    losses, logits = zip(*(loss_of(model, x) for x in batch))
    loss = sum(losses) / len(losses)
    names, weights = zip(*model.named_parameters())
    grads = torch.autograd.grad(loss, weights, create_graph=True)
    influence = []
    for name, w, grad in zip(names, weights, grads):
        exact = grad.detach()
        for kind, g in (("sgd", exact), ("adamw", exact / (exact.abs() + 1e-8))):
            product = torch.autograd.grad((grad * g).sum(), w, retain_graph=True)[0]
            slope, curvature = (exact * g).sum(), (product * g).sum()
            influence.append((name, kind, text(slope), text(curvature)))
    table(f"{path}/batch.tsv", ["label", "ids", "types"],
          ((label, *(" ".join(map(str, x)) for x in rest)) for label, *rest in batch))
    table(f"{path}/logits.tsv", ["loss", "logits"],
          ((text(l), text(z)) for l, z in zip(losses, logits)))
    save_gradients(path, {n: g.detach() for n, g in zip(names, grads)})
    table(f"{path}/influence.tsv", ["name", "direction", "slope", "curvature"], influence)


def save(path, model, tensors, dtype):
    os.makedirs(path, exist_ok=True)
    config = json.loads(model.config.to_json_string(use_diff=False))
    keep = """attention_probs_dropout_prob classifier_dropout hidden_act hidden_dropout_prob
        hidden_size id2label initializer_range intermediate_size label2id layer_norm_eps
        max_position_embeddings model_type num_attention_heads num_hidden_layers
        pad_token_id type_vocab_size vocab_size""".split()
    config = {k: config[k] for k in keep}
    config["architectures"] = ["BertForSequenceClassification"]
    if config["id2label"] is not None and len(config["id2label"]) == 1:
        config["problem_type"] = "regression"
    with open(f"{path}/config.json", "w") as out:
        json.dump(config, out, indent=2, sort_keys=True)
        print(file=out)
    with open(f"{path}/vocab.txt", "w") as out:
        print(*WORDS, sep="\n", file=out)
    with open(f"{path}/tokenizer_config.json", "w") as out:
        json.dump({"do_lower_case": True, "model_max_length": 32,
                   "tokenizer_class": "BertTokenizer"}, out)
        print(file=out)
    tensors = {k: v.to(dtype).contiguous() for k, v in tensors.items()}
    if not path.endswith("-shards"):
        save_file(tensors, f"{path}/model.safetensors", metadata={"format": "pt"})
        return
    files = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    where = {k: files[i % 2] for i, k in enumerate(sorted(tensors))}
    for f in files:
        save_file({k: v for k, v in tensors.items() if where[k] == f}, f"{path}/{f}",
                  metadata={"format": "pt"})
    with open(f"{path}/model.safetensors.index.json", "w") as out:
        json.dump({"metadata": {}, "weight_map": where}, out, indent=1, sort_keys=True)
        print(file=out)


def main(root):
    torch.set_num_threads(1)
    for tail, labels, dtype in (("", 2, torch.float32), ("-f16", 2, torch.float16),
                                ("-bf16", 2, torch.bfloat16), ("-shards", 2, torch.float32),
                                ("-regression", 1, torch.float32)):
        model = build(labels)
        save(f"{root}/tiny-bert{tail}", model, model.state_dict(), dtype)
        if tail in ("", "-regression"):
            golden(f"{root}/tiny-bert{tail}", model, labels)
    model = build(2)
    bare = {k.removeprefix("bert."): v for k, v in model.state_dict().items()
            if k.startswith("bert.") and "pooler" not in k}
    save(f"{root}/tiny-bert-bare", model, bare, torch.float32)


if __name__ == "__main__":
    main(sys.argv[1])
