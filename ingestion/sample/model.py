"""The financial model: twelve quarters of statements per company that add up to the last digit.

Amounts are integers in tenths of a million dollars, so that sums in printed tables are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from ingestion.sample.companies import QUARTERS, Company, load_companies


@dataclass(frozen=True)
class Statements:
    """Income, cash flow and closing balance of one quarter or year, in tenths of a million."""

    segments: tuple[int, ...]
    cogs: int
    sga: int
    rd: int
    special: int
    interest: int
    tax: int
    dep: int
    amort: int
    sbc: int
    capex: int
    acquired: int
    dividends: int
    buybacks: int
    borrowed: int
    d_recv: int
    d_inv: int
    d_pay: int
    d_accr: int
    cash: int
    recv: int
    inv: int
    other_ca: int
    ppe: int
    intang: int
    pay: int
    accr: int
    debt: int
    other_ll: int
    equity: int
    shares: int  # in hundred thousands, so that EPS = net / shares in dollars

    @property
    def revenue(self) -> int:
        return sum(self.segments)

    @property
    def gross(self) -> int:
        return self.revenue - self.cogs

    @property
    def opex(self) -> int:
        return self.sga + self.rd + self.special + self.amort

    @property
    def operating(self) -> int:
        return self.gross - self.opex

    @property
    def pretax(self) -> int:
        return self.operating - self.interest

    @property
    def net(self) -> int:
        return self.pretax - self.tax

    @property
    def cfo(self) -> int:
        flows = self.dep + self.amort + self.sbc + self.d_pay + self.d_accr
        return self.net + flows - self.d_recv - self.d_inv

    @property
    def cfi(self) -> int:
        return -self.capex - self.acquired

    @property
    def cff(self) -> int:
        return self.borrowed - self.dividends - self.buybacks

    @property
    def fcf(self) -> int:
        return self.cfo - self.capex

    @property
    def current_assets(self) -> int:
        return self.cash + self.recv + self.inv + self.other_ca

    @property
    def assets(self) -> int:
        return self.current_assets + self.ppe + self.intang

    @property
    def liabilities(self) -> int:
        return self.pay + self.accr + self.debt + self.other_ll

    @property
    def eps(self) -> float:
        return round(self.net / self.shares, 2)


STOCKS = frozenset(
    [
        "cash",
        "recv",
        "inv",
        "other_ca",
        "ppe",
        "intang",
        "pay",
        "accr",
        "debt",
        "other_ll",
        "equity",
        "shares",
    ]
)


def add_up(parts: list[Statements]) -> Statements:
    """Quarters summed to a longer period: flows add, balances are those of the last quarter."""
    values: dict[str, object] = {}
    for item in fields(Statements):
        if item.name == "segments":
            values["segments"] = tuple(map(sum, zip(*(p.segments for p in parts), strict=True)))
        elif item.name in STOCKS:
            values[item.name] = getattr(parts[-1], item.name)
        else:
            values[item.name] = sum(getattr(p, item.name) for p in parts)
    values["shares"] = round(sum(p.shares for p in parts) / len(parts))
    return Statements(**values)  # type: ignore[arg-type]


def _series(raw: list[float], growth: float) -> list[int]:
    """Eight given quarters in millions, with the year before derived from the growth since."""
    first = [round(value / (1 + growth) * 10) for value in raw[:4]]
    return first + [round(value * 10) for value in raw]


def _percent(raw: float | list[float], index: int) -> float:
    """The value for quarter ``index`` of twelve; the first year repeats the second."""
    if isinstance(raw, (int, float)):
        return float(raw)
    return raw[index if index < 4 else index - 4]


def _by_quarter(company: Company, name: str, index: int) -> int:
    """A one-off amount in tenths for the quarter, from a table like ``special.2024Q2 = 12.0``."""
    return round(company.raw["model"].get(name, {}).get(QUARTERS[index], 0) * 10)


def _quarter(
    company: Company, before: Statements, index: int, segments: tuple[int, ...]
) -> Statements:
    """Roll the balance forward by one quarter."""
    model = company.raw["model"]
    revenue = sum(segments)
    margin = _percent(model["gm"], index)
    margin = margin - model.get("gm22_delta", 0.4) if index < 4 else margin
    cogs = revenue - round(revenue * margin / 100)
    sga, rd = (round(revenue * _percent(model[k], index) / 100) for k in ("sga", "rd"))
    special = _by_quarter(company, "special", index)
    borrowed = _by_quarter(company, "borrowed", index)
    acquired = _by_quarter(company, "acquired", index)
    amort = round(before.intang * 0.012)
    interest = round(before.debt * model.get("rate", 5.2) / 400)
    pretax = revenue - cogs - sga - rd - special - amort - interest
    tax = round(pretax * model.get("tax", 22) / 100)
    capex = round(_percent(model["capex"], index) * 10 * (0.92 if index < 4 else 1))
    dep = round(before.ppe * 0.026)
    sbc = round(revenue * 0.012)
    days = _percent(model.get("inv_days", 88), index)
    recv, inv = round(revenue * model.get("recv_days", 52) / 91), round(cogs * days / 91)
    pay, accr = round(cogs * 44 / 91), round(revenue * 0.21)
    net = pretax - tax
    dividends, buybacks = round(model.get("dividend", 0) * 10), round(model.get("buyback", 0) * 10)
    moved = (recv - before.recv) + (inv - before.inv) - (pay - before.pay) - (accr - before.accr)
    cash = before.cash + net + dep + amort + sbc - moved - capex - acquired
    cash += borrowed - dividends - buybacks
    return Statements(
        segments=segments, cogs=cogs, sga=sga, rd=rd, special=special, interest=interest, tax=tax,
        dep=dep, amort=amort, sbc=sbc, capex=capex, acquired=acquired, dividends=dividends,
        buybacks=buybacks, borrowed=borrowed, d_recv=recv - before.recv, d_inv=inv - before.inv,
        d_pay=pay - before.pay, d_accr=accr - before.accr, cash=cash, recv=recv, inv=inv,
        other_ca=before.other_ca, ppe=before.ppe + capex - dep,
        intang=before.intang - amort + acquired, pay=pay, accr=accr, debt=before.debt + borrowed,
        other_ll=before.other_ll, equity=before.equity + net + sbc - dividends - buybacks,
        shares=before.shares,
    )  # fmt: skip


def _opening(company: Company, revenue: int) -> Statements:
    """The balance sheet at the end of the year before the first modelled quarter."""
    model = company.raw["model"]
    cash, debt = round(model["cash"] * 10), round(model["debt"] * 10)
    recv, inv = round(revenue * 0.56), round(revenue * 0.55)
    ppe, intang = round(model["ppe"] * 10), round(model["intang"] * 10)
    pay, accr = round(revenue * 0.29), round(revenue * 0.21)
    other_ca, other_ll = round(revenue * 0.08), round(revenue * 0.18)
    equity = cash + recv + inv + other_ca + ppe + intang - pay - accr - debt - other_ll
    flows = {f.name: 0 for f in fields(Statements) if f.name not in STOCKS and f.name != "segments"}
    return Statements(
        segments=(revenue,), cash=cash, recv=recv, inv=inv, other_ca=other_ca, ppe=ppe,
        intang=intang, pay=pay, accr=accr, debt=debt, other_ll=other_ll, equity=equity,
        shares=round(model["shares"] * 10), **flows,
    )  # fmt: skip


def _overstated(true: Statements, extra: int, tax_rate: float) -> Statements:
    """The quarter with ``extra`` sales of the first segment that were not yet made.

    They brought no cash: receivables stand against goods still in the warehouse and tax.
    """
    cost = extra - round(extra * true.gross / true.revenue)
    tax = round((extra - cost) * tax_rate / 100)
    return replace(
        true,
        segments=(true.segments[0] + extra, *true.segments[1:]),
        cogs=true.cogs + cost,
        tax=true.tax + tax,
        recv=true.recv + extra,
        d_recv=true.d_recv + extra,
        inv=true.inv - cost,
        d_inv=true.d_inv - cost,
        accr=true.accr + tax,
        d_accr=true.d_accr + tax,
        equity=true.equity + extra - cost - tax,
    )


class Model:
    """Statements of one company by period: ``2024Q1``, ``2024FY`` or year to date ``2024Y2``."""

    def __init__(self, company: Company, original: bool = False) -> None:
        """``original`` gives the figures as first reported, before a restatement."""
        self.company = company
        rows = [_series(s["rev"], s["growth22"]) for s in company.raw["model"]["segments"]]
        last = _opening(company, sum(r[0] for r in rows))
        self.quarters: dict[str, Statements] = {}
        for index, name in enumerate(QUARTERS):
            last = _quarter(company, last, index, tuple(r[index] for r in rows))
            self.quarters[name] = last
        if original:
            self._overstate(company.raw["model"])

    def _overstate(self, model: dict[str, Any]) -> None:
        """Put the figures as first reported; quarters after them keep the true balances."""
        for name, extra in model.get("overstated", {}).items():
            true = self.quarters[name]
            self.quarters[name] = _overstated(true, round(extra * 10), model.get("tax", 22))

    def of(self, period: str) -> Statements:
        """The statements of a quarter, a year (``FY``) or the year to date (``Y1`` to ``Y4``)."""
        if period in self.quarters:
            return self.quarters[period]
        upto = 4 if period.endswith("FY") else int(period[-1])
        return add_up([self.quarters[f"{period[:4]}Q{n}"] for n in range(1, upto + 1)])


@cache
def model_of(company_key: str, original: bool = False) -> Model:
    """The model of a company, built once per process."""
    return Model(load_companies()[company_key], original)
