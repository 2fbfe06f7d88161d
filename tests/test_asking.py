"""From a question to a recorded answer: the events in order, the states, the receipt."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from reading_corpus import library

from ingestion.models import Document
from qa.asking import ask
from qa.models import Ask

pytestmark = pytest.mark.django_db(transaction=True)
MARGIN = "What was the gross margin of Tidewater Foods in fiscal year 2024?"


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def corpus() -> None:
    library(embed=True)


class Heard(list[tuple[str, dict[str, Any]]]):
    def __call__(self, name: str, data: dict[str, Any]) -> None:
        self.append((name, data))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [data for each, data in self if each == name]


def test_a_question_is_answered_with_what_stands_in_its_documents(
    corpus: None, alice: User
) -> None:
    heard = Heard()
    row = ask(MARGIN, alice, on_event=heard)
    assert row.state == "answered"
    names = [name for name in heard.names if name not in {"notice", "sentence"}]
    assert names == ["understood", "route", "searching", "found", "done"]
    sentences = heard.of("sentence")
    assert any("31.2 percent" in sentence["text"] for sentence in sentences)
    for sentence in sentences:
        for cited in sentence["citations"]:
            text = Document.objects.get(public_id=cited["document"]).text
            assert text[cited["start"] : cited["end"]] == cited["quote"]
    receipt = Ask.objects.get(pk=row.pk).receipt
    assert receipt["candidates"] > 0
    assert receipt["seconds"].keys() >= {"understand", "route", "search", "compose", "total"}
    assert (receipt["dropped"], receipt["model"], receipt["cost"]) == (0, "", 0)
