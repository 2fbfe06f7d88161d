"""The formula that a question defines or spells out, over items of primary statements; pure.

Written as `qa.checking.formulas` reads it. Trap: None as soon as a word of it is not understood,
since a formula that was half read gives a figure that nobody asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qa.checking.formulas import formulas
from qa.checking.quoting import fold
from qa.checking.statement_items import names
from qa.question.asked_items import items, mentions

# "The turnover is defined as …", "Define the margin as …": up to the end of the sentence.
_DEFINED = re.compile(
    r"\b(?:(?:defin|calculat|comput|measur|tak|giv|express)\w*\b"
    r"(?P<name>[^.?;:]{0,80}?)\b(?P<how>as|by|from)\b|\bi\.e\.,?)"
    r"\s*:?\s*(?P<formula>(?:(?!\.(?:\s|$)|[?;]).)+)",
    re.I,
)
_DEFINING = ("defin", "calculat", "comput")
# ", all with the averages of both year ends"
_REMARK = re.compile(
    r",\s(?:all|both|each|using|with|where|based|round\w*|and (?:round|give|express)\w*)\b.*$", re.I
)
_NAME_BEFORE = re.compile(r"[^.?;:]{0,120}$")
_OF_TWO = tuple(
    (re.compile(pattern, re.I), sign)
    for pattern, sign in (
        (
            (
                r"(?P<a>[^,.?;:]+?),?\s(?:expressed |stated )?as an? (?:percentage|percent|%|"
                r"share|proportion|fraction|ratio|multiple) (?:of|to) (?P<b>[^,.?;:]+)"
            ),
            "/",
        ),
        (r"(?P<a>[^,.?;:]+?) (?:divided by|relative to) (?P<b>[^,.?;:]+)", "/"),
        (r"\bratio (?:of|between) (?P<a>[^,.?;:]+?) (?:to|and|over) (?P<b>[^,.?;:]+)", "/"),
        (
            (
                r"\b(?:percentage|percent|%|share|proportion|portion|fraction) of "
                r"(?P<b>[^,.?;:]+?) (?:did|does|do|has|is|was|were|are|went|goes)\b"
                r"(?P<a>[^,.?;:]+)"
            ),
            "/",
        ),
        (r"(?P<a>[^,.?;:/]+?)\s?/\s?(?P<b>[^,.?;:/]+)", "/"),
        (r"(?P<a>[^,.?;:]+?) (?:less|minus) (?P<b>[^,.?;:]+)", "-"),
        (r"(?P<a>[^,.?;:]+?) plus (?P<b>[^,.?;:]+)", "+"),
    )
)
# Of years that follow each other, where no definition has it of the ends of one year.
_MEAN = re.compile(
    r"\b(?:on average\b|(?:(?:[23]|two|three)[- ]years?(?:['’]s?)? )?"
    r"(?:average|mean)(?: of| for)?\s)",
    re.I,
)
_SIGNS = {
    "/": "/", "÷": "/", "+": "+", "*": "x", "×": "x", "-": "-", "−": "-", "(": "(", ")": ")",
}  # fmt: skip
_WORDS = (
    (re.compile(r"divided by\b|over\b(?!\s+(?:the|FY|fiscal|\d))", re.I), "/"),
    (re.compile(r"plus\b", re.I), "+"),
    (re.compile(r"minus\b|less\b|net of\b", re.I), "-"),
    (re.compile(r"times\b|multiplied by\b|x(?=\s)", re.I), "x"),
    (re.compile(r"(?:the )?(?:average|mean)\b", re.I), "average"),
    (re.compile(r"(?:the )?(?:change|increase) in\b", re.I), "change"),
    (
        re.compile(
            r"(?:the )?(?:prior|previous|preceding)[- ](?:fiscal[- ])?years?(?:['’]s)?", re.I
        ),
        "before",
    ),
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?![\d,])")
_YEAR = re.compile(r"(?:FY\s?)?(?:19|20)\d\d\b|FY\s?\d\d\b", re.I)
_YEAR_BEHIND = re.compile(
    rf"\s+(?:(?:in|for|of|at the end of)\s+)?({_YEAR.pattern})(?!\s*[a-z])", re.I
)
_RANGE = re.compile(
    rf"({_YEAR.pattern})\s*(?:-|–|to|through|and)\s*((?:FY\s?)?(?:(?:19|20)\d\d|\d\d)\b)", re.I
)
_OPERATORS = frozenset("+-/x()")
_SIGN = re.compile(r"(?:^|\s)[-+/](?:\s|$)")
# Words that say nothing of what is divided by what.
_FILL = re.compile(
    r"(?:the|its|their|of|in|for|from|at|on|between|total|fiscal|annual|years?|ends?|ended|ending|"
    r"beginnings?|start|days?|both|same|that|company|reported|year-end|balances?|amount|"
    r"value|spend|spent|spending|made|take|took|go|goes|went|represent|represented|come|came|up|by|"
    r"to|as|using|pay|paid|pays|out|consolidated|FY|what|was|were|is|are|did|does|do|had|has|how|much|calculate|"
    r"compute|will|would|be|annually|altogether)(?=\W|$)|"
    r"['’]s\b|[\s,\"“”]+|['’]|over\b|and(?=\s+(?:the\s+)?(?:end|FY|(?:19|20)\d\d))",
    re.I,
)


def formula_of(question: str) -> str | None:
    """The formula that is asked for; names of companies must have been blanked out.

    Names that the question defines in their turn are replaced by what they are defined as. "N-year
    average of …" where a mean over two or three years is asked for.
    """
    text = fold(question)
    defined = dict(_definitions(text))
    if not defined:
        return _spelled_out(text)
    rest = _DEFINED.sub(" ", text)
    made = _spelled_out(rest)
    if made is None or _put_in(made, defined) == made:
        made = defined.pop(_asked_for(rest, defined))
    while defined:
        name, formula = defined.popitem()
        made = _put_in(made, {name: formula})
        defined = {key: _put_in(other, {name: formula}) for key, other in defined.items()}
    return made if formulas(made) else None


def _asked_for(rest: str, defined: Mapping[str, str]) -> str:
    """Which of these names, where `rest` of the question does not calculate with any: one that no
    other is made of, and of those the one that it speaks of most, or the first."""
    used = {name for name in defined for other in defined.values()
            if _put_in(other, {name: ""}) != other}  # fmt: skip
    spoken = Counter(name for _, _, name in mentions(rest))
    return max([name for name in defined if name not in used] or defined, key=lambda n: spoken[n])


def _put_in(text: str, defined: Mapping[str, str]) -> str:
    """With what these names are defined as in their places; of "cost of revenue" no "revenue"."""
    known = sorted({*items(), *names(), *defined}, key=len, reverse=True)
    return re.sub(
        "|".join(map(re.escape, known)),
        lambda found: f"({defined[found[0]]})" if found[0] in defined else found[0],
        text,
    )


def _spelled_out(text: str) -> str | None:
    named = _years(text)
    years = max(named) - min(named) + 1 if named else 0
    mean = _MEAN.search(text) if years in (2, 3) else None
    plain = text[: mean.start()] + text[mean.end() :] if mean else text
    for pattern, sign in _OF_TWO:
        made = _of_two(pattern, sign, plain)
        if made is not None:
            return f"{years}-year average of {made}" if mean else made
    return None


def _definitions(text: str) -> Iterator[tuple[str, str]]:
    """What is defined, and as what, in their order; as nothing where that is not understood."""
    for found in _DEFINED.finditer(text):
        before = _NAME_BEFORE.search(text[: found.start()])
        named = [*mentions(before[0] if before else ""), *mentions(found["name"] or "")]
        name = named[-1][2] if named else f"formula {found.start()}"
        written = _Reading(text).read(_REMARK.sub("", found["formula"]))
        if written is not None and _SIGN.search(written):
            yield name, written
        elif written is None and found["how"] == "as" and found[0].lower().startswith(_DEFINING):
            yield name, ""


def _of_two(pattern: re.Pattern[str], sign: str, text: str) -> str | None:
    found = pattern.search(text)
    if found is None:
        return None
    parts = [_Reading(text).read(found[side]) for side in "ab"]
    if None in parts:
        return None
    made = f" {sign} ".join(
        f"({part})" if part and _SIGN.search(part) else str(part) for part in parts
    )
    return made if formulas(made) else None


@dataclass(slots=True)
class _Reading:
    """What was read of a formula, and what the words before the next item say of it."""

    question: str
    made: list[str] = field(default_factory=list)
    averaged: bool = False
    before: bool = False
    changing: bool = False
    year: int = 0

    def read(self, text: str) -> str | None:
        """As `formulas` reads it; None unless there is an item, and every word is understood."""
        text, at = _RANGE.sub(r"\2", text), 0
        items = {start: (end, name) for start, end, name in mentions(text)}
        while at < len(text):
            if at in items:
                at, name = items[at]
                self._take_item(name, text[at:])
                continue
            said, length = _next(text, at)
            if said is None:
                return None
            at += length
            self._take(said)
        made = " ".join(self.made).replace("( )", "").strip()
        return made if re.search("[A-Za-z]{2}", made) else None

    def _take_item(self, name: str, behind: str) -> None:
        year = self.year or _year_behind(behind)
        if year and year == max(_years(self.question), default=0) - 1:
            self.before = True
        if self.changing:
            self.made.append(f"({name} - {name} of the year before)")
        elif self.averaged:
            self.made.append(f"average {name}")
        else:
            self.made.append(f"{name} of the year before" if self.before else name)
        self.averaged = self.before = self.changing = False
        self.year = 0

    def _take(self, said: str) -> None:
        self.averaged |= said == "average"
        self.before |= said == "before"
        self.changing |= said == "change"
        if said.startswith("year "):
            self.year = int(said.removeprefix("year "))
        elif said and (said in _OPERATORS or said[0].isdigit()):
            self.made.append(said)
            # "Between FY2017 and FY2018" was of what stood before.
            self.year = 0


def _next(text: str, at: int) -> tuple[str | None, int]:
    """What is read that is no item, and its length; None for what is not understood."""
    if text[at] in _SIGNS:
        return _SIGNS[text[at]], 1
    for pattern, said in _WORDS:
        found = pattern.match(text, at)
        if found:
            return said, len(found[0])
    year = _YEAR.match(text, at)
    if year:
        return f"year {_years(year[0])[0]}", len(year[0])
    number = _NUMBER.match(text, at)
    if number:
        return number[0], len(number[0])
    fill = _FILL.match(text, at)
    return ("", len(fill[0])) if fill and fill[0] else (None, 0)


def _year_behind(text: str) -> int:
    """Of "revenue in FY2018", not of "revenue / FY2018 …"."""
    found = _YEAR_BEHIND.match(text)
    return _years(found[1])[0] if found else 0


def _years(text: str) -> list[int]:
    found = [match[0] for match in _YEAR.finditer(text)]
    return [int(year[-4:]) if year[-4:].isdigit() else 2000 + int(year[-2:]) for year in found]
