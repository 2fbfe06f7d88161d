"""Pairs by lists: "A and B were $5 and $6, respectively", and "$5 and $4 of A" of two years."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from extraction.pairing import Item, Matches, Pair, Sides

_LONGEST_GAP = 80
_END = re.compile(r"\b(?:respectively|which|including|net of)\b", re.IGNORECASE)
_GLUE = re.compile(r",|;|/|&|\b(?:and|or|as well as)\b", re.IGNORECASE)


def respectively(sides: Sides, made: Matches) -> Iterator[Pair]:
    """Heads of one label that stand in a list of two or more, with the tails of a list as long.

    Of the tails' lists, the last before the heads counts, else the first after them. Spans of
    other labels may stand between the heads ("$5, $4 and $6, $3"), but no tail.
    """
    tails: dict[int, list[list[Item]]] = defaultdict(list)
    for row in _lists(sides, sides.tails, sides.heads):
        tails[len(row)].append(row)
    for label in dict.fromkeys(head.label for head in sides.heads):
        heads = [head for head in sides.heads if head.label == label]
        for run in _lists(sides, heads, sides.tails):
            partners = _partners(run, tails.get(len(run), []))
            start = min(item.start for item in (*run, *partners))
            end = max(item.end for item in (*run, *partners))
            for head, tail in zip(run, partners, strict=False):
                if sides.fits(head, tail) and made.take(head, tail):
                    yield Pair(head, tail, start, end)


def shared(sides: Sides, made: Matches) -> Iterator[Pair]:
    """Heads without a tail, with that of the nearest head of their list that has one.

    Labels may differ in such a list, as those of the values of two years; of two equally near
    heads the later one counts, since what a list belongs to often follows its end.
    """
    for run in _lists(sides, sides.heads, sides.tails):
        before: list[tuple[int, Item | None]] = []
        last: tuple[int, Item | None] = (0, None)
        for number, head in enumerate(run):
            last = (number, made.tail_of(head)) if made.tail_of(head) else last
            before.append(last)
        last = (0, None)
        for number in range(len(run) - 1, -1, -1):
            head = run[number]
            tail = made.tail_of(head)
            if tail is not None:
                last = (number, tail)
                continue
            back, ahead = before[number], last
            nearer = sorted(
                (side for side in (ahead, back) if side[1] is not None),
                key=lambda side: (abs(side[0] - number), side[0] < number),
            )
            for _, tail in nearer:
                if tail and sides.fits(head, tail) and made.take(head, tail):
                    yield Pair(head, tail, run[0].start, run[-1].end)
                    break


def _partners(run: list[Item], lists: list[list[Item]]) -> list[Item]:
    """Of these lists, which go one after the other, the one before the run, else the one after."""
    after = bisect_left(lists, run[0].start, key=lambda row: row[0].start)
    if after and lists[after - 1][-1].end <= run[0].start:
        return lists[after - 1]
    return lists[after] if after < len(lists) and lists[after][0].start >= run[-1].end else []


def _lists(sides: Sides, items: list[Item], others: list[Item]) -> list[list[Item]]:
    """The lists of two or more spans, each joined to the next by a comma or "and".

    "$5 and $6, respectively, of which $2" is a list of two.
    """
    breaks = {item.order for item in others}
    lists: list[list[Item]] = []
    for item in items:
        last = lists[-1][-1] if lists else None
        if last is None or not _joined(sides, last, item, breaks):
            lists.append([])
        lists[-1].append(item)
    return [row for row in lists if len(row) > 1]


def _joined(sides: Sides, last: Item, item: Item, breaks: set[int]) -> bool:
    if not last.end <= item.start <= last.end + _LONGEST_GAP:
        return False
    if any(order in breaks for order in range(last.order + 1, item.order)):
        return False
    gap = sides.text[last.end : item.start]
    return bool(_GLUE.search(gap)) and not _END.search(gap)
