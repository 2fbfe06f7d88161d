"""Two embedders on questions mined about companies that no training learns from.

By their cosines alone, among what retrieval finds for a question. One that passes does not serve at
once: its vectors are made first, beside those of the live one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from docintel import encoders, promoted_weights
from docintel.encoders import EncoderUnavailable, TextTooLong
from docintel.models import ModelVersion
from docintel.weights import WeightsUnavailable
from ingestion import reembedding
from ingestion.models import Chunk
from ingestion.reembedding import CannotReembed
from training.comparing.comparison import CannotCompare, Comparison, seconds_in_turns
from training.comparing.orders import compare_orders
from training.gate import Floats
from training.learning.ranker_candidates import Group, collect

# Each passage that is found is embedded by both.
MOST = 150
TIMED = 8


def live(name: str) -> ModelVersion | None:  # noqa: ARG001  one name only
    """What search uses now. Raises CannotCompare."""
    try:
        return encoders.live_embedder()
    except EncoderUnavailable as error:
        raise CannotCompare(str(error)) from error


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """NDCG@10 of both. Raises CannotCompare, also where a passage is too long for either."""
    if folder is not None or live is None:
        raise CannotCompare("an embedder is compared with the live one on the filings indexed here")
    groups = collect(MOST, held_out=True)
    chunks = Chunk.objects.in_bulk({pk for group in groups for pk in group.chunks})
    texts = {pk: chunk.body for pk, chunk in sorted(chunks.items())}
    try:
        sources = [promoted_weights.embedder_source(each) for each in (candidate, live)]
        found = [_scored(each, groups, texts) for each in sources]
        few = list(texts.values())[:TIMED]
        seconds = seconds_in_turns([partial(encoders.embed_here, few, each) for each in sources])
    except (EncoderUnavailable, TextTooLong, WeightsUnavailable) as error:
        raise CannotCompare(str(error)) from error
    asked = [(group.mined, group.grades) for group in groups]
    return compare_orders(
        "NDCG@10 by cosines", asked, found, seconds, passages=len(texts), against=str(live)
    )


def promote(candidate: ModelVersion, *, who: str, why: str) -> None:  # noqa: ARG001  the verdict says why
    """Begin its re-embedding, which makes it live. Raises CannotCompare where it cannot begin."""
    try:
        reembedding.start(candidate, who=who)
    except CannotReembed as error:
        raise CannotCompare(str(error)) from error


def _scored(source: str, groups: Sequence[Group], texts: dict[int, str]) -> list[Floats]:
    vectors = dict(zip(texts, encoders.embed_here(list(texts.values()), source), strict=True))
    asked = encoders.embed_here([group.mined.text for group in groups], source, kind="query")
    return [
        np.array([vectors[pk] @ vector for pk in group.chunks], dtype=np.float64)
        for group, vector in zip(groups, asked, strict=True)
    ]
