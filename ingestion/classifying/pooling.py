"""From the vectors of a document's passages to one row about the document.

Vectors are float32 rows of unit length in one model's space; rows of two models must never meet.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# A long report touches on nearly every topic somewhere; it is about what a tenth of it says.
SHARE = 0.1
# The first passage holds the headline, and what is said first matters more than what is said last.
FIRST = 0.25


def similarities(passages: Floats, topics: Floats) -> Floats:
    """How close a document is to each topic, as float32 (topics,): cosines, so from -1 to 1.

    The mean of the best tenth of its passages (n, dimensions) per topic, at least one of them, a
    quarter of the weight on the first. Raises ValueError for a document without passages.
    """
    if not len(passages):
        raise ValueError("a document without passages is close to nothing")
    found = passages @ topics.T
    best = math.ceil(SHARE * len(found))
    top = np.sort(found, axis=0)[-best:].mean(axis=0)
    pooled: Floats = (FIRST * found[0] + (1 - FIRST) * top).astype(np.float32)
    return pooled


def document_vector(passages: Floats) -> Floats:
    """The direction of the mean of the passages (n, dimensions), of unit length."""
    if not len(passages):
        raise ValueError("a document without passages has no vector")
    return unit(passages.mean(axis=0))


def topic_vector(description: Floats, phrases: Floats) -> Floats:
    """A topic's direction: its description (dimensions,) and its phrases (n, dimensions) alike."""
    return unit(description + phrases.mean(axis=0)) if len(phrases) else unit(description)


def unit(vector: Floats) -> Floats:
    """The same direction with length one; a vector of zeros stays one."""
    scaled: Floats = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
    return scaled
