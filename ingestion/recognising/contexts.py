"""Names that the words around them make companies: "shares of X", "X's subsidiary", "X agreed to".

Trap: people also say, buy and sell; so a name needs words around it that only fit a company, unless
the tagger already calls it an organisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingestion.recognising.judging import MEASURE
from ingestion.recognising.words import is_generic, rare, speaks_against, tokens

_WORD = r"(?:[A-Z][\w&’'-]*[\w&]|[A-Z]|[a-z][A-Z]\w+|\d+[A-Z]\w*)"
_NAME = rf"(?P<name>{_WORD}(?:[^\S\n]+(?:&[^\S\n]+)?{_WORD}){{0,4}})"
_OWNED = (
    r"(?:shares?|stock|common\s+stock|shareholders|stockholders|board\s+of\s+directors|board|"
    r"subsidiar(?:y|ies)|parent(?:\s+company)?|revenues?|earnings|net\s+income|balance\s+sheet|"
    r"cash\s+balance|assets|debt|acquisition|merger|quarterly|customers|employees|headquarters|"
    r"products|business|operations|bankruptcy|credit\s+rating|IPO|chief\s+\w+\s+officer|CEO|CFO|"
    r"market\s+share|organic|results|bonds|unit|spokes(?:man|woman|person)|management)\b"
)
# What only a company does, or what is only done to one.
_STRONG_RIGHT = re.compile(
    rf"(?:['’]s?\s+(?:\w+\s+)?{_OWNED}|\s+(?:shares|stock|shareholders|stockholders|common\s+stock)\b|"
    r"\s*,\s+(?:a|an|the)\s+(?:[\w-]+\s+){0,6}?(?:company|maker|subsidiary|manufacturer|firm|"
    r"provider|bank|retailer|supplier|developer|distributor|operator|producer|corporation|startup|"
    r"joint\s+venture|unit|division|insurer|airline|chipmaker|carmaker|automaker|brokerage)\b|"
    r"\s+(?:is|was|are|were)\s+(?:a|an|the)\s+(?:[\w-]+,?\s+){0,6}?(?:company|maker|subsidiary|"
    r"manufacturer|firm|provider|retailer|supplier|bank|corporation|joint\s+venture|insurer)\b|"
    r"\s+(?:and\s+its|or\s+its)\s+(?:affiliates|subsidiaries)\b|"
    r"\s+(?:acquisition|merger|subsidiary|spin-?off|takeover)\b)"
)
_WEAK_RIGHT = re.compile(
    r"(?:['’]s?\b|\s+(?:has|had|have|will|would|may|is|was|said|says|announced|reported|acquired|"
    r"agreed|filed|expects?|posted|owns?|owned|signed|entered|launched|merged|completed|sold|"
    r"purchased|operates?|provides?|paid|pays|aspires|offers?|plans?|believes?|issued|received|"
    r"became|began|continues?|makes?|made|sells?|held|holds?|closed|generated|represented|"
    r"recorded|uses?|used|does|did|can|could|shall|remains?|serves?)\b)"
)
_STRONG_LEFT = re.compile(
    r"(?:\b(?:shares?|stock|acquisition|takeover|purchase|subsidiar(?:y|ies)|divestiture|merger|"
    r"unit|control|ownership|shareholders?|stockholders?|customers?|integration|spin-?off)\s+(?:of|"
    r"with|in|into)|\b(?:acquired?|acquiring|acquires|merged?\s+(?:with|into)|bought|"
    r"compete(?:s|d)?\s+with|competitors?,?\s+(?:such\s+as|including|like)|"
    r"companies,?\s+(?:such\s+as|including|like)|owned\s+by|invest(?:ed|ment)\s+in|stake\s+in|"
    r"interest\s+in|joint\s+venture\s+with|agreement\s+with|contract\s+with|partnership\s+with|"
    r"alliance\s+with|subcontract\s+to|lawsuit\s+against|suit\s+against|sued|subsidiary,|firm|"
    r"company,|maker|retailer|giant|startup|chipmaker|drugmaker|automaker|carmaker|"
    r"called|named|departing|rival))\s+(?:the\s+|its\s+)?$"
)
_WEAK_LEFT = re.compile(
    r"\b(?:by|between|among|with|from|at|for|to|against|of|and|both|under|between)\s+$"
)
_CANDIDATE = re.compile(rf"(?<![\w&.$/@-]){_NAME}(?![\w&@/]|-[a-z])")
_SENTENCE = re.compile(r"(?:[.!?:;]\s+|\n\s*|^\s*)$")
_ABBREVIATION = re.compile(r"[A-Z&]{2,6}")
_NOT_IT = frozenset(
    re.findall(
        r"\w+",
        """
    i we you he she they it this that these those there here what when where who why how if but so
    yes no our your his her its my mr mrs ms dr covid gaap q1 q2 q3 q4 h1 h2 fy ebitda
    """,
    )
)


def by_context(
    text: str,
    tagged: Sequence[tuple[int, int]],
    others: Sequence[tuple[int, int]],
) -> Iterator[tuple[int, int]]:
    """Spans that context makes companies; each other place of such a name in this text too.

    `tagged` are what a tagger calls organisations, `others` what it calls people or places.
    """
    believed: dict[str, list[tuple[int, int]]] = {}
    sure: set[str] = set()
    for match in _CANDIDATE.finditer(text):
        span = _without_head(text, *match.span("name"))
        if span is None:
            continue
        name = text[slice(*span)]
        # "DOE's Hanford" begins with a name of its own.
        bare = re.split(r"['’]s?(?:\s|$)", name, maxsplit=1)[0]
        span = (span[0], span[0] + len(bare))
        if not _may_name(bare):
            continue
        believed.setdefault(bare, []).append(span)
        if _is_sure(text, span, tagged, others):
            sure.add(bare)
    for name in sure:
        yield from believed[name]


def is_spoken_of(text: str, span: tuple[int, int]) -> bool:
    """Whether the words behind it fit a company: "said", "'s shares"."""
    return bool(_STRONG_RIGHT.match(text, span[1]) or _WEAK_RIGHT.match(text, span[1]))


def _is_sure(
    text: str,
    span: tuple[int, int],
    tagged: Sequence[tuple[int, int]],
    others: Sequence[tuple[int, int]],
) -> bool:
    start, end = span
    if MEASURE.match(text, end):
        return False
    organisation = any(a < end and start < b for a, b in tagged)
    other = any(a < end and start < b for a, b in others)
    strong_right = _STRONG_RIGHT.match(text, end) is not None
    before = text[max(0, start - 50) : start].replace("\n", " ")
    strong_left = _STRONG_LEFT.search(before) is not None
    if other and not organisation:
        # "Lima One" of which the tagger knows Lima as a place.
        whole = any(a <= start and end <= b for a, b in others)
        return strong_left and (strong_right or not whole)
    if strong_left or strong_right:
        return True
    weak_right = _WEAK_RIGHT.match(text, end) is not None
    if _ABBREVIATION.fullmatch(text, start, end):
        return organisation and weak_right
    return organisation and (weak_right or _WEAK_LEFT.search(before) is not None)


def _without_head(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Without a first word that only begins a sentence: "However RPC", "The DISH"."""
    while start < end:
        first = re.match(r"\S+\s*", text[start:end])
        if first is None:
            return None
        word = first[0].strip()
        if not is_generic(word) or (word.isupper() and len(word) > 1):
            return (start, end)
        opens = _SENTENCE.search(text[max(0, start - 12) : start].rstrip(" ") + " ") is not None
        if not (opens or word.lower() in _NOT_IT or word.lower() in ("the", "a", "an")):
            return (start, end)
        start += first.end()
    return None


def is_own(word: str) -> bool:
    """Whether it is no form of an everyday verb: "Sponsoring", "Issued"."""
    stem = re.sub(r"(?:ing|ed|ers?|ly|s)$", "", word.lower())
    return word.isupper() or not (is_generic(stem) or is_generic(stem + "e"))


def _may_name(name: str) -> bool:
    words = tokens(name)
    if not words or speaks_against(name) or not any(map(is_own, rare(name))):
        return False
    if words[0].lower() in _NOT_IT or len(name) < 2:
        return False
    # Half of a legal name or of a person's is no company; a letter with a number is a product.
    return not re.fullmatch(r"[A-Za-z]?\d+[A-Za-z]?|[A-Z][a-z]?", name)
