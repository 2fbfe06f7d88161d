"""How templates show what answers cite."""

from __future__ import annotations

import re
from datetime import date

from django import template
from django.utils.formats import date_format

from qa.reading_answers import Cite, ShownSentence

register = template.Library()


@register.filter
def one_line(text: str) -> str:
    """White space collapsed: a quote stands as its document has it, with its line ends."""
    return " ".join(text.split())


@register.filter
def cite_meta(cite: Cite) -> str:
    """Company, kind, date and page of a citation, on one line."""
    day = date_format(cite.published_on, "j M Y") if cite.published_on else ""
    page = f"p. {cite.page}" if cite.is_paged else ""
    return " · ".join(part for part in (cite.company, cite.kind, day, page) if part)


@register.filter
def of_period(sentence: ShownSentence, group: str) -> str:
    """The period of the first source, where neither the sentence nor its group names the year.

    "Gross margin decreased to 37.0%." says nothing by itself. `answer_parts.js` does the same.
    """
    period = sentence.citations[0].period if sentence.citations else ""
    year = re.search(r"\d{4}", period)
    return period if year and year[0] not in f"{sentence.text} {group}" else ""


@register.filter
def iso_day(value: str) -> str:
    """ "2024-03-01" as "1 Mar 2024"; anything else as it is."""
    try:
        return date_format(date.fromisoformat(value), "j M Y")
    except (TypeError, ValueError):
        return str(value or "")


@register.filter
def percent(share: float) -> str:
    """0.312 as "31 %"."""
    return f"{share:.0%}".replace("%", "\u202f%")
