"""A text that is read again and comes out the same takes the new layout, and is indexed anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile

from ingestion import pipeline
from ingestion.models import Document, Source
from ingestion.rerunning import rerun

pytestmark = pytest.mark.django_db

TEXT = (
    "Item 7. Management's Discussion and Analysis\nSales of the company rose in every region.\n" * 3
)


def test_a_second_reading_brings_the_layout_that_was_missing(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    source = Source.objects.create(name="Files", kind=Source.Kind.UPLOAD)
    row = Document(source=source, file_name="a.txt", file_sha256="a" * 64)
    row.file.save("a.txt", ContentFile(TEXT.encode()), save=True)
    pipeline.parse_pending()
    pipeline.index_pending()
    row.refresh_from_db()
    sections, first = row.sections, row.chunks.get().pk
    assert sections
    assert row.language == "en"
    # As an older parser left it.
    Document.objects.filter(pk=row.pk).update(sections=[], language="")
    assert rerun(Document.objects.filter(pk=row.pk), "parse") == 1
    pipeline.parse_pending()
    again = Document.objects.get()
    assert (again.pk, again.sections, again.language) == (row.pk, sections, "en")
    assert again.index_again
    pipeline.index_pending()
    chunk = row.chunks.get()
    assert chunk.pk != first
    assert chunk.statement == "mdna"
    # Nothing new: nothing is indexed again.
    rerun(Document.objects.filter(pk=row.pk), "parse")
    pipeline.parse_pending()
    assert not Document.objects.get().index_again
