"""An expert who never errs, and a queue of texts: what a round of review costs and brings.

A text is looked at as a whole, as on the desk: each span shown there is a correction (accepted,
changed or refused), and so is each that was missed; a text with neither costs one look.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from docintel.spans import Span
from extraction.ml.spans import Example, FoundSpan, LabelledSpan
from review.valuing import uncertainty


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text of the queue: its place in the pool, what the model shows and what it doubts.

    `doubted` are the spans down to the desk's lowest confidence, `shown` those that it delivers.
    `closest` is the greatest doubt by the probability before it is calibrated: a calibration on
    few texts has one answer for nearly all spans, and tells no order.
    """

    at: int
    shown: tuple[FoundSpan, ...]
    doubted: tuple[FoundSpan, ...]
    closest: float = 0.0


Order = Callable[[Sequence[Waiting], random.Random], list[Waiting]]


def by_chance(queue: Sequence[Waiting], chance: random.Random) -> list[Waiting]:
    """What an expert who takes whatever comes would see."""
    return chance.sample(list(queue), len(queue))


def by_doubt(queue: Sequence[Waiting], chance: random.Random) -> list[Waiting]:
    """The text with the most doubtful span first, as the desk values them."""
    return _ordered(
        queue, chance, lambda each: (max(map(_doubt, each.doubted), default=0.0), each.closest)
    )


def by_errors(queue: Sequence[Waiting], chance: random.Random) -> list[Waiting]:
    """The text with the most errors to be expected first: each span's lesser odds, added up."""
    return _ordered(
        queue, chance, lambda each: (sum(map(_odds_of_error, each.doubted)), each.closest)
    )


ORDERS: dict[str, Order] = {"random": by_chance, "uncertainty": by_doubt, "errors": by_errors}


def taken(queue: Sequence[Waiting], pool: Sequence[Example], budget: int) -> tuple[list[int], int]:
    """Places of the texts that the expert gets through with so many corrections, and the sum.

    The last text is finished, so the sum may be a little more than the budget.
    """
    chosen: list[int] = []
    spent = 0
    for each in queue:
        if spent >= budget:
            break
        chosen.append(each.at)
        spent += corrections(each.shown, pool[each.at].spans)
    return chosen, spent


def corrections(shown: Sequence[FoundSpan], gold: Sequence[LabelledSpan]) -> int:
    """How many verdicts the text takes: one for each span shown, one for each missed, or one."""
    places = [Span(each.start, each.end) for each in shown]
    missed = sum(
        not any(Span(each.start, each.end).overlaps(place) for place in places) for each in gold
    )
    return max(1, len(shown) + missed)


def _ordered(
    queue: Sequence[Waiting],
    chance: random.Random,
    value: Callable[[Waiting], tuple[float, float]],
) -> list[Waiting]:
    # Equal ones in random order, not in that of the pool, whose neighbours are alike.
    return sorted(by_chance(queue, chance), key=value, reverse=True)


def _doubt(span: FoundSpan) -> float:
    return uncertainty(span.confidence)


def _odds_of_error(span: FoundSpan) -> float:
    """Of saying yes where that is likelier, else no."""
    return min(span.confidence, 1 - span.confidence)
