"""How well the feed ranks: by analysts' ratings, and for a simulated firm over a real newswire.

Without a folder of the newswire, by the ratings alone. The simulated firm is trained on the earlier
weeks and judged on the last one by what the made-up analysts really want.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG
from numpy.typing import NDArray

from docintel.encoders import EncoderUnavailable
from docintel.scoring import CannotScore, Score, bootstrap
from feed.ml import formula
from feed.ml.facts import Floats
from feed.ml.freshness import HALF_LIFE
from ingestion.topics import ClassifierUnavailable
from training.evaluation import feed_ratings
from training.evaluation.feed_sessions import Look, Policy, Weeks, column, concentration
from training.evaluation.newswire import Newswire, read
from training.evaluation.simulated_firm import Firm
from training.learning.feed_fitting import Fitted, Shown, TooLittle, fit

ANALYSTS = 200
# Of them, who join with the last week: what they follow is known, and nothing else.
COLD_SHARE = 0.1
# Days before the judged week at which a third of the analysts come to want other things.
DRIFT_BEFORE = 4.0
EMBEDDING = ("profile_cosine", "interest_cosine")
LEARNED = "learned"
SINGLE = ("newest first", "entity overlap", "embedding only")
MEASURE = nDCG @ 10
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


def run(
    folder: Path | None = None, limit: int = 3_500, seed: int = 7, until: float | None = None,
    *, short: bool = False, **_: Any,
) -> Score:  # fmt: skip
    """Raises CannotScore where the stories, the embedder or clicks are missing."""
    started = time.perf_counter()
    rated = feed_ratings.score()
    if folder is None:
        return _by_ratings(rated, started)
    try:
        wire = read(folder, limit)
        detail, found = simulate(wire, seed, until, short=short)
    except (EncoderUnavailable, ClassifierUnavailable, TooLittle) as error:
        raise CannotScore(str(error)) from error
    show(detail)
    detail["ratings"] = rated
    return Score(
        headline="NDCG@10 of the learned feed for a simulated firm",
        value=detail["ndcg@10"][LEARNED]["all"],
        higher_is_better=True,
        n=len(found),
        interval=bootstrap(found),
        seconds=time.perf_counter() - started,
        detail=detail,
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
) -> tuple[dict[str, Any], list[float]]:  # fmt: skip
    """What was seen, and NDCG@10 of the learned ranker for each look at a feed."""
    end = math.ceil(until if until is not None else float(wire.days.max()) + 1e-9)
    # The Monday of the last week, if it is not the end itself.
    judged = 7.0 * ((end - 1) // 7)
    firm = Firm(wire, analysts, judged - DRIFT_BEFORE, seed)
    cold = np.arange(analysts) >= analysts * (1 - COLD_SHARE)
    weeks = Weeks(wire, firm, np.flatnonzero(cold).tolist(), seed)
    plain = formula_policy
    for day in weeks.days(0, judged):
        if (look := weeks.look(day)) is not None:
            weeks.show(look, plain)
    shown = weeks.log.shown()
    fitted = variants(shown)
    policies = {**baselines(), **{name: policy_of(each) for name, each in fitted.items()}}
    table = _Table(cold, firm.drifted & ~cold)
    for day in weeks.days(judged, end):
        if (look := weeks.look(day)) is None:
            continue
        for name, policy in policies.items():
            table.judge(name, look, policy(look.made, look.ages))
        table.judge("best possible", look, firm.expected(look.day, look.rows).T)
        weeks.show(look, plain)
    detail: dict[str, Any] = {"ndcg@10": table.means(), "how": HOW, "stories": len(wire.documents)}
    detail["fitted"] = {name: each.detail for name, each in fitted.items()}
    detail["looks"] = {"trained": int(shown.query[-1]) + 1, "judged": table.looks}
    detail["ctr_by_rank"] = (weeks.log.by_rank[0] / weeks.log.by_rank[1]).round(4).tolist()
    best = max(detail["ndcg@10"][name]["all"] for name in SINGLE)
    detail["above_best_single_signal"] = round(detail["ndcg@10"][LEARNED]["all"] - best, 4)
    if not short:
        detail["closed_loop"] = {
            name: closed_loop(wire, seed, end, exploring=exploring, analysts=analysts)
            for name, exploring in (("exploring", True), ("not exploring", False))
        }
    return detail, table.values[LEARNED]


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

    return {
        "newest first": newest,
        "entity overlap": single("followed_share"),
        "embedding only": embedding,
        "formula": formula_policy,
    }


def formula_policy(made: Floats, ages: Floats) -> Floats:
    scores: Floats = formula.score(made) - math.log(2) / HALF_LIFE * ages[:, None]
    return scores


def policy_of(fitted: Fitted) -> Policy:
    """By LightGBM itself, which gives what serving's numpy gives, and sooner."""
    import lightgbm  # noqa: PLC0415

    booster = lightgbm.Booster(model_str=fitted.text)

    def policy(made: Floats, ages: Floats) -> Floats:
        scores = booster.predict(made.reshape(-1, made.shape[2]), num_threads=2)
        aged = math.log(2) / fitted.half_life * ages[:, None]
        return np.asarray(scores).reshape(made.shape[:2]) - aged

    return policy


@dataclass(slots=True)
class _Table:
    """NDCG@10 of each ranker for each look at a feed, and for whom it was."""

    cold: NDArray[np.bool_]
    drifted: NDArray[np.bool_]
    values: dict[str, list[float]] = field(default_factory=dict)
    who: dict[str, list[int]] = field(default_factory=dict)
    looks: int = 0

    def judge(self, name: str, look: Look, scores: Floats) -> None:
        """Of what an analyst has not read; analysts who want nothing that is there are left out."""
        qrels, ranked, wanted = [], [], []
        for at in range(look.grades.shape[0]):
            grades = np.where(look.unread[at], look.grades[at], 0)
            if not grades.any():
                continue
            wanted.append(at)
            rows = np.flatnonzero(grades)
            qrels += [ir_measures.Qrel(str(at), str(row), int(grades[row])) for row in rows]
            best = np.argsort(-np.where(look.unread[at], scores[:, at], -np.inf), kind="stable")
            ranked += [
                ir_measures.ScoredDoc(str(at), str(row), float(-rank))
                for rank, row in enumerate(best[:10])
            ]
        found = {
            int(each.query_id): each.value
            for each in ir_measures.iter_calc([MEASURE], qrels, ranked)
        }
        self.values.setdefault(name, []).extend(found[at] for at in wanted)
        self.who.setdefault(name, []).extend(wanted)
        self.looks = len(self.values[name])

    def means(self) -> dict[str, dict[str, float]]:
        made = {}
        for name, values in self.values.items():
            who, scores = np.array(self.who[name]), np.array(values)
            groups = {
                "all": np.ones(len(who), dtype=bool), "cold start": self.cold[who],
                "drifted": self.drifted[who], "others": ~(self.cold | self.drifted)[who],
            }  # fmt: skip
            made[name] = {
                group: round(float(scores[chosen].mean()), 4)
                for group, chosen in groups.items()
                if chosen.any()
            }
        return made


def closed_loop(
    wire: Newswire, seed: int, end: int, *, exploring: bool, analysts: int
) -> dict[str, Any]:
    """The firm over all weeks, the model trained anew each Monday on what it has itself shown.

    By week: distinct stories shown, and how concentrated the impressions are over sources.
    """
    firm = Firm(wire, analysts, end - 7 - DRIFT_BEFORE, seed)
    weeks = Weeks(wire, firm, (), seed)
    policy: Policy = formula_policy
    table = _Table(np.zeros(analysts, dtype=bool), firm.drifted)
    for monday in range(0, end, 7):
        if weeks.log.queries:
            policy = policy_of(fit(weeks.log.shown()))
        for day in weeks.days(monday, min(end, monday + 7)):
            if (look := weeks.look(day)) is not None:
                table.judge(f"week {monday // 7}", look, policy(look.made, look.ages))
                weeks.show(look, policy, exploring=exploring)
    log = weeks.log
    return {
        "stories_shown": {str(week): len(rows) for week, rows in sorted(log.documents.items())},
        "concentration": {
            str(week): round(concentration(counts), 4)
            for week, counts in sorted(log.sources.items())
        },
        "ndcg@10": {name: groups["all"] for name, groups in table.means().items()},
        "clicks": round(float(log.by_rank[0].sum() / log.queries), 4),
    }


def show(detail: Mapping[str, Any]) -> None:
    """The table, for people."""
    groups: Sequence[str] = ("all", "cold start", "drifted", "others")
    print(f"{'NDCG@10':22}" + "".join(f"{group:>12}" for group in groups))
    for name, row in detail["ndcg@10"].items():
        print(f"{name:22}" + "".join(f"{row.get(group, math.nan):12.4f}" for group in groups))
    print(f"above the best single signal: {detail['above_best_single_signal']:+.4f}")
    for name, found in detail.get("closed_loop", {}).items():
        print(f"{name}: {found}")
