"""Evidence is gathered from every company and period asked for, and a wrong parse loses nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from reports_corpus import ask, embedder_of_axes, report, titles
from small_corpus import source

from docintel import encoders
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from ingestion.models import Document
from ingestion.querysets import Scope
from qa.gathering import BadQuery

pytestmark = pytest.mark.django_db


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    return embedder_of_axes(monkeypatch)


@pytest.fixture
def library(embedder: ModelVersion) -> dict[tuple[str, int], Document]:
    """Three years of two companies that both speak of freight."""
    return {
        (company, year): report(
            company,
            year,
            f"Freight costs of {company} were {number} million dollars in {year}.",
            f"Net sales of {company} grew to {number * 10} million dollars in {year}.",
            embedder=embedder,
        )
        for company in ("Tidewater Foods", "Halden Mills")
        for number, year in enumerate((2021, 2022, 2023), start=11)
    }


def test_the_year_asked_for_comes_first(alice: User, library: dict[Any, Document]) -> None:
    found = ask("What were the freight costs of Tidewater Foods in FY2022?", alice, tier="factual")
    assert titles(found)[0] == "Tidewater Foods 2022"
    assert found.passages[0].passage.text.startswith("Freight costs of Tidewater Foods were 12")
    assert found.passages[0].group == ""
    assert found.candidates > 0
    assert found.numbers.company > 0.5
    assert found.numbers.dense > 0.9
    assert found.searched[0].scope == "Tidewater Foods, fiscal years 2021 to 2023"
    assert {"words_and_vector", "retrieve", "rerank", "total"} <= found.seconds.keys()


def test_a_comparison_has_passages_of_each_company(
    alice: User, library: dict[Any, Document]
) -> None:
    found = ask("Compare freight costs of Tidewater Foods and Halden Mills in FY2023", alice)
    groups = [each.group for each in found.passages]
    assert groups.count("Tidewater Foods") == groups.count("Halden Mills") == 5
    for each in found.passages[:2]:
        assert each.document.title == f"{each.group} 2023"
        assert "Freight costs" in each.passage.text


def test_a_question_over_time_has_passages_of_every_period(
    alice: User, library: dict[Any, Document]
) -> None:
    found = ask("How did freight costs of Halden Mills change from FY2021 to FY2023?", alice)
    assert {each.group for each in found.passages} == {"FY2021", "FY2022", "FY2023"}
    for year, each in zip((2021, 2022, 2023), found.passages, strict=False):
        assert (each.group, each.document.fiscal_year) == (f"FY{year}", year)


def test_companies_times_periods_are_bounded_and_all_served(
    alice: User, library: dict[Any, Document]
) -> None:
    found = ask(
        "Compare freight costs of Tidewater Foods and Halden Mills from FY2014 to FY2023",
        alice,
        limit=16,
    )
    assert len(found.searched) <= 8
    assert any(each.group.startswith("Tidewater Foods · FY20") for each in found.passages)
    assert any(each.group.startswith("Halden Mills · FY20") for each in found.passages)


def test_a_wrong_year_widens_to_the_company_and_says_so(
    alice: User, library: dict[Any, Document]
) -> None:
    found = ask("Freight costs of Tidewater Foods in FY2009", alice)
    assert any("Tidewater Foods, fiscal years 2008 to 2010" in note for note in found.notes)
    assert titles(found)[0].startswith("Tidewater Foods")
    assert found.searched[0].scope == "Tidewater Foods"


def test_a_company_without_documents_leaves_the_wide_look(
    alice: User, library: dict[Any, Document], embedder: ModelVersion
) -> None:
    Document.objects.filter(company__name="Halden Mills").update(company=None)
    found = ask("Freight costs of Halden Mills in FY2022", alice)
    assert "Halden Mills 2022" in titles(found)
    assert any(note.startswith("No document for Halden Mills") for note in found.notes)


def test_the_document_of_another_company_is_still_found_beside_a_wrong_parse(
    alice: User, library: dict[Any, Document], embedder: ModelVersion
) -> None:
    right = report("Orrin", 2022, "The canal at Velten closed for freight.", embedder=embedder)
    found = ask("When did the canal at Velten close, as Tidewater Foods feared in FY2022?", alice)
    assert right.title in titles(found)


def test_the_filters_of_the_page_always_hold(alice: User, library: dict[Any, Document]) -> None:
    only = library["Halden Mills", 2021]
    found = ask(
        "Freight costs of Tidewater Foods in FY2023", alice, scope=Scope(documents=(only.pk,))
    )
    assert set(titles(found)) == {"Halden Mills 2021"}


def test_news_without_a_fiscal_year_is_reached_by_its_day(
    alice: User, library: dict[Any, Document], embedder: ModelVersion
) -> None:
    report(
        "Tidewater Foods", None, "Freight strikes hit Tidewater Foods.", embedder=embedder,
        kind="news", title="Strike", published_on=date(2022, 5, 2),
    )  # fmt: skip
    report(
        "Tidewater Foods", None, "Freight strikes were long ago.", embedder=embedder,
        kind="news", title="Old", published_on=date(2012, 5, 2),
    )  # fmt: skip
    news = ask("News about freight strikes at Tidewater Foods in 2022", alice)
    assert titles(news)[0] == "Strike"
    plain = ask("Freight strikes at Tidewater Foods in 2022", alice)
    assert "Strike" in titles(plain)


def test_hidden_documents_never_appear(
    alice: User, bob: User, library: dict[Any, Document], embedder: ModelVersion
) -> None:
    group = Group.objects.create(name="vault")
    bob.groups.add(group)
    vault = source("Vault", "vault")
    report(
        "Tidewater Foods", 2022, "Freight costs of Tidewater Foods, in secret.",
        embedder=embedder, origin=vault, title="Secret",
    )  # fmt: skip
    question = "Freight costs of Tidewater Foods in FY2022, in secret"
    assert "Secret" in titles(ask(question, bob))
    for tier in ("lookup", "factual", "synthesis"):
        found = ask(question, alice, tier=tier)
        assert "Secret" not in titles(found)
        assert found.candidates < ask(question, bob, tier=tier).candidates


def test_without_an_encoder_keywords_still_answer(
    alice: User, library: dict[Any, Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: Any, **__: Any) -> None:
        raise EncoderUnavailable("no inference role")

    monkeypatch.setattr(encoders, "embed", unavailable)
    found = ask("What were the freight costs of Halden Mills in FY2022?", alice)
    assert titles(found)[0] == "Halden Mills 2022"
    assert "Meaning search is unavailable, these are keyword matches only." in found.notes
    assert found.numbers.dense == 0.0


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_reader_who_has_gone_stops_it(
    alice: User, library: dict[Any, Document], after: int
) -> None:
    asked = iter([False] * after)
    found = ask("Freight costs of Halden Mills", alice, cancelled=lambda: next(asked, True))
    assert found.cancelled
    assert found.passages == ()


def test_a_lookup_takes_one_look(alice: User, library: dict[Any, Document]) -> None:
    found = ask(
        "Find documents on freight at Tidewater Foods and Halden Mills from FY2021 to FY2023",
        alice,
        tier="lookup",
    )
    assert len(found.searched) == 1
    assert {each.group for each in found.passages} == {""}
    assert "formula" in found.reranker


def test_quoted_words_must_stand_so_where_any_passage_has_them(
    alice: User, library: dict[Any, Document]
) -> None:
    found = ask('Where is "in 2022" with freight costs?', alice)
    assert found.passages
    assert all("in 2022" in each.passage.text for each in found.passages)
    none = ask('Freight costs "of the moon base" in 2022', alice)
    assert none.passages
    assert "No passage contains “of the moon base” exactly" in " ".join(none.notes)


def test_the_wide_plan_serves_the_same_company_and_year(
    alice: User, library: dict[Any, Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("ingestion.querysets", "qa.ranking.looking"):
        monkeypatch.setattr(f"{place}.NARROW_CHUNKS", 0)
    found = ask("What were the freight costs of Tidewater Foods in FY2022?", alice)
    assert titles(found)[0] == "Tidewater Foods 2022"
    assert found.passages[0].passage.text.startswith("Freight costs")


def test_nothing_in_scope_and_nothing_asked(alice: User, library: dict[Any, Document]) -> None:
    nothing = ask("Freight costs", alice, scope=Scope(documents=(10**6,)))
    assert nothing.passages == ()
    assert nothing.notes == ["No document that you can search matches this scope."]
    with pytest.raises(BadQuery):
        ask("   ", alice)
