"""A trained network to and from its folder: safetensors alone, in half precision.

`open_network` refuses, as `BadArtefact` and in words, a damaged file and other shapes.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from extraction.ml.encoder import load_encoder, trained_part
from extraction.ml.errors import BadArtefact
from extraction.ml.folders import ADAPTER, CARD, HEADS, SHEET, TREES
from extraction.ml.network import Network
from extraction.ml.settings import Sheet


def write(folder: Path, network: Network, sheet: Sheet, card: str, trees: str = "") -> None:
    """Write all files; half precision, because the weights were learned in bf16 anyway."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_half(trained_part(network.encoder)), folder / ADAPTER)
    save_file(_half(_heads(network)), folder / HEADS)
    write_confidence(folder, sheet, card, trees)
    for name in (ADAPTER, HEADS):
        # safetensors writes files that only their owner may read.
        (folder / name).chmod(0o644)


def write_confidence(folder: Path, sheet: Sheet, card: str, trees: str) -> None:
    """What says how far to trust the weights; they stay as they are. `trees` "" for none."""
    (folder / SHEET).write_text(json.dumps(sheet.as_json(), indent=1) + "\n", encoding="utf-8")
    (folder / CARD).write_text(card, encoding="utf-8")
    (folder / TREES).unlink(missing_ok=True)
    if trees:
        (folder / TREES).write_text(trees, encoding="utf-8")


def open_network(folder: Path, sheet: Sheet, base_encoder: Path) -> Network:
    """The network with its trained weights, in float32, not learning. Raises `BadArtefact`."""
    network = Network(load_encoder(base_encoder, sheet.design.rank), sheet.design)
    fill(folder, network)
    return network.eval()


def fill(folder: Path, network: Network) -> None:
    """Put the folder's trained weights into a network. Raises `BadArtefact`."""
    _fill(folder, ADAPTER, trained_part(network.encoder))
    _fill(folder, HEADS, _heads(network))


def _heads(network: Network) -> dict[str, nn.Parameter]:
    return {
        name: part for name, part in network.named_parameters() if not name.startswith("encoder.")
    }


def _half(parts: dict[str, nn.Parameter]) -> dict[str, torch.Tensor]:
    return {name: part.detach().cpu().half().contiguous() for name, part in parts.items()}


def _tensors(folder: Path, name: str) -> dict[str, torch.Tensor]:
    try:
        found = load_file(folder / name)
    except (SafetensorError, OSError, ValueError) as error:
        raise BadArtefact(f"{name} is damaged: {error}") from error
    if any(not torch.isfinite(tensor.float()).all() for tensor in found.values()):
        raise BadArtefact(f"{name} holds numbers that are not finite.")
    return found


def _fill(folder: Path, name: str, parts: dict[str, nn.Parameter]) -> None:
    found = _tensors(folder, name)
    lacking, unknown = sorted(parts.keys() - found.keys()), sorted(found.keys() - parts.keys())
    if lacking or unknown:
        what = f"lacks {lacking[0]}" if lacking else f"holds the unknown {unknown[0]}"
        raise BadArtefact(f"{name} does not fit the encoder and the labels: it {what}.")
    for key, part in parts.items():
        if found[key].shape != part.shape:
            raise BadArtefact(
                f"{name}: {key} is {tuple(found[key].shape)}; {tuple(part.shape)} is needed."
            )
    with torch.no_grad():
        for key, part in parts.items():
            part.copy_(found[key])
