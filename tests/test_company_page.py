"""A company's page: its latest key figures, and what its newest filing says otherwise."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.models import Group

from docintel import registry
from extraction.models import ExtractionRun
from extraction.schema_tables import Schema
from ingestion.models import Document
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db


def filing(of, year: int, text: str, **fields) -> Document:
    document = known(
        f"{of.name} 10-K {year}", of=of, kind="annual_report", published_on=date(year, 2, 1),
        fiscal_year=year - 1, **fields,
    )  # fmt: skip
    document.text, document.text_sha256 = text, f"{of.pk}-{year}"
    document.save()
    return document


def extracted(document: Document, figure: str, value: str) -> None:
    schema = Schema.objects.get(name="kpis")
    run = ExtractionRun.objects.create(
        document=document, schema=schema, schema_version=schema.current, state="finished",
        model_version=registry.register("tagger:kpis", "1", "1"), shown=True, span_count=2,
        relation_count=1,
    )  # fmt: skip
    common = {"document": document, "schema": schema, "confidence": 0.9}
    tail, head = (
        run.spans.create(
            label=label, text=words, start=document.text.index(words),
            end=document.text.index(words) + len(words), **common,
        )
        for label, words in (("kpi", figure), ("cy", value))
    )  # fmt: skip
    run.relations.create(
        relation="value of", head=head, tail=tail, rule="1", evidence_start=0, evidence_end=9,
        **common,
    )  # fmt: skip


def test_key_figures_are_those_of_the_newest_that_has_any(client, alice) -> None:
    acme = company("Acme")
    extracted(filing(acme, 2023, "Net sales were 11 million."), "Net sales", "11")
    newest = filing(acme, 2024, "Net sales were 13 million.")
    extracted(newest, "Net sales", "13")
    filing(acme, 2025, "Nothing was found here.")
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    extracted(filing(acme, 2026, "Net sales were 17.", wire=vault), "Net sales", "17")
    client.force_login(alice)
    page = client.get(f"/companies/{acme.pk}/figures/").content.decode()
    row = page.split("<tbody>")[1].split("</tr>")[0]
    assert [row.index(words) for words in ("Net sales", ">13<", "Current value")] == sorted(
        row.index(words) for words in ("Net sales", ">13<", "Current value")
    )
    assert ">17<" not in page
    assert newest.get_absolute_url() in page
    assert f"/companies/{acme.pk}/figures/" in client.get(f"/companies/{acme.pk}/").content.decode()
    empty = client.get(f"/companies/{company('Orion').pk}/figures/").content
    assert empty == client.get("/companies/987654/figures/").content
    assert empty.strip() == b""


def test_the_newest_filing_is_compared_with_the_one_before_of_its_kind(client, alice) -> None:
    acme = company("Acme")
    filing(acme, 2023, "Acme's year 2022.\n\nNet sales    100    90\n\nWe see a good year.")
    filing(acme, 2024, "Acme's year 2023.\n\nNet sales    120    100\n\nWe see a hard year.")
    known("Acme grew", of=acme)
    client.force_login(alice)
    page = client.get(f"/companies/{acme.pk}/changes/").content.decode()
    assert "Net sales" in page
    assert "20.0 %" in page
    assert "2 figures" in page, "a year is no figure that changed"
    assert "Acme 10-K 2023" in page
    assert "Comparing the last two filings" in client.get(f"/companies/{acme.pk}/").content.decode()
    # Kept: the same again without the texts being compared.
    Document.objects.filter(company=acme, kind="annual_report").update(text="")
    assert "20.0 %" in client.get(f"/companies/{acme.pk}/changes/").content.decode()


def test_the_day_of_a_date_is_no_figure_that_changed(client, alice) -> None:
    acme = company("Acme")
    filing(acme, 2023, "Filed February 24, 2023.\n\nWe had 24 plants on 3 May.\n\nNet sales    100")
    filing(acme, 2024, "Filed February 26, 2024.\n\nWe had 26 plants on 4 May.\n\nNet sales    120")
    client.force_login(alice)
    page = client.get(f"/companies/{acme.pk}/changes/").content.decode()
    figures = page.split("<tbody>")[1].split("</tbody>")[0]
    assert "Filed February" not in figures
    assert figures.count("<tr>") == 2, figures
    assert ">24<" in figures
    assert ">120<" in figures


def test_one_filing_alone_and_one_that_is_hidden_are_compared_with_nothing(client, alice) -> None:
    acme = company("Acme")
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    filing(acme, 2023, "Net sales    100", wire=vault)
    filing(acme, 2024, "Net sales    120")
    client.force_login(alice)
    assert client.get(f"/companies/{acme.pk}/changes/").content.strip() == b""
    assert "Comparing" not in client.get(f"/companies/{acme.pk}/").content.decode()
