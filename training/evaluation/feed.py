"""How well the feed ranks: by analysts' ratings, and for a simulated firm over a real newswire.

Without a folder of the newswire, by the ratings alone. The simulated firm is trained on the earlier
weeks and judged on the last one by what the made-up analysts really want.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from docintel.encoders import EncoderUnavailable
from docintel.scoring import CannotScore, Score
from feed.ml import formula
from feed.ml.facts import Floats
from feed.ml.freshness import HALF_LIFE
from ingestion.topics import ClassifierUnavailable
from training.evaluation import feed_prior_of_firm, feed_ratings
from training.evaluation.feed_grades import Judged
from training.evaluation.feed_sessions import (
    Policy,
    Weeks,
    by_formula,
    column,
    concentration,
    largest_share,
    newcomers,
)
from training.evaluation.newswire import Newswire, read
from training.evaluation.simulated_firm import Firm
from training.learning.feed_fitting import Fitted, Shown, TooLittle, fit

ANALYSTS = 200
EMBEDDING = ("profile_cosine", "interest_cosine")
LEARNED = "learned"
SINGLE = ("newest first", "entity overlap", "names what is followed", "embedding only")
HOW = (
    "Simulated: real stories with their dates, made-up analysts. Clicks by the position-based "
    "model, dwell by a Weibull distribution. All rankers are judged on the same candidates of the "
    "last week, by the analysts' real interests (grades 0 to 4; ir_measures' nDCG@10, whose gain "
    "is the grade). Training has seen the earlier weeks alone, shown by the formula."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", help="folder with reut2-*.sgm; without it, by ratings alone"
    )
    parser.add_argument("--limit", type=int, default=3_500, help="stories at most, evenly chosen")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--until", type=float, help="leave out the days from this one on")
    parser.add_argument("--short", action="store_true", help="without the weeks of the closed loop")
    parser.add_argument(
        "--prior", action="store_true",
        help="instead, fit the formula's weights on the earlier weeks and judge them on the last",
    )  # fmt: skip


def run(
    folder: Path | None = None, limit: int = 3_500, seed: int = 7, until: float | None = None,
    *, short: bool = False, prior: bool = False, **_: Any,
) -> Score:  # fmt: skip
    """Raises CannotScore where the stories, the embedder or clicks are missing."""
    started = time.perf_counter()
    rated = feed_ratings.score()
    if folder is None:
        return _by_ratings(rated, started)
    try:
        wire = read(folder, limit)
        if prior:
            return _prior(wire, seed, until, started)
        detail, found = simulate(wire, seed, until, short=short)
    except (EncoderUnavailable, ClassifierUnavailable, TooLittle) as error:
        raise CannotScore(str(error)) from error
    show(detail)
    detail["ratings"] = rated
    return Score(
        headline="NDCG@10 of the learned feed for a simulated firm",
        value=detail["ndcg@10"][LEARNED]["all"],
        higher_is_better=True,
        n=found.looks,
        interval=found.interval(LEARNED),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def _prior(wire: Newswire, seed: int, until: float | None, started: float) -> Score:
    end, judged = weeks_until(wire, until)
    prior, table = feed_prior_of_firm.fit(wire, [seed, seed + 1], judged, end, ANALYSTS)
    return Score(
        headline="NDCG@10 of the formula with fitted weights for a simulated firm",
        value=table.mean(feed_prior_of_firm.FITTED),
        higher_is_better=True,
        n=table.looks,
        interval=table.interval(feed_prior_of_firm.FITTED),
        seconds=time.perf_counter() - started,
        detail={**asdict(prior), "ndcg@10": table.means()},
    )


def _by_ratings(rated: dict[str, Any], started: float) -> Score:
    """Raises CannotScore where there are too few."""
    if "too_few" in rated:
        raise CannotScore(
            f"{rated['too_few']}. Analysts are asked on the page of ratings; for a simulated firm "
            "name a folder with reut2-*.sgm."
        )
    name = "live" if "live" in rated else "formula"
    return Score(
        headline=f"NDCG@10 of the {name} ranker by analysts' ratings",
        value=rated[name]["ndcg@10"],
        higher_is_better=True,
        n=rated["analysts"],
        interval=rated[name]["interval"],
        seconds=time.perf_counter() - started,
        detail=rated,
    )


def simulate(
    wire: Newswire, seed: int, until: float | None = None, *, short: bool = False,
    analysts: int = ANALYSTS,
) -> tuple[dict[str, Any], Judged]:  # fmt: skip
    """What was seen, and each ranker's NDCG@10 for each look at a feed."""
    end, judged = weeks_until(wire, until)
    firm = Firm(wire, analysts, judged, seed)
    cold = np.isin(np.arange(analysts), newcomers(analysts))
    weeks = Weeks(wire, firm, newcomers(analysts), seed)
    for look in weeks.looks(0, judged):
        weeks.show(look, formula_policy)
    shown = weeks.log.shown()
    fitted = variants(shown)
    policies = {**baselines(), **{name: policy_of(each) for name, each in fitted.items()}}
    table = Judged(cold, np.isfinite(firm.drifts_at) & ~cold)
    for look in weeks.looks(judged, end):
        scores = {name: policy(look.made, look.ages) for name, policy in policies.items()}
        table.judge(look, {**scores, "best possible": firm.expected(look.day, look.rows).T})
        weeks.show(look, formula_policy)
    best = max(SINGLE, key=table.mean)
    detail: dict[str, Any] = {"ndcg@10": table.means(), "how": HOW, "stories": len(wire.documents)}
    detail["interval"] = {name: table.interval(name) for name in table.values}
    detail["above"] = {
        name: (round(table.mean(LEARNED) - table.mean(name), 4), table.interval(LEARNED, name))
        for name in (best, "entity overlap", "formula", *list(fitted)[1:])
    }
    detail["best_single_signal"] = best
    detail["fitted"] = {name: each.detail for name, each in fitted.items()}
    detail["looks"] = {"trained": int(shown.query[-1]) + 1, "judged": table.looks}
    detail["ctr_by_rank"] = weeks.log.clicks_by_rank()
    if not short:
        detail["closed_loop"] = {
            name: closed_loop(wire, seed, end, exploring=exploring, analysts=analysts)
            for name, exploring in (("exploring", True), ("not exploring", False))
        }
    return detail, table


def weeks_until(wire: Newswire, until: float | None) -> tuple[int, float]:
    """The day on which all ends, and the Monday of the last week before it."""
    end = math.ceil(until if until is not None else float(wire.days.max()) + 1e-9)
    return end, 7.0 * ((end - 1) // 7)


def variants(shown: Shown) -> dict[str, Fitted]:
    """The model and what it is without each of its parts, on the same earlier weeks."""
    ranked = shown.rows(~shown.exploring)
    return {
        LEARNED: fit(shown),
        "without IPS": fit(shown, ips=False),
        "without embedding": fit(shown, without=EMBEDDING),
        "without exploration": fit(ranked),
    }


def baselines() -> dict[str, Policy]:
    """Each by one signal, the newer first where it says the same; and the formula."""

    def single(name: str) -> Policy:
        return lambda made, ages: np.nan_to_num(made[:, :, column(name)]) - 1e-6 * ages[:, None]

    def embedding(made: Floats, ages: Floats) -> Floats:
        profile, stated = (np.nan_to_num(made[:, :, column(name)]) for name in EMBEDDING)
        return np.where(profile > 0, profile, stated) - 1e-6 * ages[:, None]

    def newest(made: Floats, ages: Floats) -> Floats:
        return np.repeat(-ages[:, None], made.shape[1], axis=1)

    def entities(made: Floats, ages: Floats) -> Floats:
        """The article's: the share of companies that are followed, or were asked about of late."""
        return single("followed_share")(made, ages) + single("asked_share")(made, ages)

    return {
        "newest first": newest,
        "entity overlap": entities,
        "names what is followed": single("followed_any"),
        "embedding only": embedding,
        "formula": formula_policy,
    }


def formula_policy(made: Floats, ages: Floats) -> Floats:
    return by_formula(formula.WEIGHTS, HALF_LIFE)(made, ages)


def policy_of(fitted: Fitted) -> Policy:
    """By LightGBM itself, which gives what serving's numpy gives, and sooner."""
    import lightgbm  # noqa: PLC0415

    booster = lightgbm.Booster(model_str=fitted.text)

    def policy(made: Floats, ages: Floats) -> Floats:
        added = np.asarray(booster.predict(made.reshape(-1, made.shape[2]), num_threads=2))
        aged = math.log(2) / fitted.half_life * ages[:, None]
        return formula.score(made, fitted.prior) + added.reshape(made.shape[:2]) - aged

    return policy


def closed_loop(
    wire: Newswire, seed: int, end: int, *, exploring: bool, analysts: int
) -> dict[str, Any]:
    """The firm over all weeks, the model trained anew each Monday on what it has itself shown.

    By week: distinct stories shown, and how concentrated the impressions are over sources, as the
    sum of squared shares and as the share of the five that were shown most.
    """
    firm = Firm(wire, analysts, end - 7, seed)
    weeks = Weeks(wire, firm, (), seed)
    policy: Policy = formula_policy
    table = Judged(np.zeros(analysts, dtype=bool), np.isfinite(firm.drifts_at))
    found: dict[str, Any] = {"ndcg@10": {}}
    for monday in range(0, end, 7):
        with suppress(TooLittle):
            policy = policy_of(fit(weeks.log.shown()))
        for look in weeks.looks(monday, min(end, monday + 7)):
            table.judge(look, {f"week {monday // 7}": policy(look.made, look.ages)})
            weeks.show(look, policy, exploring=exploring)
    found["ndcg@10"] = {name: groups["all"] for name, groups in table.means().items()}
    log = weeks.log
    found["stories_shown"] = {week: len(rows) for week, rows in sorted(log.documents.items())}
    for name, measure in (("concentration", concentration), ("top_five", largest_share)):
        found[name] = {week: round(measure(n), 4) for week, n in sorted(log.sources.items())}
    found["ctr_by_rank"] = log.clicks_by_rank()
    found["clicks"] = round(float(log.by_rank[0].sum() / log.queries), 4)
    return found


def show(detail: Mapping[str, Any]) -> None:
    """The table, for people."""
    groups: Sequence[str] = ("all", "cold start", "drifted", "others")
    print(f"{'NDCG@10':22}" + "".join(f"{group:>12}" for group in groups))
    for name, row in detail["ndcg@10"].items():
        print(f"{name:22}" + "".join(f"{row.get(group, math.nan):12.4f}" for group in groups))
    for name, (by, (low, high)) in detail["above"].items():
        print(f"{LEARNED} above {name}: {by:+.4f} [{low:+.4f}, {high:+.4f}]")
    for name, found in detail.get("closed_loop", {}).items():
        print(f"{name}: {found}")
