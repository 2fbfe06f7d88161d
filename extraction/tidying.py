"""Delete runs that nobody is shown and no roll-back would use.

Of each document and schema the shown run stays and the last one before it, which is shown again at
once when its version goes live again; so does a run that holds a person's spans. What people said
is a table of its own (`PersonsWord`), and outlives every run.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from extraction.extracting import NothingLive, versions_of
from extraction.result_tables import ExtractedSpan, ExtractionRun, RunQuerySet
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable

ROWS_AT_ONCE = 500
MOST_AT_ONCE = 20_000
Origin = ExtractedSpan.Origin


def tidy() -> int:
    """How many runs were deleted with all that they found."""
    return _delete(displaced()) + sum(_delete(stale(schema)) for schema in Schema.objects.all())


def displaced() -> RunQuerySet:
    """Superseded runs with a later superseded one, and without a person's word."""
    later = ExtractionRun.objects.filter(
        document=OuterRef("document"),
        schema=OuterRef("schema"),
        superseded_at__gt=OuterRef("superseded_at"),
    )
    runs = ExtractionRun.objects.filter(superseded_at__isnull=False, shown=False)
    return _without_a_word(runs.filter(Exists(later)))


def stale(schema: Schema) -> RunQuerySet:
    """Runs that never gave a result, of versions that will not be tried again."""
    try:
        versions = versions_of(schema)
    except (NothingLive, TaggerUnavailable):
        return ExtractionRun.objects.none()
    unfinished = ExtractionRun.objects.filter(schema=schema, shown=False, claim=None).exclude(
        state=ExtractionRun.State.FINISHED
    )
    return unfinished.exclude(
        Q(model_version=versions.model_version) & Q(schema_version__in=versions.equal)
    )


def _without_a_word(runs: RunQuerySet) -> RunQuerySet:
    spans = ExtractedSpan.objects.filter(run=OuterRef("pk"), origin=Origin.PERSON)
    return runs.filter(~Exists(spans))


def _delete(runs: RunQuerySet) -> int:
    """In batches: each is a transaction of its own, and the next tick goes on."""
    ids = list(runs.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    for first in range(0, len(ids), ROWS_AT_ONCE):
        ExtractionRun.objects.filter(pk__in=ids[first : first + ROWS_AT_ONCE]).delete()
    return len(ids)
