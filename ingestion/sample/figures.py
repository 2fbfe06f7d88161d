"""Formatted figures by name, and the filling of ``{rev}``-like placeholders in prose and questions."""

from __future__ import annotations

import re
from functools import cache

from ingestion.sample.companies import load_companies, long_date, spoken_period
from ingestion.sample.model import Statements, model_of

SLOT = re.compile(r"\{([\w.]+)\}")


def amount(tenths: int) -> str:
    """A bare table figure: ``1,234.5``, negatives in parentheses."""
    text = f"{abs(tenths) / 10:,.1f}"
    return f"({text})" if tenths < 0 else text


def money(tenths: int) -> str:
    """A figure in a sentence: ``$1,234.5 million`` or ``negative $3.0 million``."""
    return f"{'negative ' if tenths < 0 else ''}${abs(tenths) / 10:,.1f} million"


def percent(part: float, whole: float) -> str:
    """``part`` of ``whole`` as ``38.4%``."""
    return f"{100 * part / whole:.1f}%" if whole else "n/m"


def growth(now: int, then: int) -> str:
    """The size of a change, without its sign: ``6.3%``."""
    return f"{abs(100 * (now - then) / then):.1f}%" if then else "n/m"


def margin(part: int, whole: int) -> float:
    """A margin in percent, rounded as printed, so that differences in points agree with it."""
    return round(100 * part / whole, 1)


def points(now: float, then: float) -> str:
    """The size of a change between two printed percentages, in basis points."""
    return str(abs(round((now - then) * 100)))


def before(period: str, back: int = 4) -> str:
    """The period ``back`` quarters earlier; years and years to date go back one year."""
    year, tail = int(period[:4]), period[4:]
    if tail[0] != "Q":
        return f"{year - 1}{tail}"
    index = year * 4 + int(tail[1]) - 1 - back
    return f"{index // 4}Q{index % 4 + 1}"


def _compared(now: Statements, then: Statements) -> dict[str, str]:
    """Figures that compare a period with the same one a year earlier."""
    gm, gm_py = margin(now.gross, now.revenue), margin(then.gross, then.revenue)
    om, om_py = margin(now.operating, now.revenue), margin(then.operating, then.revenue)
    return {
        "rev_py": money(then.revenue),
        "rev_g": growth(now.revenue, then.revenue),
        "rev_dir": "increased" if now.revenue >= then.revenue else "decreased",
        "rev_up": "up" if now.revenue >= then.revenue else "down",
        "rev_chg": money(abs(now.revenue - then.revenue)),
        "gm_py": f"{gm_py}%",
        "gm_bps": points(gm, gm_py),
        "gm_dir": "increased" if gm >= gm_py else "decreased",
        "gm_up": "up" if gm >= gm_py else "down",
        "om_py": f"{om_py}%",
        "om_bps": points(om, om_py),
        "eps_py": eps(then),
        "sga_py": money(then.sga),
        "rd_py": money(then.rd),
        "rd_dir": "increased" if now.rd >= then.rd else "decreased",
        "rd_g": growth(now.rd, then.rd),
        "op_py": money(then.operating),
        "net_py": money(then.net),
        "cfo_py": money(then.cfo),
        "fcf_py": money(then.fcf),
        "capex_py": money(then.capex),
        "capex_g": growth(now.capex, then.capex),
        "inv_py": money(then.inv),
    }


def eps(now: Statements) -> str:
    """Earnings per diluted share: ``$1.04`` or ``$(0.12)``."""
    return f"${now.eps:.2f}" if now.eps >= 0 else f"$({-now.eps:.2f})"


def _plain(now: Statements) -> dict[str, str]:
    """Figures of the period itself."""
    return {
        "rev": money(now.revenue),
        "revm": f"${now.revenue / 10:,.0f} million",
        "gp": money(now.gross),
        "gm": f"{margin(now.gross, now.revenue)}%",
        "op": money(now.operating),
        "om": f"{margin(now.operating, now.revenue)}%",
        "ni": money(now.net),
        "eps": eps(now),
        "sga": money(now.sga),
        "sga_pct": percent(now.sga, now.revenue),
        "rd": money(now.rd),
        "rd_pct": percent(now.rd, now.revenue),
        "capex": money(now.capex),
        "cfo": money(now.cfo),
        "fcf": money(now.fcf),
        "fcf_abs": money(abs(now.fcf)),
        "cash": money(now.cash),
        "debt": money(now.debt),
        "inv": money(now.inv),
        "special": money(now.special),
        "interest": money(now.interest),
        "tax_rate": percent(now.tax, now.pretax),
        "buyback": money(now.buybacks),
        "dividends": money(now.dividends),
        "acquired": money(now.acquired),
    }


@cache
def figures(key: str, period: str, original: bool = False) -> dict[str, str]:
    """All named figures and words of a company's period; segments are ``s1``, ``s1_g``, ..."""
    company, model = load_companies()[key], model_of(key, original)
    now, named = model.of(period), _plain(model.of(period))
    if period[:4] != "2022":
        then = model.of(before(period))
        named |= _compared(now, then)
        for index, part in enumerate(now.segments):
            was = then.segments[index]
            named[f"s{index + 1}"] = money(part)
            named[f"s{index + 1}_py"] = money(was)
            named[f"s{index + 1}_g"] = growth(part, was)
            named[f"s{index + 1}_dir"] = "increased" if part >= was else "decreased"
            named[f"s{index + 1}_up"] = "up" if part >= was else "down"
            named[f"s{index + 1}_mix"] = percent(part, now.revenue)
    if period[4] == "Q" and period != "2022Q1":
        last = model.of(before(period, 1))
        gm, gm_pq = margin(now.gross, now.revenue), margin(last.gross, last.revenue)
        named |= {"gm_pq": f"{gm_pq}%", "gm_pq_bps": points(gm, gm_pq)}
        named |= {"rev_pq": money(last.revenue), "rev_pq_g": growth(now.revenue, last.revenue)}
        named |= {"inv_pq": money(last.inv)}
    heads = company.raw["headcount"]
    named["hc"], named["hc_py"] = (f"{heads[str(y)]:,}" for y in _years(period))
    named["end"] = long_date(
        company.period_end(period if period[4] != "Y" else _as_quarter(period))
    )
    article = "" if period.endswith("FY") else "the "
    named["period"] = article + spoken_period(_as_quarter(period))
    for name, text in company.raw.get("guide", {}).get(_as_quarter(period, "Q4"), {}).items():
        named[f"g_{name}"] = text
    return named


def _years(period: str) -> tuple[int, int]:
    """The year of the last headcount known at the period, and the one before."""
    year = int(period[:4]) - (0 if period.endswith(("FY", "Q4", "Y4")) else 1)
    return max(year, 2022), max(year - 1, 2022)


def _as_quarter(period: str, year_end: str = "FY") -> str:
    """Year-to-date periods under the name of their last quarter; years as ``year_end``."""
    return period.replace("Y", "Q") if period[4] == "Y" else period.replace("FY", year_end)


def fill(text: str, key: str, period: str, original: bool = False) -> str:
    """Replace ``{rev}``, ``{2023Q4.rev}`` and ``{halden.2023Q4.rev}``; raises on unknown names."""

    def replace(match: re.Match[str]) -> str:
        parts = match.group(1).split(".")
        name = parts[-1]
        when = parts[-2] if len(parts) > 1 else period
        who = parts[-3] if len(parts) > 2 else key
        found = figures(who, when, original and who == key)
        if name not in found:
            raise KeyError(f"{who} {when} has no figure {name!r} (in {text[:60]!r})")
        return found[name]

    filled = SLOT.sub(replace, " ".join(text.split()))
    return re.sub(r"(N|n)et income was negative \$", r"\1et loss was $", filled)
