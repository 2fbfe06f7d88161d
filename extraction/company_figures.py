"""The key figures that were last extracted for a company, as far as one person may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce, TruncDate

from extraction import shown
from extraction.result_tables import ExtractedRelation, ExtractionRun
from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import standing_for

SCHEMA = "kpis"
# From a value to what it is the value of, as the schema that comes with the code names it.
VALUE_OF = "value of"
MOST = 12


@dataclass(frozen=True, slots=True)
class Figures:
    """`document` is the arrival by which this person knows where they stand.

    A row is a value with what it is the value of, and which value: current, previous.
    """

    document: Any
    schema: str
    rows: list[tuple[ExtractedRelation, str]]
    more: int


def latest(user: User, company: int) -> Figures | None:
    """Of the company's newest document that has any; None where there is none to be seen."""
    values = ExtractedRelation.objects.filter(run=OuterRef("pk"), relation=VALUE_OF).order_by()
    runs = ExtractionRun.objects.shown().filter(
        Exists(values), document=OuterRef("pk"), schema__name=SCHEMA
    )
    documents = (
        Document.objects.visible_to(user)
        .searchable()
        .filter(Exists(runs), company=company)
        .annotate(day=Coalesce("published_on", TruncDate("received_at")))
        .order_by("-day", "-pk")
    )
    document = documents.only("pk").first()
    if document is None:
        return None
    known = standing_for([document.pk], user)
    run = ExtractionRun.objects.shown().get(document=document.pk, schema__name=SCHEMA)
    titles = {label.name: label.shown for label in run.schema_version.read().labels}
    rows = shown.relations_of(document, run.schema_id)
    found = [
        (row, titles.get(row.head.label, row.head.label))
        for row in rows.filter(relation=VALUE_OF)[:MOST]
    ]
    if not found or document.pk not in known:
        return None
    return Figures(known[document.pk], SCHEMA, found, rows.count() - len(found))
