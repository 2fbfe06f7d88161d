"""Sentences that the verifier was wrong about, as test cases: one line of JSON each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User

from ingestion.models import Document
from qa.answer_tables import AnswerSentence, Citation
from review.correction_tables import Correction
from review.item_tables import ReviewItem

# Of the passage around a quote, in characters on each side.
AROUND = 600


def verifier_cases(user: User) -> Iterator[dict[str, Any]]:
    """What experts said the verifier dropped wrongly, of what this person may see.

    Each: sentence, question, quotes, the verifier's reason, the passages that hold the quotes where
    they were found, and `expected`, which is "kept".
    """
    said = (
        Correction.objects.final()
        .visible_to(user)
        .filter(kind=ReviewItem.Kind.SENTENCE, verdict=Correction.Verdict.REJECT)
    )
    for correction in said.order_by("pk"):
        dropped = correction.before or {}
        quotes = [lost["quote"] for lost in dropped.get("lost", ()) if lost.get("quote")]
        yield {
            "sentence": dropped.get("text", ""),
            "question": dropped.get("question", ""),
            "quotes": quotes,
            "passages": list(_passages(dropped.get("sentence"), quotes, user)),
            "reason": dropped.get("reason", ""),
            "expected": "kept",
            "said_by": correction.who,
            "said_at": correction.at.isoformat(),
        }


def _passages(sentence_id: int | None, quotes: list[str], user: User) -> Iterator[dict[str, Any]]:
    """Where the quotes stand, in the documents that the same answer cites or lists."""
    sentences = AnswerSentence.objects.select_related("ask").in_bulk([sentence_id])
    sentence = next(iter(sentences.values()), None)
    if sentence is None or not quotes:
        return
    cited = Citation.objects.filter(sentence__ask=sentence.ask).values_list("document", flat=True)
    listed = sentence.ask.passages.values_list("document", flat=True)
    ids = {*cited, *listed}
    for document in Document.objects.visible_to(user).filter(pk__in=ids).only("public_id", "text"):
        for quote in quotes:
            at = document.text.find(quote)
            if at >= 0:
                start, end = max(0, at - AROUND), min(len(document.text), at + len(quote) + AROUND)
                text = document.text[start:end]
                yield {"document": str(document.public_id), "start": start, "text": text}
