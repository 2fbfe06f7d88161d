"""What a company's newest filing says otherwise than the one before of its kind.

Two annual reports take a third of a second to compare, so it is kept and fetched beside the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from ingestion.comparing import Difference, Figure, compare
from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import standing_for

FILINGS = (Document.Kind.ANNUAL_REPORT, Document.Kind.QUARTERLY_REPORT)
KEPT_SECONDS = 7 * 86_400
MOST_LOOKED_AT = 20
YEAR = re.compile(r"(?:19|20)\d\d")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]*\.?"
# What stands beside the day of a date, as in "February 26, 2024" and "26 February".
_MONTH_BEFORE = re.compile(rf"\b{_MONTH}\s+$")
_MONTH_AFTER = re.compile(rf"(?:st|nd|rd|th)?\s+{_MONTH}(?![a-z])")
LONGEST_MONTH = 12


@dataclass(frozen=True, slots=True)
class Changes:
    """`earlier` and `later` are the arrivals by which this person knows them."""

    earlier: Any
    later: Any
    found: Difference

    @property
    def rows(self) -> list[Figure]:
        """The first figure of each row or sentence: those beside it are of the year before."""
        found: dict[str, Figure] = {}
        for figure in self.figures:
            found.setdefault(figure.label, figure)
        return list(found.values())

    @property
    def figures(self) -> list[Figure]:
        """Without years, which are other ones in every filing, as the days of dates are."""
        return [
            figure
            for figure in self.found.figures
            if not (YEAR.fullmatch(figure.earlier) and YEAR.fullmatch(figure.later))
        ]


def since_last_filing(user: User, company: int) -> Changes | None:
    """Of the newest filing that has one before it; None where there is none of both."""
    rows = (
        Document.objects.visible_to(user)
        .searchable()
        .filter(company=company, kind__in=FILINGS, published_on__isnull=False)
        .order_by("-published_on", "-pk")
    )
    filings = list(rows.values("pk", "kind", "text_sha256", "fiscal_quarter")[:MOST_LOOKED_AT])
    for number, later in enumerate(filings):
        before = [row for row in filings[number + 1 :] if row["kind"] == later["kind"]]
        if before:
            known = standing_for([later["pk"], before[0]["pk"]], user)
            if len(known) == 2:
                return _compared(known[before[0]["pk"]], known[later["pk"]], before[0], later)
    return None


def _compared(
    earlier: Any, later: Any, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Changes:
    key = f"filing-changes-without-days-{before['text_sha256']}-{after['text_sha256']}"
    found = cache.get_or_set(key, lambda: _without_days(before["pk"], after["pk"]), KEPT_SECONDS)
    return Changes(earlier, later, found or Difference())


def _without_days(before: int, after: int) -> Difference:
    """What changed, but for the days of dates: they are no figures, though they are numbers."""
    texts = dict(Document.objects.filter(pk__in=(before, after)).values_list("pk", "text"))
    found = compare(texts[before], texts[after])
    found.figures = [
        figure
        for figure in found.figures
        if not (
            _is_day(texts[before], figure.earlier_span) and _is_day(texts[after], figure.later_span)
        )
    ]
    return found


def _is_day(text: str, span: tuple[int, int]) -> bool:
    start, end = span
    number = text[start:end].rstrip(",.")
    if not (number.isdigit() and 1 <= int(number) <= 31):
        return False
    before = _MONTH_BEFORE.search(text, max(0, start - LONGEST_MONTH), start)
    return before is not None or _MONTH_AFTER.match(text, end) is not None
