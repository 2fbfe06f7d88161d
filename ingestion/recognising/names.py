"""Company names in a text: by legal form, by a list of known names, by a tagger, by definition.

Trap: a tagger calls many headings and bodies organisations, so what it alone says is believed only
where a word of the name is no everyday word and none says that it is a law, a body or a document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from ingestion.recognising.contexts import by_context, is_own, is_spoken_of
from ingestion.recognising.formal_names import by_form, is_prose
from ingestion.recognising.judging import is_unlikely
from ingestion.recognising.known_names import KnownNames
from ingestion.recognising.legal_forms import (
    FORMS,
    NEXT_FORM,
    without_form,
)
from ingestion.recognising.mention import COMPANY, Found, flat
from ingestion.recognising.words import (
    ENDINGS,
    NO_COMPANY,
    PLACES,
    STREETS,
    is_generic,
    parts,
    rare,
    speaks_against,
    tokens,
)

_CAPITAL_AFTER = re.compile(r"[^\S\n]+([A-Z]\w+)")
# "Shell company: Yes [ ] No [X]": behind an everyday word, a kind of company and not its name.
_KIND_AFTER = re.compile(r"[^\S\n]+(?:company|companies|corporations?|entit(?:y|ies)|firms?)\b")
_PLACE_WORDS = frozenset(
    "County City Island Islands River Lake Beach Park Place Centre Center Tower Commons Square "  # noqa: SIM905
    "Building Yards".split()
)
_ABBREVIATED = re.compile(
    r"(?P<before>[\w.])[”\"]?\s*\((?:the\s+)?[“\"‘]?(?P<short>[A-Z][A-Z&]{1,6})[”\"’]?\)"
)
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


def companies(
    text: str,
    tagged: Sequence[tuple[int, int]],
    known: KnownNames,
    filer: KnownNames | None = None,
    *,
    others: Sequence[tuple[int, int]] = (),
    surnames: Collection[str] = (),
) -> list[Found]:
    """All company names in this text, possibly overlapping; the longest is meant.

    `tagged` are spans a tagger calls organisations, `others` people or places; `filer` holds the
    names of the company that the document is about. A name followed by its short form has that in
    its value as `short`.
    """
    formal = list(by_form(text, known))
    witnessed = {*tagged, *(span for span in known.find(text) if span[1] - span[0] > 3)}
    spans = {*formal, *(span for span in known.find(text) if _is_meant(text, span, surnames))}
    spans |= set(_called_short(text, formal, witnessed, surnames))
    if filer is not None:
        spans |= set(filer.find(text))
    likely: set[tuple[int, int]] = set()
    unlikely: set[tuple[int, int]] = set()
    # What the tagger calls a place or a person wherever it stands is none.
    called = {text[slice(*span)] for span in others} - {text[slice(*span)] for span in tagged}
    for span, believed in _candidates(text, tagged, others, known, spans - set(formal)):
        if not believed and text[slice(*span)] in called:
            continue
        if _agrees(text, span, formal):
            held = is_unlikely(text, span, surnames, believed=believed)
            (unlikely if held else likely).add(span)
    likely -= set(_of_no_company(text, likely, spans | likely))
    names = {text[slice(*span)] for span in likely}
    spans |= likely | {span for span in unlikely if text[slice(*span)] in names}
    found = [_named(text, start, end) for start, end in sorted(spans)]
    shorts = KnownNames()
    for mention in found:
        if "short" in mention.value:
            shorts.add(mention.value["short"])
    return found + [_named(text, start, end) for start, end in shorts.find(text)]


def _of_no_company(
    text: str, likely: Collection[tuple[int, int]], spans: Collection[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Abbreviations that the text defines for something else: "special purpose vehicle (SPV)"."""
    ends = {end for _, end in spans}
    others = {m["short"] for m in _ABBREVIATED.finditer(text) if m.end("before") not in ends}
    yield from (span for span in likely if text[slice(*span)] in others)


def _candidates(
    text: str,
    tagged: Sequence[tuple[int, int]],
    others: Sequence[tuple[int, int]],
    known: KnownNames,
    listed: Collection[tuple[int, int]],
) -> Iterator[tuple[tuple[int, int], bool]]:
    """Spans that the tagger or the context takes for companies, and whether the context does."""
    for start, end in tagged:
        trimmed = _trimmed(text, start, end, known)
        street = re.match(r"\s+(\w+)", text[end : end + 20])
        if not trimmed or (street and street[1].lower() in STREETS):
            continue
        # Of "NIKE Brand" only the listed name is the company.
        if _only_begins(text, trimmed, listed):
            continue
        if _is_company(text[slice(*trimmed)], known) and not _is_everyday_here(text, trimmed):
            form = NEXT_FORM.match(text, trimmed[1])
            yield ((trimmed[0], form.end()) if form else trimmed), False
    for span in by_context(text, tagged, others):
        yield span, True


def _only_begins(text: str, span: tuple[int, int], listed: Collection[tuple[int, int]]) -> bool:
    """Whether a listed name is followed by everyday words that end no company's name."""
    rests = [text[last : span[1]] for first, last in listed if first == span[0] and last < span[1]]
    return any(is_generic(rest) and parts(rest)[-1] not in ENDINGS for rest in rests if parts(rest))


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
                spelling in surnames or (spelling != core and speaks_against(spelling))
            ):
                shorts.add(spelling, capitals=len(spelling) > 3)
    for span in shorts.find(text):
        name = text[slice(*span)]
        if any(start <= span[0] and span[1] <= end for start, end in formal):
            continue
        if " " not in name and _CAPITAL_AFTER.match(text, span[1]):
            # "Nuclear Regulatory": another name begins with its first word.
            continue
        if is_generic(name) and not name.isupper():
            seen = any(start < span[1] and span[0] < end for start, end in tagged)
            if not (seen or is_spoken_of(text, span)):
                continue
        if _is_meant(text, span, surnames):
            yield span


def _is_everyday_here(text: str, span: tuple[int, int]) -> bool:
    """Whether it is one word that begins a place's name, or that begins a sentence and stands in
    small letters elsewhere or before a kind of company.
    """
    name = text[slice(*span)]
    after = _CAPITAL_AFTER.match(text, span[1])
    if after and (after[1].capitalize() in _PLACE_WORDS or after[1].lower() in PLACES | STREETS):
        # "Continental Europe", "Trimble County", "BROOKFIELD PLACE".
        return " " not in name
    if not name.isalpha() or name != name.capitalize() or is_spoken_of(text, span):
        return False
    begins = re.search(r"(?:^|[.!?:;•]\s+|\n)$", text[max(0, span[0] - 3) : span[0]])
    if begins and is_generic(name) and _KIND_AFTER.match(text, span[1]):
        return True
    return bool(begins) and re.search(rf"(?<!\w){name.lower()}(?!\w)", text) is not None


def references(text: str) -> Iterator[Found]:
    """ "the Company" and the like: no name, but it may stand for the filer."""
    for match in _REFERENCE.finditer(text):
        yield Found(*match.span(), COMPANY, flat(match[0]), {"reference": True})


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
    if "\n" not in surface.strip("\n") or is_prose(text, start):
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
