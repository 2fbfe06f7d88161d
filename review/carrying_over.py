"""What experts said before a document was amended: proposed anew where the words now stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extraction.models import ExtractionRun
from ingestion.models import Document
from review.correction_tables import Correction
from review.item_tables import ReviewItem
from review.proposals import Proposal, a_span
from review.valuing import stakes, uses_of, value

# How sure it is that the same words mean the same in the new revision.
STILL_RIGHT = 0.75
Kind, Why = ReviewItem.Kind, ReviewItem.Why


def carry_over(run: ExtractionRun) -> int:
    """Spans that experts confirmed or gave in the revision before, for a look; how many are new.

    Words that stand nowhere in the new text are left behind with it.
    """
    before = run.document.supersedes
    if before is None:
        return 0
    text = Document.objects.values_list("text", flat=True).get(pk=run.document_id)
    at_stake = stakes(uses_of(run.document_id))
    items = [
        ReviewItem(
            kind=Kind.SPAN,
            document_id=run.document_id,
            schema_id=run.schema_id,
            schema_version=run.schema_version,
            label=found["label"],
            start=found["start"],
            end=found["end"],
            text=found["text"],
            proposal=found,
            confidence=STILL_RIGHT,
            why=Why.MOVED,
            reason=f"{said.who} said so of the revision before; the document was amended since.",
            stakes=at_stake,
            value=value(STILL_RIGHT, at_stake),
        ).keyed()
        for said, found in _found_again(before, run, text)
    ]
    return len(ReviewItem.objects.bulk_create(items, ignore_conflicts=True))


def _found_again(
    before: Document, run: ExtractionRun, text: str
) -> Iterator[tuple[Correction, Proposal]]:
    said = Correction.objects.final().filter(
        document=before.pk, schema=run.schema_id, kind=Kind.SPAN, after__isnull=False
    )
    for correction in said:
        after = correction.after or {}
        place = place_of(after["text"], after["start"], text)
        if place is not None:
            words = text[place : place + len(after["text"])]
            yield correction, a_span(after["label"], place, place + len(words), words)


def place_of(words: str, near: int, text: str) -> int | None:
    """Where these words stand in the text, nearest to an offset; None where they do not."""
    places = [match.start() for match in re.finditer(re.escape(words), text)]
    return min(places, key=lambda at: abs(at - near), default=None)
