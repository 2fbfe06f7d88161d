"""Whether an answer says what the gold says, by rules that rather miss a right answer; pure.

Figures are compared with their rounding and scale; words by their share, synonyms included. Who
wants to know more reads the answers (`evaluate answers --show`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise, product

from qa.checking.quantities import Quantity, is_rounded, quantities
from qa.checking.quoting import fold
from qa.checking.wording import content, share_found

# A gold without facts of its own: so much of its words in one sentence, or in two.
LEAST_SHARE = 0.7
LEAST_SHARE_OF_FACT = 0.8
# "8 %" or "3" stands somewhere in many a table: then the words must agree too.
SHORT_FIGURE = 2
LEAST_SHARE_BESIDE_SHORT = 0.5
_SCALES = tuple(Decimal(10) ** power for power in (0, 3, 6, 9))
# "Answer in USD millions": the scale that the gold is written in. "$5 million" asks for none.
_ASKED_SCALE = re.compile(
    r"\b(?P<plural>thousand|million|billion)s\b(?! of (?:shares|people|units))|"
    r"\bin (?:US |U\.S\. )?(?:USD |dollar |\$ ?)?(?P<single>thousand|million|billion)\b",
    re.I,
)
_POWERS = {"thousand": 3, "million": 6, "billion": 9}
# Smaller amounts have too few digits for zeros behind the point to mean nothing.
LEAST_WHOLE = 100


def holds_gold(
    sentences: Sequence[str], gold: str, facts: Sequence[str] = (), question: str = ""
) -> bool:
    """Whether the sentences together hold every fact, or else the gold's figures, or its words.

    The question may name the scale of the gold's figure.
    """
    if facts:
        return share_of_facts(sentences, facts) == 1.0
    wanted = [_as_asked(each, question) for each in _figures(gold)]
    if wanted:
        # The first figure is the answer; those behind it explain.
        first = wanted[0]
        if not _any_figure(first, sentences):
            return False
        if len(_digits(first)) > SHORT_FIGURE:
            return True
        return _best_share(content(gold), sentences) >= LEAST_SHARE_BESIDE_SHORT
    words = content(gold)
    return bool(words) and _best_share(words, sentences) >= LEAST_SHARE


def share_of_facts(sentences: Sequence[str], facts: Sequence[str]) -> float:
    """How many of the facts stand in the sentences, 0 to 1."""
    return sum(_has_fact(sentences, fact) for fact in facts) / len(facts) if facts else 0.0


def _has_fact(sentences: Sequence[str], fact: str) -> bool:
    low = fold(fact).casefold()
    if any(low in fold(each).casefold() for each in sentences):
        return True
    wanted, words = _figures(fact), content(fact)
    if wanted and not all(_any_figure(each, sentences) for each in wanted):
        return False
    return bool(wanted or words) and _best_share(words, sentences) >= LEAST_SHARE_OF_FACT


def _figures(text: str) -> list[Quantity]:
    return [each for each in quantities(fold(text)) if not each.is_year]


def _as_asked(gold: Quantity, question: str) -> Quantity:
    """In the scale that the question names, and with the precision that it is likely to have.

    Lists of golds write all amounts with two decimals: "5466.00" is 5,466,312 thousand in millions.
    """
    if gold.scaled or gold.unit not in ("money", "count"):
        return gold
    asked = _ASKED_SCALE.search(question)
    if asked is None and abs(gold.amount) < LEAST_WHOLE:
        return gold
    plain = gold.amount.normalize()
    decimals = max(0, -int(plain.as_tuple().exponent))
    if asked is None and (decimals or "." not in gold.surface):
        return gold
    power = _POWERS[(asked["plural"] or asked["single"]).lower()] if asked else 0
    return replace(
        gold,
        amount=gold.amount.scaleb(power),
        step=Decimal(1).scaleb(power - decimals),
        scaled=asked is not None,
    )


def _any_figure(wanted: Quantity, sentences: Sequence[str]) -> bool:
    held = (each for sentence in sentences for each in _figures(sentence))
    return any(_same(wanted, each) for each in held)


def _same(gold: Quantity, said: Quantity) -> bool:
    """One figure, or one rounded to the other; a scale that only table heads tell may differ.

    Signs are left aside: statements write an outflow in parentheses, golds do not.
    """
    percent = {"percent", "points"}
    if (gold.unit in percent) != (said.unit in percent) and "count" not in (gold.unit, said.unit):
        return False
    free = not (gold.scaled and said.scaled) and "percent" not in (gold.unit, said.unit)
    scales = _SCALES if free else (Decimal(1),)
    return any(
        _rounds(gold, abs(said.amount) * up / down) or _rounds(said, abs(gold.amount) * down / up)
        for up, down in product(scales, scales)
        if Decimal(1) in (up, down)
    )


def _rounds(said: Quantity, exact: Decimal) -> bool:
    # What is written with decimals may be rounded, also where those were zeros.
    return is_rounded(replace(said, scaled=True) if "." in said.surface else said, exact)


def _digits(quantity: Quantity) -> str:
    return "".join(filter(str.isdigit, quantity.surface)).strip("0")


def _best_share(words: Sequence[str], sentences: Sequence[str]) -> float:
    """Of one sentence, or of two that follow each other."""
    stems = [content(each) for each in sentences]
    pairs = [one + other for one, other in pairwise(stems)]
    return max((share_found(words, each) for each in (*stems, *pairs)), default=0.0)
