"""Keeps an answer as rows: every sentence, shown or dropped, with its citations."""

from __future__ import annotations

from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from qa.answer_tables import AnswerSentence, Ask, Citation
from qa.composing import Composed, Refused, Sentence
from qa.numbering import Numbers


def record(ask: Ask, composed: Composed) -> None:
    """Adds the sentences and closes the ask; once per ask."""
    with transaction.atomic():
        rows = [_row(ask, each) for each in composed.sentences]
        rows += [_row(ask, each) for each in composed.dropped]
        AnswerSentence.objects.bulk_create(rows)
        by_ordinal = {row.ordinal: row for row in rows}
        numbers = Numbers()
        Citation.objects.bulk_create(
            Citation(
                sentence=by_ordinal[sentence.ordinal], ordinal=ordinal,
                number=numbers.of(cited.document_id, cited.chunk_id, cited.start, cited.end),
                document_id=cited.document_id, chunk_id=cited.chunk_id,
                start=cited.start, end=cited.end, quote=cited.quote,
            )
            for sentence in composed.sentences
            for ordinal, cited in enumerate(sentence.citations, start=1)
        )  # fmt: skip
        ask.state = _state(composed)
        ask.mode, ask.notice = composed.mode, composed.notice
        ask.finished_at = timezone.now()
        ask.receipt = {
            **ask.receipt,
            "scores": asdict(composed.scores),
            "passages_used": composed.passages_used,
            "sentences": len(composed.sentences),
            "dropped": len(composed.dropped),
            "drafted_by_model": composed.by_model,
        }
        ask.save(update_fields=["state", "mode", "notice", "finished_at", "receipt"])


def _row(ask: Ask, sentence: Sentence | Refused) -> AnswerSentence:
    kept = isinstance(sentence, Sentence)
    return AnswerSentence(
        ask=ask, ordinal=sentence.ordinal, text=_storable(sentence.text),
        group=sentence.group[:120] if isinstance(sentence, Sentence) else "",
        state=AnswerSentence.State.KEPT if kept else AnswerSentence.State.DROPPED,
        reason="" if isinstance(sentence, Sentence) else sentence.reason,
        lost=[
            {key: _storable(text) for key, text in asdict(lost).items()} for lost in sentence.lost
        ],
    )  # fmt: skip


def _storable(text: str) -> str:
    """Without what no database column takes: NUL and halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _state(composed: Composed) -> str:
    if composed.cancelled:
        return Ask.State.CANCELLED
    return Ask.State.ANSWERED if composed.found else Ask.State.NOT_FOUND
