"""The figures of a text as values with unit, currency and stated precision; pure.

Trap: the power of ten of a table's cell is not known here; see `qa.checking.table_heads`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from qa.checking.quoting import fold

# A rounded figure may be off by this share of the exact one; "$1 billion" is not 1.4 billion.
MOST_ROUNDING = Decimal("0.05")
_SCALES = {
    "hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "lakh": 5, "crore": 7,
    "k": 3, "m": 6, "mm": 6, "mn": 6, "mln": 6, "b": 9, "bn": 9, "bln": 9, "tn": 12,
}  # fmt: skip
_CURRENCIES = {
    "$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "€": "EUR", "eur": "EUR",
    "euro": "EUR", "£": "GBP", "gbp": "GBP", "pound": "GBP", "sterling": "GBP", "¥": "JPY",
    "jpy": "JPY", "yen": "JPY", "chf": "CHF", "franc": "CHF", "c$": "CAD", "cad": "CAD",
    "a$": "AUD", "aud": "AUD", "hk$": "HKD", "₹": "INR", "inr": "INR", "rupee": "INR",
    "cny": "CNY", "rmb": "CNY", "yuan": "CNY", "renminbi": "CNY", "₩": "KRW", "krw": "KRW",
    "won": "KRW", "s$": "SGD", "nz$": "NZD", "r$": "BRL", "brl": "BRL", "mxn": "MXN",
    "peso": "MXN", "krona": "SEK", "sek": "SEK", "nok": "NOK", "dkk": "DKK",
}  # fmt: skip
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}
_FRACTIONS = {"half": "0.5", "third": "1/3", "quarter": "0.25", "fifth": "0.2", "tenth": "0.1"}
_SIGN = r"(?:US\$|CA\$|HK\$|NZ\$|[ACSR]\$|[$€£¥₹₩]|(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|CNY|RMB)\s)"
_SCALE = (
    r"(?:[\s-]*(?:hundred|thousand|million|billion|trillion|crore|lakh)s?|"
    r"\s?(?:mm|mn|mln|bn|bln|tn|[kKmMbB]))\b"
)
_UNIT = (
    r"(?P<percent>\s?%|[\s-](?:percent|per\s+cent)(?!age)\b)|(?P<points>[\s-](?:percentage[\s-]points?|"
    r"points?\b(?=\s+of\b|[.,;]|$))|\s?pp\b)|(?P<bps>[\s-](?:basis[\s-]points?|bps|bp)\b)|"
    r"(?P<word>\s+(?:U\.?S\.?\s+)?(?:dollars?|euros?|pounds?|yen|francs?|rupees?|yuan|renminbi|won|"
    r"pesos?|USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|CNY|RMB)\b)|(?P<cents>\s+(?:cents|pence)\b)|"
    r"(?P<times>x\b|\s+times\b)"
)
_NUMBER = r"\d(?:[\d.,]*\d)?|\.\d+"
_WORD_NUMBER = (
    rf"(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES[1:10])}))?|{'|'.join(_ONES[::-1])}"
)
_FIGURE = re.compile(
    rf"(?P<sign>(?<![\w)])-\s?)?(?P<currency>{_SIGN})?\s?(?P<open>\((?=\s?[$€£]?\s?[\d.]))?\s?"
    rf"(?P<inner>[$€£])?(?P<minus>-)?(?P<number>(?<![\w]){_NUMBER})(?P<close>\))?"
    rf"(?P<scale>{_SCALE})?(?:{_UNIT})?",
)
_SPELLED = re.compile(
    rf"(?<![\w-])(?P<number>{_WORD_NUMBER})(?P<scale>{_SCALE})?(?:{_UNIT})?(?![\w])", re.IGNORECASE
)
_GRAMMAR = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+")
_GAPPED = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d.,])")
_FRACTION = re.compile(
    r"\b(?:(?P<n>two|three|four|one|a)[\s-])?(?P<d>half|thirds?|quarters?|fifths?|tenths?)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure at `[start, end)` of its text.

    `unit` is money, percent, points (of a percentage), times, count or odd; an odd one is no
    number by any rule of writing ("1,2", "4.2.1") and is compared as it stands. `amount` is in
    the unit, scaled; `step` is the worth of its last written digit.
    """

    start: int
    end: int
    surface: str
    unit: str
    amount: Decimal
    step: Decimal
    currency: str = ""
    scaled: bool = False
    in_parentheses: bool = False

    @property
    def is_year(self) -> bool:
        """Whether it may be a calendar or fiscal year: four plain digits."""
        plain = self.unit == "count" and not self.scaled and self.surface.strip().isdigit()
        return plain and 1900 <= self.amount <= 2100 and len(self.surface.strip()) == 4


def quantities(text: str) -> list[Quantity]:
    """All figures in reading order; offsets are into `text`, which must be folded already."""
    found = list(_figures(text))
    taken = {index for each in found for index in range(each.start, each.end)}
    found += [
        _spelled(match)
        for match in _SPELLED.finditer(text)
        if match.start() not in taken and not _is_pronoun(match)
    ]
    return _with_ranges(text, sorted(found, key=lambda each: each.start))


def _figures(text: str) -> Iterator[Quantity]:
    gapped = [match.span() for match in _GAPPED.finditer(text)]
    for match in _FIGURE.finditer(text):
        number = match["number"]
        low, high = match.span("number")
        glued = (text[low - 1 : low].isalpha() and not match["currency"]) or (
            match.end() < len(text)
            and (text[match.end()].isalpha() or text[match.end()] == "_")
            and not text[match.end() - 1].isspace()
        )
        if (
            glued
            or any(start <= low < end for start, end in gapped)
            or not _GRAMMAR.fullmatch(number)
        ):
            yield _odd(text, low, high)
        else:
            yield _regular(match)


def _odd(text: str, low: int, high: int) -> Quantity:
    """The whole token around the digits, as it stands."""
    while low and (text[low - 1].isalnum() or text[low - 1] in "-_.,/"):
        low -= 1
    while high < len(text) and (text[high].isalnum() or text[high] in "-_/"):
        high += 1
    surface = text[low:high].strip(".,-/")
    return Quantity(low, high, surface, "odd", Decimal(0), Decimal(1))


def _regular(match: re.Match[str]) -> Quantity:
    number = match["number"].replace(",", "")
    decimals = len(number.partition(".")[2])
    power = _power(match["scale"])
    enclosed = bool(match["open"] and match["close"])
    negative = bool(match["sign"] or match["minus"] or enclosed)
    start = match.start("number") if match["open"] and not match["close"] else match.start()
    unit, currency = _unit(match)
    amount = Decimal(number or "0").scaleb(power)
    step = Decimal(1).scaleb(power - decimals)
    if match["bps"] or match["cents"]:
        amount, step = amount / 100, step / 100
    end = match.end()
    if match["close"] and not match["open"]:
        end = match.end("number")
    return Quantity(
        start,
        end,
        match["number"],
        unit,
        -amount if negative else amount,
        step,
        currency,
        bool(power),
        enclosed,
    )


def _unit(match: re.Match[str]) -> tuple[str, str]:
    sign = (match["currency"] or match["inner"] or "").strip().lower()
    word = (match["word"] or "").split()[-1:] or [""]
    currency = (
        _CURRENCIES.get(sign or word[0].lower().removesuffix("s"), "") if sign or word else ""
    )
    if not currency and word[0]:
        currency = _CURRENCIES.get(word[0].lower(), "")
    if sign or word[0]:
        return "money", currency or "?"
    if match["cents"]:
        return "money", "USD"
    for unit in ("percent", "points", "times"):
        if match[unit]:
            return unit, ""
    return ("points" if match["bps"] else "count"), ""


def _spelled(match: re.Match[str]) -> Quantity:
    parts = re.split(r"[\s-]", match["number"].lower())
    power = _power(match["scale"])
    amount = Decimal(sum(_WORDS[part] for part in parts)).scaleb(power)
    word = (match["word"] or "").split()[-1:] or [""]
    currency = _CURRENCIES.get(word[0].lower().removesuffix("s"), "")
    unit = (
        "money"
        if currency
        else next(
            (u for u in ("percent", "points", "times") if match[u]),
            "points" if match["bps"] else "count",
        )
    )
    if match["bps"]:
        amount = amount / 100
    step = Decimal(1).scaleb(power)
    return Quantity(match.start(), match.end(), match[0], unit, amount, step, currency, bool(power))


def _is_pronoun(match: re.Match[str]) -> bool:
    """Whether "one" (or "no one") counts nothing."""
    return match["number"].lower() == "one" and not match["scale"]


def _power(scale: str | None) -> int:
    word = (scale or "").strip(" -\n\t").lower()
    return _SCALES.get(word, _SCALES.get(word.removesuffix("s"), 0)) if word else 0


def _with_ranges(text: str, found: list[Quantity]) -> list[Quantity]:
    """ "$2.0 to 2.1 billion" and "35 to 38%": the first takes the unit of the second, and back."""
    done = list(found)
    for index in range(len(done) - 1):
        left, right = done[index], done[index + 1]
        between = text[left.end : right.start].strip()
        if between not in ("to", "-", "and") or left.is_year or right.is_year:
            continue
        if "odd" in (left.unit, right.unit):
            continue
        if between == "and" and "between" not in text[max(0, left.start - 12) : left.start].lower():
            continue
        if left.unit == "count" and right.unit in ("percent", "points") and not left.scaled:
            done[index] = _like(left, right)
        elif left.unit == "money" and right.unit == "count":
            done[index + 1] = _like(right, left, scale=False)
        if done[index].unit == "money" and right.scaled and not left.scaled:
            factor = right.step.adjusted() + max(0, -_decimals(right))
            done[index] = _rescaled(done[index], factor)
    return done


def _decimals(quantity: Quantity) -> int:
    return -len(quantity.surface.partition(".")[2])


def _like(quantity: Quantity, other: Quantity, *, scale: bool = True) -> Quantity:
    small = other.unit == "points" and scale and other.step < Decimal(1).scaleb(_decimals(other))
    factor = Decimal("0.01") if small else Decimal(1)
    return Quantity(
        quantity.start, quantity.end, quantity.surface, other.unit, quantity.amount * factor,
        quantity.step * factor, other.currency, quantity.scaled, quantity.in_parentheses,
    )  # fmt: skip


def _rescaled(quantity: Quantity, power: int) -> Quantity:
    return Quantity(
        quantity.start, quantity.end, quantity.surface, quantity.unit,
        quantity.amount.scaleb(power), quantity.step.scaleb(power), quantity.currency,
        power > 0, quantity.in_parentheses,
    )  # fmt: skip


def scaled(quantity: Quantity, power: int) -> Quantity:
    """The same figure in a table whose heads say "in millions" (power 6)."""
    return _rescaled(quantity, power)


def is_rounded(said: Quantity, exact: Decimal) -> bool:
    """Whether `said` is `exact`, or is it rounded to the digits that `said` was written with."""
    if abs(said.amount) == abs(exact):
        return True
    if not said.scaled and said.step == 1 and said.unit in ("count", "money"):
        return False
    if not exact or abs(abs(said.amount) - abs(exact)) > MOST_ROUNDING * abs(exact):
        return False
    shown = (abs(exact) / said.step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * said.step
    return shown == abs(said.amount)


def fractions(text: str) -> set[str]:
    """ "two thirds", "half", "a quarter" (not one of the year), in one spelling each."""
    found = set()
    for match in _FRACTION.finditer(text):
        part = match["d"].lower().removesuffix("s")
        if part in ("third", "quarter", "fifth", "tenth") and match["n"] is None:
            continue
        if re.match(r"\s+(?:half|quarter|of\s+(?:fiscal|20))", text[match.end() :]):
            continue
        count = (match["n"] or "one").lower()
        if part == "half":
            before = text[max(0, match.start() - 8) : match.start()].lower()
            if re.search(r"(?:first|second|1st|2nd)[\s-]$", before):
                continue
        found.add(f"{'one' if count == 'a' else count} {part}")
    return found


def folded_quantities(text: str) -> list[Quantity]:
    """As `quantities`, of a text that is not folded yet; offsets are into the folded one."""
    return quantities(fold(text))
