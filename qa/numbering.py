"""The number of a cited passage: from 1, in the order of citing, the same wherever it is shown."""

from __future__ import annotations


class Numbers:
    """Of one answer; ask for them in the order of its sentences and their citations."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], int] = {}

    def of(self, document: int, chunk: int | None, start: int, end: int) -> int:
        """The passage's number; quotes of one chunk share it."""
        key = (document, chunk) if chunk is not None else (document, -1, start, end)
        return self._known.setdefault(key, len(self._known) + 1)
