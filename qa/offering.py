"""Passages as the verifier and the composers read them, each under a short reference.

Only documents that the user may see are read; a passage of another is left out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ingestion.models import Company, CompanyAlias, Document
from ingestion.querysets import User
from qa.checking.evidence import Header, Source
from qa.checking.wording import KNOWN_WORDS
from qa.passages import Passage

_LEGAL = frozenset(
    "inc corp corporation company co plc ltd limited llc group holdings ag sa nv se the".split()  # noqa: SIM905
)
NAMES_KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Offered:
    """A passage that an answer may cite as `reference` ("p1"), with its document's particulars."""

    reference: str
    passage: Passage
    source: Source
    title: str
    kind_label: str
    period: str
    company_id: int | None
    published_on: date | None

    @property
    def heading(self) -> str:
        """Company, kind, period and date on one line."""
        published = f"published {self.published_on}" if self.published_on else ""
        parts = (self.source.header.company, self.kind_label, self.period, published)
        return " · ".join(part for part in parts if part) or self.title


def offer(passages: Sequence[Passage], user: User) -> list[Offered]:
    """The passages in their order, numbered from "p1"."""
    wanted = {passage.document_id for passage in passages}
    documents = (
        Document.objects.visible_to(user)
        .filter(pk__in=wanted)
        .select_related("company")
        .defer("sections", "tables", "pages")
        .in_bulk()
    )
    names = _names_of({d.company_id for d in documents.values() if d.company_id})
    offered: list[Offered] = []
    for passage in passages:
        document = documents.get(passage.document_id)
        if document is None:
            continue
        source = Source(
            document.pk, document.text, passage.start, passage.end,
            _header(document, names), passage.chunk_id,
        )  # fmt: skip
        offered.append(
            Offered(
                f"p{len(offered) + 1}", passage, source, str(document),
                str(document.get_kind_display()), document.period, document.company_id,
                document.published_on,
            )
        )  # fmt: skip
    return offered


def _header(document: Document, names: dict[int, tuple[str, ...]]) -> Header:
    company = document.company
    return Header(
        company.name if company else "",
        names.get(company.pk, ()) if company else (),
        document.kind,
        document.fiscal_year,
        document.fiscal_quarter,
        document.published_on,
    )


def _names_of(companies: set[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {pk: [] for pk in companies}
    for pk, ticker in Company.objects.filter(pk__in=companies).values_list("pk", "ticker"):
        found[pk] += [ticker] if ticker else []
    aliases = CompanyAlias.objects.filter(company__in=companies)
    for pk, name in aliases.values_list("company", "name"):
        found[pk].append(name)
    return {pk: tuple(dict.fromkeys(listed)) for pk, listed in found.items()}


_kept: tuple[float, frozenset[str]] = (0.0, frozenset())


def known_names() -> frozenset[str]:
    """Names of companies that are one everyday word ("target"), in small letters; kept ten minutes.

    A sentence that begins with one would else be taken for one that begins with a word.
    """
    global _kept  # noqa: PLW0603
    now = time.monotonic()
    if _kept[1] and now - _kept[0] < NAMES_KEPT_SECONDS:
        return _kept[1]
    names = list(Company.objects.values_list("name", flat=True))
    names += CompanyAlias.objects.values_list("name", flat=True)
    single = set()
    for name in names:
        parts = [part.strip(".,").lower() for part in name.split()]
        while len(parts) > 1 and parts[-1] in _LEGAL:
            parts.pop()
        if len(parts) == 1 and len(parts[0]) > 2 and parts[0] not in KNOWN_WORDS:
            single.add(parts[0])
    _kept = (now, frozenset(single))
    return _kept[1]
