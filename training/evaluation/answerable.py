"""How many questions are refused rightly and wrongly, over the documents at hand, by the judge.

The file has a question per line: `question`, and `answerable` or `answer` (null: the documents hold
none), perhaps `kind`. What is composed for those that pass is scored by `evaluate answers`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from docintel.scoring import CannotScore, Score, bootstrap
from qa import answerable
from training.fitting_answerable import evidence

ANSWERABLE = "answerable"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the file; `kind` says how it cannot be answered, if it cannot."""

    text: str
    answerable: bool
    kind: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("questions", type=Path, help="file with a question per line, as JSON")
    parser.add_argument(
        "--show", action="store_true", help="print each wrong verdict, and refusals"
    )


def run(questions: Path, *, show: bool = False, **_: Any) -> Score:
    """The value is the share of right refusals; wrong ones and seconds are in the detail."""
    started = time.perf_counter()
    everyone = User(username="evaluation", is_superuser=True)
    refused: dict[str, list[float]] = defaultdict(list)
    right: list[float] = []
    seconds = []
    for asked in read(questions):
        understanding, offered = evidence(asked.text, everyone)
        began = time.perf_counter()
        verdict = answerable.judge(understanding, offered, everyone)
        seconds.append(time.perf_counter() - began)
        refused[ANSWERABLE if asked.answerable else asked.kind].append(
            float(not verdict.answerable)
        )
        if not asked.answerable:
            right.append(float(not verdict.answerable))
        if show:
            _show(asked, verdict)
    if not right:
        raise CannotScore(f"every question of {questions} has an answer; none can be refused")
    wrong = refused.get(ANSWERABLE, [])
    return Score(
        headline="unanswerable questions refused",
        value=float(np.mean(right)),
        higher_is_better=True,
        n=len(right),
        interval=bootstrap(right),
        seconds=time.perf_counter() - started,
        detail={
            "wrong_refusals": [float(np.mean(wrong)), len(wrong)] if wrong else None,
            "refused_by_kind": {
                kind: [float(np.mean(each)), len(each)] for kind, each in sorted(refused.items())
            },
            "judge_p50_s": float(np.quantile(seconds, 0.5)),
            "judge_p95_s": float(np.quantile(seconds, 0.95)),
        },
    )


def read(path: Path) -> list[Asked]:
    """Raises CannotScore for a file that is none."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [
            Asked(
                row["question"],
                bool(row["answerable"] if "answerable" in row else row["answer"] is not None),
                str(row.get("kind", "unanswerable")),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotScore(f"cannot read {path}: {error}") from error


def _show(asked: Asked, verdict: answerable.Verdict) -> None:
    if asked.answerable != verdict.answerable:
        said = "WRONGLY REFUSED" if asked.answerable else "NOT REFUSED"
    elif asked.answerable:
        return
    else:
        said = "refused"
    sys.stderr.write(
        f"{said} {verdict.probability:.2f} [{asked.kind}] {asked.text} {verdict.why}\n"
    )
