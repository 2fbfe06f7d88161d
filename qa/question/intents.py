"""Whether a question compares, asks how something changed, or needs several steps.

Rules over words, bounded; the router learns from these flags among other features.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.question.periods import Period
from qa.understood import Hop

_COMPARE = re.compile(
    r"\b(?:compare[ds]?|comparing|comparison|versus|vs\.?|relative\sto|stack(?:s|ed)?\sup|"
    r"differ(?:s|ed|ence|ences|ent)?|better\sthan|worse\sthan|(?:higher|lower|more|less|larger|"
    r"smaller|faster|slower|greater|stronger|weaker|bigger|fewer)\s(?:[\w-]+\s){0,6}than|"
    r"than|benchmark(?:ed|ing)?|side[\s-]by[\s-]side|peers?|rank(?:ed|ing)?|outperform(?:s|ed)?|"
    r"who\shas\sthe\s(?:highest|lowest|largest|best)|which\s(?:of|company|one)\s[^?.]{0,80}"
    r"(?:highest|lowest|most|best|largest|higher|better|more|less))\b",
    re.I,
)
_CHANGE = re.compile(
    r"\b(?:how\s(?:has|have|had|did|does|do|is|are)\s[^?.]{1,120}?(?:chang|evolv|develop|trend|grow|grew|"
    r"shift|progress|mov|improv|deteriorat|declin|increas|decreas|fluctuat|vari)\w*|"
    r"trends?|trending|trajectory|evolution|evolved?|over\stime|historical(?:ly)?|history\sof|"
    r"year[\s-]over[\s-]year|year[\s-]on[\s-]year|y[/-]?o[/-]?y|q[/-]?o[/-]?q|quarter[\s-]over[\s-]quarter|"
    r"cagr|growth\srate|over\sthe\s(?:last|past|previous)|(?:last|past)\s(?:\w+\s)?(?:years|quarters|months)|"
    r"each\s(?:year|quarter)|every\s(?:year|quarter)|per\squarter|by\s(?:year|quarter)|since\s\w+|"
    r"timeline|chang(?:e|es|ed|ing)\s(?:in|of|to|from|between|since|over)|still|no\slonger|any\s?more|"
    r"consistent(?:ly)?|sequential(?:ly)?)\b",
    re.I,
)
_GROUP = r"(?:companies|firms|issuers|banks|retailers|names|corporations|businesses|stocks|filers|\w+makers|producers|airlines|insurers|utilities)"  # noqa: E501
_VERBS = (
    r"(?:mention|report|disclos|cit|flag|rais|cut|lower|warn|announc|guid|record|discuss|note|"
    r"complet|increas|decreas|reduc|show|post|miss|beat|acquir|suspend|initiat|repurchas|"
    r"describ|experienc|saw|see|had|have|has|suffer|took|take|made|talk|point|identif|blam|"
    r"highlight|issu|rais|declar|restructur|restat|pa[iy]d|impair|grew|grow|expand|launch|clos|open|admit)"
)
_VERB = re.compile(rf"\b{_VERBS}(?:e?d|s|es|ing|t|ied|ted|ped|rung)?\b", re.I)
_WHICH = re.compile(
    rf"^\s*(?:so,?\s|and\s|now\s|please\s)?(?:which|what|list(?:\sall)?|find(?:\sall)?|name|show(?:\sme)?|identify|"
    rf"give\sme)\s(?:the\s|of\sthe\s|of\sour\s|all\s)?(?P<group>(?:[\w-]+\s){{0,3}}?{_GROUP})\s"
    rf"(?P<who>that|which|who|with|whose|both(?=\s)|(?={_VERBS}))\s?(?P<rest>.{{8,400}})$",
    re.I | re.S,
)
_OF_THOSE = re.compile(
    rf"^\s*(?:of|among|amongst|from)\s(?:the\s|all\s|those\s)?(?P<group>(?:[\w-]+\s){{0,3}}?{_GROUP})\s"
    r"(?P<who>that|which|who|with|whose|mentioning|reporting|citing|flagging)\s(?P<first>[^,?]{4,250}),\s?"
    r"(?:which|how\smany|what|who)\s(?:ones?\s|of\sthem\s)?(?:also\s|then\s|later\s)?(?P<second>[^?]{4,250})",
    re.I,
)
_JOIN = re.compile(
    r"[,\s]*\b(?:and\s)?(?:also|then|later|subsequently|and\sthen|and\salso|and\slater)?\s*$", re.I
)
_JOINED = re.compile(r"\b(?:and|but|then|later|also|subsequently)\s*$", re.I)
_ENTITY = re.compile(
    r"\bthe\s(?P<group>company|firm|bank|retailer|supplier|customer|business|target|acquirer)\s"
    r"(?P<who>that|which|who)\s(?P<first>[^,?]{6,160}?)(?=[?,.]|$|\sin\sits\b|\slast\b|\sduring\b)",
    re.I,
)
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Intents:
    comparison: bool
    temporal: bool


def read_intents(text: str, periods: Sequence[Period] = (), n_companies: int = 0) -> Intents:
    """Two companies compare; two periods or a range of them ask for a change."""
    named = [period for period in periods if not period.newest]
    quarters = {quarter for period in named for quarter in period.quarters}
    spread = len(quarters) or len({year for period in named for year in period.years})
    several = len({period.key for period in named}) > 1
    # A half-year is one period although it is two quarters.
    whole = [p for p in named if not p.key.startswith(("period:H", "period:ended"))]
    ranged = any(len(p.quarters) > 1 or (len(p.years) > 1 and not p.quarters) for p in whole)
    change = bool(_CHANGE.search(text))
    return Intents(
        comparison=n_companies > 1 or bool(_COMPARE.search(text)),
        temporal=change or ((several or ranged) and spread > 1),
    )


def read_hops(text: str, periods: Sequence[Period] = ()) -> tuple[Hop, ...]:
    """The steps of a question that no single search answers; empty for any other.

    "Which companies that mentioned X in Q1 reported Y in Q2?" gives two questions whose companies
    are to be intersected; "the capex of the company that acquired X" asks for the company first.
    """
    if len(text) > _LONGEST:
        return ()
    if found := _OF_THOSE.match(text):
        group = found["group"].strip()
        link = {"with": "with ", "whose": "have ", "that": "", "which": "", "who": ""}
        link_word = link.get(found["who"].lower(), f"are {found['who']} ")
        first = f"Which {group} {link_word}{found['first'].strip()}?"
        return (
            _hop(first, found.span("first"), "first", periods),
            _hop(
                f"Which {group} {found['second'].strip()}?",
                found.span("second"),
                "intersect",
                periods,
            ),
        )
    if found := _WHICH.match(text):
        return _split(found, periods)
    if (found := _ENTITY.search(text)) and _VERB.search(found["first"]):
        asked = (text[: found.start()] + "{found}" + text[found.end() :]).strip()
        return (
            _hop(
                f"Which {found['group']} {found['first'].strip()}?", found.span(), "first", periods
            ),
            Hop(
                asked,
                0,
                len(text),
                "then",
                tuple(p for p in periods if not _inside(p, found.span())),
            ),
        )
    return ()


def _split(found: re.Match[str], periods: Sequence[Period]) -> tuple[Hop, ...]:
    """At the main verb: the second one that begins a clause of its own."""
    rest, offset = found["rest"], found.start("rest")
    who = found["who"].lower()
    verbs = list(_VERB.finditer(rest))
    if who not in ("with", "whose"):
        verbs = verbs[1:] if verbs and verbs[0].start() < 20 else verbs
    # A verb right after a period begins the main clause: "… in Q1 reported …".
    ends = [period.end - offset for period in periods]
    verbs.sort(key=lambda verb: not any(0 <= verb.start() - end <= 14 for end in ends))
    participle = bool(re.match(r"\w+ing\b", rest))
    for verb in verbs:
        before = rest[: verb.start()]
        if who in ("", "both") and not participle and not _JOINED.search(before):
            continue
        # "and" between two verbs or a determiner before one: a list or a noun, no main verb.
        if len(before.split()) < 2 or re.search(
            r"\b(?:the|a|an|of|in|to|for|by|no|its|their)\s$", before, re.I
        ):
            continue
        if verb[0].lower().endswith("ing"):
            continue
        join = _JOIN.search(before)
        first = before[: join.start()] if join else before
        first = re.sub(
            r"\s+(?:and|also|then|later|subsequently|but)$", "", first.rstrip(" ,"), flags=re.I
        )
        second = rest[verb.start() :].rstrip(" ?.!")
        if len(first.split()) < 2 or len(second.split()) < 2:
            continue
        group = found["group"].strip()
        link = {"with": " with", "whose": " have"}.get(who, " are" if participle else "")
        return (
            _hop(f"Which {group}{link} {first}?", (offset, offset + len(first)), "first", periods),
            _hop(
                f"Which {group} {second}?",
                (offset + verb.start(), offset + verb.start() + len(second)),
                "intersect",
                periods,
            ),
        )
    return ()


def _hop(question: str, span: tuple[int, int], relation: str, periods: Sequence[Period]) -> Hop:
    own = tuple(period for period in periods if _inside(period, span))
    return Hop(question, *span, relation, own)


def _inside(period: Period, span: tuple[int, int]) -> bool:
    return span[0] <= period.start and period.end <= span[1] + 1
