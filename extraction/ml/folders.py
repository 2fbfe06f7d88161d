"""A trained tagger's folder: which files it holds, and whether they belong to a base encoder.

Loads no PyTorch, so that a converted tagger starts without it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from extraction.ml.errors import BadArtefact
from extraction.ml.settings import Sheet, from_json
from extraction.ml.windows import Reader

ADAPTER = "adapter.safetensors"
HEADS = "heads.safetensors"
SHEET = "tagger.json"
CARD = "card.md"
# What corrects its confidences; not every tagger has it.
TREES = "confidence.txt"
# The marks of the documents that it learned from or was calibrated on.
LEARNED = "learned.json"
ENCODER = "model.safetensors"


def read_sheet(folder: Path) -> Sheet:
    """What `tagger.json` says. Raises `BadArtefact`."""
    missing = [name for name in (ADAPTER, HEADS, SHEET) if not (folder / name).is_file()]
    if missing:
        raise BadArtefact(f"{folder} lacks {', '.join(missing)}.")
    try:
        content = json.loads((folder / SHEET).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadArtefact(f"{SHEET} cannot be read: {error}") from error
    return from_json(content)


def check_base(sheet: Sheet, base_encoder: Path, reader: Reader) -> None:
    """Raises `BadArtefact` unless encoder and tokenizer are those that the tagger was trained on.

    Another encoder would still run, and find nonsense.
    """
    if reader.digest != sheet.tokenizer_digest:
        raise BadArtefact(
            f"The tagger was trained for another tokenizer ({sheet.tokenizer_digest[:12]}…) than "
            f"that in {base_encoder} ({reader.digest[:12]}…)."
        )
    found = digest_of(base_encoder)
    if found != sheet.encoder_digest:
        raise BadArtefact(
            f"The tagger was trained on another encoder ({sheet.encoder}, "
            f"{sheet.encoder_digest[:12]}…) than that in {base_encoder} ({found[:12]}…)."
        )


def digest_of(encoder: Path) -> str:
    """SHA-256 of an encoder's weights; about a second for 440 MB. Raises `BadArtefact`."""
    try:
        with (encoder / ENCODER).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadArtefact(f"{encoder} has no readable {ENCODER}: {error.strerror}") from error
