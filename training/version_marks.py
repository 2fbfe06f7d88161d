"""Which documents a version learned from, as marks that name none of them."""

from __future__ import annotations

import json

from docintel import artefacts
from docintel.artefacts import ArtefactDamaged
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from extraction.ml.folders import LEARNED


def marks_of(version: ModelVersion) -> frozenset[str] | None:
    """None where the version does not say. Raises CannotScore where its files are damaged."""
    if LEARNED not in version.files:
        return None
    try:
        marks = json.loads((artefacts.open_folder(version) / LEARNED).read_text(encoding="utf-8"))
        return frozenset(map(str, marks))
    except (ArtefactDamaged, OSError, ValueError, TypeError) as error:
        raise CannotScore(f"{version} cannot be read: {error}") from error
