"""A searchable document's mentions: found in committed parts, then linked to companies."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from docintel import registry
from docintel.models import ModelVersion
from ingestion.attributing import attribution
from ingestion.claiming import ClaimLost, finish, lock, renew
from ingestion.linking import catalogue, filer_names, link_mentions
from ingestion.models import Document, Mention
from ingestion.recognising import finding, tagging
from ingestion.recognising.known_names import names_of
from ingestion.recognising.mention import Found

LONGEST_NAME = 200


def live_recogniser() -> ModelVersion:
    """The version that finds mentions: the rules and the tagger's weights together."""
    version = f"rules {finding.RULES} + en_core_web_sm {tagging.VERSION}"
    return registry.register("recogniser", version, tagging.DIGEST)


def recognise(
    document: Document,
    until: float | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[int, bool]:
    """Find what is not yet read; (mentions found now, whether the document is done).

    Commits part by part, and stops between two when `time.monotonic()` passes `until` or
    `interrupted()`; at least one part is read. Raises ClaimLost and TaggerUnavailable.
    """
    recogniser = live_recogniser()
    if document.recogniser_id != recogniser.pk or document.recognised_to == 0:
        _begin(document, recogniser)
    known, filer = catalogue().known, names_of(filer_names(document))
    made = 0
    for start, end in finding.windows(document.text, document.recognised_to):
        found = finding.find(document.text, start, end, known, filer)
        _keep(document, found, end, recogniser)
        made += len(found)
        late = until is not None and time.monotonic() >= until
        if end < len(document.text) and (late or interrupted()):
            return made, False
    with transaction.atomic():
        lock(document)
        link_mentions(document)
        if not finish(document, recognised_at=timezone.now(), **attribution(document)):
            raise ClaimLost(document.pk)
    return made, True


def _begin(document: Document, recogniser: ModelVersion) -> None:
    with transaction.atomic():
        lock(document)
        document.mentions.all().delete()
        _note(document, recogniser=recogniser, recognised_to=0, recognised_at=None)


def _keep(document: Document, found: list[Found], end: int, recogniser: ModelVersion) -> None:
    rows = [
        Mention(
            document=document,
            start=mention.start,
            end=mention.end,
            kind=mention.kind,
            name=mention.name[:LONGEST_NAME],
            value=mention.value,
            recogniser=recogniser,
        )
        for mention in found
    ]
    with transaction.atomic():
        lock(document)
        Mention.objects.bulk_create(rows, batch_size=1_000)
        _note(document, recognised_to=end)
        if document.claim is not None:
            renew(document, progress=True)


def _note(document: Document, **changes: object) -> None:
    Document.objects.filter(pk=document.pk).update(**changes)
    for name, value in changes.items():
        setattr(document, name, value)
