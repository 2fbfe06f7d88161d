"""One key for the ways to write a value, so that two spans of the same value can be related."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from ingestion.metadata import company_key
from ingestion.recognising.dates import dates

_AMOUNT = re.compile(
    r"(?P<open>[(−–-]?)\s*(?P<currency>US\$|[$€£¥]|USD|EUR|GBP)?\s*(?P<inner>[(−–-]?)"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\)?\s*"
    r"(?P<scale>thousand|million|billion|trillion|k|m|bn|b)?s?\s*(?P<share>%|percent)?\)?",
    re.IGNORECASE,
)
_SCALES = {"k": 3, "thousand": 3, "m": 6, "million": 6, "b": 9, "bn": 9, "billion": 9}
_SCALES["trillion"] = 12
_CURRENCIES = {"us$": "usd", "$": "usd", "€": "eur", "£": "gbp", "¥": "jpy"}
_ORDINAL = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)(?:\s+day)?(?:\s+of)?\b", re.IGNORECASE)
_LONGEST = 200


def value_key(words: str) -> str:
    """The key of a span's words; empty where they have no letter or digit.

    An amount is its number and unit ("$1.5 million" as "$1,500,000"), a date its day, all else its
    words without case, accents, punctuation and legal form ("Acme, Inc." as "ACME").
    """
    plain = " ".join(unicodedata.normalize("NFKC", words[:_LONGEST]).split()).strip(" .,;:\"'“”‘’")
    return _amount(plain) or _date(plain) or _words(plain)


def _amount(plain: str) -> str:
    match = _AMOUNT.fullmatch(plain)
    if match is None:
        return ""
    try:
        number = Decimal(match["number"].replace(",", ""))
    except InvalidOperation:  # pragma: no cover  the pattern allows digits of any script
        return ""
    number = number.scaleb(_SCALES.get((match["scale"] or "").lower(), 0))
    if match["open"] or match["inner"]:
        number = -number
    currency = (match["currency"] or "").lower()
    unit = "%" if match["share"] else _CURRENCIES.get(currency, currency)
    return f"amount {format(number.normalize(), 'f')} {unit}".rstrip()


def _date(plain: str) -> str:
    written = _ORDINAL.sub(r"\1", plain)
    for found in dates(written):
        if found.start == 0 and found.end == len(written):
            return f"date {found.value['iso']}"
    return ""


def _words(plain: str) -> str:
    key = company_key(plain)
    return f"words {key}" if key else ""
