"""Annual reports of a few companies with vectors on two axes, for tests that gather evidence."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from small_corpus import document, unit

from docintel import encoders
from docintel.models import ModelVersion
from ingestion.lexical import refresh_statistics
from ingestion.models import Document
from ingestion.querysets import Scope
from qa.gathering import Evidence, gather
from qa.understanding import understand

TODAY = date(2025, 6, 1)
NOISE = ["Our people work in many plants.", "The weather was mild.", "We thank our holders."]


def meant(text: str) -> np.ndarray:
    """Freight points along one axis, all else along another."""
    return unit((0, 1), (2, 0.1)) if "freight" in text.lower() else unit((1, 1), (2, 0.1))


def embed(texts: list[str], *, kind: str = "document") -> np.ndarray:
    return np.array([meant(text) for text in texts])


def embedder_of_axes(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """The live embedder, whose vectors are those of `embed`."""
    row = ModelVersion.objects.create(
        name="embedder", version="axes", digest="0", dimensions=768, state="live"
    )
    monkeypatch.setattr(encoders, "live_embedder", lambda: row)
    monkeypatch.setattr(encoders, "embed", embed)
    return row


def report(
    company: str, year: int | None, *texts: str, embedder: ModelVersion, **fields: Any
) -> Document:
    passages = [*texts, *NOISE]
    fields = {"kind": "annual_report", "title": f"{company} {year}"} | fields
    return document(
        passages,
        company=company,
        header=f"{company} annual report {year or ''}",
        vectors=[meant(text) for text in passages],
        embedder=embedder,
        fiscal_year=year,
        **fields,
    )


def ask(question: str, user: User, *, tier: str = "synthesis", **options: Any) -> Evidence:
    scope = options.pop("scope", Scope())
    refresh_statistics()
    return gather(understand(question, user, as_of=TODAY, scope=scope), user, tier=tier, **options)


def titles(found: Evidence) -> list[str]:
    return [each.document.title for each in found.passages]
