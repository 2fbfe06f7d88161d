"""The passages found in one document, in the order of reading, with those before and after one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qa.passages import Passage


@dataclass(frozen=True, slots=True)
class Steps:
    """`position` counts from 1 and is 0 when the reader is at none of the passages."""

    passages: list[Passage]
    position: int
    previous: Passage | None
    next: Passage | None

    @property
    def current(self) -> Passage | None:
        return self.passages[self.position - 1] if self.position else None


def step_through(passages: Iterable[Passage], at: str) -> Steps:
    """The passages by their place; `at` is the offset where the reader is, empty for none."""
    ordered = sorted(passages, key=lambda passage: passage.start)
    if not at.isdecimal() or len(at) > 9:
        return Steps(ordered, 0, None, ordered[0] if ordered else None)
    offset = int(at)
    here = next(
        (index for index, each in enumerate(ordered) if each.start <= offset < each.end), None
    )
    before = [passage for passage in ordered if passage.start < offset and passage.end <= offset]
    after = [passage for passage in ordered if passage.start > offset]
    return Steps(
        ordered,
        0 if here is None else here + 1,
        before[-1] if before else None,
        after[0] if after else None,
    )
