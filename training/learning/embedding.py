"""Vectors of texts that are not in the corpus, made as ingestion makes those of documents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from docintel import encoders
from ingestion import chunking
from ingestion.classifying.pooling import Floats

TEXTS_AT_ONCE = 64


def passages_of(texts: Sequence[str]) -> list[Floats]:
    """Per text the vectors of its passages, float32 (n, 768); none for a text without words.

    Raises EncoderUnavailable.
    """
    tokenizer = encoders.tokenizer()
    pieces: list[str] = []
    counts = []
    for text in texts:
        found = chunking.chunk(text, [0], [], tokenizer)
        pieces += [text[piece.start : piece.end] for piece in found]
        counts.append(len(found))
    made = [
        encoders.embed(pieces[first : first + TEXTS_AT_ONCE])
        for first in range(0, len(pieces), TEXTS_AT_ONCE)
    ]
    vectors = np.vstack([*made, np.zeros((0, encoders.MAX_DIMENSIONS), dtype=np.float32)])
    return np.split(vectors, np.cumsum(counts)[:-1]) if counts else []
