"""Lines that a document repeats at the top or bottom of its pages, and its page numbers.

They are told by their words, up to numbers, and by where they stand; the first page that has
one keeps it, so that nothing is lost.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from ingestion.parsing.pdf_page import MOST_RUNNING, Page

_NUMBERS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"\W*(?:page\s*)?(?:[A-Z]{1,2}-)?(\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.I
)
# Pages on which a line stands at the same height, as a number and as a share of all.
_LEAST_PAGES = 3
_LEAST_SHARE = 0.04
_HEIGHT = 8.0
_LONGEST = 160


def find(pages: Sequence[Page]) -> list[tuple[int, int]]:
    """For every page the rows that stay, as [first, last): all but its running lines."""
    candidates = [_candidates(page) for page in pages]
    places: Counter[tuple[str, int]] = Counter()
    for found in candidates:
        # A line between two heights counts for both.
        for key, height in {pair for both in found.values() for pair in both}:
            places[key, height] += 1
    least = max(_LEAST_PAGES, _LEAST_SHARE * len(pages))
    numbers = _page_numbers(pages)
    seen: set[str] = set()
    kept: list[tuple[int, int]] = []
    for index, (page, found) in enumerate(zip(pages, candidates, strict=True)):
        running = {
            number for number, both in found.items() if any(places[pair] >= least for pair in both)
        }
        fresh = {number for number in running if found[number][0][0] not in seen}
        seen |= {found[number][0][0] for number in running}
        kept.append(_peel(page, (running - fresh) | numbers.get(index, set())))
    return kept


def _candidates(page: Page) -> dict[int, list[tuple[str, int]]]:
    """Rows near either end by their number: their words without numbers, and their height."""
    count = len(page.rows)
    ends = {*range(min(MOST_RUNNING, count)), *range(max(0, count - MOST_RUNNING), count)}
    found = {}
    for number in ends:
        row, line = page.rows[number], page.lines[number]
        if row.kept or len(line) > _LONGEST:
            continue
        key = _NUMBERS.sub("#", " ".join(line.casefold().split()))
        if any(char.isalpha() for char in key):
            height = int(row.top // _HEIGHT)
            found[number] = [(f"{row.turn}{key}", height), (f"{row.turn}{key}", height + 1)]
    return found


def _page_numbers(pages: Sequence[Page]) -> dict[int, set[int]]:
    """Rows that are only a number which grows with the pages, by page."""
    offsets: dict[int, list[tuple[int, int]]] = defaultdict(list)
    romans: list[tuple[int, int]] = []
    for index, page in enumerate(pages):
        count = len(page.rows)
        for row in {*range(min(MOST_RUNNING, count)), *range(max(0, count - MOST_RUNNING), count)}:
            match = _PAGE_NUMBER.fullmatch(page.lines[row])
            if match and not page.rows[row].kept:
                if match[1].isdigit():
                    offsets[int(match[1]) - index].append((index, row))
                else:
                    romans.append((index, row))
    found: dict[int, set[int]] = defaultdict(set)
    for places in [*(p for p in offsets.values() if len(p) >= _LEAST_PAGES), romans]:
        for index, row in places:
            found[index].add(row)
    return found


def _peel(page: Page, running: set[int]) -> tuple[int, int]:
    first, last = 0, len(page.rows)
    while first < last and first in running:
        first += 1
    while last > first and last - 1 in running:
        last -= 1
    # A page of nothing else keeps it: no page loses all of its text.
    return (first, last) if first < last else (0, len(page.rows))
