"""The fiscal period of what is published about one: a call, a release, a note, a story.

Such documents compare with other periods, so what they name must be possible on their day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from ingestion.parsing import first_page, periods


class Named(NamedTuple):
    """A fiscal quarter, a year or both as one source names them together."""

    quarter: int | None
    year: int | None
    source: str


_NOTHING = Named(None, None, "")


def named_by(name: Mapping[str, Any], title: str, text: str, kind: str) -> list[Named]:
    """What the file name, the title and the beginning of the text name, in this order."""
    named = [Named(name.get("fiscal_quarter"), name.get("fiscal_year"), "name")]
    named += [Named(*period, "file") for period in periods.periods_named(title)]
    named += [Named(*period, "page") for period in first_page.named_periods(text, kind)]
    return named


def settle(
    named: list[Named], day: dt.date | None, quarter: int | None = None, year: int | None = None
) -> Named:
    """The period of those named, the most trusted first; nothing rather than a doubtful one.

    `quarter` and `year` are given when they are beyond doubt. The source "day" stands for a year
    that follows from the day alone. A quarter never comes without its year.
    """
    usable = [one for one in named if year or _may_be(one.year, one.quarter, day)]
    sure = year or next((one.year for one in usable if one.source == "name"), None)
    usable = [one for one in usable if not sure or one.year in (None, sure)]
    first = next((one for one in usable if one.quarter), _NOTHING)
    if year:
        return Named(quarter or first.quarter, year, first.source)
    if quarter := quarter or first.quarter:
        return _of_quarter(quarter, usable, day, any(one.year for one in named[:1]))
    # The words about a year are as often about the one to come.
    past = (
        one
        for one in usable
        if one.year and (one.source == "name" or not day or one.year < day.year)
    )
    return next(past, _NOTHING)


def _of_quarter(quarter: int, usable: list[Named], day: dt.date | None, in_name: bool) -> Named:
    """Its year as named with it, alone, or by the day unless the file name has another year."""
    together = next((one for one in usable if one.quarter == quarter and one.year), None)
    if together:
        return together
    alone = next((one for one in usable if one.year and not one.quarter), None)
    recent = periods.year_of_recent_quarter(quarter, day) if day else None
    if alone:
        sound = _may_be(alone.year, quarter, day) and recent in (None, alone.year)
        return Named(quarter, alone.year, alone.source) if sound else _NOTHING
    return Named(quarter, recent, "day") if recent and not in_name else _NOTHING


def _may_be(year: int | None, quarter: int | None, day: dt.date | None) -> bool:
    return not (year and day) or periods.may_be_reported(year, quarter, day)
