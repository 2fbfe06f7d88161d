"""What changed between two texts: figures that were restated first, then passages; pure.

The trap: texts are cut into paragraphs and table rows and compared by those, so text that only
moved shows as removed here and added there. Long texts are compared up to a bound, and say so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

# Paragraphs and rows that differ, each side; more than a book's worth is not compared further.
MOST_PIECES = 6_000
MOST_CHANGES = 300
MOST_FIGURES = 1_000
MOST_WORDS = 1_200
# What stands in a text more often than this (a dash, "Total") aligns nothing.
COMMON = 20
CONTEXT_WORDS = 14
LEAST_ALIKE = 0.5

FIGURE = re.compile(r"\(?[-–−]?[$€£¥]?\s?\d+(?:[.,]\d+)*\s?%?\)?")
DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z(“\"])")
WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph or a table row: `text[start:end]`; `key` has its white space evened out."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that is another one now; offsets into the earlier and the later text."""

    label: str
    earlier: str
    later: str
    earlier_span: tuple[int, int]
    later_span: tuple[int, int]

    @property
    def change(self) -> float | None:
        """By how much in percent; None where that says nothing."""
        before, now = _value(self.earlier), _value(self.later)
        if not before or now is None or "%" in self.earlier:
            return None
        return (now - before) / abs(before) * 100


@dataclass(frozen=True, slots=True)
class Change:
    """A passage that changed: runs of ("same" | "gone" | "new" | "skip", words).

    A span is None on the side that lacks it.
    """

    runs: list[tuple[str, str]]
    earlier_span: tuple[int, int] | None
    later_span: tuple[int, int] | None


@dataclass(slots=True)
class Difference:
    """In reading order; `more` is how many changes were left out, `cut` whether texts were."""

    figures: list[Figure] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    more: int = 0
    cut: bool = False


def compare(earlier: str, later: str) -> Difference:
    """What of `earlier` is otherwise in `later`; equal texts, white space aside, give nothing."""
    found = Difference()
    old, new = pieces(earlier), pieces(later)
    old, new = _without_common_ends(old, new)
    found.cut = max(len(old), len(new)) > MOST_PIECES
    old, new = old[:MOST_PIECES], new[:MOST_PIECES]
    for first, last, first_new, last_new in _differing([p.key for p in old], [p.key for p in new]):
        _explain(old[first:last], new[first_new:last_new], earlier, later, found)
    return found


def pieces(text: str) -> list[Piece]:
    """Paragraphs, and each table row by itself: a line with two figures or one that ends with one.

    Lines of running text are joined up to the next empty line, so that another line break is no
    change.
    """
    found: list[Piece] = []
    start = end = -1
    position = 0
    for line in text.splitlines(keepends=True):
        begin, position = position, position + len(line)
        bare = line.strip()
        first = begin + len(line) - len(line.lstrip())
        stop = first + len(bare)
        row = _is_row(bare)
        if start >= 0 and (not bare or row):
            found.append(_piece(text, start, end))
            start = -1
        if row:
            found.append(_piece(text, first, stop))
        elif bare:
            start, end = (first, stop) if start < 0 else (start, stop)
    if start >= 0:
        found.append(_piece(text, start, end))
    return found


def _is_row(line: str) -> bool:
    figures = list(FIGURE.finditer(line))
    if not figures or line.endswith((".", ";", ",")):
        return False
    words = len(line.split())
    # Of a row's words most are figures, or it is short and ends with one.
    return len(figures) * 3 >= words or (words <= 10 and figures[-1].end() >= len(line) - 1)


def _piece(text: str, start: int, end: int) -> Piece:
    return Piece(start, end, " ".join(text[start:end].split()))


def _without_common_ends(old: list[Piece], new: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head].key == new[head].key:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail].key == new[-1 - tail].key:
        tail += 1
    return old[head : len(old) - tail], new[head : len(new) - tail]


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    often = {key for key, count in Counter(new).items() if count > COMMON}
    matcher = SequenceMatcher(often.__contains__, old, new, autojunk=False)
    for tag, first, last, first_new, last_new in matcher.get_opcodes():
        if tag != "equal":
            yield first, last, first_new, last_new


def _explain(
    old: list[Piece], new: list[Piece], earlier: str, later: str, found: Difference
) -> None:
    """One stretch that differs: pieces that differ in figures only, then the rest in pairs."""
    shapes, new_shapes = [_shape(p.key) for p in old], [_shape(p.key) for p in new]
    if shapes == new_shapes:
        # A long table of which every row changed would be slow to align, and is aligned.
        codes = [("equal", 0, len(old), 0, len(new))]
    else:
        often = {shape for shape, count in Counter(new_shapes).items() if count > COMMON}
        matcher = SequenceMatcher(often.__contains__, shapes, new_shapes, autojunk=False)
        codes = list(matcher.get_opcodes())
    for tag, first, last, first_new, last_new in codes:
        if tag == "equal":
            for before, now in zip(old[first:last], new[first_new:last_new], strict=True):
                _restated(before, now, earlier, later, found)
        else:
            for gone, added in _paired(old[first:last], new[first_new:last_new]):
                # What stands too often to be aligned may be paired with itself.
                if not (gone and added and gone.key == added.key):
                    _changed(gone, added, earlier, later, found)


def _shape(key: str) -> str:
    return DIGITS.sub("0", key)


def _restated(before: Piece, now: Piece, earlier: str, later: str, found: Difference) -> None:
    """Two pieces of one shape: the figures at the same places that are not the same."""
    figures = zip(
        FIGURE.finditer(earlier, before.start, before.end),
        FIGURE.finditer(later, now.start, now.end),
        strict=False,
    )
    for old, new in figures:
        if old.group().split() != new.group().split() and len(found.figures) < MOST_FIGURES:
            found.figures.append(_figure(old.span(), new.span(), before, earlier, later))


def _figure(
    old: tuple[int, int], new: tuple[int, int], piece: Piece, earlier: str, later: str
) -> Figure:
    old, new = _balanced(earlier, old), _balanced(later, new)
    row = earlier[piece.start : piece.end]
    if _is_row(row):
        first = FIGURE.search(row)
        label = row[: first.start()] if first else ""
        label = " ".join(label.split()).strip(" |.:$€£(–-") or piece.key
    else:
        label = _sentence(row, old[0] - piece.start)
    return Figure(label[:300], earlier[slice(*old)], later[slice(*new)], old, new)


def _balanced(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Without a bracket that belongs to the sentence, and without white space at the ends."""
    start, end = span
    if (text[start] == "(") != (text[end - 1] == ")"):
        start += text[start] == "("
        end -= text[end - 1] == ")"
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    return start, end


def _sentence(paragraph: str, offset: int) -> str:
    starts = [0, *(match.end() for match in SENTENCE_END.finditer(paragraph))]
    number = bisect_right(starts, offset) - 1
    end = starts[number + 1] if number + 1 < len(starts) else len(paragraph)
    return " ".join(paragraph[starts[number] : end].split())


def _paired(old: list[Piece], new: list[Piece]) -> Iterator[tuple[Piece | None, Piece | None]]:
    """Each piece with the one that it became, in order; alone where it is quite another one."""
    position = 0
    for before in old:
        ahead = new[position : position + 4]
        alike = [_alike(before.key, now.key) for now in ahead]
        best = max(alike, default=0.0)
        if best < LEAST_ALIKE:
            yield before, None
            continue
        chosen = alike.index(best)
        for now in ahead[:chosen]:
            yield None, now
        yield before, ahead[chosen]
        position += chosen + 1
    for now in new[position:]:
        yield None, now


def _alike(one: str, other: str) -> float:
    """How many of the words both have, from 0 to 1; their order does not count."""
    words, others = Counter(one.casefold().split()), Counter(other.casefold().split())
    shared = (words & others).total()
    return 2 * shared / max(1, words.total() + others.total())


def _changed(
    before: Piece | None, now: Piece | None, earlier: str, later: str, found: Difference
) -> None:
    if len(found.changes) >= MOST_CHANGES:
        found.more += 1
        return
    old = earlier[before.start : before.end] if before else ""
    new = later[now.start : now.end] if now else ""
    spans = (before.start, before.end) if before else None, (now.start, now.end) if now else None
    a, b = list(WORD.finditer(old)), list(WORD.finditer(new))
    if not (before and now) or max(len(a), len(b)) > MOST_WORDS:
        runs = [(name, words[:4_000]) for name, words in (("gone", old), ("new", new)) if words]
        found.changes.append(Change(runs, *spans))
        return
    runs = []
    keys, new_keys = [m.group().strip() for m in a], [m.group().strip() for m in b]
    matcher = SequenceMatcher(None, keys, new_keys, autojunk=False)
    for tag, first, last, first_new, last_new in matcher.get_opcodes():
        gone, added = a[first:last], b[first_new:last_new]
        if tag == "equal":
            runs += _same(added, at_start=first_new == 0, at_end=last_new == len(b))
            continue
        _numbers(gone, added, before, now, earlier, later, found)
        runs += [
            (name, "".join(match.group() for match in words))
            for name, words in (("gone", gone), ("new", added))
            if words
        ]
    found.changes.append(Change(runs, *spans))


def _same(words: list[re.Match[str]], *, at_start: bool, at_end: bool) -> list[tuple[str, str]]:
    """Words that stayed; of a long run only those beside a change."""
    texts = [match.group() for match in words]
    before = 0 if at_start else CONTEXT_WORDS
    after = 0 if at_end else CONTEXT_WORDS
    if len(texts) <= before + after + 3:
        return [("same", "".join(texts))]
    runs = [("same", "".join(texts[:before])), ("skip", " … ")]
    runs.append(("same", "".join(texts[len(texts) - after :])))
    return [run for run in runs if run[1]]


def _numbers(  # noqa: PLR0917
    gone: list[re.Match[str]],
    added: list[re.Match[str]],
    before: Piece,
    now: Piece,
    earlier: str,
    later: str,
    found: Difference,
) -> None:
    """Within reworded text: figures that took the place of as many figures."""
    old = _figures_of(gone, before.start, earlier)
    new = _figures_of(added, now.start, later)
    if len(old) != len(new) or len(found.figures) + len(old) > MOST_FIGURES:
        return
    for was, became in zip(old, new, strict=True):
        if earlier[slice(*was)] != later[slice(*became)]:
            found.figures.append(_figure(was, became, before, earlier, later))


def _figures_of(words: list[re.Match[str]], offset: int, text: str) -> list[tuple[int, int]]:
    if not words:
        return []
    start, end = offset + words[0].start(), offset + words[-1].end()
    return [match.span() for match in FIGURE.finditer(text, start, end)]


def _value(figure: str) -> float | None:
    digits = DIGITS.search(figure)
    if digits is None:
        return None
    try:
        value = float(digits.group().replace(",", ""))
    except ValueError:
        return None
    negative = figure.startswith("(") or any(sign in figure for sign in "-–−")
    return -value if negative else value
