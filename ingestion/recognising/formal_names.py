"""Names with a legal form: from the form back over the words that belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingestion.recognising.known_names import KnownNames
from ingestion.recognising.legal_forms import FORMS, NEXT_FORM, NOT_AFTER, OF_PLACE
from ingestion.recognising.mention import flat
from ingestion.recognising.words import DETERMINERS, is_generic, speaks_against

_WORD_BEFORE = re.compile(
    r"(?:(?P<name>[A-Z0-9][\w&.’'-]*|[a-z]\d\w*)|(?P<brackets>\([A-Z0-9][\w\s.]{0,24}\))|"
    r"(?P<link>&|and|of|de))(?P<gap>,?\s+)$"
)
_EXCHANGE = re.compile(r"\bStock\s+(?:Market|Exchange)$", re.IGNORECASE)
_LONGEST = 8
# Everyday words that begin a name as in "Bank of America"; others as in "Director of Acme".
_OF = ("bank", "trust", "corporation", "company", "insurance", "corp", "society")
# What a company is of another, or what a contract calls its parties: no part of a name.
_PARTS = frozenset(
    [
        "Subsidiary",
        "Subsidiaries",
        "Affiliate",
        "Unit",
        "Registrant",
        "Trustee",
        "Borrower",
        "Issuer",
        "Seller",
        "Purchaser",
        "Guarantor",
        "Employer",
        "Firm",
        "Chairman",
        "President",
    ]
)
_PARTIES = frozenset(["Company", "Corporation", "Parent", "Agent", "Buyer", "Utility"])


def by_form(text: str, known: KnownNames) -> Iterator[tuple[int, int]]:
    floor = 0
    for match in FORMS.finditer(text):
        if match.start() < floor or NOT_AFTER.match(text, match.end()):
            continue
        end = match.end()
        strong = bool(match["strong"])
        while more := NEXT_FORM.match(text, end):
            end, strong = more.end(), True
        if match["weak"] or match[0].lower().startswith("corp"):
            of = OF_PLACE.match(text, end)
            end = of.end() if of else end
        start = _first_word(text, match.start(), floor, known)
        core = text[start : match.start()].strip(" ,\n")
        believed = strong or not (is_generic(core) or speaks_against(core))
        if _EXCHANGE.search(core):
            continue
        if believed and re.search(r"[^\W\d_]", core):
            yield start, end
            # A weak form may stand inside a name: "Norwest Bank Arizona, N.A.".
            floor = end if strong else floor


def _first_word(text: str, offset: int, floor: int, known: KnownNames) -> int:
    """Walk back over the words of a name; where its first one begins."""
    start, count, linked, of, crossed = offset, 0, offset, False, False
    while count < _LONGEST:
        match = _WORD_BEFORE.search(text[max(floor, linked - 60) : linked])
        if match is None:
            break
        begin = max(floor, linked - 60) + match.start()
        word = match["name"] or ""
        if "," in match["gap"] and (count or match["link"]):
            break
        if count and "\n" in match["gap"] and _is_row_end(text, (begin, offset), word, known):
            break
        if _is_no_part(text, begin, word) or (crossed and word in _PARTIES):
            break
        if match["link"] and not count:
            if not _is_partnership(text, offset, match["link"]):
                break
            linked = begin
            continue
        if match["link"]:
            crossed = match["link"] == "and"
            # "Standard and Poor's Corporation" is one name, "Apple and Best Buy Corp." are two.
            if crossed and (count > 1 or known.has(text[start:offset].strip(" ,"))):
                break
            linked, of = begin, match["link"] == "of"
            continue
        if (count and _ends_before(text, word)) or (of and _is_after_of(word)):
            break
        linked, of = begin, False
        if word:
            start, count = begin, count + 1
    return start


def _is_row_end(text: str, span: tuple[int, int], word: str, known: KnownNames) -> bool:
    """Whether the name begins on the line below this word."""
    if is_prose(text, span[0]) and not speaks_against(word):
        return False
    return not known.has(flat(text[slice(*span)]).strip(" ,"))


def _is_no_part(text: str, begin: int, word: str) -> bool:
    return (
        text[begin - 1 : begin] == "/"
        or word.lower().rstrip(".") in DETERMINERS
        or word in _PARTS
        or re.fullmatch(r"\d+(?:\.\d+)*\.?", word) is not None
    )


def _is_partnership(text: str, offset: int, link: str) -> bool:
    """Whether "& Co" or "and Co" follows, which belong to the name before them."""
    form = re.match(
        r"Co\b|CO\b" if link == "and" else r"Co\b|CO\b|Company\b|COMPANY\b", text[offset:]
    )
    return form is not None and link in ("&", "and")


def _is_after_of(word: str) -> bool:
    """Whether an everyday word before "of" begins no name, unlike "Bank" in "Bank of America"."""
    return is_generic(word) and word.lower() not in _OF


def is_prose(text: str, offset: int) -> bool:
    """Whether the line is one of a paragraph, so that its end need not be a name's."""
    line = text[text.rfind("\n", 0, offset) + 1 : max(0, text.find("\n", offset))]
    small = sum(word[0].islower() for word in line.split())
    if len(line) > 30 and small >= 0.4 * len(line.split()):
        return True
    return len(line) > 70 and sum(map(str.islower, line)) > 0.6 * len(line)


def _ends_before(text: str, word: str) -> bool:
    """Whether a sentence ends here, or this is another's possessive: "General Host's" where the
    text has "General Host" too.
    """
    if word.endswith(".") and len(word) > 3:
        return True
    bare = re.sub(r"['’]s$", "", word)
    if bare == word:
        return False
    return re.search(rf"(?<!\w){re.escape(bare)}(?!\w|['’])", text) is not None
