"""Spans are related by declared rules: which pair wins, where, how far, and always the same way."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from docintel.spans import Span
from extraction.layouts import Layout, layout_of_text
from extraction.ml.spans import FoundSpan
from extraction.relating import FoundRelation, incomplete, relate
from extraction.schema import SchemaSpec, bundled, read

MARK = re.compile(r"\[(\w+) ([^][]*)\]")


def marked(marked_text: str) -> tuple[str, list[FoundSpan]]:
    """ "[kpi Sales] were [cy 5]" as text and spans."""
    text, spans, at = "", [], 0
    for match in MARK.finditer(marked_text):
        text += marked_text[at : match.start()]
        spans.append(FoundSpan(len(text), len(text) + len(match[2]), match[1], 1.0))
        text += match[2]
        at = match.end()
    return text + marked_text[at:], spans


def spec_of(*rules: dict[str, Any], labels: str = "kpi part cy py attr") -> SchemaSpec:
    rows = [
        {"name": f"rule {number}", "relation": "r", "head": ["cy", "py"], "tail": "kpi", **rule}
        for number, rule in enumerate(rules)
    ]
    return read({"name": "s", "labels": [{"name": name} for name in labels.split()], "rules": rows})


def pairs(marked_text: str, *rules: dict[str, Any], layout: Layout | None = None) -> set[Any]:
    """The related words, as (head, tail)."""
    text, spans = marked(marked_text)
    found = relate(text, spans, layout or layout_of_text(text), spec_of(*rules))
    return {(_words(text, spans[row.head]), _words(text, spans[row.tail])) for row in found}


def _words(text: str, span: FoundSpan) -> str:
    return text[span.start : span.end]


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        ("nearest", {("5", "Costs")}),
        ("nearest_before", {("5", "Sales")}),
        ("nearest_after", {("5", "Costs")}),
        ("first", {("5", "Sales")}),
        ("all", {("5", "Sales"), ("5", "Costs"), ("5", "Rent")}),
    ],
)
def test_the_choice_decides_which(choose: str, expected: set[Any]) -> None:
    text = "[kpi Sales] in the year were [cy 5] of [kpi Costs] and [kpi Rent]."
    arity = "many_to_many" if choose == "all" else "many_to_one"
    assert pairs(text, {"choose": choose, "arity": arity}) == expected


def test_of_two_equally_near_the_one_before_wins() -> None:
    assert pairs("[kpi A] - [cy 5] - [kpi B]", {}) == {("5", "A")}


def test_nothing_crosses_its_stretch() -> None:
    text = "[kpi Sales] rose. They were [cy 5]."
    assert pairs(text, {}) == set()
    assert pairs(text, {"same": "section"}) == {("5", "Sales")}
    assert pairs(text, {"same": "document", "max_distance": 15}) == set()
    assert pairs(text, {"same": "document", "max_distance": 17}) == {("5", "Sales")}
    assert pairs(text, {"same": "row"}) == set()


def test_pages_and_sections_are_stretches() -> None:
    text, spans = marked("[kpi A] x\n[kpi B] y [cy 1]")
    pages = (Span(0, 4), Span(4, len(text)))
    spec = spec_of({"choose": "first", "same": "page"})
    (found,) = relate(text, spans, Layout(pages=pages), spec)
    assert _words(text, spans[found.tail]) == "B"
    assert relate(text, spans, Layout(), spec) == []


def test_parallel_lists_go_respectively() -> None:
    rule = {"choose": "respectively", "arity": "one_of_each"}
    both = {("5", "A"), ("6", "B"), ("7", "C")}
    names = "[kpi A], [kpi B] and [kpi C]"
    values = "$[cy 5], $[cy 6] and $[cy 7] million, respectively"
    assert pairs(f"{names} were {values}.", rule) == both
    assert pairs(f"We paid {values} for {names}.", rule) == both
    two_years = (
        "[kpi A] and [kpi B] were $[cy 5] and $[cy 6] in 2020, and $[py 3] and $[py 4] in 2019."
    )
    assert pairs(two_years, rule) == {("5", "A"), ("6", "B"), ("3", "A"), ("4", "B")}
    interleaved = "[kpi A] and [kpi B] were $[cy 5] ($[py 3]) and $[cy 6] ($[py 4])."
    assert pairs(interleaved, rule) >= {("5", "A"), ("6", "B")}


@pytest.mark.parametrize(
    "text",
    [
        "[kpi A] and [kpi B] were [cy 5], [cy 6] and [cy 7].",  # lists of other lengths
        "[kpi A] was [cy 5] and [kpi B] was [cy 6].",  # no lists at all
        "[kpi A] while [kpi B] were [cy 5] and [cy 6].",  # not joined as a list
        "[kpi A] and [kpi B].",
        "",
    ],
)
def test_what_is_no_pair_of_lists_is_left_alone(text: str) -> None:
    assert pairs(text, {"choose": "respectively"}) == set()


def test_neighbours_in_a_list_share_a_tail() -> None:
    tight = {"choose": "nearest_after", "max_distance": 6, "between": ["of"], "unbroken": True}
    shared = {"choose": "shared"}
    text = "We have [kpi A] and hold [cy 5] and [py 6] of [kpi B]."
    assert pairs(text, tight) == {("6", "B")}
    assert pairs(text, tight, shared) == {("6", "B"), ("5", "B")}
    assert pairs("[cy 5] and [py 6]", shared) == set()


def test_words_between_decide() -> None:
    text = "[kpi Sales], net of tax, were [cy 5]; [kpi Costs] [cy 6]"
    were = {"between": ["were", "totaled"], "max_distance": 20}
    assert pairs(text, were) == {("5", "Sales")}
    assert pairs(text, {"not_between": ["NET  OF"]}) == {("5", "Costs"), ("6", "Costs")}
    assert pairs(text, {"not_between": [";"], "choose": "nearest_before"}) == {
        ("5", "Sales"),
        ("6", "Costs"),
    }
    assert pairs("[kpi A] often [cy 5]", {"between": ["of"]}) == set()


def test_unbroken_refuses_what_another_of_the_label_stands_before() -> None:
    text = "[kpi A] was [cy 5] or [py 4] or [cy 6]"
    found = pairs(text, {"choose": "nearest_before", "unbroken": True})
    assert found == {("5", "A"), ("4", "A")}


@pytest.mark.parametrize(
    ("arity", "expected"),
    [
        ("one_to_one", {("5", "A")}),
        ("many_to_one", {("5", "A"), ("6", "A"), ("4", "A")}),
        ("one_of_each", {("5", "A"), ("4", "A")}),
        ("one_to_many", {("5", "A")}),
    ],
)
def test_the_arity_decides_how_many(arity: str, expected: set[Any]) -> None:
    assert pairs("[kpi A] [cy 5] [cy 6] [py 4]", {"arity": arity}) == expected


def test_with_many_tails_each_tail_takes_its_nearest_head() -> None:
    text = "[cy 1] [kpi A] [kpi B] and so on [kpi C] [cy 2]"
    rule = {"arity": "one_to_many"}
    assert pairs(text, rule) == {("1", "A"), ("1", "B"), ("2", "C")}
    assert pairs(text, {**rule, "choose": "nearest_after"}) == {
        ("1", "A"),
        ("1", "B"),
        ("1", "C"),
    }
    assert pairs(text, {**rule, "choose": "first", "same": "document"}) == {
        ("1", "A"),
        ("1", "B"),
        ("1", "C"),
    }


def test_in_a_conflict_the_rule_of_the_higher_priority_wins() -> None:
    text = "[kpi A] was [cy 5] of [kpi B]"
    before = {"choose": "nearest_before", "arity": "one_to_one"}
    after = {"choose": "nearest_after", "arity": "one_to_one"}
    assert pairs(text, {**before, "priority": 2}, {**after, "priority": 1}) == {("5", "B")}
    assert pairs(text, {**before, "priority": 1}, {**after, "priority": 2}) == {("5", "A")}
    assert pairs(text, before, after) == {("5", "A")}
    assert pairs(text, {**before, "active": False}, after) == {("5", "B")}


def test_of_one_rule_the_nearest_pair_wins_a_conflict() -> None:
    rule = {"arity": "one_to_one"}
    assert pairs("[cy 1] and far away [cy 2] [kpi A] then [kpi B]", rule) == {
        ("2", "A"),
        ("1", "B"),
    }


def test_relations_do_not_take_from_one_another() -> None:
    found = pairs("[kpi A] [cy 5]", {"relation": "one"}, {"relation": "two", "name": "x"})
    assert found == {("5", "A")}
    text, spans = marked("[kpi A] [cy 5]")
    spec = spec_of({"relation": "one"}, {"relation": "two"})
    names = [row.relation for row in relate(text, spans, layout_of_text(text), spec)]
    assert names == ["one", "two"]


def test_equal_values_are_related_however_written() -> None:
    text = (
        "[kpi $1.5 million] and [kpi 2] later [cy 1,500,000 dollars] or [cy $1,500,000] or [cy –]"
    )
    rule = {"choose": "same_key", "same": "document"}
    assert pairs(text, rule) == {("$1.5 million", "$1,500,000")[::-1]}
    parties = "[kpi Acme, Inc.] and [kpi Bolt LLC]. Then [kpi ACME] and again [kpi Acme Inc]"
    same = {**rule, "head": "kpi"}
    assert pairs(parties, same) == {("ACME", "Acme, Inc."), ("Acme Inc", "ACME")}


def test_nested_spans_are_nearest_of_all() -> None:
    text, _ = marked("Net sales of goods were 5")
    spans = [
        FoundSpan(0, 18, "kpi", 1.0),
        FoundSpan(4, 9, "cy", 1.0),
        FoundSpan(24, 25, "kpi", 1.0),
    ]
    (found,) = relate(text, spans, layout_of_text(text), spec_of({"max_distance": 0}))
    assert (found.head, found.tail) == (1, 0)
    assert (found.evidence.start, found.evidence.end) == (0, 18)
    assert relate(text, spans, layout_of_text(text), spec_of({"choose": "nearest_before"})) == []


def test_a_relation_says_why_and_how_sure() -> None:
    text, spans = marked("So [kpi Sales] were [cy 5] in 2020.")
    sure = [FoundSpan(span.start, span.end, span.label, 0.8) for span in spans]
    spec = spec_of({"name": "were", "confidence": 0.5})
    (found,) = relate(text, sure, layout_of_text(text), spec)
    assert (found.relation, found.rule) == ("r", "were")
    assert found.evidence.text(text) == "Sales were 5"
    assert found.confidence == pytest.approx(0.32)


def test_evidence_of_what_is_far_apart_is_the_sentence_of_the_head() -> None:
    text, spans = marked(
        "[kpi A] began." + " Nothing happened." * 200 + " Then came [cy 5] at last."
    )
    (found,) = relate(text, spans, layout_of_text(text), spec_of({"same": "document"}))
    assert found.evidence.text(text) == "Then came 5 at last."


def test_heads_without_a_required_relation_are_named() -> None:
    spec = bundled("kpis")
    text, spans = marked("[kpi Sales] were [cy 5]. Elsewhere [cy 7].")
    found = relate(text, spans, layout_of_text(text), spec)
    assert incomplete(spans, found, spec) == [2]


def test_the_same_span_found_twice_is_related_once_by_the_surer_one() -> None:
    text, (kpi, value) = marked("[kpi Sales] were [cy 5].")
    again = FoundSpan(value.start, value.end, value.label, 0.9)
    doubtful = FoundSpan(value.start, value.end, value.label, 0.2)
    spec = spec_of({})
    (found,) = relate(text, [doubtful, kpi, again], layout_of_text(text), spec)
    assert (found.head, found.tail) == (2, 1)


def _named(spans: list[FoundSpan], found: list[FoundRelation]) -> list[Any]:
    return [
        (row.relation, spans[row.head], spans[row.tail], row.rule, row.evidence, row.confidence)
        for row in found
    ]


@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_what_was_found_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    spec = bundled("kpis") if seed % 2 else bundled("contracts")
    words = ["costs", "of", "$", "and", ",", "5", "million", ".", "were", "Sales", "\n\n"]
    text = " ".join(chance.choice(words) for _ in range(400))
    spans = []
    for _ in range(80):
        start = chance.randrange(len(text) - 30)
        end = start + chance.randrange(1, 30)
        spans.append(FoundSpan(start, end, chance.choice(spec.label_names), chance.random()))
    layout = layout_of_text(text)
    expected = _named(spans, relate(text, spans, layout, spec))
    for _ in range(4):
        other = chance.sample(spans, len(spans))
        assert _named(other, relate(text, other, layout, spec)) == expected


@pytest.mark.parametrize("seed", range(6))
def test_no_rule_ever_breaks_the_arity_or_the_labels(seed: int) -> None:
    chance = random.Random(seed)
    spec = bundled("kpis")
    text = " and ".join(f"word{number} of ${number}," for number in range(150))
    spans = [
        FoundSpan(match.start(), match.end(), chance.choice(spec.label_names), 1.0)
        for match in re.finditer(r"\w+", text)
    ]
    rules = {rule.name: rule for rule in spec.rules}
    taken = set()
    for row in relate(text, spans, layout_of_text(text), spec):
        head, tail, rule = spans[row.head], spans[row.tail], rules[row.rule]
        assert head.label in rule.head
        assert tail.label in rule.tail
        assert (row.relation, row.head) not in taken
        taken.add((row.relation, row.head))
        if rule.arity == "one_of_each":
            assert (row.relation, row.tail, head.label) not in taken
            taken.add((row.relation, row.tail, head.label))


def test_many_spans_are_each_looked_at_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """5,000 spans that all compete for what lies at one end: taken ones are stepped over."""
    from extraction.pairing import Sides

    calls = 0
    fits = Sides.fits

    def counted(self: Sides, head: Any, tail: Any) -> bool | None:
        nonlocal calls
        calls += 1
        return fits(self, head, tail)

    monkeypatch.setattr(Sides, "fits", counted)
    text = " ".join(f"{number:05d}" for number in range(5_000))
    spans = [
        FoundSpan(number * 6, number * 6 + 5, "cy" if number < 2_500 else "kpi", 1.0)
        for number in range(5_000)
    ]
    for choose in ("nearest", "nearest_after", "nearest_before", "first"):
        calls = 0
        rule = {"same": "document", "arity": "one_to_one", "choose": choose}
        found = relate(text, spans, layout_of_text(text), spec_of(rule))
        assert len(found) == (0 if choose == "nearest_before" else 2_500)
        assert calls < 600_000
    calls = 0
    mixed = [
        FoundSpan(span.start, span.end, "cy" if number % 3 else "kpi", 1.0)
        for number, span in enumerate(spans)
    ]
    relate(text, mixed, layout_of_text(text), bundled_over_a_document())
    assert calls < 600_000


def bundled_over_a_document() -> SchemaSpec:
    return spec_of(
        {"same": "document", "arity": "one_of_each", "choose": "respectively"},
        {"same": "document", "arity": "one_of_each", "choose": "shared"},
        {"same": "document", "arity": "one_of_each"},
    )


def test_all_pairs_of_a_document_have_an_end() -> None:
    text = "a " * 1_000
    spans = [FoundSpan(at * 2, at * 2 + 1, "cy" if at % 2 else "kpi", 1.0) for at in range(1_000)]
    rule = {"same": "document", "choose": "all", "arity": "many_to_many"}
    assert len(relate(text, spans, layout_of_text(text), spec_of(rule))) == 20_000


def test_nothing_found_nothing_related() -> None:
    assert relate("", [], layout_of_text(""), bundled("kpis")) == []
