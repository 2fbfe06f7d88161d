"""How much of the bare encoder's throughput the live tagger keeps, in the same run.

A busy machine changes its pace within seconds, so each round measures both in turn and the ratio is
taken within a round. Both get the same windows; the tagger also reads, decodes and calibrates.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from benchmarks.simulated_texts import sentences
from docintel import weights
from docintel.inference import loading
from docintel.scoring import CannotScore, Score, bootstrap
from extraction import tagging
from extraction.tagging import TaggerUnavailable

PAGE = 3_000  # characters of a page of a filing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schema", default="kpis", help="whose live tagger")
    parser.add_argument("--file", type=Path, help="a text to read; simulated news otherwise")
    parser.add_argument("--pages", type=int, default=20, help="of 3,000 characters")
    parser.add_argument("--rounds", type=int, default=5, help="how often both are measured")


def run(
    schema: str = "kpis", file: Path | None = None, pages: int = 20, rounds: int = 5, **_: Any
) -> Score:
    """The share of the bare encoder's windows a second that the tagger keeps; 0.85 is the target.

    Raises CannotScore where there is no live tagger.
    """
    started = time.perf_counter()
    try:
        tagger = tagging.tagger(schema)
        base = weights.describe(tagger.sheet.encoder)
        bare = loading.load(base)
    except (TaggerUnavailable, weights.WeightsUnavailable) as error:
        raise CannotScore(str(error)) from error
    text = _text(file, pages)
    read = tagger.reader.read(text)
    windows = read.windows(tagger.sheet.design.length, tagger.sheet.design.stride)
    rows = [tagger.reader.rows(read, window) for window in windows]
    bare.encode(rows[:16])
    tagger.tag([text[:5_000]])
    ratios, seconds = [], []
    for _round in range(rounds):
        begun = time.perf_counter()
        bare.encode(rows)
        between = time.perf_counter()
        tagger.tag([text])
        done = time.perf_counter()
        ratios.append((between - begun) / (done - between))
        seconds.append(done - between)
    return Score(
        headline="share of the bare encoder's throughput kept",
        value=float(np.median(ratios)),
        higher_is_better=True,
        n=rounds,
        interval=bootstrap(ratios, statistic=np.median),
        seconds=time.perf_counter() - started,
        detail={
            "model": tagger.sheet.encoder,
            "device": settings.INFERENCE_DEVICE,
            "precision": tagger.runtime.precision,
            "windows": len(rows),
            "windows_per_second": float(len(rows) / np.median(seconds)),
            "seconds_per_150_pages": float(np.median(seconds) * 150 * PAGE / len(text)),
        },
    )


def _text(file: Path | None, pages: int) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8", errors="replace")[: pages * PAGE]
    found = ""
    for seed in range(pages * 4):
        found += " ".join(sentences(seed)) + "\n"
        if len(found) >= pages * PAGE:
            break
    return found[: pages * PAGE]
