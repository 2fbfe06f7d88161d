"""Which of three paths a question takes: lookup, factual or synthesis; numpy and JSON only.

`predict` reads a model that `training` fitted; the one beside this file works at once. Below 0.7
confidence the path is synthesis, which can answer the other two kinds too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TIERS = ("lookup", "factual", "synthesis")
CONFIDENT = 0.7
FORMAT = 1
BUNDLED = Path(__file__).with_name("router.json")
LONGEST_READ = 600  # characters; what a question wants is said early
_WORD = re.compile(r"[^\W\d_]+|\d+|[?]")
_NUMBER = re.compile(r"\d+")
# In the middle of a sentence: a name, whose letters say nothing about the path.
_NAME = re.compile(r"(?<=[a-z,:] )(?:[A-Z][\w&'’.-]*)(?: (?:& |and )?[A-Z][\w&'’.-]*)*")


class BadModel(ValueError):
    """The numbers are no router's; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Route:
    """The path to take, and why: the likeliest tier with its calibrated probability."""

    tier: str
    likeliest: str
    confidence: float
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class Router:
    """A fitted model: the weight of each feature for each tier, and the temperature."""

    weights: Mapping[str, NDArray[np.float64]]
    idf: Mapping[str, float]
    intercept: NDArray[np.float64]
    temperature: float

    def predict(self, question: str, flags: Iterable[str] = ()) -> Route:
        """The route of a question; `flags` say what was understood (see `qa.routing`)."""
        scores = self.intercept.copy()
        for name, value in vector(question, flags, self.idf).items():
            row = self.weights.get(name)
            if row is not None:
                scores += value * row
        probabilities = softmax(scores / self.temperature)
        best = int(np.argmax(probabilities))
        confidence = float(probabilities[best])
        tier = TIERS[best] if confidence >= CONFIDENT else "synthesis"
        told = {name: float(p) for name, p in zip(TIERS, probabilities, strict=True)}
        return Route(tier, TIERS[best], confidence, told)


def read(stored: Mapping[str, Any]) -> Router:
    """The router of plain JSON numbers. Raises BadModel."""
    try:
        if stored["format"] != FORMAT or tuple(stored["tiers"]) != TIERS:
            raise BadModel("the router's model is of another format or has other tiers")
        rows = {name: np.array(row, dtype=np.float64) for name, row in stored["weights"].items()}
        made = Router(
            rows,
            {name: float(value) for name, value in stored["idf"].items()},
            np.array(stored["intercept"], dtype=np.float64),
            float(stored["temperature"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadModel(f"the router's model cannot be read: {error}") from error
    shapes = {row.shape for row in (*rows.values(), made.intercept)}
    finite = all(np.isfinite(row).all() for row in (*rows.values(), made.intercept))
    if shapes != {(len(TIERS),)} or not finite or not made.temperature > 0:
        raise BadModel("the router's model has weights of a wrong shape, or not finite")
    return made


@cache
def bundled() -> Router:
    """The router that comes with the code."""
    return read(json.loads(BUNDLED.read_text(encoding="utf-8")))


def counts(question: str, flags: Iterable[str]) -> dict[str, float]:
    """Raw features: words and pairs of them, character n-grams within words, flags, length."""
    text = plain(question)
    words = _WORD.findall(text)
    found: Counter[str] = Counter()
    framed = ["^", *words, "$"]
    for word in words:
        found[f"w:{word}"] += 1
    for left, right in pairwise(framed):
        found[f"b:{left} {right}"] += 1
    for word in words:
        padded = f" {word} "
        for n in (3, 4):
            for at in range(len(padded) - n + 1):
                found[f"c:{padded[at : at + n]}"] += 1
    features = {name: 1.0 + float(np.log(count)) for name, count in found.items()}
    for flag in flags:
        features[f"f:{flag}"] = 1.0
    n_words = len(words)
    bucket = next(limit for limit in (3, 5, 8, 12, 18, 28, 10_000) if n_words <= limit)
    features[f"f:words<={bucket}"] = 1.0
    return features


def vector(question: str, flags: Iterable[str], idf: Mapping[str, float]) -> dict[str, float]:
    """Weighted features; words and character n-grams each of length 1, flags as they are."""
    raw = counts(question, flags)
    made: dict[str, float] = {}
    for prefixes, share in ((("w:", "b:"), 1.0), (("c:",), 0.7), (("f:",), 0.0)):
        rows = {
            name: value * idf.get(name, 0.0)
            for name, value in raw.items()
            if name.startswith(prefixes)
        }
        if share == 0.0:
            made |= {name: 0.6 for name in rows if name in idf}
            continue
        length = float(np.sqrt(sum(value * value for value in rows.values()))) or 1.0
        made |= {name: share * value / length for name, value in rows.items() if value}
    return made


def plain(question: str) -> str:
    """Small letters, numbers as "0", names in the middle of a sentence as "name"."""
    text = question[:LONGEST_READ].replace("’", "'")
    return _NUMBER.sub("0", _NAME.sub("name", text).lower())


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), dtype=np.float64)


def as_json(
    names: Sequence[str],
    idf: Mapping[str, float],
    coefficients: NDArray[np.float64],
    intercept: NDArray[np.float64],
    temperature: float,
) -> dict[str, Any]:
    """What `read` takes; coefficients (tiers, features), rounded to keep the file small."""
    return {
        "format": FORMAT,
        "tiers": list(TIERS),
        "temperature": round(temperature, 4),
        "intercept": [round(float(value), 4) for value in intercept],
        "idf": {name: round(idf[name], 4) for name in names},
        "weights": {
            name: [round(float(value), 3) for value in coefficients[:, at]]
            for at, name in enumerate(names)
        },
    }
