"""A news document without a company gets the one that its title or lead unambiguously mentions."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone

from ingestion import editing, linking, pipeline
from ingestion.companies import company_named
from ingestion.models import Chunk, Company, CompanyAlias, Document
from tests.small_corpus import document as searchable

pytestmark = pytest.mark.django_db(transaction=True)

LEAD = (
    "Marriott International Inc said on Monday that it would open ninety hotels. "
    "Revenue rose 4.5%. Shares of Marriott International rose too."
)


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, settings: LazySettings) -> Company:
    settings.MEDIA_ROOT = tmp_path
    company = company_named("Marriott International", "MAR")
    company_named("Hilton Worldwide", "HLT")
    linking._latest.clear()
    assert company is not None
    return company


def news(text: str = LEAD, title: str = "Ninety hotels", kind: str = "news") -> Document:
    return read(searchable([text], title=title, kind=kind))


def read(row: Document) -> Document:
    assert pipeline.recognise_pending() >= 1
    return Document.objects.get(pk=row.pk)


def test_the_only_company_of_the_lead(catalogue: Company) -> None:
    row = news()
    assert row.company == catalogue
    assert row.provenance["company"] == "mention"


def test_its_passages_stay_as_they_are() -> None:
    row = searchable([LEAD], title="Ninety hotels", kind="news")
    before = list(Chunk.objects.filter(document=row).values())
    found = read(row)
    assert found.searchable_at == row.searchable_at
    assert list(Chunk.objects.filter(document=row).values()) == before


def test_once_in_passing_is_too_little() -> None:
    assert news("Marriott International Inc was there. It rained on Monday.").company is None


def test_the_title_decides_between_several(catalogue: Company) -> None:
    text = LEAD + " Hilton Worldwide Inc did not comment. Hilton Worldwide fell."
    assert news(text).company is None
    assert news(text + " ", title="Marriott International opens hotels").company == catalogue
    both = "Marriott International and Hilton Worldwide open hotels"
    assert news(text + "  ", title=both).company is None


def test_a_company_that_is_not_linked_counts_too() -> None:
    assert news("Quillon Media Inc agreed to buy hotels. " + LEAD).company is None


def test_an_ambiguous_name_is_nobodys(catalogue: Company) -> None:
    other = company_named("Hilton Worldwide")
    assert other is not None
    for company in (catalogue, other):
        CompanyAlias.objects.create(company=company, name="Halden Inns", key="haldeninns")
    linking._latest.clear()
    text = "Halden Inns Inc said it would grow. Shares of Halden Inns Inc rose."
    assert news(text).company is None


def test_only_news_is_given_one() -> None:
    assert news(kind="research_note").company is None


def test_what_is_already_said_stays() -> None:
    row = searchable([LEAD], title="Ninety hotels", kind="news", company="Halden")
    found = read(row)
    assert found.company == row.company
    assert "company" not in found.provenance


def test_a_person_wins(catalogue: Company) -> None:
    user = User.objects.create_user("ed")
    row = news()
    editing.edit(row, {"company": "Halden"}, user)
    row.refresh_from_db()
    assert str(row.company) == "Halden"
    row = relink(row)
    assert str(row.company) == "Halden"
    editing.edit(row, {"company": None}, user)
    row.refresh_from_db()
    assert relink(row).company is None


def relink(row: Document) -> Document:
    """Read again from the start, whatever else waits."""
    Document.objects.filter(pk=row.pk).update(
        recognised_at=None, recognised_to=0, searchable_at=timezone.now()
    )
    return read(row)


def test_it_is_thought_over_when_read_again(catalogue: Company) -> None:
    row = news()
    assert row.company == catalogue
    company_named("Quillon")
    Document.objects.filter(pk=row.pk).update(text="Nothing is named here.".ljust(len(row.text)))
    found = relink(row)
    assert found.company is None
    assert "company" not in found.provenance
