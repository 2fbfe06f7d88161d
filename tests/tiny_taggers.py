"""A real encoder, tokenizer and labelled texts, all small enough to train on in a second."""

from __future__ import annotations

import json
import random
from pathlib import Path

from extraction.ml.spans import Example, LabelledSpan

WORDS = [
    "revenue",
    "profit",
    "sales",
    "cost",
    "of",
    "goods",
    "was",
    "were",
    "in",
    "the",
    "year",
    "million",
    "and",
    "net",
    "rose",
    "fell",
    "to",
    "from",
    "tax",
    "share",
    "dividend",
    "cash",
    "flow",
    "debt",
]
GROUPS = (("figure", "value"), ("phrase",))


def tiny_encoder(folder: Path, kind: str = "bert", seed: int = 1) -> Path:
    """The folder of a random model of two layers with a word-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "$", ".", ",", *WORDS]
    names += [str(number) for number in range(100)]
    vocabulary = {name: at for at, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(seed)
    size = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
    }
    extra = (
        {
            "relative_attention": True,
            "position_buckets": 16,
            "pos_att_type": ["p2c", "c2p"],
            "share_att_key": True,
            "norm_rel_ebd": "layer_norm",
            "type_vocab_size": 0,
            "position_biased_input": False,
        }
        if kind == "deberta-v2"
        else {}
    )
    config = AutoConfig.for_model(kind, **size, **extra)
    AutoModel.from_config(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", mask_token="[MASK]", unk_token="[UNK]"
    ).save_pretrained(folder)
    return folder


def examples(count: int, seed: int = 3) -> list[Example]:
    """Sentences such as "in the year net revenue was $ 12 million", figures and values labelled.

    Each "net FIGURE was $ N million" is also a phrase, in which the two others nest.
    """
    chance = random.Random(seed)
    found = []
    for number in range(count):
        words: list[str] = chance.choices(WORDS[5:12], k=chance.randint(1, 6))
        text = " ".join(words)
        spans = []
        for _ in range(chance.randint(0, 2)):
            figure = chance.choice(("revenue", "profit", "sales"))
            value = str(chance.randint(10, 99))
            piece = f"net {figure} was $ {value} million"
            start = len(text) + 1
            spans.append(LabelledSpan(start + 4, start + 4 + len(figure), "figure"))
            at = start + piece.index(value)
            spans.append(LabelledSpan(at, at + len(value), "value"))
            spans.append(LabelledSpan(start, start + len(piece), "phrase"))
            text += f" {piece} and the year"
        found.append(Example(f"document {number // 4}", text, tuple(spans)))
    return found


def sentences(count: int, split: str) -> list[str]:
    """Lines of a file of KPI-EDGAR's shape, a document each: "net FIGURE was $ N"."""
    rows = []
    for number in range(count):
        figure = ("revenue", "profit", "sales")[number % 3]
        words = ["net", figure, "was", "$", str(10 + number % 7)]
        labels = ["kpi_1", "kpi_1", None, None, "cy_1"]
        row = {"doc": f"{split} {number}", "split": split, "tokens": words, "labels": labels}
        rows.append(json.dumps(row))
    return rows
