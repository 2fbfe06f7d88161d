"""Citations and passages as one person is shown them; `None` for what this person may not see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F
from django.db.models.functions import Least, Substr
from django.urls import reverse

from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import standing_for
from qa.answer_tables import AnswerSentence, Ask, Citation
from qa.composing import Sentence
from qa.numbering import Numbers

PASSAGE_SHOWN = 1_200  # characters


class Citer:
    """Looks each document up once. Documents are named by the arrival that the person knows."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._known: dict[int, Document | None] = {}
        self._frozen: dict[int, Document] = {}

    def learn(self, documents: Iterable[int]) -> None:
        """Look these up at once, to save a query for each."""
        new = set(documents) - self._known.keys()
        if not new:
            return
        known = standing_for(new, self._user)
        self._known |= {pk: known.get(pk) for pk in new}
        self._frozen |= Document.objects.only("pages").in_bulk(list(known))

    def know(self, documents: Mapping[int, Document]) -> None:
        """Documents that were looked up for this person just now, by the id of the original."""
        new = {pk: row for pk, row in documents.items() if pk not in self._known}
        self._known |= new
        self._frozen |= Document.objects.only("pages").in_bulk(list(new))

    def place(self, document: int, start: int, end: int) -> dict[str, Any] | None:
        """`document` (uuid), `title`, `company`, `kind`, `period`, `date`, `page`, `start`, `end`,
        `url` of these characters."""
        self.learn([document])
        known = self._known[document]
        if known is None:
            return None
        address = reverse("ingestion:document", args=[known.public_id])
        return {
            "document": str(known.public_id),
            "title": str(known),
            "company": known.company.name if known.company else "",
            "kind": str(known.get_kind_display()),
            "period": known.period,
            "date": known.published_on.isoformat() if known.published_on else "",
            "page": self._frozen[document].page_of(start),
            "start": start,
            "end": end,
            "url": f"{address}?start={start}&end={end}",
        }

    def sees_all(self, documents: Iterable[int]) -> bool:
        wanted = set(documents)
        self.learn(wanted)
        return all(self._known[pk] is not None for pk in wanted)


def sentence_data(sentence: Sentence, citer: Citer, numbers: Numbers) -> dict[str, Any]:
    """A sentence just released: `ordinal`, `text`, `group`, `citations` with `n` and `quote`."""
    citer.learn(cited.document_id for cited in sentence.citations)
    citations = []
    for cited in sentence.citations:
        number = numbers.of(cited.document_id, cited.chunk_id, cited.start, cited.end)
        place = citer.place(cited.document_id, cited.start, cited.end)
        if place is not None:
            citations.append({"n": number, "quote": cited.quote, **place})
    return {
        "ordinal": sentence.ordinal,
        "text": sentence.text,
        "group": sentence.group,
        "citations": citations,
    }


def kept_sentences(ask: Ask, user: User) -> list[dict[str, Any]] | None:
    """The same of a recorded answer; None where the user may not see every cited document."""
    rows = list(ask.sentences.filter(state=AnswerSentence.State.KEPT).prefetch_related("citations"))
    citer = Citer(user)
    if not citer.sees_all(cited.document_id for row in rows for cited in row.citations.all()):
        return None
    return [
        {
            "ordinal": row.ordinal,
            "text": row.text,
            "group": row.group,
            "citations": [_cited(cited, citer) for cited in row.citations.all()],
        }
        for row in rows
    ]


def _cited(cited: Citation, citer: Citer) -> dict[str, Any]:
    place = citer.place(cited.document_id, cited.start, cited.end) or {}
    return {"n": cited.number, "quote": cited.quote, **place}


def shown_passages(ask: Ask, user: User, citer: Citer | None = None) -> list[dict[str, Any]]:
    """The passages listed without being cited that this user may see, with their `text`."""
    part = Substr("document__text", F("start") + 1, Least(F("end") - F("start"), PASSAGE_SHOWN))
    visible = Document.objects.visible_to(user)
    rows = list(ask.passages.filter(document__in=visible).annotate(part=part))
    citer = citer or Citer(user)
    citer.learn(row.document_id for row in rows)
    found = []
    for row in rows:
        place = citer.place(row.document_id, row.start, row.end)
        if place is not None:
            found.append({"ordinal": row.ordinal, "text": row.part, **place})
    return found
