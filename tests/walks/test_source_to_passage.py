"""Walk 1, its first half: a file in a folder becomes the highlighted passage of a page.

`docs/walks.md` tells it in words; each step here is the one that the worker or a page takes.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from docintel.models import Measurement
from ingestion import pipeline
from ingestion.fetching import open_folder, scan_folder
from ingestion.models import Document
from qa.retrieval import search
from tests.reading_corpus import PAGES, pdf

pytestmark = pytest.mark.django_db(transaction=True)


def test_from_a_file_in_a_folder_to_the_highlighted_passage(
    tmp_path: Path, settings: LazySettings, client: Client, alice: User
) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.VAR_DIR = tmp_path
    folder = tmp_path / "filings"
    folder.mkdir()
    (folder / "TIDEWATER_2024_10K.pdf").write_bytes(pdf(PAGES).read())

    # The operator names a folder; the schedule scans it.
    [source] = open_folder(folder, "Filings")
    [arrived] = scan_folder(source)
    assert arrived.state == "received"

    # The workers: each stage asks for what lacks its result.
    assert pipeline.parse_pending() == 1
    assert pipeline.index_pending() == 1
    document = Document.objects.get(pk=arrived.pk)
    assert document.state == "searchable"
    assert (document.kind, document.period) == ("annual_report", "FY2024")
    assert document.text[document.pages[1] :].startswith("Freight costs rose")
    assert search("freight costs canal", alice).bm25
    assert not search("freight costs canal", alice).dense
    assert pipeline.embed_pending() == 1
    assert Document.objects.get(pk=arrived.pk).state == "embedded"

    # The analyst asks, in other words than the filing's.
    results = search("What did shipping do to profitability?", alice)
    assert results.dense
    best = results.passages[0]
    assert document.text[best.start : best.end] == best.text
    assert "Gross margin narrowed" in best.text or "Freight costs rose" in best.text

    # The passage opens in its document, drawn on the page that holds it.
    client.force_login(alice)
    place = {"start": best.start, "end": best.end}
    page = client.get(reverse("ingestion:document", args=[document.public_id]), place)
    assert page.status_code == 200
    drawn = client.get(
        reverse("ingestion:page", args=[document.public_id, best.page]), place
    ).content.decode()
    assert 'data-placed="0"' not in drawn
    assert "<rect" in drawn

    measured = set(Measurement.objects.values_list("name", flat=True))
    assert {"parse_seconds", "index_seconds", "embed_seconds", "search_seconds"} <= measured
