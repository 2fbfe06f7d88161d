"""Mentions of a document: found by the pipeline, spelled exactly, linked to the right company."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from docintel.models import Measurement, ModelVersion
from ingestion import catalogue, claiming, entities, linking, pipeline
from ingestion.companies import company_named
from ingestion.merging import merge_companies, split_alias
from ingestion.models import Company, CompanyAlias, Document, Mention, Source
from ingestion.receiving import source_of_kind, take_in
from ingestion.recognising import finding, tagging
from tests.small_corpus import document as searchable

pytestmark = pytest.mark.django_db(transaction=True)

FILING = (
    "Halden Freight Systems, Inc. (the “Company” or “Halden”) reports results for the second "
    "quarter of fiscal 2024. Revenue rose 4.5% to $1.2 billion, said Dave Kimbell, chief executive "
    "officer. The Company sold its stake in Marriott International (NASDAQ: MAR) on June 30, 2024. "
    "Halden expects free cash flow of EUR 3.4m."
)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path
    linking._latest.clear()


def filing(text: str = FILING, company: str = "Halden Freight Systems") -> Document:
    row = searchable([text], kind="annual_report")
    row.company = company_named(company)
    row.save()
    return row


def surfaces(row: Document, kind: str) -> list[str]:
    return [row.text[m.start : m.end] for m in row.mentions.filter(kind=kind)]


def recognised(row: Document) -> Document:
    assert pipeline.recognise_pending() >= 1
    return Document.objects.get(pk=row.pk)


def test_a_document_is_recognised_after_it_is_searchable() -> None:
    upload = source_of_kind(Source.Kind.UPLOAD)
    pushed = {"company": "Halden"}
    arrived = take_in(upload, "a.txt", BytesIO(FILING.encode()), pushed=pushed).document
    while pipeline.work_once(60):
        pass
    found = Document.objects.get(pk=arrived.pk)
    assert found.state == "embedded"
    assert found.recogniser == entities.live_recogniser()
    assert found.recognised_at is not None
    assert found.recognised_to == len(found.text)
    assert set(Mention.objects.values_list("document", flat=True)) == {found.pk}
    assert Measurement.objects.filter(name="recognise_seconds").exists()


def test_each_kind_is_found_and_spelled_exactly() -> None:
    row = recognised(filing())
    assert surfaces(row, "money") == ["$1.2 billion", "EUR 3.4m"]
    assert surfaces(row, "percent") == ["4.5%"]
    assert surfaces(row, "date") == ["June 30, 2024"]
    assert surfaces(row, "period") == ["second quarter of fiscal 2024"]
    assert surfaces(row, "metric") == ["Revenue", "free cash flow"]
    assert surfaces(row, "person") == ["Dave Kimbell"]
    person = row.mentions.get(kind="person")
    assert person.value["role"] == "Chief Executive Officer"
    assert row.mentions.get(name="USD 1200000000").value["amount"] == "1200000000"
    ends = list(row.mentions.order_by("start").values_list("start", "end"))
    assert all(first[1] <= second[0] for first, second in pairwise(ends))


def test_companies_are_linked_by_name_definition_and_reference() -> None:
    marriott = Company.objects.create(name="Marriott International", key="marriottinternational")
    row = recognised(filing())
    linked = [(row.text[m.start : m.end], m.company) for m in row.mentions.filter(kind="company")]
    halden = row.company
    assert linked == [
        ("Halden Freight Systems, Inc.", halden),
        ("Halden", halden),
        ("The Company", halden),
        ("Marriott International", marriott),
        ("Halden", halden),
    ]


def test_the_company_is_not_the_filer_where_the_document_defines_another() -> None:
    text = "Corvane Media Corp. (the “Company”) agrees. The Company may end this agreement."
    row = recognised(filing(text))
    reference = next(m for m in row.mentions.all() if m.value.get("reference"))
    assert reference.company is None


def test_a_name_of_two_companies_stays_unlinked() -> None:
    for number in (1, 2):
        company = Company.objects.create(name=f"Quillon {number} Holdings", key=f"quillon{number}")
        CompanyAlias.objects.create(company=company, name="Quillon Media", key="quillonmedia")
    row = recognised(filing("We bought shares of Quillon Media Inc. in March 2021."))
    assert row.mentions.get(kind="company").company is None


def test_another_recogniser_makes_its_own_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    row = recognised(filing())
    assert pipeline.recognise_pending() == 0
    monkeypatch.setattr(finding, "RULES", "next")
    again = recognised(row)
    assert again.recogniser == ModelVersion.objects.get(name="recogniser", state="live")
    assert set(again.mentions.values_list("recogniser", flat=True)) == {again.recogniser_id}
    assert len(surfaces(again, "money")) == 2


def test_it_goes_on_where_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "WINDOW_CHARACTERS", 200)
    row = filing("\n".join([FILING] * 4))
    claimed = claiming.claim(Document.objects.unrecognised(entities.live_recogniser()))
    assert claimed is not None
    made, done = entities.recognise(claimed, interrupted=lambda: True)
    assert not done
    claiming.release(claimed)
    half = Document.objects.get(pk=row.pk)
    assert 0 < half.recognised_to < len(half.text)
    assert half.mentions.count() == made
    whole = recognised(row)
    starts = list(whole.mentions.values_list("start", "kind"))
    assert len(starts) == len(set(starts))
    assert surfaces(whole, "percent") == ["4.5%"] * 4


def test_without_the_tagger_mentions_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise tagging.TaggerUnavailable("not installed")

    monkeypatch.setattr(tagging, "_model", missing)
    row = filing()
    assert pipeline.recognise_pending() == 0
    waiting = Document.objects.get(pk=row.pk)
    assert waiting.recognised_at is None
    assert waiting.attempts == 0
    assert waiting.quarantined_at is None


def test_the_catalogue_completes_what_is_there(tmp_path: Path) -> None:
    Company.objects.create(name="3M Company", key="3m")
    added = catalogue.load_default_once()
    assert added > 1_500
    assert Company.objects.get(key="3m").ticker == "MMM"
    assert Company.objects.get(key="3m").name == "3M Company"
    assert catalogue.load_default_once() == 0
    file = tmp_path / "more.csv"
    file.write_text("name,cik,aliases\nCostco,0000909832,Costco Wholesale Corporation;COST US\n")
    assert catalogue.load(catalogue.read_csv(file)) == (0, 1)
    costco = Company.objects.get(key="costco")
    assert costco.cik == "0000909832"
    assert company_named("COSTCO WHOLESALE CORP") == costco


def test_a_bad_catalogue_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("company\nCostco\n")
    with pytest.raises(catalogue.BadCatalogue, match="columns"):
        list(catalogue.read_csv(file))


def test_merged_companies_keep_all_names_and_a_split_undoes_it(eve: User) -> None:
    kept = company_named("Costco", "COST")
    other = company_named("Costco Wholesale Corporation")
    assert kept is not None
    assert other is not None
    row = recognised(filing("Costco Wholesale Corporation grew.", "Costco Wholesale Corporation"))
    assert row.mentions.get(kind="company").company == other
    assert merge_companies(kept, [kept, other], eve) == 1
    row.refresh_from_db()
    assert row.company == kept
    assert row.searchable_at is None
    assert row.mentions.get(kind="company").company == kept
    assert company_named("COSTCO WHOLESALE CORP.") == kept
    again = split_alias(kept.aliases.get(), eve)
    assert again.name == "Costco Wholesale Corporation"
    assert row.mentions.get(kind="company").company == again
    assert company_named("COSTCO WHOLESALE CORP.") == again
