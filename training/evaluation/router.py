"""How often the router takes the right path: on families of questions left out, or on a file.

Without a file a router is fitted without the held-out families, as the live one has seen them; with
one, the live router itself is scored on it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from docintel.scoring import CannotScore, Score
from qa import routing
from training.fitting_router import held_out_measures, measures, read_questions, scored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--questions", type=Path, help='a file of {"question", "label", "family"}, one per line'
    )


def run(questions: Path | None = None, **_: Any) -> Score:
    """Raises CannotScore where there is no question to score."""
    started = time.perf_counter()
    if questions is None:
        detail, n = held_out_measures()
        return scored(detail, n, time.perf_counter() - started)
    rows = read_questions(questions)
    if not rows:
        raise CannotScore("the file holds no question")
    detail = measures(routing.live_router(), rows)
    return scored(detail, len(rows), time.perf_counter() - started)
