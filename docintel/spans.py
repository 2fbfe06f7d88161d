"""A piece of a document's text, as a half-open pair of character offsets into it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end`, `end` excluded; sorts by start, then by end."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"No span: {self.start} to {self.end}.")

    def overlaps(self, other: Span) -> bool:
        """Whether both hold at least one character in common."""
        return self.start < other.end and other.start < self.end

    def jaccard(self, other: Span) -> float:
        """Characters in both divided by characters in either, 0 to 1."""
        common = min(self.end, other.end) - max(self.start, other.start)
        if common <= 0:
            return 0.0
        either = max(self.end, other.end) - min(self.start, other.start)
        return common / either

    def text(self, in_text: str) -> str:
        """The characters themselves."""
        return in_text[self.start : self.end]
