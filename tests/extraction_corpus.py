"""Documents with key figures, and a tagger that finds them by a pattern: quick, and always alike.

It stands in for the model only; schema, relations, rows and versions are the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from django.utils import timezone

from docintel import registry
from docintel.models import ModelVersion
from extraction import tagging
from extraction.ml.spans import FoundSpan
from extraction.schema_tables import Schema
from ingestion.freezing import text_digest
from ingestion.models import Company, Document, Source

TEXT = "Revenue was $ 30.5 million in 2024. Net income was $ 4.25 million.\n"
PATTERNS = {"kpi": re.compile(r"Revenue|Net income"), "cy": re.compile(r"\d+\.\d+")}


def find(text: str, _schema: str = "kpis", confidence: float = 0.95) -> list[FoundSpan]:
    """Every match of the patterns; a value one point less sure than a name."""
    return [
        FoundSpan(match.start(), match.end(), label, confidence - 0.01 * (label == "cy"))
        for label, pattern in PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def go_live(version: str = "1", schema: str = "kpis") -> ModelVersion:
    """A tagger of this version serves from now on."""
    return registry.register(f"tagger:{schema}", version, version * 8)


def tags_by(
    monkeypatch: pytest.MonkeyPatch, tag: Callable[[str, str], Sequence[FoundSpan]] = find
) -> None:
    monkeypatch.setattr(tagging, "tag", tag)
    monkeypatch.setattr(tagging, "live_tagger", lambda name: registry.live(f"tagger:{name}"))


def kpis() -> Schema:
    return Schema.objects.get(name="kpis")


def put(text: str = TEXT, **fields: object) -> Document:
    """A searchable annual report with this text, of a source that everyone may see."""
    source = (
        fields.pop("source", None)
        or Source.objects.get_or_create(name="Reports", kind=Source.Kind.UPLOAD)[0]
    )
    number = Document.objects.count()
    company = fields.pop("company", "")
    if company:
        fields["company"] = Company.objects.get_or_create(
            key=str(company).lower(), defaults={"name": company}
        )[0]
    now = timezone.now()
    values = {
        "title": f"Report {number}", "file_name": f"report-{number}.txt", "kind": "annual_report",
        "media_type": "text/plain", "parsed_at": now, "searchable_at": now, "received_at": now,
        "text_sha256": text_digest(f"{number} {text}"), "shingle_count": 0, **fields,
    }  # fmt: skip
    return Document.objects.create(source=source, text=text, **values)
