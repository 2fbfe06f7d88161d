"""Search results as one person may know them: by the arrivals in sources this person may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import nearly_the_same, standing_for
from qa.passages import DocumentHits, Passage


@dataclass(frozen=True, slots=True)
class Found:
    """A document's hits; `document` is the arrival that stands for it, whose address is open.

    `near` are the arrivals of nearly the same text, in whose place it is shown.
    """

    document: Document
    passages: list[Passage]
    n_passages: int
    near: list[Document] = field(default_factory=list)


def as_known(hits: Sequence[DocumentHits], user: User) -> list[Found]:
    """The hits in their order."""
    ids = [hit.document.pk for hit in hits]
    known, near = standing_for(ids, user), nearly_the_same(ids, user)
    return [
        Found(known[hit.document.pk], hit.passages, hit.n_passages, near.get(hit.document.pk, []))
        for hit in hits
        if hit.document.pk in known
    ]
