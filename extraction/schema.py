"""What is looked for in documents: labels of spans, and the rules that relate two spans.

A schema is data that an expert edits; `read` refuses one that could not work, with every reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from extraction.schema_problems import Problem, problems

BUNDLED = Path(__file__).parent / "schemas"
DELIVER, KEEP = 0.9, 0.5


class BadSchema(Exception):
    """A schema that cannot be used; `problems` says where and why, the message the first of it."""

    def __init__(self, *found: Problem) -> None:
        self.problems = found
        super().__init__(str(found[0]) if found else "This is no schema.")

    @property
    def reason(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Label:
    """One kind of span. Labels of one `group` never overlap; of different groups they may."""

    name: str
    title: str = ""
    description: str = ""
    colour: str = "#64748b"
    group: str = "main"
    examples: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What people are shown: the title, else the name."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class RelationKind:
    """A relation by name, read "head NAME tail"; `required`: a head without it is incomplete."""

    name: str
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """How pairs of one relation are chosen.

    For each span with a label of `head`, of the spans with a label of `tail` in the `same` stretch
    and at most `max_distance` characters away the one that `choose` says. `between`: one of these
    words must stand between them; `not_between`: none of these; `unbroken`: no other span of the
    head's own label. `arity` holds for the relation as a whole. Rules go by `priority`, 1 first,
    then by their order. `confidence` is how often a pair of this rule is right when both spans are.
    """

    name: str
    relation: str
    head: tuple[str, ...]
    tail: tuple[str, ...]
    choose: str = "nearest"
    same: str = "sentence"
    max_distance: int | None = None
    between: tuple[str, ...] = ()
    not_between: tuple[str, ...] = ()
    unbroken: bool = False
    arity: str = "many_to_one"
    priority: int = 100
    confidence: float = 1.0
    active: bool = True


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which confidence on a span is delivered without review, and below which it is dropped.

    `labels` are thresholds of single labels in place of `deliver`.
    """

    deliver: float = DELIVER
    keep: float = KEEP
    labels: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Which documents; an empty field confines nothing, several add up (and)."""

    kinds: tuple[str, ...] = ()  # Document.Kind values
    sources: tuple[int, ...] = ()  # Source ids
    companies: tuple[int, ...] = ()  # Company ids


@dataclass(frozen=True, slots=True)
class SchemaSpec:
    """A whole schema, checked; `version` counts the changes of one name from 1."""

    name: str
    labels: tuple[Label, ...]
    title: str = ""
    description: str = ""
    credit: str = ""
    version: int = 1
    relations: tuple[RelationKind, ...] = ()
    rules: tuple[Rule, ...] = ()
    thresholds: Thresholds = Thresholds()
    applies_to: AppliesTo = AppliesTo()

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Group -> its labels, which may not overlap; groups and labels in order of declaration."""
        found: dict[str, tuple[str, ...]] = {}
        for label in self.labels:
            found[label.group] = (*found.get(label.group, ()), label.name)
        return found

    @property
    def ordered_rules(self) -> tuple[Rule, ...]:
        """The active rules in the order in which they are evaluated."""
        return tuple(sorted((rule for rule in self.rules if rule.active), key=_priority))

    def label(self, name: str) -> Label:
        """The label of this name. Raises KeyError."""
        for label in self.labels:
            if label.name == name:
                return label
        raise KeyError(name)

    def deliver_at(self, label: str) -> float:
        """The confidence from which a span of this label is delivered without review."""
        return dict(self.thresholds.labels).get(label, self.thresholds.deliver)


def read(mapping: Mapping[str, Any]) -> SchemaSpec:
    """The schema of this mapping, as TOML and JSON give it. Raises BadSchema with all reasons."""
    found = problems(mapping)
    if found:
        raise BadSchema(*found)
    thresholds = dict(mapping.get("thresholds", {}))
    applies_to = mapping.get("applies_to", {})
    return SchemaSpec(
        name=mapping["name"],
        title=mapping.get("title", ""),
        description=mapping.get("description", ""),
        credit=mapping.get("credit", ""),
        version=mapping.get("version", 1),
        labels=tuple(Label(**_tuples(row)) for row in mapping["labels"]),
        relations=_relations(mapping),
        rules=tuple(Rule(**_tuples(_listed(row))) for row in mapping.get("rules", ())),
        thresholds=Thresholds(
            deliver=float(thresholds.get("deliver", DELIVER)),
            keep=float(thresholds.get("keep", KEEP)),
            labels=tuple(
                sorted((name, float(value)) for name, value in thresholds.get("labels", {}).items())
            ),
        ),
        applies_to=AppliesTo(**_tuples(applies_to)),
    )


def as_mapping(spec: SchemaSpec) -> dict[str, Any]:
    """The schema as plain JSON values; `read(as_mapping(spec)) == spec`.

    The version is left out: it counts changes of the rest.
    """
    mapping = _plain(asdict(spec))
    del mapping["version"]
    mapping["thresholds"]["labels"] = dict(spec.thresholds.labels)
    return dict(mapping)


@lru_cache(maxsize=8)
def bundled(name: str) -> SchemaSpec:
    """A schema that comes with the project, by the name of its file. Raises BadSchema, OSError."""
    with (BUNDLED / f"{name}.toml").open("rb") as file:
        return read(tomllib.load(file))


def bundled_names() -> tuple[str, ...]:
    """The names of the schemas that come with the project, sorted."""
    return tuple(sorted(path.stem for path in BUNDLED.glob("*.toml")))


def _priority(rule: Rule) -> int:
    return rule.priority


def _relations(mapping: Mapping[str, Any]) -> tuple[RelationKind, ...]:
    """Those declared, then those that only rules name."""
    declared = [RelationKind(**row) for row in mapping.get("relations", ())]
    names = {relation.name for relation in declared}
    for rule in mapping.get("rules", ()):
        if rule["relation"] not in names:
            names.add(rule["relation"])
            declared.append(RelationKind(rule["relation"]))
    return tuple(declared)


def _listed(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule whose head and tail are lists, where a single label stood."""
    sides = {
        side: [rule[side]] if isinstance(rule[side], str) else rule[side]
        for side in ("head", "tail")
    }
    return {**rule, **sides}


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
