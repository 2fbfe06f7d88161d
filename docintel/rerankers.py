"""The cross-encoder that `RERANKER_MODEL` names: which weights it is, without loading them.

Its artefact is a folder with `adapter.safetensors`, a LoRA adapter and a head for a known encoder,
and `config.json`; one comes with the code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from docintel import weights
from docintel.weights import WeightsUnavailable

ADAPTER, CONFIG = "adapter.safetensors", "config.json"
OFF = "off"
BUNDLED_NAME = "docintel-reranker"
BUNDLED = Path(__file__).with_name("inference") / "ml" / "bundled" / "reranker"
FORMAT = 1
LONGEST = 512


@dataclass(frozen=True, slots=True)
class RerankerWeights:
    """A described artefact; `encoder` is a known model, which `describe` of `weights` verifies.

    `digest` is the adapter's SHA-256; `tokens` is what the model reads of a pair; `scale` is what
    the adapter counts.
    """

    name: str
    folder: Path
    digest: str
    encoder: str
    encoder_digest: str
    tokens: int
    scale: float


def is_off() -> bool:
    return str(settings.RERANKER_MODEL).strip().lower() == OFF


def describe() -> RerankerWeights:
    """The configured artefact, checked against its own digest. Raises `WeightsUnavailable`."""
    name = str(settings.RERANKER_MODEL).strip()
    if is_off():
        raise WeightsUnavailable("RERANKER_MODEL is off")
    folder = BUNDLED if name == BUNDLED_NAME else Path(name).expanduser().resolve()
    if not (folder / ADAPTER).is_file() or not (folder / CONFIG).is_file():
        raise WeightsUnavailable(
            f"RERANKER_MODEL is {name!r}, which is neither {BUNDLED_NAME}, nor off, nor a folder "
            f"with {ADAPTER} and {CONFIG}"
        )
    return describe_folder(folder)


def describe_folder(folder: Path) -> RerankerWeights:
    """The artefact in this folder, checked against its own digest. Raises `WeightsUnavailable`."""
    try:
        modified = (folder / ADAPTER).stat().st_mtime_ns
    except OSError as error:
        raise WeightsUnavailable(f"{folder} holds no reranker: {error.strerror}") from error
    return _described(folder, modified)


@cache
def _described(folder: Path, modified: int) -> RerankerWeights:  # noqa: ARG001  another state, another read
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        found = RerankerWeights(
            name=str(config.get("name") or folder.name),
            folder=folder,
            digest=str(config["digest"]),
            encoder=str(config["encoder"]),
            encoder_digest=str(config["encoder_digest"]),
            tokens=int(config["tokens"]),
            scale=float(config["alpha"]) / int(config["rank"]),
        )
        number = int(config["format"])
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise WeightsUnavailable(
            f"{folder / CONFIG} does not describe a reranker: {error!r}"
        ) from (error)
    if number != FORMAT or not 16 <= found.tokens <= LONGEST:
        raise WeightsUnavailable(f"{folder} has format {number} and reads {found.tokens} tokens")
    if weights.sha256(folder / ADAPTER) != found.digest:
        raise WeightsUnavailable(f"{folder / ADAPTER} is not the one that {CONFIG} describes")
    return found


def encoder_of(found: RerankerWeights) -> weights.Weights:
    """The verified encoder that the adapter is for. Raises `WeightsUnavailable`."""
    encoder = weights.describe(found.encoder)
    if encoder.digest != found.encoder_digest:
        raise WeightsUnavailable(
            f"the reranker {found.name} was trained on other weights of {found.encoder}"
        )
    return encoder
