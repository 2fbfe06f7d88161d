"""A pasted coverage list, line by line, to companies that the analyst confirms."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from feed import known
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias
from ingestion.querysets import User

MOST_LINES = 500
MOST_CANDIDATES = 4
# Below this a name is no spelling of the other; at SURE nobody need look twice.
LEAST, SURE = 82.0, 97.0
_SEPARATORS = re.compile(r"[\n;\t]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was pasted, and the companies that it may mean, the likeliest first."""

    text: str
    companies: list[Company]
    sure: bool


def resolve(pasted: str, user: User) -> list[Line]:
    """A line for each name or ticker, at most 500; nothing is followed yet.

    A line without companies was not recognised. Names are compared without case and legal form, by
    rapidfuzz's ratio; a ticker counts as it stands.
    """
    parts = (" ".join(part.split()) for part in _SEPARATORS.split(pasted.replace("\0", " ")))
    texts = list(dict.fromkeys(part[:200] for part in parts if part))[:MOST_LINES]
    tickers = dict(Company.objects.exclude(ticker="").values_list("ticker", "pk"))
    names = [(key, pk) for key, pk in Company.objects.values_list("key", "pk") if key]
    names += [(key, pk) for key, pk in CompanyAlias.objects.values_list("key", "company") if key]
    found = [_candidates(text, tickers, names) for text in texts]
    rows = known.known_of({pk for pairs in found for pk, _ in pairs}, user)
    lines = []
    for text, pairs in zip(texts, found, strict=True):
        kept = [(rows[pk], score) for pk, score in pairs if pk in rows]
        sure = bool(kept) and kept[0][1] >= SURE and sum(score >= SURE for _, score in kept) == 1
        lines.append(Line(text, [row for row, _ in kept][:MOST_CANDIDATES], sure))
    return lines


def _candidates(
    text: str, tickers: dict[str, int], names: list[tuple[str, int]]
) -> list[tuple[int, float]]:
    """(company, 0 to 100), best first, each company once."""
    found: dict[int, float] = {}
    if (pk := tickers.get(text.upper())) is not None:
        found[pk] = 100.0
    key = company_key(text)
    choices = [name for name, _ in names]
    near = process.extract(
        key, choices, scorer=fuzz.ratio, score_cutoff=LEAST, limit=3 * MOST_CANDIDATES
    )
    for _name, score, at in near if key else ():
        found[names[at][1]] = max(found.get(names[at][1], 0.0), float(score))
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
