"""Which examples are learned from: decided by a hash of the document's key, the same for ever.

Parts of one document never stand on both sides, and more data never moves a document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from extraction.ml.spans import Example

TENTHS = 10
# Of data that has no parts of its own: two tenths for the score, one for the calibration.
TESTED = (0, 1)
FITTED = (2,)


def tenth(key: str) -> int:
    """0 to 9, by the first eight bytes of the key's SHA-256."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % TENTHS


def mark(key: str) -> str:
    """Tells documents apart without naming them: 16 hex digits of the key's SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def in_tenths(examples: Sequence[Example], chosen: Sequence[int]) -> list[Example]:
    """Those whose document falls into one of these tenths."""
    return [example for example in examples if tenth(example.key) in chosen]


def folds(examples: Sequence[Example], count: int) -> list[tuple[list[Example], list[Example]]]:
    """`count` pairs (to learn from, left out); every document is left out once.

    Documents in the order of their hashes are dealt out in turn, so that folds are of one size.
    """
    keys = sorted(
        {example.key for example in examples},
        key=lambda key: hashlib.sha256(key.encode()).digest(),
    )
    fold = {key: at % count for at, key in enumerate(keys)}
    return [
        (
            [each for each in examples if fold[each.key] != at],
            [each for each in examples if fold[each.key] == at],
        )
        for at in range(count)
    ]
