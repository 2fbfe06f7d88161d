"""What the queue calls: each looks for pending rows itself, so repeating a call does no harm."""

from __future__ import annotations

from django.utils import timezone

from review import queueing, queueing_answers, queueing_documents, valuing


def queue_pending() -> None:
    queueing.queue_pending()
    queueing_answers.queue_answers()
    queueing_documents.queue_documents()


def revalue() -> None:
    valuing.revalue(timezone.now())
