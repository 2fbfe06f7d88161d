"""The gate: a candidate goes live only if it is better than what is live, by held-out documents.

`judge` measures and decides, and keeps the verdict with its report. Verdict and flip are one
transaction: whatever dies when, a version is live with its verdict or neither is there.
"""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import Any

from django.db import transaction

from docintel import registry
from docintel.locking import hold_model
from docintel.models import ModelVersion
from training.comparing.comparison import CannotCompare, Comparison
from training.gate import LEAST_DOCUMENTS, Ruling, judge_first
from training.gate import judge as rule
from training.models import FlywheelSettings, GateVerdict, TrainingRun

Mode = FlywheelSettings.Mode
Outcome = GateVerdict.Outcome
# Kind of model -> the module that compares two of them: `live(name)`, `compare(candidate, live,
# folder)`, and perhaps `what_hurt(candidate, snapshot_hash)` for a rejected one's report,
# `promote(version, who, why)` where more than a flip is needed to serve, and `went_live(version)`
# for what follows from a promotion.
COMPARERS = {
    "tagger": "training.comparing.taggers",
    "topics": "training.comparing.topics",
    "router": "training.comparing.routers",
    "embedder": "training.comparing.embedders",
    "ranker": "training.comparing.rankers",
    "reranker": "training.comparing.rerankers",
    "answerable": "training.comparing.answerable",
    "feed": "training.comparing.feeds",
}


def judge(
    candidate: ModelVersion,
    *,
    folder: Path | None = None,
    mode: str = "",
    who: str = "the gate",
    run: TrainingRun | None = None,
) -> GateVerdict:
    """Measure a candidate beside the live version, and promote it, reject it, or ask a person.

    `folder` of labelled texts in place of the newest snapshot's test part; `mode` in place of the
    setting. Raises CannotCompare, and then nothing has changed: the candidate stays one.
    """
    comparer = comparer_of(candidate)
    if candidate.state != ModelVersion.State.CANDIDATE:
        raise CannotCompare(f"{candidate} is {candidate.state}; only a candidate is judged")
    started = time.perf_counter()
    live = comparer.live(candidate.name)
    compared: Comparison = comparer.compare(candidate, live, folder)
    return settle(candidate, live, compared, mode=mode, who=who, run=run, started=started)


def settle(
    candidate: ModelVersion,
    live: ModelVersion | None,
    compared: Comparison,
    *,
    mode: str = "",
    who: str = "the gate",
    run: TrainingRun | None = None,
    started: float | None = None,
) -> GateVerdict:
    """The verdict on what was measured, and what follows from it; see `judge`."""
    began = time.perf_counter() if started is None else started
    comparer = comparer_of(candidate)
    if compared.documents < LEAST_DOCUMENTS:
        raise CannotCompare(
            f"{compared.documents} held-out documents that neither has learned from are too few; "
            f"{LEAST_DOCUMENTS} are needed"
        )
    ruling = ruling_on(compared)
    detail = dict(compared.detail)
    if not ruling.passed and hasattr(comparer, "what_hurt"):
        detail["hurt"] = comparer.what_hurt(candidate, compared.snapshot_hash)
    told = {
        "report": {**ruling.as_json(), "measure": compared.measure, "detail": detail},
        "snapshot_hash": compared.snapshot_hash,
        "seconds": round(time.perf_counter() - began, 2),
        "who": who[:200],
        "run": run,
    }
    verdict = decide(candidate, live, ruling, mode or FlywheelSettings.current().mode, told)
    if verdict.outcome == Outcome.PROMOTED and hasattr(comparer, "went_live"):
        comparer.went_live(candidate)
    return verdict


def comparer_of(candidate: ModelVersion) -> Any:
    """The module for this kind of model. Raises CannotCompare for one without a gate."""
    path = COMPARERS.get(candidate.kind)
    if path is None:
        raise CannotCompare(
            f"there is no gate for a {candidate.kind}; gates: {', '.join(sorted(COMPARERS))}"
        )
    return import_module(path)


def ruling_on(compared: Comparison) -> Ruling:
    """Every condition, on what was measured."""
    if compared.live is None:
        return judge_first(compared.candidate, compared.documents, name=compared.measure)
    return rule(compared.candidate, compared.live, compared.documents, name=compared.measure)


@transaction.atomic
def decide(
    candidate: ModelVersion,
    live: ModelVersion | None,
    ruling: Ruling,
    mode: str,
    told: dict[str, Any],
) -> GateVerdict:
    """Keep the verdict and do what it says, both or neither.

    Raises CannotCompare where another version went live while both were measured.
    """
    hold_model(candidate.name)
    candidate.refresh_from_db()
    now = ModelVersion.objects.filter(name=candidate.name, state=ModelVersion.State.LIVE).first()
    if candidate.state != ModelVersion.State.CANDIDATE:
        raise CannotCompare(f"{candidate} is {candidate.state}; only a candidate is judged")
    if now != live:
        raise CannotCompare(f"what is live as {candidate.name} changed meanwhile; judge it again")
    outcome = Outcome.REJECTED
    if ruling.passed:
        outcome = Outcome.PROMOTED if mode == Mode.AUTOMATIC else Outcome.ASKED
    verdict = GateVerdict.objects.create(
        candidate=candidate, live=live, outcome=outcome, why=ruling.why, **told
    )
    who, why = f"the gate ({told['who']})", f"verdict {verdict.pk}: {ruling.why}"
    if outcome == Outcome.PROMOTED:
        promote = getattr(comparer_of(candidate), "promote", registry.make_live)
        promote(candidate, who=who, why=why)
    elif outcome == Outcome.REJECTED:
        registry.reject(candidate, who=who, why=why)
    return verdict
