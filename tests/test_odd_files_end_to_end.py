"""Real odd files, as a folder source through the real stages: searchable, or a reason to read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.conf import LazySettings

from ingestion import pipeline
from ingestion.fetching import scan_folders
from ingestion.ledger import ledger
from ingestion.models import Document, Source

pytestmark = [pytest.mark.data, pytest.mark.django_db]
ENDED = {"searchable", "duplicate", "near_duplicate", "quarantined", "superseded"}


def test_every_odd_file_ends_searchable_or_with_a_reason(
    data: Path, tmp_path: Path, settings: LazySettings
) -> None:
    settings.MEDIA_ROOT = tmp_path / "stored"
    folder = tmp_path / "odd"
    folder.mkdir()
    files = [*(data / "messy_pdfs").glob("*.pdf"), *(data / "filings_html").glob("*.htm*")]
    for path in files:
        shutil.copy(path, folder / path.name)
    source = Source.objects.create(name="Odd", kind=Source.Kind.FOLDER, location=str(folder))
    while scan_folders():
        Source.objects.update(next_run_at=None)
    while pipeline.take_through(600) + pipeline.index_pending(600):
        pass
    source.refresh_from_db()
    assert source.last_error == ""
    rows = list(Document.objects.all())
    assert len(rows) == len({path.name for path in files}) > 100
    for document in rows:
        assert document.state in ENDED, (document.file_name, document.state)
        if document.state == "quarantined":
            reason = document.failed_reason
            assert reason != pipeline.UNEXPECTED, document.file_name
            assert len(reason) > 15, document.file_name
            assert reason.endswith("."), document.file_name
            assert "Traceback" not in reason
    line = ledger([source]).lines[0]
    assert (line.expected, line.waiting) == (len(rows), 0)
    assert line.fetched == line.searchable + line.quarantined > 100
