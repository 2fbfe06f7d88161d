"""A part of the questions, drawn by a seed: the options of a command, and the draw."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", type=int, help="only so many questions, drawn by --seed")
    parser.add_argument("--seed", type=int, default=7, help="of the sample")


def sampled(questions: Sequence[T], sample: int | None, seed: int) -> list[T]:
    """So many of them, the same ones for the same seed; all in their order without a `sample`."""
    if sample is None:
        return list(questions)
    draw = random.Random(seed)  # noqa: S311  no secret
    return draw.sample(questions, min(sample, len(questions)))
