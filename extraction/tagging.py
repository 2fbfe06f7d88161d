"""Spans of a text by the live tagger of a schema; loaded once in a process, anew when it flips.

Trap: a schema without a trained version has no tagger; `live_tagger` is None then, `tag` raises.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from docintel import artefacts, registry
from docintel.artefacts import ArtefactDamaged, CannotKeep
from docintel.models import ModelVersion
from docintel.weights import WeightsUnavailable
from extraction import base_encoders
from extraction.ml.errors import BadArtefact
from extraction.ml.folders import CARD, read_sheet
from extraction.ml.spans import FoundSpan

if TYPE_CHECKING:
    from extraction.ml.tagger import Tagger

BUNDLED = Path(__file__).parent / "ml" / "bundled"

_loading = threading.Lock()
# Schema -> (key of the live version, its tagger). One at a time per schema: each holds an encoder.
_loaded: dict[str, tuple[int, Tagger]] = {}


class TaggerUnavailable(Exception):
    """No spans can be found here and now; the message says why and what to do."""


def live_tagger(schema_name: str) -> ModelVersion | None:
    """The live version; the bundled one is registered on first use. None where there is neither.

    Raises TaggerUnavailable where the bundled one is damaged.
    """
    name = f"tagger:{schema_name}"
    folder = BUNDLED / schema_name
    if not folder.is_dir():
        return registry.live(name)
    try:
        sheet = read_sheet(folder)
        return registry.register_bundled(
            folder,
            name,
            base_encoder=sheet.encoder,
            base_digest=sheet.encoder_digest,
            metrics=sheet.metrics,
            card=(folder / CARD).read_text(encoding="utf-8"),
        )
    except (BadArtefact, CannotKeep, OSError) as error:
        raise TaggerUnavailable(f"the bundled {name} cannot be used: {error}") from error


def tag(text: str, schema_name: str, *, floor: float | None = None) -> list[FoundSpan]:
    """The spans of a text in reading order, as `Tagger.tag` gives them.

    Raises TaggerUnavailable where no version is live, or it cannot be loaded.
    """
    return tag_all([text], schema_name, floor=floor)[0]


def tag_all(
    texts: list[str], schema_name: str, *, floor: float | None = None
) -> list[list[FoundSpan]]:
    """As `tag`, for several texts: short ones go through the encoder together."""
    return tagger(schema_name).tag(texts, floor=floor)


def tag_ranked(
    texts: list[str], schema_name: str, floor: float
) -> list[tuple[list[FoundSpan], list[FoundSpan]]]:
    """What `tag_all` gives without and with this floor, for one price."""
    live = tagger(schema_name)
    reads, found = live.candidates(texts)
    return [
        (live.spans(read, each), live.spans(read, each, floor))
        for read, each in zip(reads, found, strict=True)
    ]


def tagger(schema_name: str) -> Tagger:
    """The live tagger, loaded. Takes a second, or a minute when its graph is made first."""
    version = live_tagger(schema_name)
    if version is None:
        raise TaggerUnavailable(
            f"no tagger is live for the schema {schema_name}; train one with: python manage.py "
            f"train tagger --schema {schema_name} --data FOLDER"
        )
    with _loading:
        held = _loaded.get(schema_name)
        if held is None or held[0] != version.pk:
            held = _loaded[schema_name] = (version.pk, load(version))
        return held[1]


def load(version: ModelVersion) -> Tagger:
    """The tagger of this version, live or not, loaded anew. Raises TaggerUnavailable."""
    # Seconds to load, and pages that only show results import this module.
    from extraction.ml import tagger as ml  # noqa: PLC0415

    try:
        folder = artefacts.open_folder(version)
        base = base_encoders.folder_of(version.base_encoder)
        return ml.load(
            folder, base, device=settings.INFERENCE_DEVICE, cache=Path(settings.MODELS_DIR)
        )
    except (ArtefactDamaged, BadArtefact, WeightsUnavailable, OSError) as error:
        raise TaggerUnavailable(f"{version} cannot be loaded: {error}") from error
