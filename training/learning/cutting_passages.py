"""Long texts as passages to label one by one: those with a label, and as many without."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from extraction.ml import splitting
from extraction.ml.spans import Example, LabelledSpan

LONGEST = 1_000
_END = re.compile(r"[.;:]?\s*\n+|[.;]\s+")


def pieces(examples: Sequence[Example], most: int) -> tuple[list[Example], list[Example]]:
    """At most so many to learn from, and a quarter as many to score on, by document.

    Chosen by a hash of their place, the same for ever; spans that reach over a passage's end are
    cut there.
    """
    held = set(map(id, splitting.in_tenths(examples, splitting.TESTED)))
    tested = [each for each in examples if id(each) in held]
    rest = [each for each in examples if id(each) not in held]
    return _chosen(rest, most), _chosen(tested, most // 4)


def cut(example: Example) -> Iterator[Example]:
    """The text as passages of at most 1,000 characters, at ends of sentences where there are."""
    start = 0
    while start < len(example.text):
        end = _end(example.text, start)
        inside = tuple(
            LabelledSpan(max(s.start, start) - start, min(s.end, end) - start, s.label)
            for s in example.spans
            if s.start < end and start < s.end
        )
        yield Example(example.key, example.text[start:end], inside)
        start = end


def _end(text: str, start: int) -> int:
    if start + LONGEST >= len(text):
        return len(text)
    ends = [match.end() for match in _END.finditer(text, start + LONGEST // 2, start + LONGEST)]
    return ends[-1] if ends else start + LONGEST


def _chosen(examples: Sequence[Example], most: int) -> list[Example]:
    every = [piece for example in examples for piece in cut(example) if piece.text.strip()]
    every.sort(key=lambda each: hashlib.sha256(f"{each.key} {each.text}".encode()).digest())
    labelled = [each for each in every if each.spans][: most // 2]
    return labelled + [each for each in every if not each.spans][: len(labelled)]
