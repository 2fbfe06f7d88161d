"""Answers kept as rows, for the pages to show, without a question being asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from ingestion.models import Document
from qa.composing import Composed, Sentence
from qa.models import Ask
from qa.recording_answers import record
from qa.verifying import Cited


def cited(document: Document, quote: str) -> Cited:
    """A citation of these words where they stand in the document."""
    document.refresh_from_db()
    start = document.text.index(quote)
    holder = document.chunks.filter(start__lte=start, end__gte=start + len(quote)).first()
    return Cited("p1", document.pk, holder.pk if holder else None, start, start + len(quote), quote)


def keep(
    asker: User | None,
    *sentences: tuple[str, Cited] | tuple[str, Cited, str],
    text: str = "What happened to freight costs?",
    at: datetime | None = None,
    **fields: Any,
) -> Ask:
    """Each sentence is (text, citation) or (text, citation, group)."""
    ask = Ask.objects.create(asker=asker, text=text, route="synthesis", **fields)
    if at is not None:
        Ask.objects.filter(pk=ask.pk).update(created_at=at)
    composed = Composed(
        [
            Sentence(number, each[0], (each[1],), each[2] if len(each) > 2 else "")
            for number, each in enumerate(sentences, start=1)
        ]
    )
    record(ask, composed)
    ask.refresh_from_db()
    return ask
