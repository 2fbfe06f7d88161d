"""The formulas of `qa/question/ratios.toml` as arithmetic over items of primary statements; pure.

Only those are known whose every word is an item, "average", "of the year (before)" or a number.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from qa.checking.statement_items import names

_RATIOS = Path(__file__).parents[1] / "question" / "ratios.toml"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DEEPEST = 3
CHANGE = "change of "
OVER_YEARS = re.compile(r"(?P<years>[23])-year (?P<how>average|sum|compound growth) of (?P<of>.+)")


@dataclass(frozen=True, slots=True)
class Operand:
    """An item of the year ("now"), of one or two years before, or the mean of both year ends."""

    item: str
    when: str = "now"


@dataclass(frozen=True, slots=True)
class Formula:
    """`tokens` in their order: operands, numbers, "+", "-", "x", "/", "^", "(" and ")".

    `of` is the ratio whose change it is.
    """

    unit: str
    tokens: tuple[str | Operand, ...]
    of: Formula | None = None

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Each once."""
        return tuple(dict.fromkeys(each for each in self.tokens if isinstance(each, Operand)))

    def evaluate(self, amounts: Mapping[Operand, Decimal]) -> Decimal:
        """Raises ArithmeticError where it divides by nothing or by what is negative."""
        reader = _Reader(self.tokens, amounts)
        result = reader.total()
        if reader.at != len(self.tokens):
            raise ArithmeticError("no formula")
        return result

    def shown(self, operands: Mapping[Operand, str]) -> str:
        """As text, with these words for its operands."""
        parts = [operands[each] if isinstance(each, Operand) else each for each in self.tokens]
        return " ".join(parts).replace("( ", "(").replace(" )", ")")


def formula(ratio: str) -> Formula | None:
    """The first of `formulas`, or None."""
    return next(iter(formulas(ratio)), None)


def formulas(ratio: str) -> tuple[Formula, ...]:
    """None for a ratio that is not known, or whose formula needs more than statements hold.

    Those behind the first serve where a statement lacks a row of it. "change of net income": of any
    item, against the year before; "change of gross margin": of a ratio in percent, in percentage
    points; "3-year average of net margin", "2-year sum of …", "2-year
    compound growth of …": over years of one statement. "net
    income / average total assets": what is written as the formulas of the list are.
    """
    over = OVER_YEARS.fullmatch(ratio)
    if over is not None:
        item = over["of"] in names()
        plain = (Formula("money", (Operand(over["of"]),)),)
        ways = plain if item else formulas(over["of"])
        return tuple(
            filter(None, (_over_years(way, over["how"], int(over["years"])) for way in ways))
        )
    changing = ratio.removeprefix(CHANGE)
    if changing == ratio:
        return _all().get(ratio, ()) or _written_out(ratio)
    if changing in names():
        return (Formula("change", (Operand(changing), "-", Operand(changing, "before"))),)
    return tuple(filter(None, map(_change_of, formulas(changing))))


def is_named(ratio: str) -> bool:
    """Whether its formula is of the lists, and not written out."""
    over = OVER_YEARS.fullmatch(ratio)
    plain = over["of"] if over else ratio.removeprefix(CHANGE)
    return plain in names() or plain in _all()


@lru_cache(maxsize=256)
def _written_out(text: str) -> tuple[Formula, ...]:
    """Of a formula that is in no list. Its unit is days, a share, or that of its items."""
    tokens = _tokens(text, _written(), _DEEPEST) or ()
    plain = {each for each in tokens if isinstance(each, str)}
    if not plain & set("+-/x"):
        return ()
    unit = "days" if plain & {"360", "365"} else "share" if "/" in plain else "money"
    made = Formula(unit, tokens)
    return (made,) if _is_sound(made) else ()


def _change_of(known: Formula) -> Formula | None:
    if known.unit not in ("percent", "share") or not _is_of_a_year(known):
        return None
    before = _shifted(known, "before")
    return Formula("points", ("(", *known.tokens, ")", "-", "(", *before, ")"), known)


def _over_years(known: Formula, how: str, years: int) -> Formula | None:
    """The mean, the sum or the growth a year; a sum or a growth of ratios says nothing."""
    if not _is_of_a_year(known) or (how != "average" and known.unit != "money"):
        return None
    if how == "compound growth":
        # Statements of income have three years, so that two of growth is the most.
        first = _shifted(known, "two before")
        tokens = ("(", *known.tokens, "/", *first, ")", "^", "0.5", "-", "1")
        return Formula("percent", tokens) if years == 2 and len(known.tokens) == 1 else None
    added: list[str | Operand] = ["(", *known.tokens]
    for when in ("before", "two before")[: years - 1]:
        added += ["+", *_shifted(known, when)]
    share = ("/", str(years)) if how == "average" else ()
    return Formula(known.unit, (*added, ")", *share))


def _is_of_a_year(known: Formula) -> bool:
    """Whether it needs no year but its own."""
    return {operand.when for operand in known.operands} == {"now"}


def _shifted(known: Formula, when: str) -> tuple[str | Operand, ...]:
    return tuple(Operand(t.item, when) if isinstance(t, Operand) else t for t in known.tokens)


@cache
def _all() -> dict[str, tuple[Formula, ...]]:
    found = {}
    written = _written()
    for row in _rows():
        if row["unit"] not in ("percent", "ratio", "money", "days"):
            continue
        ways = (_tokens(way, written, _DEEPEST) for way in (row["formula"], row.get("instead", "")))
        made = (Formula(row["unit"], tokens) for tokens in ways if tokens)
        found[row["name"]] = tuple(each for each in made if _is_sound(each))
    return {name: each for name, each in found.items() if each}


@cache
def _rows() -> tuple[dict[str, str], ...]:
    return tuple(tomllib.loads(_RATIOS.read_text(encoding="utf-8"))["ratio"])


@cache
def _written() -> dict[str, str]:
    """Each ratio's formula as it is written."""
    return {row["name"]: row["formula"] for row in _rows()}


def _is_sound(each: Formula) -> bool:
    """Whether it can be evaluated at all."""
    try:
        each.evaluate({operand: Decimal(1 + i) for i, operand in enumerate(each.operands)})
    except ArithmeticError:
        # Dividing by a difference of the made values is no fault of the formula's.
        return "-" in each.tokens
    return len(each.operands) > 0


def _tokens(text: str, written: Mapping[str, str], deep: int) -> tuple[str | Operand, ...] | None:
    found: list[str | Operand] = []
    rest = text.strip()
    while rest:
        taken = _one(rest, written, deep)
        if taken is None:
            return None
        tokens, length = taken
        found.extend(tokens)
        rest = rest[length:].lstrip()
    return tuple(found)


def _one(
    rest: str, written: Mapping[str, str], deep: int
) -> tuple[tuple[str | Operand, ...], int] | None:
    if rest[0] in "+-/()":
        return (rest[0],), 1
    if re.match(r"x\s", rest):
        return ("x",), 1
    number = _NUMBER.match(rest)
    if number:
        return (number[0],), number.end()
    average = rest.startswith("average ")
    low = len("average ") if average else 0
    item = next((n for n in _by_length() if rest.startswith(n, low)), None)
    if item is not None:
        high = low + len(item)
        tail = re.match(r" of the year( before)?", rest[high:])
        when = "average" if average else ("before" if tail and tail[1] else "now")
        return (Operand(item, when),), high + (tail.end() if tail else 0)
    if average or not deep:
        return None
    ratio = next((n for n in sorted(written, key=len, reverse=True) if rest.startswith(n)), None)
    inner = _tokens(written[ratio], written, deep - 1) if ratio else None
    return (("(", *inner, ")"), len(ratio)) if ratio and inner else None


@cache
def _by_length() -> tuple[str, ...]:
    return tuple(sorted(names(), key=len, reverse=True))


class _Reader:
    """Sums of products, left to right."""

    def __init__(
        self, tokens: tuple[str | Operand, ...], amounts: Mapping[Operand, Decimal]
    ) -> None:
        self.at = 0
        self._tokens, self._amounts = tokens, amounts

    def total(self) -> Decimal:
        result = self._product()
        while self._peek() in ("+", "-"):
            sign = self._next()
            other = self._product()
            result = result + other if sign == "+" else result - other
        return result

    def _product(self) -> Decimal:
        result = self._power()
        while self._peek() in ("x", "/"):
            sign = self._next()
            other = self._power()
            if sign == "/" and other <= 0:
                raise ArithmeticError("divides by nothing, or by what is negative")
            result = result * other if sign == "x" else result / other
        return result

    def _power(self) -> Decimal:
        result = self._single()
        if self._peek() != "^":
            return result
        self._next()
        exponent = self._single()
        if result <= 0:
            raise ArithmeticError("no root of what is negative")
        return result**exponent

    def _single(self) -> Decimal:
        each = self._next()
        if isinstance(each, Operand):
            return self._amounts[each]
        if each == "(":
            result = self.total()
            if self._next() != ")":
                raise ArithmeticError("no formula")
            return result
        if not _NUMBER.fullmatch(each):
            raise ArithmeticError("no formula")
        return Decimal(each)

    def _peek(self) -> str | Operand:
        return self._tokens[self.at] if self.at < len(self._tokens) else ""

    def _next(self) -> str | Operand:
        token = self._peek()
        self.at += 1
        return token
