"""A schema is read or refused with every reason, and each change of it is a version of its own."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from extraction.changing_schemas import save_schema, seed_schemas
from extraction.models import Schema, SchemaVersion
from extraction.schema import BadSchema, as_mapping, bundled, bundled_names, read

GOOD: dict[str, Any] = {
    "name": "leases",
    "labels": [
        {"name": "rent", "group": "a"},
        {"name": "tenant", "group": "b", "colour": "#ff0000", "examples": ["Acme Inc."]},
        {"name": "landlord", "group": "b"},
    ],
    "relations": [{"name": "paid by", "required": True}],
    "rules": [
        {"name": "near", "relation": "paid by", "head": "rent", "tail": ["tenant"]},
    ],
}


def changed(**changes: Any) -> dict[str, Any]:
    mapping = copy.deepcopy(GOOD)
    for path, value in changes.items():
        at: Any = mapping
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("__")]
        for step in steps:
            at = at[step]
        if isinstance(at, list):
            at.insert(last, value)
        else:
            at[last] = value
    return mapping


BAD: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("no labels", changed(labels=[]), "labels", "", "at least one label"),
    ("no name", changed(name="Leases!"), "schema", "name", "small letters"),
    ("two of a name", changed(labels__3={"name": "Rent"}), "labels", "name", 'called "Rent"'),
    ("nameless label", changed(labels__0__name=" "), "labels", "name", "a name"),
    ("colour", changed(labels__0__colour="red"), "labels", "colour", "no colour"),
    ("colour with an end of line", changed(labels__0__colour="#ff0000\n"), "labels", "colour", ""),
    ("empty group", changed(labels__0__group=" "), "labels", "group", "has a name"),
    ("examples", changed(labels__0__examples="one"), "labels", "examples", "list"),
    ("unknown field", changed(labels__0__color="#000000"), "labels", "color", "no field"),
    ("unknown label", changed(rules__0__tail=["tennant"]), "rules", "tail", '"tennant"'),
    ("label twice", changed(rules__0__tail=["tenant", "tenant"]), "rules", "tail", "twice"),
    ("no head", changed(rules__0__head=[]), "rules", "head", "at least one"),
    ("choose", changed(rules__0__choose="best"), "rules", "choose", '"best"'),
    ("choose a list", changed(rules__0__choose=["all"]), "rules", "choose", "none of"),
    ("same", changed(rules__0__same="paragraph"), "rules", "same", '"paragraph"'),
    ("head of a row", changed(rules__0__choose="row_head"), "rules", "same", "table row"),
    ("distance", changed(rules__0__max_distance=-1), "rules", "max_distance", "from 0"),
    ("distance true", changed(rules__0__max_distance=True), "rules", "max_distance", "whole"),
    ("priority", changed(rules__0__priority=0), "rules", "priority", "1 goes first"),
    ("confidence", changed(rules__0__confidence=1.5), "rules", "confidence", "at most 1"),
    ("words", changed(rules__0__between=["of", " "]), "rules", "between", "none of them empty"),
    ("arity", changed(rules__0__arity="two"), "rules", "arity", '"two"'),
    ("threshold", changed(thresholds={"deliver": 1.1}), "thresholds", "deliver", "0 to 1"),
    ("no number", changed(thresholds={"deliver": float("nan")}), "thresholds", "deliver", ""),
    ("keep", changed(thresholds={"deliver": 0.5, "keep": 0.6}), "thresholds", "keep", "dropped"),
    ("threshold of", changed(thresholds={"labels": {"x": 0.5}}), "thresholds", "labels", '"x"'),
    ("scope", changed(applies_to={"colours": []}), "applies_to", "colours", "not chosen"),
    ("sources", changed(applies_to={"sources": ["a"]}), "applies_to", "sources", "numbers"),
    (
        "nothing makes it",
        changed(rules__0__active=False),
        "relations",
        "required",
        'required relation "paid by"',
    ),
    (
        "two arities",
        changed(
            rules__1={
                "name": "far",
                "relation": "paid by",
                "head": "rent",
                "tail": "landlord",
                "arity": "one_to_one",
            }
        ),
        "rules",
        "arity",
        "one arity",
    ),
]


@pytest.mark.parametrize(("mapping", "part", "field", "reason"), [row[1:] for row in BAD])
def test_what_cannot_work_is_refused_where_it_is_wrong(
    mapping: dict[str, Any], part: str, field: str, reason: str
) -> None:
    with pytest.raises(BadSchema) as caught:
        read(mapping)
    found, *_ = caught.value.problems
    assert (found.part, found.field) == (part, field)
    assert reason in found.reason


def test_a_circle_of_rules_is_refused_and_shown() -> None:
    rows = [("rent", "tenant"), ("tenant", "landlord"), ("landlord", "rent")]
    rules = [
        {"name": f"{head} {tail}", "relation": "r", "head": head, "tail": tail}
        for head, tail in rows
    ]
    with pytest.raises(BadSchema, match="circle: landlord → rent → tenant → landlord") as caught:
        read({**GOOD, "relations": [], "rules": rules})
    assert caught.value.problems[0].index == 2
    apart = [{**rule, "relation": str(index)} for index, rule in enumerate(rules)]
    assert len(read({**GOOD, "relations": [], "rules": apart}).rules) == 3
    alone = [{"name": "same", "relation": "r", "head": "tenant", "tail": "tenant"}]
    assert read({**GOOD, "relations": [], "rules": alone}).rules[0].head == ("tenant",)


def test_all_reasons_come_at_once() -> None:
    mapping = changed(labels__0__colour="red", rules__0__choose="best", name="")
    with pytest.raises(BadSchema) as caught:
        read(mapping)
    assert {found.part for found in caught.value.problems} == {"schema", "labels", "rules"}


@pytest.mark.parametrize("odd", [None, [], "x", {"labels": "x"}, {"labels": [1], "rules": {}}])
def test_what_is_no_schema_at_all_is_refused(odd: Any) -> None:
    with pytest.raises(BadSchema):
        read(odd)


def test_a_schema_is_the_same_after_it_was_written_down() -> None:
    for spec in (read(GOOD), *(bundled(name) for name in bundled_names())):
        assert read(as_mapping(spec)) == spec
    assert read(GOOD).groups == {"a": ("rent",), "b": ("tenant", "landlord")}
    mapping = changed(thresholds={"labels": {"rent": 0.7}})
    assert read(mapping).deliver_at("rent") == 0.7
    assert read(mapping).deliver_at("tenant") == 0.9


def test_those_that_come_along_are_there() -> None:
    assert bundled_names() == ("contracts", "kpis")
    assert len(bundled("contracts").labels) == 41
    for name in bundled_names():
        spec = bundled(name)
        assert spec.credit
        assert all(label.description for label in spec.labels)


@pytest.mark.django_db
def test_every_change_is_a_version_that_never_changes() -> None:
    first = save_schema(GOOD, "expert")
    assert save_schema(copy.deepcopy(GOOD), "another") == first
    second = save_schema(changed(labels__0__title="Rent"), "expert")
    third = save_schema(changed(labels__0__group="c"), "expert")
    assert (first.number, second.number, third.number) == (1, 2, 3)
    assert first.result_digest == second.result_digest != third.result_digest
    schema = Schema.objects.get(name="leases")
    assert (schema.version, schema.current) == (3, third)
    assert SchemaVersion.objects.get(pk=first.pk).read().label("rent").title == ""
    assert schema.read().version == 3
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        SchemaVersion.objects.filter(pk=first.pk).update(number=9)
    with pytest.raises(BadSchema):
        save_schema(changed(labels=[]))
    assert schema.versions.count() == 3


@pytest.mark.django_db
def test_seeding_keeps_what_a_person_wrote() -> None:
    seed_schemas()
    kpis = Schema.objects.get(name="kpis")
    before = kpis.version
    seed_schemas()
    assert Schema.objects.get(name="kpis").version == before
    written = as_mapping(bundled("kpis"))
    written["labels"][0]["colour"] = "#123456"
    version = save_schema(written, "expert")
    seed_schemas()
    assert Schema.objects.get(name="kpis").current == version
