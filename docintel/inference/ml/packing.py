"""Batches of token sequences: sorted by length, so that little is padded, within a token budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = Sequence[int]
TINY = 256


def pack(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices into `lengths`, shortest first; a batch's rows × longest row stays within `budget`.

    At most a quarter of a batch is padding, unless it is tiny. A row longer than the budget
    makes a batch of its own.
    """
    batches: list[list[int]] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        length = lengths[index]
        if batches:
            full = (len(batches[-1]) + 1) * length
            dense = full <= TINY or tokens + length >= 0.75 * full
            if full <= budget and dense:
                batches[-1].append(index)
                tokens += length
                continue
        batches.append([index])
        tokens = length
    return batches


def padded(rows: Sequence[Ids], pad: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(ids, mask), both (n, longest row); the mask is 0 where `pad` stands."""
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask


def sides(ids: NDArray[np.int64], sep: int) -> NDArray[np.int64]:
    """0 up to and with the first [SEP] of each row, 1 after it."""
    seen = np.cumsum(ids == sep, axis=1)
    return ((seen - (ids == sep)) > 0).astype(np.int64)
