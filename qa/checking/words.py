"""Whether a sentence's words say what its quotes say: direction, negation, certainty, share; pure.

Each sentence part is held against the part of a quote that shares most words and figures with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from qa.checking.evidence import Evidence, figures
from qa.checking.figures import Claim
from qa.checking.quantities import MOST_ROUNDING, Quantity, is_rounded
from qa.checking.wording import (
    EXCLUSIVE,
    clauses,
    content,
    directions,
    hedged,
    negations,
    says_the_same,
    share_found,
    stem,
    words,
)

# Calibrated on the pairs of tests/verifier_pairs: honest paraphrases lie above.
LEAST_SHARE = 0.5
LEAST_SHARE_OF_PART = 0.34
NEGATION_REACH = 3
_OPPOSITE = {"up": "down", "down": "up", "better": "worse", "worse": "better"}
_FROM_TO = re.compile(r"\bfrom\b(?P<a>[^;]{1,60}?)\bto\b(?P<b>(?:(?!\bfrom\b)[^;]){1,60})", re.I)
_TO_FROM = re.compile(
    r"\bto\b(?P<b>[^;]{1,60}?)\b(?:from|compared (?:with|to)|versus|vs\.?|"
    r"against)\b(?P<a>[^;]{1,60})",
    re.I,
)
_COMPARED = re.compile(
    r"(?P<b>[^;]{1,80}?)\b(?:compared (?:with|to)|versus|vs\.?|against|up from|"
    r"down from|(?:higher|lower|more|less|fewer|greater) than|from)\b(?P<a>[^;]{1,60})",
    re.I,
)
_YEARLY = re.compile(
    r"year[\s-](?:over|on)[\s-]year|year (?:earlier|ago|before)|(?:last|prior|"
    r"previous|preceding)(?: fiscal)? year|year-earlier|\byoy\b|annual",
    re.I,
)
_QUARTERLY = re.compile(
    r"sequential|quarter[\s-](?:over|on)[\s-]quarter|(?:last|prior|previous|"
    r"preceding)(?: fiscal)? quarter|\bqoq\b",
    re.I,
)
_GAINS = re.compile(
    r"margin|income|profit|revenue|sales|cash flow|earnings|growth|utilization", re.I
)


def flipped(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """Why a direction ("rose") is refused: the quotes say another, or none."""
    said = [
        each for each in directions(claim.text)
        if not any(m.start <= each[0] < m.end for m in claim.metrics)
    ]  # fmt: skip
    for problem in _wrong_order(claim.text):
        return problem
    for offset, word, way in said:
        if way == "flat":
            if not any(
                w == "flat" or "unchanged" in e.quote
                for e in evidence
                for _, _, w in directions(e.quote)
            ):
                return f"no quote says “{word}”"
            continue
        if _implied(claim.text, way):
            turned = _reversed(claim, offset, word, way, evidence)
            if turned:
                return turned
            continue
        parts = _best_parts(claim, offset, evidence)
        parts = [part for part in parts if _has_anchor(part, claim, offset)] or parts
        ways = {w for part in parts for w in _ways_of(part, claim, offset)}
        if way in ways or _alike(way, ways, claim.text):
            continue
        # Said in another part of the quote, as in "the decrease was due to …, and to idle time".
        anywhere = [{w for *_, w in directions(e.quote)} for e in evidence]
        if not any(way in each and _OPPOSITE[way] not in each for each in anywhere):
            return f"no quote says “{word}” of this"
    return _other_basis(claim, evidence)


def _ways_of(part: str, claim: Claim, offset: int) -> set[str]:
    """Directions of a quote's part; where it has both, the one nearest to what the claim names."""
    found = list(directions(part))
    ways = {way for *_, way in found}
    if not {"up", "down"} <= ways:
        return ways
    anchors = _anchors(claim, offset)
    places = [
        q.start
        for q in figures(part)
        for a in anchors
        if isinstance(a, Quantity) and is_rounded(a, q.amount)
    ]
    if not places:
        wanted = [a for a in anchors if isinstance(a, str)]
        places = [
            m.start() for m in re.finditer(r"[^\W\d_]+", part)
            if any(stem(m[0]) == each for each in wanted)
        ]  # fmt: skip
    if not places:
        return ways
    # Each anchor votes for the direction word next to it.
    votes = [min(found, key=lambda f: abs(f[0] - place))[2] for place in places]
    return {max(set(votes), key=votes.count)}


def _has_anchor(part: str, claim: Claim, offset: int) -> bool:
    held, there = figures(part), content(part)
    return any(
        any(is_rounded(anchor, q.amount) for q in held)
        if isinstance(anchor, Quantity)
        else anchor in there
        for anchor in _anchors(claim, offset)
    )


def _anchors(claim: Claim, offset: int) -> list[Quantity | str]:
    """What the direction at this offset is said of: the figure next to it, else words near it."""
    low, high = _part_at(claim.text, offset)
    near = [q for q in claim.figures if low <= q.start < high]
    if near:
        return [min(near, key=lambda q: abs(q.start - offset))]
    found = [(m.start(), stem(m[0])) for m in re.finditer(r"[^\W\d_]+", claim.text[low:high])]
    ordered = sorted(found, key=lambda each: abs(each[0] + low - offset))
    kept = [each for _, each in ordered if each in content(claim.text[low:high])]
    return list(kept[1:4])


def _part_at(text: str, offset: int) -> tuple[int, int]:
    return next((span for span in clauses(text) if span[0] <= offset < span[1]), (0, len(text)))


def _best_parts(claim: Claim, offset: int, evidence: Sequence[Evidence]) -> list[str]:
    """The parts of the quotes that share most with the sentence's part at this offset."""
    low, high = _part_at(claim.text, offset)
    return best_parts(claim.text[low:high], [e.quote for e in evidence])


def best_parts(said: str, quotes: Sequence[str]) -> list[str]:
    """The parts of the quotes that share most words and figures with what is said."""
    wanted, numbers = set(content(said)), figures(said)
    scored: list[tuple[float, str]] = []
    for quote in quotes:
        for low, high in clauses(quote):
            part = quote[low:high]
            there = content(part)
            shared = sum(any(says_the_same(w, t) for t in there) for w in wanted)
            held = figures(part)
            equal = sum(any(is_rounded(n, h.amount) for h in held) for n in numbers)
            scored.append((shared + 3.0 * equal, part))
    best = max((score for score, _ in scored), default=0.0)
    if best <= 0:
        return [part for _, part in scored]
    return [part for score, part in scored if score >= max(1.0, best - 1.0)]


def _alike(way: str, ways: set[str], text: str) -> bool:
    """A margin or an income that improved is one that rose; a cost that improved is not."""
    if not _GAINS.search(text) or re.search(r"cost|expense|loss|debt", text, re.I):
        return False
    return {"up": "better", "down": "worse"}.get(way) in ways


def of_another_kind(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """Why "chief financial officer" is refused where the quotes say "chief executive officer"."""
    said = {word.lower() for word in words(claim.text)}
    held = {word.lower() for e in evidence for word in words(f"{e.quote} {e.heads}")}
    for kinds in EXCLUSIVE:
        extra = (said & kinds) - held
        if extra and held & kinds - said:
            return f"no quote says “{sorted(extra)[0]}”"
    return None


def _ends(match: re.Match[str]) -> tuple[Quantity, Quantity] | None:
    """The two figures of one kind on both sides."""
    first, second = figures(match["a"]), figures(match["b"])
    first = [q for q in first if q.unit != "odd" and not q.is_year]
    second = [q for q in second if q.unit != "odd" and not q.is_year]
    if not first or not second:
        return None
    a = first[0]
    b = second[-1] if match.re is _COMPARED else second[0]
    if a.unit != b.unit:
        return None
    return a, b


def _changes(text: str) -> Iterator[tuple[int, int, Decimal, Decimal]]:
    for pattern in (_FROM_TO, _TO_FROM, _COMPARED):
        for match in pattern.finditer(text):
            ends = _ends(match)
            if ends is not None:
                # A direction word counts up to the second figure that is named.
                end = max(match.start("a"), match.start("b"))
                yield (match.start(), end, ends[0].amount, ends[1].amount)
        if any(_ends(m) for m in pattern.finditer(text)):
            return


def _wrong_order(text: str) -> Iterator[str]:
    """ "Rose from 5 to 4": the figures go the other way than the word."""
    for low, end, before, after in _changes(text):
        ways = [
            (o, w, d) for o, w, d in directions(text) if low - 60 <= o < end and d in ("up", "down")
        ]
        if ways and before == after:
            yield f"its own figures do not say “{ways[0][1]}”"
        if not ways or before == after or "range" in text[max(0, low - 40) : low].lower():
            continue
        if re.search(r"loss|deficit|guidance|outlook|forecast", text, re.I):
            continue
        _, word, way = min(ways, key=lambda each: abs(each[0] - low))
        if (way == "up") != (abs(after) > abs(before)):
            yield f"its own figures do not say “{word}”"


def _implied(text: str, way: str) -> bool:
    """Whether two figures that the sentence names with "from … to" say this direction."""
    return any(
        way in ("up", "down") and before != after and (way == "up") == (abs(after) > abs(before))
        for _, _, before, after in _changes(text)
    )


def _reversed(
    claim: Claim, offset: int, word: str, way: str, evidence: Sequence[Evidence]
) -> str | None:
    """Why a change that the sentence's own figures show is refused: the quotes have it reversed.

    Where they do not say which figure came first, they must have the word, or the sentence years.
    """
    orders = {
        _order(before, after, e) for *_, before, after in _changes(claim.text) for e in evidence
    }
    if -1 in orders:
        return f"its quotes have the figures of “{word}” the other way round"
    parts = _best_parts(claim, offset, evidence)
    there = {w for part in parts for _, _, w in directions(part)}
    if _OPPOSITE[way] in there and way not in there:
        return f"its quotes say the opposite of “{word}”"
    if 1 in orders or way in there or len(claim.times.years) > 1:
        return None
    return f"no quote says which figure of “{word}” came first"


def _order(before: Decimal, after: Decimal, e: Evidence) -> int:
    """1 where the quote has the two figures in this order of time, -1 reversed, 0 if unsaid."""
    for *_, first, last in _changes(e.quote):
        if _near(first, before) and _near(last, after):
            return 1
        if _near(first, after) and _near(last, before):
            return -1
    dated = [(f.quantity.amount, max(f.years)) for f in e.figures if f.in_row and f.years]
    olds = [year for amount, year in dated if _near(amount, before)]
    news = [year for amount, year in dated if _near(amount, after)]
    if not olds or not news:
        return 0
    return 1 if min(olds) < max(news) else -1


def _near(one: Decimal, other: Decimal) -> bool:
    return abs(abs(one) - abs(other)) <= MOST_ROUNDING * abs(other)


def _other_basis(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """A change on the quarter before is none on the year before."""
    if not any(d in ("up", "down") for _, _, d in directions(claim.text)):
        return None
    held = " ".join(f"{e.context} {e.heads}" for e in evidence)
    if _QUARTERLY.search(claim.text) and not _QUARTERLY.search(held):
        return "no quote compares with the quarter before"
    years = {year for e in evidence for year in (*e.times.years, *e.head_times.years)}
    if _YEARLY.search(claim.text) and not _YEARLY.search(held) and len(years) < 2:
        return "no quote compares with the year before"
    return None


def negated_otherwise(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """Why a "not" too many or too few is refused."""
    contexts = [e.context for e in evidence]
    for reach in _reaches(claim.text):
        if not any(_meets(reach, other) for context in contexts for other in _reaches(context)):
            return f"no quote denies “{' '.join(reach)}”"
    mine = list(_reaches(claim.text))
    for low, high in clauses(claim.text):
        part = claim.text[low:high]
        there = content(part)
        for best in best_parts(part, contexts):
            for reach in _reaches(best):
                denied = reach[0]
                if any(says_the_same(denied, each) for each in there) and not any(
                    _meets(reach, other) for other in mine
                ):
                    return f"its quotes deny “{denied}”"
    return None


def _reaches(text: str) -> Iterator[list[str]]:
    """Per negation the stems of what it denies: the next few words that say something."""
    for end in negations(text):
        stop = re.search(r"[.;:,](?!\d)|\bbut\b", text[end:])
        denied = content(text[end : end + stop.start() if stop else len(text)])[:NEGATION_REACH]
        # What denies a mere figure ("was not $5 million") denies the words before it.
        yield denied or content(text[:end])[-NEGATION_REACH:] or [""]


def _meets(one: Sequence[str], other: Sequence[str]) -> bool:
    return any(says_the_same(a, b) for a in one for b in other)


def too_certain(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """Why a fact is refused of which the quotes only say that it may be, or is expected."""
    if hedged(claim.text):
        return None
    for low, high in clauses(claim.text):
        part = claim.text[low:high]
        if len(content(part)) < 2:
            continue
        best = best_parts(part, [e.context for e in evidence])
        if best and all(hedged(each) for each in best):
            return "its quotes only say that it may be, or is expected"
    return None


def beside_the_quotes(claim: Claim, evidence: Sequence[Evidence], least: float) -> str | None:
    """Why it is refused when too few of its words are in what it cites."""
    wanted = content(claim.text)
    names = {
        stem(w)
        for e in evidence
        for w in words(" ".join((e.source.header.company, *e.source.header.names)))
    }
    held = [each for e in evidence for each in content(f"{e.quote} {e.heads}")]
    own = [each for each in wanted if each not in names]
    if not own:
        return (
            None
            if set(wanted) & set(held) or claim.figures
            else "it says nothing that its quotes say"
        )
    share = share_found(own, held)
    if share < least:
        return f"only {share:.0%} of its words are in its quotes"
    for part in _statements(claim.text):
        said = [each for each in content(part) if each not in names]
        if len(said) >= 2 and share_found(said, held) < LEAST_SHARE_OF_PART:
            return f"its quotes say nothing of “{part.strip(' ,.')[:60]}”"
    return None


def _statements(text: str) -> Iterator[str]:
    """The parts of a sentence, cut also where "and" begins a statement of its own."""
    for low, high in clauses(text):
        yield from re.split(
            r"\s+and\s+(?=(?:the|its|their|an?|that|this|it|they)\s)", text[low:high]
        )
