"""Several files from one person: each is taken in or refused by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from ingestion.models import Source
from ingestion.pushing import Refused, push, source_for
from ingestion.querysets import User
from ingestion.receiving import Receipt, source_of_kind

MOST_FILES = settings.DATA_UPLOAD_MAX_NUMBER_FILES


@dataclass(frozen=True, slots=True)
class Refusal:
    file_name: str
    reason: str


@dataclass(slots=True)
class Taken:
    receipts: list[Receipt] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def take_uploads(files: Sequence[UploadedFile], said: Mapping[str, Any], user: User) -> Taken:
    """What became of each file; a refused one costs its neighbours nothing."""
    taken = Taken()
    name = source_of_kind(Source.Kind.UPLOAD).name
    for file in files:
        file_name = file.name or "document"
        try:
            source = source_for(user, name)
            receipt = push(source, file_name, file, pushed=said, user=user)
        except Refused as refusal:
            taken.refusals.append(Refusal(file_name[:255], refusal.message))
        else:
            taken.receipts.append(receipt)
    return taken
