"""Passages that may answer a question about named companies: their own, and those that name them.

What retrieval looks at besides, lest a misread name lose the document, is never composed of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Substr

from ingestion.metadata import company_key
from ingestion.models import CompanyAlias, Document, Mention
from ingestion.recognising.names import without_form
from ingestion.recognising.words import is_generic
from qa.evidence import Found
from qa.passages import Passage
from qa.question.companies import NameIndex
from qa.question.known_companies import name_index
from qa.understood import Understanding

# "Against its peers": companies that the question does not name are asked about too.
_OTHERS = re.compile(
    r"\b(?:peers?|competitors?|rivals?|industry|sector|(?:other|which|what|any|all|each|every|most|"
    r"similar|comparable)\s(?:\w+\s)?(?:compan(?:y|ies)|firms?|issuers?|banks?|retailers?|"
    r"\w*makers?|producers?|businesses))\b",
    re.I,
)
SHORTEST_NAME = 3
LOOKED_THROUGH = 20_000  # characters of a document that is of no company


@dataclass(frozen=True, slots=True)
class Kept:
    """`found` in their order; `left_out` counts the better ones among them that were not kept."""

    found: tuple[Found, ...]
    left_out: int = 0
    names: tuple[str, ...] = ()

    @property
    def passages(self) -> list[Passage]:
        return [each.with_cosine for each in self.found]

    @property
    def told(self) -> dict[str, Any]:
        """For the receipt; which companies were left out may be no matter of everyone's."""
        return {"passages": self.left_out, "companies": list(self.names)} if self.left_out else {}


def keep_to_companies(understanding: Understanding, found: Sequence[Found], most: int = 10) -> Kept:
    """The first `most` that are about a company that the question names; of any, if it names none.

    A passage of another company's document is kept if its text or the document's title names one
    that is asked about; a document that is of no company, if it names one anywhere, or none at all.
    None, where no company asked about has documents.
    """
    named = understanding.companies
    if named and not any(read.has_documents for read in named):
        return Kept((), len(found), tuple(read.name for read in named))
    if not named or understanding.hops or _asks_of_others(understanding):
        return Kept(tuple(found[:most]))
    asked = {read.id: read.name for read in named}
    concern = _Concern(asked, {each.passage.document_id for each in found})
    kept: list[Found] = []
    left_out = 0
    for each in found:
        if len(kept) == most:
            break
        if concern.holds(each.passage):
            kept.append(each)
        else:
            left_out += 1
    return Kept(tuple(kept), left_out, tuple(asked.values()))


def _asks_of_others(understanding: Understanding) -> bool:
    return len(understanding.companies) == 1 and bool(_OTHERS.search(understanding.question))


class _Concern:
    """Whether a passage concerns one of the companies asked about."""

    def __init__(self, asked: dict[int, str], documents: set[int]) -> None:
        fields = ("pk", "company", "title", "recognised_at")
        rows = Document.objects.filter(pk__in=documents).values_list(*fields)
        self._strange = {pk: title for pk, company, title, _ in rows if company not in asked}
        if not self._strange:
            return
        self._names = _names(asked)
        self._mentions: dict[int, list[int]] = {pk: [] for pk in self._strange}
        mentions = Mention.objects.filter(document__in=self._strange, company__in=asked)
        for document, start in mentions.values_list("document", "start"):
            self._mentions[document].append(start)
        self._of_nobody = self._naming_anywhere(
            {pk for pk, company, _, _ in rows if company is None},
            {pk for pk, _, _, recognised in rows if recognised},
        )

    def holds(self, passage: Passage) -> bool:
        title = self._strange.get(passage.document_id)
        if title is None or passage.document_id in self._of_nobody:
            return True
        named = any(
            passage.start <= start < passage.end for start in self._mentions[passage.document_id]
        )
        return named or bool(self._names.search(f"{title}\n{passage.text}"))

    def _naming_anywhere(self, documents: set[int], read: set[int]) -> set[int]:
        """Of these, those that name a company asked about, or that are known to name none."""
        if not documents:
            return set()
        beginning = Substr("text", 1, LOOKED_THROUGH)
        texts = Document.objects.filter(pk__in=documents).values_list("pk", beginning)
        naming = {pk for pk, text in texts if self._mentions[pk] or self._names.search(text)}
        speaking = Mention.objects.filter(document__in=documents, kind=Mention.Kind.COMPANY)
        return naming | (documents & read - set(speaking.values_list("document", flat=True)))


def _names(asked: dict[int, str]) -> re.Pattern[str]:
    """What the companies are called: names with and without legal form, aliases, and the
    beginnings of names that no other company's begins with."""
    index = name_index()
    said = {part for pk, name in asked.items() for part in _beginnings(pk, name, index)}
    said |= set(CompanyAlias.objects.filter(company__in=asked).values_list("name", flat=True))
    wanted = [*asked.values(), *sorted(filter(_tells, said), key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(_spaced, wanted))})(?!\w)", re.I)


def _beginnings(company: int, name: str, index: NameIndex) -> list[str]:
    words = without_form(name).split()
    found = []
    for count in range(1, len(words) + 1):
        part = " ".join(words[:count]).rstrip(",&")
        key = company_key(part)
        if index.leading.get(key, set()) | index.names.get(key, set()) <= {company}:
            found.append(part)
    return found


def _tells(name: str) -> bool:
    """Whether a name is none of the words that texts use for other things."""
    return len(name) >= SHORTEST_NAME and not is_generic(name)


def _spaced(name: str) -> str:
    return r"\s+".join(map(re.escape, name.split()))
