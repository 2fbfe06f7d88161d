"""Why a schema cannot be used: every reason, each with the place that it is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# How the tail of a head is chosen, and the stretch of text that both must stand in.
CHOOSE = {
    "nearest": "the nearest, before or after",
    "nearest_before": "the nearest that stands before the head",
    "nearest_after": "the nearest that stands after the head",
    "first": "the first",
    "respectively": "the one at the same place of a parallel list",
    "shared": "the one that its neighbour in a list has",
    "row_head": "the one that heads the table's row",
    "column_head": "the one that heads the table's column",
    "same_key": "those of the same value, however it is written",
    "all": "all",
}
SAME = {
    "sentence": "sentence",
    "row": "table row",
    "column": "table column",
    "table": "table",
    "section": "section",
    "page": "page",
    "document": "document",
}
ARITY = {
    "one_to_one": "one tail per head, one head per tail",
    "many_to_one": "one tail per head, many heads per tail",
    "one_to_many": "many tails per head, one head per tail",
    "many_to_many": "many tails per head, many heads per tail",
    "one_of_each": "one tail per head, one head of each label per tail",
}
# In a table only; the choice itself says where the tail stands.
_NEEDS_TABLE = {"row_head": ("row",), "column_head": ("column",)}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
_LONGEST = 80

_FIELDS = {
    "schema": {
        "name",
        "title",
        "description",
        "credit",
        "version",
        "labels",
        "relations",
        "rules",
        "thresholds",
        "applies_to",
    },
    "labels": {"name", "title", "description", "colour", "group", "examples"},
    "relations": {"name", "description", "required"},
    "rules": {
        "name",
        "relation",
        "head",
        "tail",
        "choose",
        "same",
        "max_distance",
        "between",
        "not_between",
        "unbroken",
        "arity",
        "priority",
        "confidence",
        "active",
    },
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason. `part` is schema, labels, relations, rules, thresholds or applies_to.

    `index` is the place in the list of that part, from 0, and `field` what of it is wrong; both
    may be missing where the whole is.
    """

    reason: str
    part: str = "schema"
    index: int | None = None
    field: str = ""

    def __str__(self) -> str:
        return self.reason


def problems(mapping: Any) -> list[Problem]:
    """Everything that is wrong with a schema as TOML or JSON give it; empty where it can be used.

    Relations are looked at only where labels and rules are in order one by one.
    """
    if not isinstance(mapping, Mapping):
        return [Problem("A schema is a table of fields.")]
    found = [*_of_schema(mapping), *_of_labels(mapping)]
    labels = {
        row["name"]
        for row in _rows(mapping, "labels")
        if isinstance(row, Mapping) and isinstance(row.get("name"), str)
    }
    found += _of_thresholds(mapping.get("thresholds", {}), labels)
    found += _of_scope(mapping.get("applies_to", {}))
    rules = _of_rules(mapping, labels)
    found += rules
    relations = _of_relations(mapping)
    found += relations
    if not rules and not relations:
        found += [*_unserved(mapping), *_disagreeing(mapping), *_cycles(mapping)]
    return found


def _rows(mapping: Mapping[str, Any], part: str) -> Sequence[Any]:
    rows = mapping.get(part, ())
    return rows if isinstance(rows, (list, tuple)) else ()


def _of_schema(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted(set(mapping) - _FIELDS["schema"]):
        yield Problem(f'A schema has no field "{name}".', field=str(name))
    if not isinstance(mapping.get("name"), str) or not _NAME.match(mapping["name"]):
        yield Problem(
            "The name of a schema is 1 to 40 small letters, digits, - and _, a letter first.",
            field="name",
        )
    for name in ("title", "description", "credit"):
        if not isinstance(mapping.get(name, ""), str):
            yield Problem(f"The {name} is not text.", field=name)
    version = mapping.get("version", 1)
    if not _whole(version) or version < 1:
        yield Problem("The version is a whole number from 1.", field="version")
    for part in ("labels", "relations", "rules"):
        if not isinstance(mapping.get(part, ()), (list, tuple)):
            yield Problem(f"The {part} are not a list.", part=part)


def _of_labels(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    rows = _rows(mapping, "labels")
    if not rows:
        yield Problem("A schema needs at least one label.", part="labels")
    yield from _of_names(rows, "labels", "label")
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            continue
        for field in ("title", "description", "group"):
            if not isinstance(row.get(field, ""), str):
                yield Problem(f"The {field} is not text.", "labels", index, field)
        if "group" in row and not str(row["group"]).strip():
            yield Problem("A group has a name.", "labels", index, "group")
        colour = row.get("colour", "#000000")
        if not isinstance(colour, str) or not _COLOUR.match(colour):
            reason = f'"{colour}" is no colour: write # and six digits 0-9, a-f, as in #2563eb.'
            yield Problem(reason, "labels", index, "colour")
        if not _texts(row.get("examples", ())):
            yield Problem("Examples are a list of texts.", "labels", index, "examples")


def _of_names(rows: Sequence[Any], part: str, noun: str) -> Iterator[Problem]:
    """Each row has known fields and a name of its own."""
    seen: Counter[str] = Counter()
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            yield Problem(f"A {noun} is a table of fields.", part, index)
            continue
        for field in sorted(set(row) - _FIELDS[part]):
            yield Problem(f'A {noun} has no field "{field}".', part, index, str(field))
        name = row.get("name")
        if not _is_name(name):
            reason = f"A {noun} has a name of at most {_LONGEST} characters in one line."
            yield Problem(reason, part, index, "name")
            continue
        seen[str(name).casefold()] += 1
        if seen[str(name).casefold()] > 1:
            yield Problem(f'Two {noun}s are called "{name}".', part, index, "name")


def _of_rules(mapping: Mapping[str, Any], labels: set[str]) -> list[Problem]:
    rows = _rows(mapping, "rules")
    found = list(_of_names(rows, "rules", "rule"))
    for index, row in enumerate(rows):
        if isinstance(row, Mapping):
            found += [
                Problem(reason, "rules", index, field)
                for field, reason in (*_sides(row, labels), *_choices(row), *_limits(row))
            ]
    return found


def _sides(row: Mapping[str, Any], labels: set[str]) -> Iterator[tuple[str, str]]:
    if not _is_name(row.get("relation")):
        yield "relation", "A rule says which relation it makes."
    for side in ("head", "tail"):
        named = row.get(side)
        named = [named] if isinstance(named, str) else named
        if not named or not _texts(named):
            yield side, f"A rule needs at least one label as its {side}."
            continue
        for name in named:
            if name not in labels:
                yield side, f'There is no label "{name}".'
        if len(set(named)) < len(named):
            yield side, f"One label stands twice in the {side}."


def _choices(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, known in (("choose", CHOOSE), ("same", SAME), ("arity", ARITY)):
        if field in row and (not isinstance(row[field], str) or row[field] not in known):
            yield field, f'"{row[field]}" is none of: {", ".join(known)}.'
    choose, same = row.get("choose", "nearest"), row.get("same", "sentence")
    allowed = _NEEDS_TABLE.get(choose) if isinstance(choose, str) else None
    if allowed and isinstance(same, str) and same in SAME and same not in allowed:
        yield "same", f'"{CHOOSE[choose]}" needs the same {" or ".join(SAME[s] for s in allowed)}.'


def _limits(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    distance = row.get("max_distance")
    if distance is not None and (not _whole(distance) or distance < 0):
        yield "max_distance", "The largest distance is a whole number of characters from 0."
    for field in ("between", "not_between"):
        words = row.get(field, ())
        if not _texts(words) or not all(word.strip() for word in words):
            yield field, "Words between are a list of texts, none of them empty."
    priority = row.get("priority", 1)
    if not _whole(priority) or priority < 1:
        yield "priority", "The priority is a whole number from 1; 1 goes first."
    confidence = row.get("confidence", 1.0)
    if not _number(confidence) or not 0 < confidence <= 1:
        yield "confidence", "The confidence of a rule is over 0 and at most 1."
    for field in ("active", "unbroken"):
        if not isinstance(row.get(field, True), bool):
            yield field, f'"{field}" is true or false.'


def _of_relations(mapping: Mapping[str, Any]) -> list[Problem]:
    rows = _rows(mapping, "relations")
    found = list(_of_names(rows, "relations", "relation"))
    for index, row in enumerate(rows):
        if isinstance(row, Mapping) and not isinstance(row.get("required", False), bool):
            reason = "A relation is required or not: true or false."
            found.append(Problem(reason, "relations", index, "required"))
    return found


def _unserved(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    made = {row["relation"] for row in _rows(mapping, "rules") if row.get("active", True)}
    for index, row in enumerate(_rows(mapping, "relations")):
        if row.get("required", False) and row["name"] not in made:
            reason = f'No active rule makes the required relation "{row["name"]}".'
            yield Problem(reason, "relations", index, "required")


def _disagreeing(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    """How many tails a head has is said of a relation, so its rules must say the same."""
    first: dict[str, str] = {}
    for index, row in enumerate(_rows(mapping, "rules")):
        if not row.get("active", True):
            continue
        arity = row.get("arity", "many_to_one")
        known = first.setdefault(row["relation"], arity)
        if known != arity:
            reason = (
                f'Another rule of "{row["relation"]}" says {known}; a relation has one arity '
                "for all its rules."
            )
            yield Problem(reason, "rules", index, "arity")


def _cycles(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    """No label may lead back to itself over others by one relation: nothing would be its end.

    A rule between spans of one label is no cycle: its head is always the later span.
    """
    edges: dict[str, dict[str, set[str]]] = {}
    for index, row in enumerate(_rows(mapping, "rules")):
        if not row.get("active", True):
            continue
        graph = edges.setdefault(row["relation"], {})
        heads, tails = (
            [row[side]] if isinstance(row[side], str) else row[side] for side in ("head", "tail")
        )
        for head in heads:
            for tail in tails:
                path = _path(graph, tail, head) if head != tail else None
                if path:
                    around = " → ".join([head, *path])
                    reason = f'The rules of "{row["relation"]}" go in a circle: {around}.'
                    yield Problem(reason, "rules", index, "tail")
                    return
                graph.setdefault(head, set()).add(tail)


def _path(graph: Mapping[str, set[str]], start: str, goal: str) -> list[str] | None:
    """The labels from start to goal, both included, or None where no rule leads there."""
    waiting, seen = [[start]], {start}
    while waiting:
        path = waiting.pop(0)
        if path[-1] == goal:
            return path
        for following in sorted(graph.get(path[-1], ())):
            if following not in seen:
                seen.add(following)
                waiting.append([*path, following])
    return None


def _of_thresholds(given: Any, labels: set[str]) -> Iterator[Problem]:
    if not isinstance(given, Mapping):
        yield Problem("Thresholds are a table of fields.", "thresholds")
        return
    for name in sorted(set(given) - {"deliver", "keep", "labels"}):
        yield Problem(f'Thresholds have no field "{name}".', "thresholds", field=str(name))
    for name in ("deliver", "keep"):
        value = given.get(name, 0.5)
        if not _number(value) or not 0 <= value <= 1:
            yield Problem(f'The threshold "{name}" is from 0 to 1.', "thresholds", field=name)
    per_label = given.get("labels", {})
    if not isinstance(per_label, Mapping):
        yield Problem("Thresholds of labels are a table.", "thresholds", field="labels")
        return
    for name, value in per_label.items():
        if name not in labels:
            yield Problem(f'There is no label "{name}".', "thresholds", field="labels")
        if not _number(value) or not 0 <= value <= 1:
            yield Problem(
                f'The threshold of "{name}" is from 0 to 1.', "thresholds", field="labels"
            )
    keep, deliver = given.get("keep", 0.5), given.get("deliver", 0.9)
    if _number(keep) and _number(deliver) and keep > deliver:
        reason = "What is delivered must not be dropped: keep is at most deliver."
        yield Problem(reason, "thresholds", field="keep")


def _of_scope(given: Any) -> Iterator[Problem]:
    if not isinstance(given, Mapping):
        yield Problem("Which documents it applies to is a table of fields.", "applies_to")
        return
    for name in sorted(set(given) - {"kinds", "sources", "companies"}):
        yield Problem(f'Documents are not chosen by "{name}".', "applies_to", field=str(name))
    if not _texts(given.get("kinds", ())):
        yield Problem("Kinds of documents are a list of texts.", "applies_to", field="kinds")
    for name in ("sources", "companies"):
        ids = given.get(name, ())
        if not isinstance(ids, (list, tuple)) or not all(_whole(row) for row in ids):
            yield Problem(f"The {name} are a list of their numbers.", "applies_to", field=name)


def _is_name(value: Any) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST
        and value == value.strip()
        and value.isprintable()
    )


def _texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    # NaN compares as neither more nor less, so it fails every range that follows.
    return isinstance(value, (int, float)) and not isinstance(value, bool)
