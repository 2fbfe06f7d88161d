"""Loads the fictional companies: identity, model inputs and hand-written prose, one TOML each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
QUARTERS = tuple(f"{year}Q{n}" for year in (2022, 2023, 2024) for n in (1, 2, 3, 4))
ORDINALS = ("first", "second", "third", "fourth")
MONTH_ENDS = {3: 31, 6: 30, 9: 30, 12: 31}


@dataclass(frozen=True)
class Company:
    """One company; ``raw`` is its whole TOML file, read by the writers of each kind."""

    key: str
    name: str
    short: str
    ticker: str
    sector: str
    fye_month: int
    raw: dict[str, Any]

    def text(self, *path: str) -> str:
        """The prose under ``path``, or an empty string when the company has none there."""
        node: Any = self.raw
        for part in path:
            node = node.get(part, {}) if isinstance(node, dict) else {}
        return str(node).strip() if node else ""

    def period_end(self, period: str) -> date:
        """The last day of ``2024Q1`` or ``2024FY`` in this company's fiscal calendar."""
        year, quarter = int(period[:4]), 4 if period.endswith("FY") else int(period[-1])
        month = self.fye_month - 3 * (4 - quarter)
        if month <= 0:
            month, year = month + 12, year - 1
        return date(year, month, MONTH_ENDS[month])

    def call_day(self, period: str) -> date:
        """The day results were announced and the call was held; always a weekday."""
        last = period.endswith(("FY", "Q4"))
        return weekday(self.period_end(period), (36 if last else 25) + len(self.name) % 9)

    def filing_day(self, period: str) -> date:
        """The day the periodic report was filed, a few days after the call."""
        gap = 13 if period.endswith(("FY", "Q4")) else 4
        return weekday(self.call_day(period), gap + len(self.key) % 3)


def weekday(day: date, days: int) -> date:
    """``day`` plus ``days``, moved on to Monday when it falls on a weekend."""
    moved = day + timedelta(days=days)
    return moved + timedelta(days=max(0, 7 - moved.weekday()) if moved.weekday() > 4 else 0)


def long_date(day: date) -> str:
    """A date as a filing prints it: ``May 2, 2024``."""
    return f"{day:%B} {day.day}, {day.year}"


def spoken_period(period: str) -> str:
    """``2024Q1`` as ``first quarter of fiscal 2024``; ``2024FY`` as ``fiscal 2024``."""
    if period.endswith("FY"):
        return f"fiscal {period[:4]}"
    return f"{ORDINALS[int(period[-1]) - 1]} quarter of fiscal {period[:4]}"


@cache
def load_companies() -> dict[str, Company]:
    """All companies by key, in file-name order; the files are read once per process."""
    found: dict[str, Company] = {}
    for path in sorted((HERE / "companies").glob("*.toml")):
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = Company(
            key=path.stem,
            name=raw["name"],
            short=raw["short"],
            ticker=raw["ticker"],
            sector=raw["sector"],
            fye_month=raw["fye_month"],
            raw=raw,
        )
    return found
