"""What a reader sees of a document's extraction: which schemas, how far, and the results of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Min

from extraction import shown, tagging
from extraction.marking import colours
from extraction.result_tables import ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.schema import Label, SchemaSpec
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.models import Document

# Of each label, beside the document; its own page has all.
MOST_OF_A_LABEL = 8
MOST_RELATIONS = 12


@dataclass(frozen=True, slots=True)
class State:
    """How far a schema is with a document. `run` is the shown one, `newest` the last begun.

    `live` says whether a tagger is there to read it, where there is no `run`.
    """

    schema: Schema
    run: ExtractionRun | None
    newest: ExtractionRun | None
    applies: bool
    live: bool

    @property
    def failed(self) -> ExtractionRun | None:
        """The run that was given up, if it is the last."""
        given_up = self.newest and self.newest.state == ExtractionRun.State.FAILED
        return self.newest if given_up else None

    @property
    def waits(self) -> bool:
        """Whether a first or a newer result is to be expected."""
        if self.newest and self.newest.state in ExtractionRun.UNFINISHED:
            return True
        return self.run is None and self.newest is None and self.applies and self.live


@dataclass(frozen=True, slots=True)
class OfLabel:
    """The spans of one label: how many, and the first of them; `colour` is its number."""

    label: Label
    colour: int
    count: int
    spans: list[ExtractedSpan]

    @property
    def more(self) -> int:
        return self.count - len(self.spans)


@dataclass(slots=True)
class Panel:
    """All that stands beside a document; `chosen` is the schema whose results are shown."""

    states: list[State]
    chosen: State | None = None
    spec: SchemaSpec | None = None
    labels: list[OfLabel] = field(default_factory=list)
    relations: list[ExtractedRelation] = field(default_factory=list)

    @property
    def has_results(self) -> bool:
        return self.chosen is not None and self.chosen.run is not None


def states(body: Document) -> list[State]:
    """Of each schema that has read the document or is to read it, those with results first."""
    runs = ExtractionRun.objects.filter(document=body.pk)
    runs = runs.select_related("schema", "schema_version", "model_version")
    by_schema: dict[int, list[ExtractionRun]] = {}
    for run in runs.order_by("-pk"):
        by_schema.setdefault(run.schema_id, []).append(run)
    found = []
    for schema in Schema.objects.order_by("name"):
        own = by_schema.get(schema.pk, [])
        applies = schema.active and schema.documents().filter(pk=body.pk).exists()
        if own or applies:
            shown_run = next((run for run in own if run.shown), None)
            newest = own[0] if own else None
            # Only what has no result yet needs the reason, and looking has its price.
            live = shown_run is not None or _is_live(schema)
            found.append(State(schema, shown_run, newest, applies, live))
    # The one that found most is the likely reason for reading.
    found.sort(key=lambda s: (s.run is None, -(s.run.span_count if s.run else 0), s.schema.name))
    return found


def panel(body: Document, schema_name: str) -> Panel:
    """In brief, by this schema; by the first with results where there is none of this name."""
    found = Panel(states(body))
    named = [state for state in found.states if state.schema.name == schema_name]
    found.chosen = next(iter([*named, *found.states]), None)
    if found.chosen is None or found.chosen.run is None:
        return found
    found.spec = spec = found.chosen.run.schema_version.read()
    found.labels = of_labels(body, found.chosen.schema, spec)
    rows = shown.relations_of(body, found.chosen.schema.pk)
    found.relations = list(rows[:MOST_RELATIONS])
    return found


def of_labels(
    body: Document, schema: Schema, spec: SchemaSpec, most: int = MOST_OF_A_LABEL
) -> list[OfLabel]:
    """By label in the schema's order, those found only; a query each and one for the counts."""
    spans = shown.spans_of(body, schema.pk)
    rows = spans.order_by().values("label").annotate(n=Count("pk"), first=Min("start"))
    counts = {row["label"]: row["n"] for row in rows}
    numbers = colours(spec)
    labels = {label.name: label for label in spec.labels}
    order = sorted(counts, key=lambda name: (numbers.get(name, len(numbers)), name))
    return [
        OfLabel(
            labels.get(name) or Label(name=name),
            numbers.get(name, len(numbers)),
            counts[name],
            list(spans.filter(label=name)[:most]),
        )
        for name in order
    ]


def _is_live(schema: Schema) -> bool:
    try:
        return tagging.live_tagger(schema.name) is not None
    except TaggerUnavailable:
        return False


def facts(run: ExtractionRun) -> list[tuple[str, Any]]:
    """Who made a run and when, as pairs of words."""
    return [
        ("Schema", f"{run.schema}, version {run.schema_version.number}"),
        ("Tagger", str(run.model_version)),
        ("Read", run.ended_at),
    ]
