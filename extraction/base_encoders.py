"""Folders of base encoders by name: an installed one, a local folder, or one from a model hub.

Only `fetch` reaches out, and only a training asks for it; serving finds what is there already.
"""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from docintel import weights
from docintel.placing import place_once
from docintel.weights import WeightsUnavailable

_HUB = re.compile(r"[\w.-]+/[\w.-]+")


def folder_of(name: str) -> Path:
    """The encoder's folder. Raises WeightsUnavailable where it is not on this machine."""
    if name in weights.KNOWN:
        return weights.folder(name)
    place = Path(name).expanduser()
    if place.is_dir():
        return place.resolve()
    fetched = _fetched(name)
    if _HUB.fullmatch(name) and fetched.is_dir():
        return fetched
    raise WeightsUnavailable(
        f"the encoder {name} is neither a known model ({', '.join(weights.KNOWN)}), nor a folder, "
        "nor was it fetched from a hub to this machine"
    )


def fetch(name: str) -> Path:
    """As `folder_of`, but an owner/model of the Hugging Face hub is downloaded once.

    Only safetensors are taken (the hub's conversion where a model has none of its own).
    """
    try:
        return folder_of(name)
    except WeightsUnavailable:
        if not _HUB.fullmatch(name):
            raise
    try:
        place_once(_fetched(name), lambda target: _download(name, target))
    except (OSError, ValueError, ImportError) as error:
        raise WeightsUnavailable(f"{name} cannot be fetched from the hub: {error}") from error
    return _fetched(name)


def _fetched(name: str) -> Path:
    return Path(settings.MODELS_DIR) / f"hub-{name.replace('/', '--')}"


def _download(name: str, target: Path) -> None:
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415  seconds to load

    model = AutoModel.from_pretrained(name, use_safetensors=True, trust_remote_code=False)
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(name, trust_remote_code=False).save_pretrained(target)
