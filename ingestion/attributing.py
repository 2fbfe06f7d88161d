"""The company of a news document that nobody named: the one its title or its lead mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ingestion.models import Document, Mention

# Others name their company in a file name or on their first page, or have none.
KINDS = (Document.Kind.NEWS, Document.Kind.ANNOUNCEMENT)
LEAD_CHARACTERS = 600
# A lead is about whom the rest speaks of again; one mention may be in passing.
FEWEST_MENTIONS = 2
ORIGIN = "mention"


def attribution(document: Document) -> dict[str, Any]:
    """The changes to a locked document's row; empty where its company is to stay as it is.

    Nothing of its passages changes: their header names a document without a company by its title,
    which says the company too. Several companies, or one that is not linked, make it nobody's.
    """
    stored = Document.objects.values("provenance", "company").get(pk=document.pk)
    origin = stored["provenance"].get("company")
    if document.kind not in KINDS or origin not in (None, ORIGIN):
        return {}
    if stored["company"] is not None and origin is None:
        return {}
    company = _meant(document)
    if company == stored["company"]:
        return {}
    others = {name: who for name, who in stored["provenance"].items() if name != "company"}
    said = {**others, "company": ORIGIN} if company else others
    return {"company_id": company, "provenance": said}


def is_attributed(document: Document) -> bool:
    """Whether its company is only known from what it mentions, and so vouches for no mention."""
    return bool(document.provenance.get("company") == ORIGIN)


def _meant(document: Document) -> int | None:
    """The one company of the title, else of the lead; None where there is none or another too."""
    mentions = [
        mention
        for mention in document.mentions.filter(kind=Mention.Kind.COMPANY).order_by("start")
        if not mention.value.get("reference")
    ]
    titled = {m.company_id for m in mentions if _stands_in(m.name, document.title)}
    if titled:
        return _only(titled)
    meant = _only({m.company_id for m in mentions if m.start < LEAD_CHARACTERS})
    again = sum(m.company_id == meant for m in mentions)
    return meant if again >= FEWEST_MENTIONS else None


def _stands_in(name: str, title: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", title) is not None


def _only(companies: Iterable[int | None]) -> int | None:
    found = set(companies)
    return found.pop() if len(found) == 1 else None
