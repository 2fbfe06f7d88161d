"""All mentions in a part of a text, without overlaps: the one entry of this package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingestion.recognising import amounts, dates, metrics, names, people, tagging
from ingestion.recognising.judging import surnames_of
from ingestion.recognising.known_names import KnownNames
from ingestion.recognising.mention import COMPANY, PERSON, PLACE, Found, disjoint, flat

# Part of the recogniser's version: raise it when the rules find something else than before.
RULES = "5"
WINDOW_CHARACTERS = 40_000


def find(
    text: str,
    start: int,
    end: int,
    known: KnownNames,
    filer: KnownNames | None = None,
) -> list[Found]:
    """Mentions in `text[start:end]` in reading order, as offsets into `text`.

    Nothing is found across the two borders: choose them by `windows`. Raises TaggerUnavailable.
    """
    part = text[start:end]
    tags = list(tagging.tag(part, [(0, len(part))]))
    organisations = [cell for span in _spans(tags, COMPANY) for cell in _cells(part, *span)]
    others = _spans(tags, PERSON) + _spans(tags, PLACE) + _spans(tags, "other")
    persons = list(people.people(part, _spans(tags, PERSON)))
    persons += people.repeated(part, persons)
    surnames = surnames_of({person.name for person in persons})
    found = names.companies(part, organisations, known, filer, others=others, surnames=surnames)
    found += names.references(part)
    signed = {(m.start, m.end) for m in persons if m.value.pop("signed", False)}
    # A tagger takes signatures in capitals for organisations.
    found = [m for m in found if (m.start, m.end) not in signed] + persons
    found += amounts.money(part)
    found += amounts.percents(part)
    found += dates.dates(part)
    found += dates.periods(part)
    found += metrics.metrics(part)
    found += [Found(*span, PLACE, flat(part[slice(*span)])) for span in _spans(tags, PLACE)]
    kept = _implied_last(found)
    return [replace(m, start=m.start + start, end=m.end + start) for m in kept]


def windows(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Parts of the text in order, cut between paragraphs where there are any."""
    while start < len(text):
        end = min(start + WINDOW_CHARACTERS, len(text))
        if end < len(text):
            for border in ("\n\n", "\n", " "):
                cut = text.rfind(border, start + WINDOW_CHARACTERS // 2, end)
                if cut > 0:
                    end = cut + len(border)
                    break
        yield start, end
        start = end


def _implied_last(found: list[Found]) -> list[Found]:
    """A bare number is money only where nothing else is; a metric may name a company's product."""
    plain = [m for m in found if not m.value.get("implied")]
    kept = disjoint(plain)
    taken = {offset for m in kept for offset in range(m.start, m.end)}
    implied = [
        m for m in found if m.value.get("implied") and taken.isdisjoint(range(m.start, m.end))
    ]
    return sorted(kept + implied, key=lambda m: m.start)


def _cells(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a tagged span that lie in one cell of a row each: no name spans two."""
    for match in re.finditer(r"[^|\s](?:[^|]*[^|\s])?", text[start:end]):
        yield start + match.start(), start + match.end()


def _spans(tags: Sequence[tagging.Tag], kind: str) -> list[tuple[int, int]]:
    return [(tag.start, tag.end) for tag in tags if tag.kind == kind]
