"""Search results as one person may know them: by the arrivals in sources this person may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import standing_for
from qa.passages import DocumentHits, Passage


@dataclass(frozen=True, slots=True)
class Found:
    """A document's hits; `document` is the arrival that stands for it, whose address is open."""

    document: Document
    passages: list[Passage]
    n_passages: int


def as_known(hits: Sequence[DocumentHits], user: User) -> list[Found]:
    """The hits in their order."""
    known = standing_for([hit.document.pk for hit in hits], user)
    return [
        Found(known[hit.document.pk], hit.passages, hit.n_passages)
        for hit in hits
        if hit.document.pk in known
    ]
