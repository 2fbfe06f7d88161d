"""Texts as sets of word shingles: MinHash bands that find what may be alike, exact Jaccard; pure.

datasketch is loaded on first use: only workers need it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice

SHINGLE_WORDS = 5
PERMUTATIONS = 128
# 16 bands of 8: of pairs at 0.9 one in 8,000 shares none; of pairs at 0.5 six in 100 share one.
ROWS_PER_BAND = 8
# What a key means: another way of cutting or hashing must not meet the old keys.
VERSION = b"1"
BATCH = 10_000
WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
# Amounts, shares and rates; dates, times and bare small numbers are no figures.
FIGURE = re.compile(r"[$€£¥]\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*\s?(?:%|percent\b)|\d+(?:[.,]\d+)+")


def shingles(text: str) -> set[str]:
    """Every run of five words, letter case and punctuation aside."""
    words = WORD.findall(text.casefold())
    if len(words) < SHINGLE_WORDS:
        return set()
    runs = zip(*(islice(words, first, None) for first in range(SHINGLE_WORDS)), strict=False)
    return {" ".join(run) for run in runs}


def band_keys(found: set[str]) -> list[int]:
    """One signed 64-bit key per band; two texts with a key in common are candidates."""
    from datasketch import MinHash  # noqa: PLC0415  heavy, and never wanted by `web`

    sketch = MinHash(num_perm=PERMUTATIONS)
    for batch in _batches(found):
        sketch.update_batch(batch)
    values = sketch.digest()
    keys = []
    for first in range(0, PERMUTATIONS, ROWS_PER_BAND):
        rows = values[first : first + ROWS_PER_BAND].astype("<u8").tobytes()
        seed = VERSION + first.to_bytes(2, "little")
        digest = hashlib.blake2b(seed + rows, digest_size=8).digest()
        keys.append(int.from_bytes(digest, "little", signed=True))
    return keys


def _batches(found: set[str]) -> Iterator[list[bytes]]:
    rest = iter(found)
    while batch := [shingle.encode() for shingle in islice(rest, BATCH)]:
        yield batch


def jaccard(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    """Shared shingles, or words, by all of them, from 0 to 1."""
    shared = len(one & other)
    return shared / max(1, len(one) + len(other) - shared)


def figures(text: str) -> set[str]:
    """The amounts, shares and rates in a text, spacing aside."""
    return {"".join(match.split()).replace("percent", "%") for match in FIGURE.findall(text)}
