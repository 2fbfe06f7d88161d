"""Company names in a text: by legal form, by a list of known names, by a tagger, by definition.

Trap: a tagger calls many headings and bodies organisations, so what it alone says is believed only
where a word of the name is no everyday word and none says that it is a law, a body or a document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingestion.recognising.contexts import by_context, is_own, is_spoken_of
from ingestion.recognising.judging import is_unlikely
from ingestion.recognising.legal_forms import (
    FORMS,
    NEXT_FORM,
    NOT_AFTER,
    OF_PLACE,
    without_form,
)
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

_WORD_BEFORE = re.compile(
    r"(?:(?P<name>[A-Z0-9][\w&.’'-]*|[a-z]\d\w*)|(?P<brackets>\([A-Z0-9][\w\s.]{0,24}\))|"
    r"(?P<link>&|and|of|de))(?P<gap>,?\s+)$"
)
_EXCHANGE = re.compile(r"\bStock\s+(?:Market|Exchange)$", re.IGNORECASE)
_PLACE_AFTER = re.compile(r"[^\S\n]+([A-Z]\w+)")
_PLACE_WORDS = frozenset(
    [
        "County",
        "City",
        "Island",
        "Islands",
        "River",
        "Lake",
        "Beach",
        "Park",
        "Place",
        "Centre",
        "Center",
        "Tower",
        "Commons",
        "Square",
        "Building",
        "Yards",
    ]
)
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
    surnames: Collection[str] = (),
) -> list[Found]:
    """All company names in this text, possibly overlapping; the longest is meant.

    `tagged` are spans a tagger calls organisations, `others` people or places; `filer` holds the
    names of the company that the document is about. A name followed by its short form has that in
    its value as `short`.
    """
    formal = list(_by_form(text, known))
    witnessed = {*tagged, *(span for span in known.find(text) if span[1] - span[0] > 3)}
    spans = {*formal, *(span for span in known.find(text) if _is_meant(text, span, surnames))}
    spans |= set(_called_short(text, formal, witnessed, surnames))
    if filer is not None:
        spans |= set(filer.find(text))
    likely, unlikely = set(), set()
    # What the tagger calls a place or a person wherever it stands is none.
    called = {text[slice(*span)] for span in others} - {text[slice(*span)] for span in tagged}
    for span, believed in _candidates(text, tagged, others, known):
        if text[slice(*span)] in called:
            continue
        if _agrees(text, span, formal):
            held = is_unlikely(text, span, surnames, believed=believed)
            (unlikely if held else likely).add(span)
    names = {text[slice(*span)] for span in likely}
    spans |= likely | {span for span in unlikely if text[slice(*span)] in names}
    found = [_named(text, start, end) for start, end in sorted(spans)]
    shorts = KnownNames()
    for mention in found:
        if "short" in mention.value:
            shorts.add(mention.value["short"])
    return found + [_named(text, start, end) for start, end in shorts.find(text)]


def _candidates(
    text: str,
    tagged: Sequence[tuple[int, int]],
    others: Sequence[tuple[int, int]],
    known: KnownNames,
) -> Iterator[tuple[tuple[int, int], bool]]:
    """Spans that the tagger or the context takes for companies, and whether the context does."""
    for start, end in tagged:
        trimmed = _trimmed(text, start, end, known)
        street = re.match(r"\s+(\w+)", text[end : end + 20])
        if not trimmed or (street and street[1].lower() in STREETS):
            continue
        if _is_company(text[slice(*trimmed)], known) and not _is_everyday_here(text, trimmed):
            form = NEXT_FORM.match(text, trimmed[1])
            yield ((trimmed[0], form.end()) if form else trimmed), False
    for span in by_context(text, tagged, others):
        yield span, True


def _is_meant(text: str, span: tuple[int, int], surnames: Collection[str]) -> bool:
    """Whether a listed name means the company here: no surname, no everyday word, no place."""
    return text[slice(*span)] not in surnames and not _is_everyday_here(text, span)


def _called_short(
    text: str,
    formal: Sequence[tuple[int, int]],
    tagged: Collection[tuple[int, int]],
    surnames: Collection[str],
) -> Iterator[tuple[int, int]]:
    """Places where a name with a legal form stands without it, or by its first word."""
    shorts = KnownNames()
    for start, end in formal:
        core = without_form(text[start:end])
        words = core.split()
        # The first word of a name in capitals is no abbreviation.
        for spelling in {core, *([] if core.isupper() else words[:1])}:
            initials = spelling.isupper() and spelling.isalpha() and 1 < len(spelling) <= 6
            distinct = len(spelling) > 3 and not is_generic(spelling) and spelling[0].isupper()
            if (initials or distinct or (spelling == core and len(words) > 1)) and not (
                spelling in surnames or speaks_against(spelling)
            ):
                shorts.add(spelling, capitals=len(spelling) > 3)
    for span in shorts.find(text):
        name = text[slice(*span)]
        if is_generic(name) and not name.isupper():
            seen = any(start < span[1] and span[0] < end for start, end in tagged)
            if not (seen or is_spoken_of(text, span)):
                continue
        if _is_meant(text, span, surnames):
            yield span


def _is_everyday_here(text: str, span: tuple[int, int]) -> bool:
    """Whether it is one word that begins a place's name, or that begins a sentence and stands in
    small letters elsewhere.
    """
    name = text[slice(*span)]
    after = _PLACE_AFTER.match(text, span[1])
    if after and (after[1].capitalize() in _PLACE_WORDS or after[1].lower() in PLACES | STREETS):
        # "Continental Europe", "Trimble County", "BROOKFIELD PLACE".
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
        if count and "\n" in match["gap"] and not _is_prose(text, begin):
            if not known.has(flat(text[begin:offset]).strip(" ,")):
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
        if word in _PARTS or (crossed and word in _PARTIES) or _owns(text, word, count):
            break
        if match["link"] in ("&", "and") and not count and text.startswith(("Co", "CO"), offset):
            if match["link"] == "and" and text.startswith("Company", offset):
                break
            linked = begin
            continue
        if match["link"]:
            crossed = match["link"] == "and"
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
    """Whether the line is one of a paragraph, so that its end need not be a name's."""
    line = text[text.rfind("\n", 0, offset) + 1 : max(0, text.find("\n", offset))]
    small = sum(word[0].islower() for word in line.split())
    if len(line) > 30 and small >= 0.4 * len(line.split()):
        return True
    return len(line) > 70 and sum(map(str.islower, line)) > 0.6 * len(line)


def _owns(text: str, word: str, count: int) -> bool:
    """Whether this is another's possessive: "General Host's" where the text has "General Host"."""
    bare = re.sub(r"['’]s$", "", word)
    if bare == word or not count:
        return False
    return re.search(rf"(?<!\w){re.escape(bare)}(?!\w|['’])", text) is not None


def _agrees(text: str, span: tuple[int, int], formal: Sequence[tuple[int, int]]) -> bool:
    """Whether a tagged span only begins a formal name earlier: "Hemlock" on the line above it."""
    for start, end in formal:
        if start < span[1] and span[0] < end:
            before = text[span[0] : start]
            return end == span[1] and not (is_generic(before) or FORMS.search(before))
    return True


def _is_company(name: str, known: KnownNames) -> bool:
    if "/" in name or not any(word != word.lower() for word in tokens(name)):
        return False
    if known.has(name):
        return True
    words = rare(name)
    if not any(map(is_own, words)) or speaks_against(name):
        return False
    # An abbreviation alone may be a standard, a product or a unit: "ASU", "Minnesota NRD".
    return not (len(words) == 1 and words[0].isupper() and len(words[0]) <= 6)


def _trimmed(text: str, start: int, end: int, known: KnownNames) -> tuple[int, int] | None:
    """The tagger's span without article, possessive, quotes and the next line's words."""
    # "Busk v. Integrity Staffing": the second party is looked for by its own.
    start += _versus(text[start:end])
    first, last = _on_one_line(text, start, end)
    if (first, last) != (start, end):
        whole = flat(text[start:end])
        if speaks_against(whole):
            return None
        if not known.has(without_form(whole)):
            start, end = first, last
    surface = text[start:end]
    # An agency's names stand in angles: "<All Nippon Airways> of".
    start += surface.rfind("<") + 1
    surface = text[start:end].partition(">")[0]
    surface = re.sub(r"(?:['’]s|['’])$", "", surface.rstrip(' ,.;:\n\t”"’)(–-'))
    surface = re.sub(r"\s+(?:and|of|&|the|in|for|de)$", "", surface)
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


def _versus(surface: str) -> int:
    """Where the name behind "v." begins; 0 where there is none."""
    found = re.search(r"\sv(?:s)?\.\s+", surface)
    return found.end() if found else 0


def _on_one_line(text: str, start: int, end: int) -> tuple[int, int]:
    """The longest line of a span that runs over the rows of a list; all of it in a paragraph."""
    surface = text[start:end]
    if "\n" not in surface.strip("\n") or _is_prose(text, start):
        return start, end
    lines = [(m.end() - m.start(), m.start(), m.end()) for m in re.finditer(r"[^\n]+", surface)]
    _, first, last = max(lines)
    return start + first, start + last


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
