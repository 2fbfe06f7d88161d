"""The best candidates are read by the cross-encoder; without one ranking goes on and says so."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import small_reranker
from django.contrib.auth.models import User
from reports_corpus import ask, embed, report

from docintel import encoders
from docintel.models import ModelVersion
from ingestion.models import Document
from qa.ranking.cross_scores import READ, UNAVAILABLE

pytestmark = pytest.mark.django_db
QUESTION = "What were the freight costs of Halden Mills in FY2022?"


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> list[Document]:
    row = ModelVersion.objects.create(
        name="embedder", version="axes", digest="0", dimensions=768, state="live"
    )
    monkeypatch.setattr(encoders, "live_embedder", lambda: row)
    monkeypatch.setattr(encoders, "embed", embed)
    return [
        report(
            "Halden Mills",
            year,
            *(f"Freight cost number {n} of {year} was {n} dollars." for n in range(15)),
            embedder=row,
        )
        for year in (2021, 2022, 2023)
    ]


def _scores(found: Any) -> list[float]:
    return [each.features.get("cross", math.nan) for each in found.passages]


def test_the_best_candidates_are_read(
    alice: User, library: list[Document], settings: Any, tmp_path: Path
) -> None:
    settings.RERANKER_MODEL = str(small_reranker.write(tmp_path, tokens=128))
    found = ask(QUESTION, alice, limit=60)
    assert "cross-encoder by-lot" in found.reranker
    assert "stand-in" not in found.reranker
    assert UNAVAILABLE not in found.notes
    assert found.seconds["cross_encode"] > 0
    read = [score for score in _scores(found) if not math.isnan(score)]
    assert len(read) == READ < found.candidates
    again = ask(QUESTION, alice, limit=60)
    assert [(e.passage.chunk_id, e.score) for e in again.passages] == [
        (e.passage.chunk_id, e.score) for e in found.passages
    ]


def test_a_comparison_reads_some_of_each(
    alice: User, library: list[Document], settings: Any, tmp_path: Path
) -> None:
    settings.RERANKER_MODEL = str(small_reranker.write(tmp_path, tokens=128))
    found = ask("How did freight costs of Halden Mills change from FY2021 to FY2023?", alice)
    groups = {each.group for each in found.passages if "cross" in each.features}
    assert groups == {"FY2021", "FY2022", "FY2023"}


def test_off_is_a_choice_and_no_fault(alice: User, library: list[Document]) -> None:
    found = ask(QUESTION, alice)
    assert "stand-in" in found.reranker
    assert UNAVAILABLE not in found.notes
    assert all(math.isnan(score) for score in _scores(found))


def test_without_an_answer_ranking_goes_on_and_says_so(
    alice: User, library: list[Document], settings: Any, tmp_path: Path
) -> None:
    before = [each.passage.chunk_id for each in ask(QUESTION, alice).passages]
    settings.RERANKER_MODEL = str(tmp_path / "nowhere")
    found = ask(QUESTION, alice)
    assert UNAVAILABLE in found.notes
    assert "stand-in" in found.reranker
    assert [each.passage.chunk_id for each in found.passages] == before


def test_a_lookup_reads_nothing(
    alice: User, library: list[Document], settings: Any, tmp_path: Path
) -> None:
    settings.RERANKER_MODEL = str(small_reranker.write(tmp_path, tokens=128))
    found = ask("Find documents on freight costs", alice, tier="lookup")
    assert "cross_encode" not in found.seconds
    assert "stand-in" in found.reranker
