"""A reranker's artefact with weights drawn by lot: it ranks at random, always in the same way."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from docintel import weights

ENCODER = "all-MiniLM-L6-v2"
RANK, WIDTH = 4, 384


def write(folder: Path, *, name: str = "by-lot", tokens: int = 64, seed: int = 1) -> Path:
    """The folder, with an adapter on two layers and a head."""
    draw = torch.Generator().manual_seed(seed)
    found: dict[str, torch.Tensor] = {}
    for layer in ("encoder.layer.4.attention.self.query", "encoder.layer.5.output.dense"):
        width = 4 * WIDTH if layer.endswith("output.dense") else WIDTH
        found[f"encoder.{layer}.lora_A.weight"] = torch.randn(RANK, width, generator=draw) * 0.02
        found[f"encoder.{layer}.lora_B.weight"] = torch.randn(WIDTH, RANK, generator=draw) * 0.02
    shapes = {"0.weight": (128, 5 * WIDTH), "0.bias": (128,), "2.weight": (1, 128), "2.bias": (1,)}
    for part, shape in shapes.items():
        found[f"head.{part}"] = torch.randn(*shape, generator=draw) * 0.02
    found["nearness"] = torch.tensor([5.0])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "adapter.safetensors"
    save_file({key: value.to(torch.float16) for key, value in found.items()}, str(path))
    config = {
        "format": 1, "name": name, "encoder": ENCODER,
        "encoder_digest": weights.KNOWN[ENCODER].digest, "rank": RANK, "alpha": 2 * RANK,
        "tokens": tokens, "digest": hashlib.sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder
