"""Texts as tokens, words and overlapping windows, with the characters that each stands for.

Encoders read windows of 100 tokens; tags are given to words, so that no span begins or ends inside
one. Trap: a word is a number with its points and commas, a run of letters, or one other sign.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

LENGTH = 100
STRIDE = 50
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|\S")
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `start` to `end` (excluded) of a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Read:
    """A text as a tokenizer sees it.

    `ids` (tokens); `firsts` (words): the token at which each word begins, in increasing order;
    `starts` and `ends` (words): its characters. A word that the tokenizer drops is left out.
    """

    text: str
    ids: Ints
    firsts: Ints
    starts: Ints
    ends: Ints

    def windows(self, length: int = LENGTH, stride: int = STRIDE) -> list[Window]:
        """Windows that cover every token; the last one is as long as the others."""
        return cut(len(self.ids), length, stride)

    def words_of(self, window: Window) -> tuple[int, int]:
        """Words that begin in the window, as a half-open pair."""
        first, last = np.searchsorted(self.firsts, (window.start, window.end))
        return int(first), int(last)


def cut(count: int, length: int = LENGTH, stride: int = STRIDE) -> list[Window]:
    """Windows over `count` tokens, each `stride` after the one before, none beyond the end."""
    if not 0 < stride <= length:
        raise ValueError(f"A stride of {stride} leaves gaps between windows of {length}.")
    if count <= 0:
        return []
    if count <= length:
        return [Window(0, count)]
    starts = [*range(0, count - length, stride), count - length]
    return [Window(start, start + length) for start in starts]


class Reader:
    """Reads texts with a model folder's tokenizer; `digest` names exactly this tokenizer.

    `prefix` and `suffix` are the tokens that the model wants around every window, `pad` fills.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "tokenizer.json"
        if path.is_file():
            content = path.read_bytes()
            self.tokenizer = Tokenizer.from_str(content.decode("utf-8"))
        else:
            # Only a tokenizer that transformers must convert takes the seconds that it loads in.
            from transformers import AutoTokenizer  # noqa: PLC0415

            slow = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            self.tokenizer = slow.backend_tokenizer
            content = self.tokenizer.to_str().encode()
        self.digest = hashlib.sha256(content).hexdigest()
        # Files for sentence encoders cut and pad by themselves.
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.prefix, self.suffix = _surroundings(self.tokenizer)
        self.pad = _padding(folder)

    def read(self, text: str) -> Read:
        """The whole text, however long."""
        found = self.tokenizer.encode(text, add_special_tokens=False)
        ids = np.array(found.ids, dtype=np.int64)
        offsets = np.array(found.offsets, dtype=np.int64).reshape(-1, 2)
        spans = np.array([word.span() for word in WORD.finditer(text)], dtype=np.int64)
        starts, ends = spans.reshape(-1, 2).T
        firsts = _first_tokens(starts, ends, offsets)
        kept = firsts >= 0
        # Two words in one token would be two tags in one place: the first has it.
        kept[1:] &= firsts[1:] != firsts[:-1]
        return Read(text, ids, firsts[kept], starts[kept], ends[kept])

    def rows(self, read: Read, window: Window) -> list[int]:
        """Token ids of a window with what the model wants around it."""
        return [*self.prefix, *read.ids[window.start : window.end].tolist(), *self.suffix]


def _first_tokens(starts: Ints, ends: Ints, offsets: Ints) -> Ints:
    """The first token that holds a character of each word, or -1."""
    if not len(offsets) or not len(starts):
        return np.full(len(starts), -1, dtype=np.int64)
    at = np.searchsorted(offsets[:, 1], starts, side="right")
    inside = at < len(offsets)
    found = np.minimum(at, len(offsets) - 1)
    return np.where(inside & (offsets[found, 0] < ends), found, -1)


def _surroundings(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    marked = tokenizer.encode("a", add_special_tokens=True)
    special = marked.special_tokens_mask
    inner = [at for at, mark in enumerate(special) if not mark]
    if not inner:
        return (), ()
    return tuple(marked.ids[: inner[0]]), tuple(marked.ids[inner[-1] + 1 :])


def _padding(folder: Path) -> int:
    path = folder / "config.json"
    value = json.loads(path.read_text()).get("pad_token_id") if path.is_file() else None
    return value if isinstance(value, int) else 0
