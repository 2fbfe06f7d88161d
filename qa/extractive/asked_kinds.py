"""What kind of answer a question wants: a figure, a cause, a person, a day, a list; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIGURE = re.compile(
    r"\bhow (?:much|many|large|big|far|high|long|often|old|fast)\b|\bby how\b|\bguid\w+\b|"
    r"\bwhat (?:was|were|is|are|did|does|do|has|share|price|percent\w*|portion|proportion|amount|"
    r"charge|level|number|rate|fee|sum|total|multiple)\b|\bwhich (?:price|share|amount|rate)\b",
    re.I,
)
_CAUSE = re.compile(
    r"\bwhy\b|\breasons?\b|\bcauses?\b|\bcaused\b|\bprompt\w*\b|\bblam\w*\b|\bled to\b|"
    r"\bexplain\w*\b|\bdr(?:ove|ives?|iven|ivers?|iving)\b|\battribut\w+\b|\bbehind\b|"
    r"\bhow come\b|\bbecause of what\b|\bcontribut\w+\b",
    re.I,
)
_PERSON = re.compile(r"\bwho(?:m|se)?\b", re.I)
_DAY = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:date|day|month|year|quarter)\b|\bsince when\b|"
    r"\bby what date\b|\bhow soon\b",
    re.I,
)
_PLACE = re.compile(
    r"\bwhere\b|\b(?:what|which) (?:country|countries|cit(?:y|ies)|states?)\b", re.I
)
_LIST = re.compile(
    r"\b(?:what|which|who) are\b|\blist\b|\bname (?:the|all)\b|"
    r"\b(?:what|which) (?:\w+ )?(?:\w+s)\b(?! (?:does|did|is|was|has) \w+ (?:report|say))|"
    r"\bsummari[sz]e\b|\boverview\b|\bdescribe\b",
    re.I,
)
_COMPANY = re.compile(
    r"\b(?:which|what) (?:\w+ )?(?:compan(?:y|ies)|firms?|issuers?|banks?|retailers?|\w*makers?)\b",
    re.I,
)
_YES_NO = re.compile(
    r"^\W*(?:is|are|was|were|did|does|do|has|have|had|can|could|will|would|should)\b", re.I
)
_OUTLOOK = re.compile(
    r"\bguid\w+\b|\boutlook\b|\bexpect\w*\b|\bforecast\w*\b|\bproject(?:s|ed|ion|ions)\b|"
    r"\btargets?\b|\bplan(?:s|ned|ning)?\b|\banticipat\w+\b|\bnext year\b|\bgoing to\b|\bwill\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Several may hold at once: "who and when"."""

    figure: bool = False
    cause: bool = False
    person: bool = False
    day: bool = False
    place: bool = False
    listing: bool = False
    yes_no: bool = False
    outlook: bool = False
    company: bool = False


def asked_for(question: str) -> AskedFor:
    """By the wording alone."""
    cause, person = bool(_CAUSE.search(question)), bool(_PERSON.search(question))
    day, place = bool(_DAY.search(question)), bool(_PLACE.search(question))
    other = cause or person or day or place
    return AskedFor(
        figure=bool(_FIGURE.search(question)) and not other,
        cause=cause,
        person=person,
        day=day,
        place=place,
        listing=bool(_LIST.search(question)),
        yes_no=bool(_YES_NO.search(question)),
        outlook=bool(_OUTLOOK.search(question)),
        company=bool(_COMPANY.search(question)),
    )
