"""Which of the spans found in a text belong together, by the rules of a schema.

Deterministic: the order in which spans are given changes nothing but the numbers they are named by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from docintel.spans import Span
from extraction.layouts import Layout
from extraction.listing_pairs import respectively, shared
from extraction.ml.spans import FoundSpan
from extraction.pairing import Item, Matches, Pair, Sides, nearest, one_by_one
from extraction.schema import Rule, SchemaSpec
from extraction.value_keys import value_key

# Of one rule in one text: a rule of all pairs in a whole document could make millions.
MOST_PAIRS = 20_000
_LONGEST_EVIDENCE = 2_000


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """Spans `head` and `tail`, by their places in what was given, that `rule` relates.

    `evidence` is the piece of text that the rule went by. `confidence`, 0 to 1, is that of both
    spans and of the rule together, taken as independent.
    """

    relation: str
    head: int
    tail: int
    rule: str
    evidence: Span
    confidence: float


def relate(
    text: str, spans: Sequence[FoundSpan], layout: Layout, spec: SchemaSpec
) -> list[FoundRelation]:
    """The relations between these spans, in order of their heads in the text.

    Of two spans that are the same but for their confidence, the more confident one is related.
    """
    board = _Board(text, layout, _items(spans))
    found: list[tuple[Rule, Pair]] = []
    matches: dict[str, Matches] = {}
    for rule in spec.ordered_rules:
        made = matches.setdefault(rule.relation, Matches(rule.arity))
        made.room = MOST_PAIRS
        found += [(rule, pair) for pair in board.pairs(rule, made)]
    found.sort(key=lambda row: (row[1].head.order, row[0].relation, row[1].tail.order))
    return [board.relation(rule, pair) for rule, pair in found]


def incomplete(
    spans: Sequence[FoundSpan], relations: Iterable[FoundRelation], spec: SchemaSpec
) -> list[int]:
    """The places of spans that lack a relation which the schema requires of their label."""
    lacking = required_of(spec)
    made = {(relation.relation, relation.head) for relation in relations}
    return [
        place
        for place, span in enumerate(spans)
        if any((name, place) not in made for name in lacking.get(span.label, ()))
    ]


def required_of(spec: SchemaSpec) -> dict[str, set[str]]:
    """Label -> the relations that a span of it must have as their head."""
    required = {relation.name for relation in spec.relations if relation.required}
    found: dict[str, set[str]] = defaultdict(set)
    for rule in spec.ordered_rules:
        if rule.relation in required:
            for label in rule.head:
                found[label].add(rule.relation)
    return dict(found)


def _items(spans: Sequence[FoundSpan]) -> list[Item]:
    ordered = sorted(
        enumerate(spans),
        key=lambda row: (row[1].start, row[1].end, row[1].label, -row[1].confidence, row[0]),
    )
    items: list[Item] = []
    for place, span in ordered:
        last = items[-1] if items else None
        if last and (last.start, last.end, last.label) == (span.start, span.end, span.label):
            continue
        items.append(Item(len(items), span.start, span.end, span.label, place, span.confidence))
    return items


@dataclass(slots=True)
class _Board:
    """A text with its spans in reading order, and what rules ask about them."""

    text: str
    layout: Layout
    items: list[Item]
    _units: dict[tuple[str, int], tuple[Hashable, ...]] = field(default_factory=dict)
    _starts: dict[str, list[Item]] = field(default_factory=dict)

    def pairs(self, rule: Rule, made: Matches) -> Iterator[Pair]:
        """What a rule adds to the matches that its relation has already."""
        for unit in self._by_unit(rule):
            sides = Sides(self.text, rule, unit[0], unit[1], self._labelled(rule.head))
            if rule.choose == "respectively":
                yield from respectively(sides, made)
            elif rule.choose == "shared":
                yield from shared(sides, made)
            elif rule.choose in ("all", "same_key"):
                yield from self._equal(sides, made)
            elif rule.choose == "first":
                yield from one_by_one(sides, made, first=True)
            else:
                yield from nearest(sides, made)

    def relation(self, rule: Rule, pair: Pair) -> FoundRelation:
        """The pair as it is handed out, with what the rule went by."""
        return FoundRelation(
            relation=rule.relation,
            head=pair.head.place,
            tail=pair.tail.place,
            rule=rule.name,
            evidence=self._evidence(pair),
            confidence=pair.head.confidence * pair.tail.confidence * rule.confidence,
        )

    def _evidence(self, pair: Pair) -> Span:
        start = min(pair.head.start, pair.tail.start, pair.start)
        end = max(pair.head.end, pair.tail.end, pair.end)
        if end - start <= _LONGEST_EVIDENCE:
            return Span(start, end)
        number = self.layout.sentence_of(pair.head.start)
        around = None if number is None else self.layout.sentences[number]
        if around and pair.head.end <= around.end and around.end - around.start <= end - start:
            return around
        return Span(pair.head.start, pair.head.end)

    def _equal(self, sides: Sides, made: Matches) -> Iterator[Pair]:
        if sides.rule.choose == "all":
            yield from one_by_one(sides, made)
            return
        keys: dict[str, tuple[list[Item], list[Item]]] = {}
        for side, items in enumerate((sides.heads, sides.tails)):
            for item in items:
                key = value_key(self.text[item.start : item.end])
                if key:
                    keys.setdefault(key, ([], []))[side].append(item)
        for heads, tails in keys.values():
            alike = Sides(self.text, sides.rule, heads, tails, sides.own)
            yield from one_by_one(alike, made) if made.many else nearest(alike, made)

    def _by_unit(self, rule: Rule) -> list[tuple[list[Item], list[Item]]]:
        """Heads and tails of each stretch that has both, stretch by stretch."""
        units: dict[Hashable, tuple[list[Item], list[Item]]] = {}
        for item in self.items:
            is_head, is_tail = item.label in rule.head, item.label in rule.tail
            if not is_head and not is_tail:
                continue
            for unit in self._units_of(rule.same, item):
                pair = units.setdefault(unit, ([], []))
                if is_head and self._may(rule.choose, item, head=True):
                    pair[0].append(item)
                if is_tail and self._may(rule.choose, item, head=False):
                    pair[1].append(item)
        return [pair for pair in units.values() if pair[0] and pair[1]]

    def _may(self, choose: str, item: Item, *, head: bool) -> bool:
        """Whether it stands where the head or the tail of a table's line has to."""
        if choose not in ("row_head", "column_head"):
            return True
        place = self.layout.place_of(item.start)
        if place is None:
            return False
        if choose == "row_head":
            return (place.cell > 0) == head
        return self.layout.is_head(place) != head

    def _units_of(self, same: str, item: Item) -> tuple[Hashable, ...]:
        """The stretches that hold the span's first character: one, none, or several columns."""
        key = (same, item.order)
        if key not in self._units:
            self._units[key] = tuple(self._find_units(same, item.start))
        return self._units[key]

    def _find_units(self, same: str, offset: int) -> Iterator[Hashable]:
        if same == "document":
            yield 0
            return
        numbers = {
            "sentence": self.layout.sentence_of,
            "section": self.layout.section_of,
            "page": self.layout.page_of,
        }
        if same in numbers:
            number = numbers[same](offset)
            if number is not None:
                yield number
            return
        place = self.layout.place_of(offset)
        if place is None:
            return
        if same == "table":
            yield place.table
        elif same == "row":
            yield place.table, place.line
        else:
            columns = self.layout.columns_of(place)
            for column in range(*columns) if columns else ():
                yield place.table, column

    def _labelled(self, labels: Iterable[str]) -> dict[str, list[Item]]:
        """The spans of each label in reading order."""
        for label in labels:
            if label not in self._starts:
                self._starts[label] = [item for item in self.items if item.label == label]
        return {label: self._starts[label] for label in labels}
