"""The parse stage: one claimed document's bytes to its frozen text, layout and description.

A text that is already there makes this document a sighting of the other. Two texts are the same
when they differ in white space and Unicode composition only (NFC); letter case counts, because
a headline in capitals is another edition of the text.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from ingestion import metadata
from ingestion.claiming import ClaimLost, finish
from ingestion.companies import company_named
from ingestion.language import language_of
from ingestion.models import DESCRIBED, LONGEST_TITLE, Document
from ingestion.parsing import Parsed, Unreadable, isolation
from ingestion.revising import retire_predecessors

LAYOUT = ("pages", "sections", "tables", "language", "notes")


def freeze(document: Document) -> Parsed:
    """Parse a claimed document and write what was found, or that it is a duplicate.

    Raises Unreadable (permanent), ParserFailed (another try may succeed) and ClaimLost.
    """
    with local_copy(document) as path:
        parsed = isolation.parse(
            path,
            document.file_name,
            seconds=settings.PARSE_SECONDS,
            memory_mb=settings.PARSE_MEMORY_MB,
            max_characters=settings.MAX_TEXT_CHARACTERS,
            ocr_language=settings.OCR_LANGUAGE if settings.OCR else "",
        )
    if not parsed.text.strip():
        raise Unreadable("The file holds no text.")
    digest = text_digest(parsed.text)
    fields = {**_frozen(parsed), "text_sha256": digest, **described(document, parsed)}
    try:
        if not mark_duplicate(document, digest, fields):
            with transaction.atomic():
                _finish(document, fields)
    except IntegrityError:
        # Another worker froze the same text a moment ago.
        if not mark_duplicate(document, digest, fields):
            raise
    return parsed


def text_digest(text: str) -> str:
    """SHA-256 in hex of the text in NFC with each run of white space as one space."""
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(normal.encode()).hexdigest()


@contextmanager
def local_copy(document: Document) -> Iterator[Path]:
    """The stored bytes as a file of this machine, for the time of the block.

    Raises Unreadable when the stored file is gone.
    """
    name = document.file.name or ""
    if not name or not default_storage.exists(name):
        raise Unreadable("The stored file is missing; send it again.")
    local = _local_path(name)
    if local is not None:
        yield local
        return
    with tempfile.NamedTemporaryFile(suffix=Path(name).suffix) as copy:
        with default_storage.open(name) as stored:
            shutil.copyfileobj(stored, copy)
        copy.flush()
        yield Path(copy.name)


def _local_path(name: str) -> Path | None:
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:  # The storage is not this machine's file system.
        return None


def described(document: Document, parsed: Parsed) -> dict[str, Any]:
    """The fields that say what the document is; what a person edited stays as it is."""
    pushed: dict[str, Any] = {
        name: getattr(document, name)
        for name in DESCRIBED
        if document.provenance.get(name) == "push"
    }
    if document.provenance.get("company") == "push" and document.company:
        pushed |= {"company": document.company.name, "ticker": document.company.ticker}
    found = metadata.describe(
        parsed, document.file_name, pushed, document.source.default_kind or Document.Kind.OTHER
    )
    fields: dict[str, Any] = {name: getattr(found, name) for name in DESCRIBED}
    fields["title"] = (fields["title"] or "")[:LONGEST_TITLE]
    fields["company"] = company_named(found.company_name or "", found.ticker or "")
    kept = {name for name, who in document.provenance.items() if who == "edited"}
    fields = {name: value for name, value in fields.items() if name not in kept}
    return {**fields, "provenance": {**found.provenance, **dict.fromkeys(kept, "edited")}}


def mark_duplicate(document: Document, digest: str, fields: dict[str, Any]) -> bool:
    """Make a claimed document a sighting of the one that has this text; False if there is none.

    It keeps its own description: who may not see the other must not notice that there is one.
    """
    original = (
        Document.objects.living()
        .filter(text_sha256=digest, duplicate_of=None)
        .exclude(pk=document.pk)
        .only("pk", "searchable_at", "file_name", "file_sha256")
        .first()
    )
    if original is None:
        return False
    if _is_read_again(document, original):
        with transaction.atomic():
            if Document.objects.filter(pk=document.pk, claim=document.claim).delete()[0]:
                _take_layout(original, fields)
        return True
    with transaction.atomic():
        document.sightings.update(duplicate_of=original)
        body = {"text": "", "text_sha256": "", "pages": [], "sections": [], "tables": []}
        _finish(document, {**fields, **body, "duplicate_of": original})
        if original.searchable_at:
            retire_predecessors(original)
    return True


def _take_layout(original: Document, fields: dict[str, Any]) -> None:
    """What a second reading made of the same characters; indexed anew where it is something else.

    A text that differs in white space keeps its old layout, whose offsets alone fit it.
    """
    layout = {name: fields[name] for name in LAYOUT}
    same = Document.objects.filter(pk=original.pk, text=fields["text"])
    known = same.values(*LAYOUT).first()
    if known is not None and json.loads(json.dumps(layout)) != known:
        same.update(**layout, index_again=original.searchable_at is not None)


def _is_read_again(document: Document, original: Document) -> bool:
    """The row stands for a second reading of the same bytes, and it came out the same."""
    again = document.supersedes_id == original.pk and document.file_name == original.file_name
    return again and document.file_sha256 == original.file_sha256


def _frozen(parsed: Parsed) -> dict[str, Any]:
    return {
        "text": parsed.text,
        "pages": parsed.pages,
        "sections": [dict(section) for section in parsed.sections],
        "tables": [dict(table) for table in parsed.tables],
        "language": language_of(parsed.text),
        "notes": parsed.notes,
        "media_type": parsed.media_type,
        "parsed_at": timezone.now(),
    }


def _finish(document: Document, fields: dict[str, Any]) -> None:
    if not finish(document, **fields):
        raise ClaimLost(document.pk)
