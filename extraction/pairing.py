"""Pairs of heads and tails of one stretch of text, best first, none that breaks an arity."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from extraction.schema import Rule

# How many unsuitable candidates a span looks past on one side; words between two spans are looked
# for in that many characters.
_LOOKS, _LONGEST_BETWEEN = 200, 10_000
ONE_PER_HEAD = ("one_to_one", "many_to_one", "one_of_each")


@dataclass(frozen=True, slots=True)
class Item:
    """A span in reading order: `order` is its place in it, `place` that in what was given."""

    order: int
    start: int
    end: int
    label: str
    place: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A head and its tail; `start` and `end` are of more text that speaks for it, if any."""

    head: Item
    tail: Item
    start: int = 1 << 60
    end: int = -1


@dataclass(slots=True)
class Matches:
    """The pairs of one relation so far, and which further ones its arity allows.

    `room` is how many pairs the present rule may still make.
    """

    arity: str
    room: int = 0
    _heads: dict[int, Item] = field(default_factory=dict)
    _tails: set[tuple[int, str]] = field(default_factory=set)
    _pairs: set[tuple[int, int]] = field(default_factory=set)

    @property
    def many(self) -> bool:
        """Whether a head may have several tails, and a tail several heads."""
        return self.arity == "many_to_many"

    def head_is_free(self, head: Item) -> bool:
        return self.arity not in ONE_PER_HEAD or head.order not in self._heads

    def tail_of(self, head: Item) -> Item | None:
        """The tail that a head got first, if it has one."""
        return self._heads.get(head.order)

    def tail_is_free(self, tail: Item, head_label: str) -> bool:
        """Whether a tail may have one more head of this label."""
        return self._tail_key(tail, head_label) not in self._tails

    def take(self, head: Item, tail: Item) -> bool:
        """Keep the pair if it is allowed; whether it was."""
        pair = (head.order, tail.order)
        if (
            self.room <= 0
            or pair in self._pairs
            or not self.head_is_free(head)
            or not self.tail_is_free(tail, head.label)
        ):
            return False
        self.room -= 1
        self._pairs.add(pair)
        self._heads.setdefault(head.order, tail)
        if self.arity in ("one_to_one", "one_to_many", "one_of_each"):
            self._tails.add(self._tail_key(tail, head.label))
        return True

    def _tail_key(self, tail: Item, head_label: str) -> tuple[int, str]:
        return tail.order, head_label if self.arity == "one_of_each" else ""


@dataclass(slots=True)
class Sides:
    """The heads and tails of one stretch, in reading order, and the rule that pairs them.

    `own` has all spans of the text by label, for rules that nothing of the same label may break.
    """

    text: str
    rule: Rule
    heads: list[Item]
    tails: list[Item]
    own: dict[str, list[Item]]

    def fits(self, head: Item, tail: Item) -> bool | None:
        """Whether the rule allows the pair; None where it allows no tail further away either."""
        if head.order == tail.order:
            return False
        # Between spans of one label the later is the head; what of it is related goes backwards.
        if (
            head.label in self.rule.tail
            and tail.label in self.rule.head
            and head.order < tail.order
        ):
            return False
        left, right = (tail, head) if tail.order < head.order else (head, tail)
        gap = right.start - left.end
        if self.rule.max_distance is not None and gap > self.rule.max_distance:
            return None
        if self.rule.unbroken and self._is_broken(head.label, left, right):
            return None
        if not self.rule.between and not self.rule.not_between:
            return True
        if gap > _LONGEST_BETWEEN:
            return None
        words = self.text[left.end : right.start] if gap > 0 else ""
        if self.rule.not_between and _any_of(self.rule.not_between).search(words):
            return None
        return not self.rule.between or bool(_any_of(self.rule.between).search(words))

    def _is_broken(self, label: str, left: Item, right: Item) -> bool:
        own = self.own[label]
        number = bisect_left(own, left.end, key=lambda item: item.start)
        while number < len(own) and own[number].start < right.start:
            if own[number].order not in (left.order, right.order):
                return True
            number += 1
        return False


@lru_cache(maxsize=256)
def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    """Any of these words or marks, whole words only, in any case."""
    alternatives = []
    for word in words:
        pattern = r"\s+".join(map(re.escape, word.split()))
        before = r"\b" if word.strip()[0].isalnum() else ""
        after = r"\b" if word.strip()[-1].isalnum() else ""
        alternatives.append(f"{before}{pattern}{after}")
    return re.compile("|".join(alternatives), re.IGNORECASE)


def one_by_one(sides: Sides, made: Matches, *, first: bool = False) -> Iterator[Pair]:
    """Every allowed pair in reading order; with `first` only the first tail of each head.

    Where a head may have many tails but a tail only one head, `first` is the first head of a tail.
    """
    if first and made.arity not in ONE_PER_HEAD:
        for tail in sides.tails:
            for head in sides.heads[:_LOOKS]:
                if sides.fits(head, tail) and made.take(head, tail):
                    yield Pair(head, tail)
                    break
        return
    free: dict[str, int] = {}
    for head in sides.heads:
        # What is taken from the first tail on stays taken, so nobody need look at it again.
        begin = free.get(head.label, 0)
        while begin < len(sides.tails) and not made.tail_is_free(sides.tails[begin], head.label):
            begin += 1
        free[head.label] = begin
        for number in range(begin, len(sides.tails)):
            looked = first and number - begin >= _LOOKS
            if made.room <= 0 or not made.head_is_free(head) or looked:
                break
            tail = sides.tails[number]
            if sides.fits(head, tail) and made.take(head, tail):
                yield Pair(head, tail)
                if first:
                    break


def nearest(sides: Sides, made: Matches) -> Iterator[Pair]:
    """Pairs by their distance, the nearest first; of two equally near, the one before its head.

    Spans that overlap have no distance. Each head has one tail at most; where the arity gives a
    tail one head only, each tail has one head at most. O(n log n) for n spans, since spans that are
    taken are stepped over at once.
    """
    search = _Search(sides, made)
    waiting: list[tuple[int, int, int, int, _Look]] = []
    for look in search.looks():
        search.propose(look, waiting)
    done: set[int] = set()
    while waiting:
        *_, look = heapq.heappop(waiting)
        if look.seeker.order in done:
            continue
        other = look.proposed
        head, tail = (other, look.seeker) if search.from_tails else (look.seeker, other)
        if made.take(head, tail):
            done.add(look.seeker.order)
            yield Pair(head, tail)
        else:
            search.propose(look, waiting)


@dataclass(slots=True)
class _Look:
    """One span that looks for its partner in one direction, and how far it has looked."""

    seeker: Item
    side: int  # 0: overlapping, 1: before, 2: after
    at: int
    left: int
    proposed: Item


@dataclass(slots=True)
class _Search:
    sides: Sides
    made: Matches
    from_tails: bool = field(init=False)
    _by_end: list[Item] = field(init=False)
    _by_start: list[Item] = field(init=False)
    _overlapping: dict[int, list[Item]] = field(init=False)
    # Per label of seekers, where the next candidate that is still free may be, in both directions.
    _jumps: dict[tuple[int, str], dict[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The side of which each has but one partner is the one that looks.
        self.from_tails = self.made.arity == "one_to_many"
        others = self.sides.heads if self.from_tails else self.sides.tails
        self._by_end = sorted(others, key=lambda item: (item.end, item.order))
        self._by_start = sorted(others, key=lambda item: (item.start, item.order))
        self._overlapping = {}
        if self.sides.rule.choose in ("nearest", "same_key"):
            self._overlapping = _overlaps(self.sides.heads, self.sides.tails, self.from_tails)

    def looks(self) -> Iterator[_Look]:
        """Where every seeker begins, in each direction that the rule allows."""
        choose = self.sides.rule.choose
        before = choose != "nearest_after"
        after = choose in ("nearest", "nearest_after", "same_key")
        if self.from_tails:
            before, after = after, before
        for seeker in self.sides.tails if self.from_tails else self.sides.heads:
            for place, item in enumerate(self._overlapping.get(seeker.order, ())):
                yield _Look(seeker, 0, place, 1, item)
            if before:
                at = bisect_right(self._by_end, seeker.start, key=lambda item: item.end) - 1
                yield _Look(seeker, 1, at, _LOOKS, seeker)
            if after:
                at = bisect_left(self._by_start, seeker.end, key=lambda item: item.start)
                yield _Look(seeker, 2, at, _LOOKS, seeker)

    def propose(self, look: _Look, waiting: list[tuple[int, int, int, int, _Look]]) -> None:
        """Queue the seeker's next candidate in this direction, if there is one."""
        if look.side == 0:
            if look.left and self._fits(look.seeker, look.proposed):
                look.left = 0
                heapq.heappush(waiting, (0, 0, look.seeker.order, look.at, look))
            return
        line, step = (self._by_end, -1) if look.side == 1 else (self._by_start, 1)
        while look.left > 0:
            at = self._free(look, line, step)
            if not 0 <= at < len(line):
                return
            look.at = at + step
            look.left -= 1
            candidate = line[at]
            fits = self._fits(look.seeker, candidate)
            if fits is None:
                return
            if fits:
                look.proposed = candidate
                gap = max(candidate.start - look.seeker.end, look.seeker.start - candidate.end, 0)
                # As seen from the head, before comes first, whoever of the two looks.
                side = 3 - look.side if self.from_tails else look.side
                heapq.heappush(waiting, (gap, side, look.seeker.order, candidate.order, look))
                return

    def _fits(self, seeker: Item, other: Item) -> bool | None:
        head, tail = (other, seeker) if self.from_tails else (seeker, other)
        return self.sides.fits(head, tail)

    def _free(self, look: _Look, line: list[Item], step: int) -> int:
        """The next place of the line, from `look.at` on, whose span may still be taken."""
        label = look.seeker.label if self.made.arity == "one_of_each" else ""
        jumps = self._jumps.setdefault((look.side, label), {})
        at, passed = look.at, []
        while 0 <= at < len(line):
            if at in jumps:
                passed.append(at)
                at = jumps[at]
            elif self._is_taken(look.seeker, line[at]):
                passed.append(at)
                at += step
            else:
                break
        for place in passed:
            jumps[place] = at
        return at

    def _is_taken(self, seeker: Item, other: Item) -> bool:
        if self.from_tails:
            return not self.made.head_is_free(other)
        return not self.made.tail_is_free(other, seeker.label)


def _overlaps(
    heads: Sequence[Item], tails: Sequence[Item], from_tails: bool
) -> dict[int, list[Item]]:
    """For each span that looks, those of the other side that share a character with it."""
    found: dict[int, list[Item]] = {}
    events = sorted(
        {(item.start, item.order, item) for item in (*heads, *tails)}, key=lambda event: event[:2]
    )
    head_orders = {item.order for item in heads}
    tail_orders = {item.order for item in tails}
    seekers, others = (tail_orders, head_orders) if from_tails else (head_orders, tail_orders)
    open_items: list[tuple[int, int, Item]] = []
    for _, _, item in events:
        while open_items and open_items[0][0] <= item.start:
            heapq.heappop(open_items)
        for _, _, other in open_items:
            if item.order in seekers and other.order in others:
                found.setdefault(item.order, []).append(other)
            if other.order in seekers and item.order in others:
                found.setdefault(other.order, []).append(item)
        heapq.heappush(open_items, (item.end, item.order, item))
    for items in found.values():
        items.sort(key=lambda other: other.order)
    return found
