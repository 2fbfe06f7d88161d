"""The formula's weights fitted to simulated firms on their earlier weeks, judged on their last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from feed.ml.formula import BY_HAND
from feed.ml.freshness import HALF_LIFE
from training.evaluation.feed_grades import Judged, lists_of
from training.evaluation.feed_sessions import Weeks, by_formula, newcomers
from training.evaluation.newswire import Newswire
from training.evaluation.simulated_firm import Firm
from training.learning.feed_prior import Lists, Prior
from training.learning.feed_prior import fit as fit_lists

# Looks that follow each other are nearly alike.
EACH = 3
BY_HAND_NAME, FITTED = "by hand", "fitted"


def fit(
    wire: Newswire, seeds: Sequence[int], judged: float, end: float, analysts: int
) -> tuple[Prior, Judged]:
    """One firm for each seed; the first is for judging alone, the others are learned from.

    What is shown is ranked with the weights by hand, so that no grade has been seen before.
    """
    policy = by_formula(BY_HAND, HALF_LIFE)
    parts = []
    for seed in seeds[1:]:
        weeks = Weeks(wire, Firm(wire, analysts, judged, seed), newcomers(analysts), seed)
        for number, look in enumerate(weeks.looks(0, judged)):
            if number % EACH == 0 and (lists := lists_of(look, weeks.dice)) is not None:
                parts.append(lists)
            weeks.show(look, policy)
    prior = fit_lists(_joined(parts))
    firm = Firm(wire, analysts, judged, seeds[0])
    weeks = Weeks(wire, firm, newcomers(analysts), seeds[0])
    cold = np.isin(np.arange(analysts), newcomers(analysts))
    table = Judged(cold, np.isfinite(firm.drifts_at) & ~cold)
    found = by_formula(prior.weights, prior.half_life)
    for look in weeks.looks(0, end):
        if look.day >= judged:
            table.judge(look, {
                BY_HAND_NAME: policy(look.made, look.ages), FITTED: found(look.made, look.ages),
            })  # fmt: skip
        weeks.show(look, policy)
    return prior, table


def _joined(parts: Sequence[Lists]) -> Lists:
    """One after another, with queries of their own."""
    starts = np.cumsum([0, *(int(part.query[-1]) + 1 for part in parts[:-1])])
    columns = {
        each.name: np.concatenate([getattr(part, each.name) for part in parts])
        for each in fields(Lists)
    }
    columns["query"] = np.concatenate(
        [part.query + start for part, start in zip(parts, starts, strict=True)]
    )
    return Lists(**columns)
