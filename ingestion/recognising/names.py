"""Company names in a text: by legal form, by a list of known names, by a tagger, by definition.

Trap: a tagger calls many headings and bodies organisations, so what it alone says is believed only
where a word of the name is no everyday word and none says that it is a law, a body or a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingestion.recognising.contexts import by_context, is_spoken_of
from ingestion.recognising.mention import COMPANY, Found, flat
from ingestion.recognising.words import (
    DETERMINERS,
    NO_COMPANY,
    PLACES,
    STREETS,
    TOKEN,
    is_generic,
    rare,
    speaks_against,
    tokens,
)

_STRONG = (
    r"Inc\b\.?|INC\b\.?|Corporation\b|CORPORATION\b|Incorporated\b|INCORPORATED\b|Corp\b\.?|CORP\b\.?|Ltd\b\.?|LTD\b\.?|plc\b|"
    r"PLC\b|LLC\b|L\.L\.C\.|LLP\b|L\.P\.|N\.A\.|N\.V\.|B\.V\.|S\.A\.|S\.p\.A\.|GmbH\b|KGaA\b|ASA\b|"
    r"S\.\s?à\.?\s?r\.l\.|S\.r\.l\.|S\.N\.C\.|K\.K\.|P\.C\.|SRL\b|LTEE\b|Lt[ée]e\b|Limited\s+Liability\s+Company\b|"
    r"Limited\b(?!\s+(?:Partner|Warrant|Recourse|Liab))|LIMITED\b|Oyj\b|Pty\b\.?|National\s+Association\b"
)
_WEAK = (
    r"Company\b|COMPANY\b|Co\b\.?|CO\b\.?|LP\b|AG\b|"
    r"SE\b|AB\b|SA\b|NV\b|Bank\b"
)
_FORMS = re.compile(rf"(?<![\w.&-])(?:(?P<strong>{_STRONG})|(?P<weak>{_WEAK}))(?![\w&-])")
_NEXT_FORM = re.compile(rf",?\s+(?:{_STRONG}|{_WEAK})(?![\w&-])")
_NOT_AFTER = re.compile(r"\s+(?:Act|Law|Laws|Accounting|Code|Commission|Oversight|Regulation)\b")
_WORD_BEFORE = re.compile(
    r"(?:(?P<name>[A-Z0-9][\w&.’'-]*|[a-z]\d\w*)|(?P<brackets>\([A-Z0-9][\w\s.]{0,24}\))|"
    r"(?P<link>&|and|of|de))(?P<gap>,?\s+)$"
)
_EXCHANGE = re.compile(r"\bStock\s+(?:Market|Exchange)$", re.IGNORECASE)
_PLACE_AFTER = re.compile(r"[^\S\n]+([A-Z]\w+)")
_PLACE_WORDS = frozenset(["County", "City", "Island", "Islands", "River", "Lake", "Beach", "Park"])
_LONGEST = 8
# Everyday words that begin a name as in "Bank of America"; others as in "Director of Acme".
_OF = ("bank", "trust", "corporation", "company", "insurance", "corp", "society")
_DOTTED = re.compile(r"(?:Inc|Corp|Co|Ltd|L\.P|N\.A|S\.A|N\.V|B\.V|S\.p\.A)$", re.IGNORECASE)
_DEFINED = re.compile(
    r"(?:['’]s)?(?:,\s+an?\s+[^()“\".;]{10,140})?,?\s*\(\s*(?:(?:collectively|together|hereinafter|formerly)\b[^()“\"]{0,40})?"
    r"(?:the\s+|[^()“\"]{0,60}\bor\s+)?(?P<open>[“\"‘']?)(?P<short>[A-Z0-9][\w&.’-]*(?:\s[\w&.’-]+){0,3}?)"
    r"[”\"’']?\s*\)"
)
_TICKER = re.compile(
    r"\s*\((?:[^()]{0,40}\b)?(?:NYSE(?:\s+American|\s+Arca)?|NASDAQ|Nasdaq(?:GS)?|LSE|TSX|ASX|AMEX|OTC\w*)"
    r"\s*:\s*(?P<ticker>[A-Z][A-Z.-]{0,5})\b"
)
_REFERENCE = re.compile(r"\b[Tt]he\s+(?:Company|Corporation|Registrant)\b(?!\s+[A-Z])")
_JOINT = re.compile(r"(?:[.,]?\s+(?:&\s+)?|\s*&\s*)")


@dataclass(slots=True)
class KnownNames:
    """Names to look for as they are written; `sure` ones need no second witness."""

    sure: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, names: Iterable[str]) -> KnownNames:
        """Everyday words and short abbreviations among them are believed only with a witness."""
        index = cls()
        for name in names:
            parts = tuple(tokens(name))
            if not parts:
                continue
            short = len(parts) == 1 and len(name) <= 3 and name.isalpha()
            if is_generic(name) or speaks_against(name) or short:
                index.unsure.add(name.lower())
            else:
                index.add(name)
        return index

    def add(self, name: str, *, capitals: bool = True) -> None:
        """Look for this name as written, and in capitals too."""
        for spelling in {name, name.upper()} if capitals else {name}:
            parts = tuple(tokens(spelling))
            rows = self.sure.setdefault(parts[0], []) if parts else []
            if parts and parts not in rows:
                rows.append(parts)
                rows.sort(key=len, reverse=True)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        words = [(m[0], m.start(), m.end()) for m in TOKEN.finditer(text)]
        for index, (word, start, _) in enumerate(words):
            # A possessive is one token with its name.
            for bare in {word, re.sub(r"['’]s$", "", word)}:
                for parts in self.sure.get(bare, ()):
                    end = _end_of(text, words, index, parts)
                    if end:
                        yield start, end
                        break

    def has(self, name: str) -> bool:
        parts = tokens(name)
        return name.lower() in self.unsure or (
            bool(parts) and tuple(parts) in self.sure.get(parts[0], ())
        )


def companies(
    text: str,
    tagged: Sequence[tuple[int, int]],
    known: KnownNames,
    filer: KnownNames | None = None,
    others: Sequence[tuple[int, int]] = (),
) -> list[Found]:
    """All company names in this text, possibly overlapping; the longest is meant.

    `tagged` are spans a tagger calls organisations, `others` people or places; `filer` holds the
    names of the company that the document is about. A name followed by its short form has that in
    its value as `short`.
    """
    formal = list(_by_form(text, known))
    spans = {*formal, *(span for span in known.find(text) if not _is_everyday_here(text, span))}
    if filer is not None:
        spans |= set(filer.find(text))
    for start, end in tagged:
        trimmed = _trimmed(text, start, end)
        street = re.match(r"\s+(\w+)", text[end : end + 20])
        if not trimmed or (street and street[1].lower() in STREETS):
            continue
        if _is_company(text[trimmed[0] : trimmed[1]], known):
            form = _NEXT_FORM.match(text, trimmed[1])
            span = (trimmed[0], form.end()) if form else trimmed
            if _agrees(text, span, formal):
                spans.add(span)
    spans |= {span for span in by_context(text, tagged, others) if _agrees(text, span, formal)}
    found = [_named(text, start, end) for start, end in sorted(spans)]
    shorts = KnownNames()
    for mention in found:
        if "short" in mention.value:
            shorts.add(mention.value["short"])
    return found + [_named(text, start, end) for start, end in shorts.find(text)]


def _is_everyday_here(text: str, span: tuple[int, int]) -> bool:
    """Whether it is one word that begins a place's name, or that begins a sentence and stands in
    small letters elsewhere.
    """
    name = text[slice(*span)]
    after = _PLACE_AFTER.match(text, span[1])
    if after and (after[1] in _PLACE_WORDS or after[1].lower() in PLACES):
        # "Continental Europe", "Trimble County".
        return " " not in name
    if not name.isalpha() or name != name.capitalize() or is_spoken_of(text, span):
        return False
    begins = re.search(r"(?:^|[.!?:;•]\s+|\n)$", text[max(0, span[0] - 3) : span[0]])
    return bool(begins) and re.search(rf"(?<!\w){name.lower()}(?!\w)", text) is not None


def references(text: str) -> Iterator[Found]:
    """ "the Company" and the like: no name, but it may stand for the filer."""
    for match in _REFERENCE.finditer(text):
        yield Found(*match.span(), COMPANY, flat(match[0]), {"reference": True})


def names_of(company: Iterable[str]) -> KnownNames:
    """What a document may call the company that it is about, by the names that are known of it:
    each without its legal form too, and by a first word that is neither everyday nor a place.
    """
    index = KnownNames()
    for name in company:
        for spelling in {name, without_form(name)}:
            if len(spelling) > 1:
                index.add(spelling)
        words = without_form(name).split()
        if len(words) > 1 and len(words[0]) > 3 and not is_generic(words[0]):
            index.add(words[0], capitals=False)
    return index


def without_form(name: str) -> str:
    """ "Best Buy" of "Best Buy Co., Inc."."""
    core = re.sub(r"^The\s+", "", flat(name))
    while True:
        shorter = re.sub(rf",?\s+(?:{_STRONG}|{_WEAK})$", "", core)
        if shorter == core:
            return core
        core = shorter


def _end_of(
    text: str, words: list[tuple[str, int, int]], index: int, parts: tuple[str, ...]
) -> int:
    """Where the name that begins at this word ends; 0 if it is another one."""
    if index + len(parts) > len(words):
        return 0
    for offset, part in enumerate(parts):
        word, start, end = words[index + offset]
        last = offset == len(parts) - 1
        if word != part:
            if not last or not re.fullmatch(re.escape(part) + r"['’]s", word):
                return 0
            end -= 2
        if offset and not _JOINT.fullmatch(text, words[index + offset - 1][2], start):
            return 0
    return end


def _by_form(text: str, known: KnownNames) -> Iterator[tuple[int, int]]:
    floor = 0
    for match in _FORMS.finditer(text):
        if match.start() < floor or _NOT_AFTER.match(text, match.end()):
            continue
        end = match.end()
        strong = bool(match["strong"])
        while more := _NEXT_FORM.match(text, end):
            end, strong = more.end(), True
        start = _first_word(text, match.start(), floor, known)
        core = text[start : match.start()].strip(" ,\n")
        believed = strong or not (is_generic(core) or speaks_against(core))
        if _EXCHANGE.search(core):
            continue
        if believed and re.search(r"[^\W\d_]", core):
            yield start, end
            floor = end


def _first_word(text: str, offset: int, floor: int, known: KnownNames) -> int:
    """Walk back over the words of a name; where its first one begins."""
    start, count, linked, of = offset, 0, offset, False
    while count < _LONGEST:
        match = _WORD_BEFORE.search(text[max(floor, linked - 60) : linked])
        if match is None:
            break
        begin = max(floor, linked - 60) + match.start()
        if count and "\n" in match["gap"] and not _is_prose(text, begin):
            break
        word = match["name"] or ""
        if "," in match["gap"] and (count or match["link"]):
            break
        if (
            text[begin - 1 : begin] == "/"
            or word.lower().rstrip(".") in DETERMINERS
            or re.fullmatch(r"\d+(?:\.\d+)*\.?", word)
        ):
            break
        if match["link"]:
            # "Standard and Poor's Corporation" is one name, "Apple and Best Buy Corp." are two.
            two = count > 1 or known.has(text[start:offset].strip(" ,"))
            if not count or (match["link"] == "and" and two):
                break
            linked, of = begin, match["link"] == "of"
            continue
        if word.endswith(".") and len(word) > 3 and count:
            break
        if of and is_generic(word) and word.lower() not in _OF:
            break
        linked, of = begin, False
        if word:
            start, count = begin, count + 1
    return start


def _is_prose(text: str, offset: int) -> bool:
    """Whether the line is a long one, so that its end need not be a name's."""
    line = text[text.rfind("\n", 0, offset) + 1 : max(0, text.find("\n", offset))]
    return len(line) > 70 and sum(map(str.islower, line)) > 0.6 * len(line)


def _agrees(text: str, span: tuple[int, int], formal: Sequence[tuple[int, int]]) -> bool:
    """Whether a tagged span only begins a formal name earlier: "Hemlock" on the line above it."""
    for start, end in formal:
        if start < span[1] and span[0] < end:
            before = text[span[0] : start]
            return end == span[1] and not (is_generic(before) or _FORMS.search(before))
    return True


def _is_company(name: str, known: KnownNames) -> bool:
    if known.has(name):
        return True
    if "/" in name or not any(word != word.lower() for word in tokens(name)):
        return False
    words = rare(name)
    if not words or speaks_against(name):
        return False
    # An abbreviation alone may be a standard, a product or a unit: "ASU", "Minnesota NRD".
    return not (len(words) == 1 and words[0].isupper() and len(words[0]) <= 6)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The tagger's span without article, possessive, quotes and the next line's words."""
    surface = text[start:end]
    surface = re.sub(r"(?:['’]s|['’])$", "", surface.rstrip(' ,.;:\n\t”"’)(–-'))
    if _DOTTED.search(surface) and text[start + len(surface) : start + len(surface) + 1] == ".":
        surface += "."
    head = re.match(r"[\s“\"‘'(,.;:–-]*(?:[Tt]he\s+|[Aa]n?\s+|[Oo]ur\s+)?", surface)
    skip = head.end() if head else 0
    if len(surface) - skip < 2 or surface.count("(") != surface.count(")"):
        cut = surface.find("(", skip)
        if cut - skip < 2:
            return None
        surface = surface[:cut].rstrip()
    return (start + skip, start + len(surface)) if len(surface) - skip >= 2 else None


def _named(text: str, start: int, end: int) -> Found:
    value: dict[str, object] = {}
    defined = _DEFINED.match(text, end)
    if defined:
        short = flat(defined["short"])
        surface = flat(text[start:end])
        if short != surface and len(short) > 1 and _is_short_for(short, surface, defined["open"]):
            value["short"] = short
    ticker = _TICKER.match(text, end)
    if ticker:
        value["ticker"] = ticker["ticker"]
    return Found(start, end, COMPANY, flat(text[start:end]), value)


def _is_short_for(short: str, name: str, quote: str) -> bool:
    """A part of the name, its initials, or anything in quotes that is no everyday word."""
    low, whole = short.lower(), name.lower()
    if any(word in NO_COMPANY for word in low.split()):
        return False
    if low.split()[0] in [w.lower() for w in tokens(name)]:
        return low in whole
    initials = "".join(word[0] for word in tokens(name)).lower()
    if short.isupper() and (initials.startswith(low[:2]) or low in initials):
        return True
    return bool(quote) and not is_generic(short) and not short.isupper()
