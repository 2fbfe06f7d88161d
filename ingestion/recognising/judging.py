"""What the words around a name say against its being a company: bodies, marks, people, nouns.

Asked only of names that neither a legal form nor a list of companies vouches for.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ingestion.recognising.words import SHORT_BODIES, parts, speaks_against, tokens

# "Department of Agriculture", "Court of Justice": the body is meant, not the last word.
_BODY_BEFORE = re.compile(
    r"\b(?:Departments?|Ministry|Ministers?|Secretary|Courts?|Bureau|Office|University|Institutes?|"
    r"Federation|Associations?|Council|Board|Commission|Agency|State|City|County|Province|Republic|"
    r"Kingdom|Bailiwick|Commonwealth|School|College|Chamber|Organi[sz]ation|Society|Center|Centre|"
    r"Instance|District|Bank|Port|Academy|Code)\s+(?:of|for|on)\s+(?:the\s+)?"
    r"(?:[A-Z]\w+,?\s+(?:and\s+)?){0,3}$"
)
# No name takes the first ones; a common noun in capitals ("an SPV") takes the others too.
_ANY_BEFORE = re.compile(
    r"(?:^|\W)(?:such|any|each|every|no|another|these|those|either|neither|all|both)\s+$",
    re.IGNORECASE,
)
_ONE_BEFORE = re.compile(
    r"(?:^|\W)(?:an?|its|our|their|his|her|your|that|this|which)\s+$", re.IGNORECASE
)
_ARTICLE_BEFORE = re.compile(r"(?:^|\W)[Tt]he\s+$")
_MARK_AFTER = re.compile(r"\s?[®™℠]")
_NEXT_WORD = re.compile(r"[^\S\n]+([A-Z][\w-]*)")
# What these follow is a measure, a plan or a part of a company, whatever else stands there.
MEASURE = re.compile(
    r"\s+(?:growth|margins?|shares\s+\(|segments?|plans?|awards?|platforms?|programs?|ratios?|brands?|"
    r"devices?|software|technolog(?:y|ies)|facilit(?:y|ies)|campus|market|region)\b"
)
_CAPITALS = re.compile(r"[A-Z][A-Z&.]{1,5}")
_NUMBER_FIRST = re.compile(r"[\d.,$%]+\s|\d+[.,]\d")


def is_unlikely(
    text: str, span: tuple[int, int], surnames: Collection[str], *, believed: bool
) -> bool:
    """Whether these words are more likely a body, a product, a person or a noun.

    `believed` names have words of a company around them, so less is held against them.
    """
    start, end = span
    name = text[start:end]
    before = text[max(0, start - 80) : start].replace("\n", " ")
    if _BODY_BEFORE.search(before) or _NUMBER_FIRST.match(name) or _MARK_AFTER.match(text, end):
        return True
    if name in surnames or name.lower() in SHORT_BODIES:
        return True
    capitals = _CAPITALS.fullmatch(name) is not None
    if len(tokens(name)) == 1 and _ANY_BEFORE.search(before):
        return True
    if not believed and MEASURE.match(text, end):
        return True
    if capitals and (_ONE_BEFORE.search(before) or _ARTICLE_BEFORE.search(before)):
        return True
    after = _NEXT_WORD.match(text, end)
    return not believed and after is not None and speaks_against(after[1])


def surnames_of(people: Collection[str]) -> frozenset[str]:
    """The last words of full names: "Gates" where "Robert Gates" stands in the text too."""
    full = (tokens(name) for name in people)
    return frozenset(words[-1] for words in full if 1 < len(words) < 4 and parts(words[-1]))
