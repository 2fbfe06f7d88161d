"""A question and passages as rows of token ids for a cross-encoder; pure.

A passage that is too long is read in windows that overlap, never cut in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

# Of what the model reads, the question may take this share; [CLS] and two [SEP] are special.
QUESTION_SHARE = 0.5
SPECIAL = 3
OVERLAP_SHARE = 0.15
MOST_WINDOWS = 32


class PairTooLong(ValueError):
    """The question, or a passage, is longer than may be read; the message says which and by how
    much."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of ids; `owners[i]` is the passage that row i is a window of."""

    rows: list[list[int]]
    owners: list[int]

    @property
    def tokens(self) -> int:
        return sum(map(len, self.rows))

    def windows(self, passage: int) -> int:
        return self.owners.count(passage)


def pair(
    question: str,
    passages: Sequence[str],
    tokenizer: Tokenizer,
    *,
    tokens: int,
    cls: int,
    sep: int,
    truncate: bool = False,
) -> Pairs:
    """[CLS] question [SEP] window [SEP] for every window of every passage.

    With `truncate` a long question is cut and only the first window of a passage is read. Raises
    PairTooLong for a question of more than half of `tokens`, or a passage of over 32 windows.
    """
    asked = tokenizer.encode(question, add_special_tokens=False).ids
    most = int(tokens * QUESTION_SHARE)
    if len(asked) > most:
        if not truncate:
            raise PairTooLong(
                f"the query has {len(asked)} tokens; at most {most} are read: shorten it, or "
                'send "truncate": true'
            )
        asked = asked[:most]
    head = [cls, *asked, sep]
    room = tokens - len(asked) - SPECIAL
    step = max(1, int(room * (1 - OVERLAP_SHARE)))
    rows, owners = [], []
    encoded = tokenizer.encode_batch_fast(list(passages), add_special_tokens=False)
    for index, found in enumerate(encoded):
        ids = found.ids
        starts = (
            [0] if truncate or len(ids) <= room else range(0, max(1, len(ids) - room + step), step)
        )
        if len(starts) > MOST_WINDOWS:
            raise PairTooLong(
                f"document {index} has {len(ids)} tokens; at most {step * MOST_WINDOWS} are read"
            )
        for start in starts:
            rows.append([*head, *ids[start : start + room], sep])
            owners.append(index)
    return Pairs(rows, owners)
