"""Lines that a document repeats at the top or bottom of its pages, and its page numbers.

They are told by their words, up to numbers, and by where they stand; the first page that has
one keeps it, so that nothing is lost.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from ingestion.parsing.pdf_page import MOST_RUNNING, Page

_NUMBER = re.compile(r"\d{1,4}")
# Headings that count: their number grows as that of a page may, but they say something new.
_COUNTED = re.compile(
    r"\W*(?:note|item|exhibit|part|schedule|table|section|chapter|appendix|figure)\b", re.I
)
_PAGE_NUMBER = re.compile(
    r"[\s\-–—.|]*(?:page\s*)?(?:[A-Z]{1,2}-)?(?:(\d{1,4})|([ivxl]{1,6}))"
    r"(?:\s*(?:of|/)\s*\d{1,4})?[\s\-–—.|]*",
    re.IGNORECASE,
)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}
# Pages on which a line stands at the same height, as a number and as a share of all.
_LEAST_PAGES = 3
_LEAST_SHARE = 0.04
_HEIGHT = 8.0
_LONGEST = 160


def find(pages: Sequence[Page]) -> list[tuple[int, int]]:
    """For every page the rows that stay, as [first, last): all but its running lines."""
    candidates = [_candidates(page, index) for index, page in enumerate(pages)]
    places: Counter[tuple[str, int]] = Counter()
    for found in candidates:
        # A line between two heights counts for both.
        places.update({pair for keys in found.values() for pair in keys})
    least = max(_LEAST_PAGES, _LEAST_SHARE * len(pages))
    numbers = _page_numbers(pages)
    seen: set[str] = set()
    kept: list[tuple[int, int]] = []
    for index, (page, found) in enumerate(zip(pages, candidates, strict=True)):
        running = set(numbers.get(index, set()))
        for number, keys in found.items():
            repeated = {key for key, height in keys if places[key, height] >= least}
            if repeated & seen:
                running.add(number)
            seen |= repeated
        kept.append(_peel(page, running))
    return kept


def _ends(page: Page) -> set[int]:
    count = len(page.rows)
    return {*range(min(MOST_RUNNING, count)), *range(max(0, count - MOST_RUNNING), count)}


def _candidates(page: Page, index: int) -> dict[int, list[tuple[str, int]]]:
    """Rows near either end by their number, with what would tell them on another page.

    That is a height and their words, or these with a number that grows with the pages.
    """
    found = {}
    for number in _ends(page):
        row, line = page.rows[number], " ".join(page.lines[number].casefold().split())
        if row.kept or len(line) > _LONGEST or not any(map(str.isalpha, line)):
            continue
        keys = [f"{row.turn}{line}"]
        if not _COUNTED.match(line):
            keys += [
                f"{row.turn}{line[: m.start()]}#{int(m[0]) - index}#{line[m.end() :]}"
                for m in _NUMBER.finditer(line)
            ]
        height = int(row.top // _HEIGHT)
        found[number] = [(key, at) for key in keys for at in (height, height + 1)]
    return found


def _page_numbers(pages: Sequence[Page]) -> dict[int, set[int]]:
    """Rows that are only a number which grows with the pages, by page."""
    offsets: dict[tuple[bool, int], list[tuple[int, int]]] = defaultdict(list)
    for index, page in enumerate(pages):
        for row in _ends(page):
            match = _PAGE_NUMBER.fullmatch(page.lines[row])
            if match and not page.rows[row].kept:
                value = int(match[1]) if match[1] else _roman(match[2].lower())
                offsets[bool(match[1]), value - index].append((index, row))
    found: dict[int, set[int]] = defaultdict(set)
    for places in offsets.values():
        if len(places) >= _LEAST_PAGES:
            for index, row in places:
                found[index].add(row)
    return found


def _roman(letters: str) -> int:
    values = [_ROMAN[letter] for letter in letters]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < after else value for value, after in pairs)


def _peel(page: Page, running: set[int]) -> tuple[int, int]:
    first, last = 0, len(page.rows)
    while first < last and first in running:
        first += 1
    while last > first and last - 1 in running:
        last -= 1
    # A page of nothing else keeps it: no page loses all of its text.
    return (first, last) if first < last else (0, len(page.rows))
