"""People with the role that the text gives them: "Dave Kimbell, chief executive officer"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ingestion.recognising.mention import PERSON, Found, flat
from ingestion.recognising.words import PLACES, is_generic, speaks_against, tokens

_SHORT_ROLES = {
    "CEO": "Chief Executive Officer", "CFO": "Chief Financial Officer",
    "COO": "Chief Operating Officer", "CTO": "Chief Technology Officer",
    "CIO": "Chief Information Officer", "CMO": "Chief Marketing Officer",
    "EVP": "Executive Vice President", "SVP": "Senior Vice President", "VP": "Vice President",
}  # fmt: skip
_ROLE = (
    r"(?P<role>(?i:(?:(?:executive|senior|corporate|group|global|non-executive|lead|independent|"
    r"interim|acting|former|regional|assistant|deputy|co)[\s-]+)*(?:vice[\s-]+)?"
    r"(?:chief\s+(?:\w+\s+){0,2}?\w+\s+officer|chairman(?:\s+of\s+the\s+board)?|chairwoman|"
    r"chairperson|chair(?:\s+of\s+the\s+board)?|president|managing\s+director|director|treasurer|"
    r"secretary|general\s+counsel|controller|co-?founder|founder|analyst|head\s+of\s+[\w ]{2,30}?|"
    r"partner|portfolio\s+manager))\b|CEO\b|CFO\b|COO\b|CTO\b|CIO\b|CMO\b|EVP\b|SVP\b|VP\b)"
)
_AFTER = re.compile(
    rf"(?:['’]s)?\s*(?:,|\(|–|-|—|:)?\s*(?:who\s+is\s+|is\s+|as\s+|has\s+been\s+|was\s+)?"
    rf"(?:our\s+|its\s+|the\s+|an?\s+|[A-Z][\w&.’'-]*['’]s\s+)?{_ROLE}"
    rf"(?P<more>\s*(?:,|and|&)\s*(?:and\s+)?{_ROLE.replace('?P<role>', '?:')}(?!\s+[A-Z][a-z]))?"
)
_BEFORE = re.compile(rf"{_ROLE},?\s+$")
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Messrs|Prof)\.?\s+(?P<name>[A-Z][\w’'-]+(?:\s+(?:[A-Z]\.\s*)?[A-Z][\w’'-]+)?)"
)
_SIGNED = re.compile(
    r"/s/[^\S\n]*(?P<name>[A-Z](?:[\w.’'-]|[^\S\n](?=[A-Z])){3,40})(?=[^\S\n]*(?:\n|,|\d|$))"
)
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr)\.?\s+$")
_NAME = re.compile(
    r"[A-Z](?:[\w’'-]|\.(?=\w))*\.?(?:[\s\xa0]+(?:[A-Z][\w’'-]*\.?|van|von|de|der|la|Jr\.|II|III)){0,4}"
)


def people(text: str, tagged: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """Names a tagger found, titled ones ("Mr. Deese") and signatures; may overlap."""
    for start, end in tagged:
        surface = re.sub(r"['’]s?$", "", text[start:end].rstrip(" ,;:\n"))
        title = _TITLE.search(text[max(0, start - 6) : start])
        if _is_person(surface, titled=title is not None):
            first = start - len(title[0]) if title else start
            yield _person(text, first, start + len(surface))
    for match in _TITLED.finditer(text):
        yield _person(text, *match.span())
    for match in _SIGNED.finditer(text):
        if not speaks_against(match["name"]):
            first, last = match.span("name")
            found = _person(text, first, last)
            found.value["signed"] = True
            yield found


def repeated(text: str, persons: Iterable[Found]) -> Iterator[Found]:
    """Where full names of `persons` stand again: a tagger may see them in a sentence and overlook
    them in a list, where a given name would be left to a company of that name."""
    names = {person.name for person in persons if " " in person.name}
    if not names:
        return
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    either = "|".join(r"\s+".join(map(re.escape, name.split(" "))) for name in longest_first)
    for match in re.finditer(rf"(?<!\w)(?:{either})(?!\w)", text):
        yield _person(text, *match.span())


def _is_person(name: str, *, titled: bool) -> bool:
    words = tokens(name)
    if any(map(str.isdigit, name)) or not _NAME.fullmatch(name) or is_generic(name):
        return False
    if speaks_against(name) or words[-1].lower() in PLACES:
        return False
    # The end of one line of a list and the start of the next: "Delaware\nProTheo".
    if "\n" in name and words[0].lower() in PLACES:
        return False
    return titled or len(words) > 1


def _person(text: str, start: int, end: int) -> Found:
    name = re.sub(r"^(?:Mr|Mrs|Ms|Dr|Messrs|Prof)\.?\s+", "", flat(text[start:end]))
    role = role_of(text, start, end)
    return Found(start, end, PERSON, name, {"role": role} if role else {})


def role_of(text: str, start: int, end: int) -> str:
    """What stands directly behind the name, else before it; empty if nothing does."""
    match = _AFTER.match(text, end, end + 160)
    if match:
        more = flat(re.sub(r"^\W*(?:and\s+)?", "", flat(match["more"] or "")))
        return " and ".join(filter(None, [_full(match["role"]), _full(more) if more else ""]))
    match = _BEFORE.search(text[max(0, start - 70) : start])
    return _full(match["role"]) if match else ""


def _full(role: str) -> str:
    plain = flat(role)
    if plain in _SHORT_ROLES:
        return _SHORT_ROLES[plain]
    small = ("of", "the", "and")
    return " ".join(
        word if word in small else word[:1].upper() + word[1:] for word in plain.lower().split()
    )
