"""The questions that one person asked, for the history and for the empty page."""

from __future__ import annotations

from django.db.models import Count, Q

from ingestion.querysets import User
from qa.answer_tables import AnswerSentence, Ask

PER_PAGE = 30
# How far back to look for different questions.
LATEST = 40


def own_answers(user: User, words: str, page: int) -> list[Ask]:
    """Those of one page, from 1, and one more where there is another page; with `n_sentences`."""
    kept = Q(sentences__state=AnswerSentence.State.KEPT)
    found = Ask.objects.filter(asker=user.pk).annotate(n_sentences=Count("sentences", filter=kept))
    for word in words.split():
        found = found.filter(text__icontains=word)
    found = found.order_by("-created_at", "-id")
    return list(found[(page - 1) * PER_PAGE : page * PER_PAGE + 1])


def recent_questions(user: User, *, limit: int = 5) -> list[Ask]:
    """The latest ask of each of the latest different questions that came to an end."""
    found: dict[str, Ask] = {}
    ended = Ask.objects.filter(asker=user.pk).exclude(
        state__in=(Ask.State.RUNNING, Ask.State.FAILED, Ask.State.CANCELLED)
    )
    for row in ended[:LATEST]:
        found.setdefault(" ".join(row.text.casefold().split()), row)
    return list(found.values())[:limit]
