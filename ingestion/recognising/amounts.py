"""Money with currency and scale, percentages and basis points, by rule.

Trap: a bare number is money only in the row of a table whose scale was stated before it; such a
mention has `implied` in its value, because nothing in its own surface says that it is money.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from ingestion.recognising.mention import MONEY, PERCENT, Found, flat

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_GAP = r"[^\S\n]{0,3}"
_SIGNS = {
    "US$": "USD", "A$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD", "S$": "SGD",
    "R$": "BRL", "Rs.": "INR", "Rs": "INR", "$": "USD", "€": "EUR", "£": "GBP",
    "¥": "JPY", "₹": "INR", "₩": "KRW",
}  # fmt: skip
_CODES = [
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "CHF",
    "CAD",
    "AUD",
    "INR",
    "CNY",
    "RMB",
    "SEK",
    "NOK",
    "DKK",
    "HKD",
    "SGD",
    "NZD",
    "BRL",
    "MXN",
    "KRW",
    "ZAR",
]
_WORDS = {
    "dollars": "USD", "dollar": "USD", "euros": "EUR", "euro": "EUR", "pounds sterling": "GBP",
    "pounds": "GBP", "pence": "GBP", "cents": "USD", "yen": "JPY", "yuan": "CNY",
    "renminbi": "CNY", "rupees": "INR", "francs": "CHF", "swiss francs": "CHF",
}  # fmt: skip
_HUNDREDTHS = frozenset(["cents", "pence"])
_SCALES = {
    "lakh": 5, "crore": 7,
    "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "k": 3, "m": 6, "mm": 6, "mn": 6,
    "mln": 6, "b": 9, "bn": 9, "bln": 9, "tn": 12,
}  # fmt: skip
_SCALE = (
    r"(?:[\s-]*(?i:thousand|million|billion|trillion|crore|lakh)s?|"
    r"[^\S\n]?(?:mm|mn|mln|bn|bln|tn|[kKmMbB]))\b"
)
_CURRENCY = "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
_BEFORE = re.compile(
    rf"(?P<sign>(?<![\w$])-)?(?:(?P<currency>{_CURRENCY})|\b(?P<code>{'|'.join(_CODES)})){_GAP}"
    rf"(?:(?P<open>\(){_GAP})?(?P<minus>[-−–])?(?P<number>{_NUMBER})(?(open){_GAP}\))"
    rf"(?:[-–](?P<upto>{_NUMBER})(?={_SCALE}))?(?P<scale>{_SCALE})?(?![\d%])"
    rf"(?:[^\S\n](?P<named>{'|'.join(_CODES)})\b)?"
)
_AFTER = re.compile(
    rf"(?<![\w.,$€£])(?P<number>{_NUMBER}){_GAP}(?P<scale>{_SCALE})?\s+(?:U\.?S\.?\s+)?"
    rf"(?P<word>(?i:{'|'.join(sorted(_WORDS, key=len, reverse=True))})|{'|'.join(_CODES)})\b"
)
_PERCENT = re.compile(
    rf"(?:(?<![\w%)$.,])(?P<minus>[-−–]))?(?:(?P<open>\()(?P<inner>{_NUMBER})\)|"
    rf"(?<![\w.,$€£])(?:(?P<first>\d{{1,3}}(?:\.\d+)?)[-–](?=\d))?(?P<number>{_NUMBER}))"
    r"(?:[^\S\n]?%|\s+(?P<unit>(?i:percent(?:age\s+points?)?|per\s+cent|basis\s+points?|bps|bp))\b)"
)
_COUNT = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|"
    r"forty|fifty|sixty|seventy|eighty|ninety|hundred)"
)
_PERCENT_IN_WORDS = re.compile(
    rf"\b(?:{_COUNT}\s+to\s+)?(?P<words>{_COUNT}(?:[\s-]+{_COUNT}){{0,3}})\s+"
    r"(?:percent(?:age\s+points?)?|per\s+cent)\b",
    re.IGNORECASE,
)
_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_STATED = re.compile(
    r"\(?[^()\n]{0,40}\bin\s+(?P<scale>thousands|millions|billions)\b[^()\n]{0,80}", re.IGNORECASE
)
# How far a statement of scale holds: about a page.
_REACH = 4_000
_ROW = re.compile(r"^[^\S\n]*(?P<label>[^\W\d_][^\n$]{2,90}?)(?P<cells>(?:[^\S\n]+\$?[^\S\n]*"
                  rf"(?:\({_NUMBER}\)|{_NUMBER}|[—–-]))+)[^\S\n]*$", re.MULTILINE)  # fmt: skip
_CELL = re.compile(
    rf"(?<![\w.,$(%])(?:\((?P<negative>{_NUMBER})\)|(?P<number>{_NUMBER}))(?![\w%.,])"
)
_NO_MONEY = re.compile(
    r"\b(?:shares?|employees|stores|units|number|percent|rate|margin|ratio|note|page|item|"
    r"memberships?|weeks?|days|years?|months|per share|eps|index|exhibit)\b|%",
    re.IGNORECASE,
)


def money(text: str) -> Iterator[Found]:
    """Amounts that name their currency, and cells of tables with a stated scale."""
    statements = [(m.end(), _SCALES[m["scale"].lower()[:-1]], m[0]) for m in _STATED.finditer(text)]
    for match in _BEFORE.finditer(text):
        currency = match["named"] or _SIGNS.get(match["currency"] or "", match["code"] or "")
        scale = _power(match["scale"])
        negative = bool(match["open"] or match["minus"] or match["sign"])
        start, end = match.span()
        if not scale and text[start - 1 : start] == "(" and text[end : end + 1] == ")":
            negative = negative or _is_row(text, start)
        stated = None if scale else _stated(start, statements)
        if stated and _is_row(text, start) and not _is_per_share(match["number"], stated[1]):
            scale = stated[0]
        found = _amount((start, end), match["number"], currency, scale, negative=negative)
        if match["upto"]:
            found.value["to"] = _plain(match["upto"], scale)
        yield found
    for match in _AFTER.finditer(text):
        word = flat(match["word"]).lower()
        power = _power(match["scale"]) - (2 if word in _HUNDREDTHS else 0)
        currency = _WORDS.get(word, word.upper())
        yield _amount(match.span(), match["number"], currency, power, negative=False)
    yield from _cells(text, statements)


def percents(text: str) -> Iterator[Found]:
    """ "4.5%", "(0.3)%", "12 percent", "25 basis points", "121 bps"."""
    for match in _PERCENT.finditer(text):
        number = match["inner"] or match["number"]
        negative = bool(match["open"] or match["minus"])
        amount = Decimal(number.replace(",", "")) * (-1 if negative else 1)
        unit = "basis_points" if (match["unit"] or "").lower().startswith("b") else "percent"
        shown = f"{amount} bps" if unit == "basis_points" else f"{amount}%"
        value: dict[str, object] = {"amount": str(amount), "unit": unit}
        if match["first"]:
            value["from"] = match["first"]
        yield Found(*match.span(), PERCENT, shown, value)
    for match in _PERCENT_IN_WORDS.finditer(text):
        total = 0
        for word in re.split(r"[\s-]+", match["words"].lower()):
            total = max(total, 1) * 100 if word == "hundred" else total + _NUMBERS[word]
        yield Found(*match.span(), PERCENT, f"{total}%", {"amount": str(total), "unit": "percent"})


def _amount(
    span: tuple[int, int],
    number: str,
    currency: str,
    power: int,
    *,
    negative: bool,
    implied: bool = False,
) -> Found:
    plain = _plain(number, power, negative=negative)
    value: dict[str, object] = {"amount": plain, "currency": currency}
    if implied:
        value["implied"] = True
    return Found(*span, MONEY, f"{currency} {plain}".strip(), value)


def _plain(number: str, power: int, *, negative: bool = False) -> str:
    amount = Decimal(number.replace(",", "")).scaleb(power) * (-1 if negative else 1)
    plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _cells(text: str, statements: list[tuple[int, int, str]]) -> Iterator[Found]:
    if not statements:
        return
    for row in _ROW.finditer(text):
        stated = _stated(row.start(), statements)
        if stated is None or _NO_MONEY.search(row["label"]):
            continue
        cells = list(_CELL.finditer(text, row.start("cells"), row.end("cells")))
        numbers = [cell["negative"] or cell["number"] for cell in cells]
        if len(cells) < 2 or all(_is_year(number) for number in numbers):
            continue
        for cell, number in zip(cells, numbers, strict=True):
            if _is_per_share(number, stated[1]):
                continue
            yield _amount(
                cell.span(), number, "USD" if "$" in stated[1] else "", stated[0],
                negative=bool(cell["negative"]), implied=True,
            )  # fmt: skip


def _stated(offset: int, statements: list[tuple[int, int, str]]) -> tuple[int, str] | None:
    """(power of ten, its words) of the statement of scale that holds at this offset."""
    before = [s for s in statements if offset - _REACH <= s[0] <= offset]
    return (before[-1][1], before[-1][2]) if before else None


def _is_row(text: str, offset: int) -> bool:
    """Whether this line is a table's: more digits than half of its letters."""
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)]
    if len(line) > 200 or line.rstrip().endswith("."):
        return False
    return sum(map(str.isdigit, line)) * 4 >= sum(map(str.isalpha, line))


def _is_per_share(number: str, statement: str) -> bool:
    return "per" in statement.lower() and "." in number and len(number) <= 6


def _is_year(number: str) -> bool:
    return len(number) == 4 and number.isdigit() and 1950 <= int(number) <= 2049


def _power(scale: str | None) -> int:
    word = (scale or "").strip(" -\n\t\xa0").lower()
    return _SCALES.get(word, _SCALES.get(word.removesuffix("s"), 0)) if word else 0
