"""How well topics are found in newswire stories: by default, trained, and by TF-IDF.

The folder holds Reuters-21578 (`reut2-*.sgm`), which may be used for measuring only: what is
trained here is thrown away.
"""

from __future__ import annotations

import argparse
import html
import re
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from docintel import encoders
from docintel.encoders import EncoderUnavailable
from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.classifying.pooling import Floats, document_vector
from ingestion.topics import ClassifierUnavailable, live_classifier
from training.learning.embedding import passages_of
from training.learning.one_vs_rest import (
    Labels,
    f1_per_topic,
    fit_topics,
    macro_f1,
    mean_average_precision,
    scores,
)

MAPPING = Path(__file__).with_name("reuters_topics.toml")
TRAINING_SHARE = 0.7
_STORY = re.compile(r"<REUTERS TOPICS=\"YES\".*?</REUTERS>", re.DOTALL)
_TOPICS = re.compile(r"<TOPICS>(.*?)</TOPICS>")
_ITEM = re.compile(r"<D>(.*?)</D>")
_DATE = re.compile(r"<DATE>\s*(.*?)\s*</DATE>")
_TITLE = re.compile(r"<TITLE>(.*?)</TITLE>", re.DOTALL)
_BODY = re.compile(r"<BODY>(.*?)</BODY>", re.DOTALL)
_END = re.compile(r"\s*Reuter\s*\x03?\s*$", re.IGNORECASE)
HOW = (
    "Stories that editors gave a topic, in the order of time: the earlier part trains, the later "
    "one is scored. Topics that the mapping does not know are left out of the score, not the "
    "stories that have them. At a probability of 0.5."
)


@dataclass(frozen=True, slots=True)
class Story:
    at: datetime
    text: str
    topics: frozenset[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder with reut2-*.sgm")
    parser.add_argument("--limit", type=int, default=3_000, help="stories at most, evenly chosen")


def run(folder: Path, limit: int = 3_000, **_: Any) -> Score:
    """Raises CannotScore where the stories or the embedder are missing."""
    started = time.perf_counter()
    mapping: dict[str, list[str]] = tomllib.loads(MAPPING.read_text("utf-8"))["topics"]
    stories = read_stories(folder, mapping, limit)
    keys = list(mapping)
    labels = np.array([[key in story.topics for key in keys] for story in stories], dtype=np.int8)
    first_test = int(TRAINING_SHARE * len(stories))
    later = slice(first_test, None)
    try:
        classifier = live_classifier(encoders.live_embedder())
        passages = passages_of([story.text for story in stories])
    except (EncoderUnavailable, ClassifierUnavailable) as error:
        raise CannotScore(str(error)) from error
    columns = [classifier.keys.index(key) for key in keys]
    found = {
        "default": np.array([classifier.probabilities(rows) for rows in passages[later]])[
            :, columns
        ],
        "trained": _trained(np.stack([document_vector(rows) for rows in passages]), labels, later),
        "tfidf": _tfidf([story.text for story in stories], labels, later),
    }
    detail: dict[str, Any] = {
        name: _measures(labels[later], probabilities, keys) for name, probabilities in found.items()
    }
    detail |= {"train": first_test, "test": len(stories) - first_test, "how": HOW}
    detail |= {"first_test": stories[first_test].at.isoformat()}
    _print(detail, list(found), keys, labels[later])
    served = found["default"]
    return Score(
        headline="macro-F1 of the serving classifier",
        value=macro_f1(labels[later], served),
        higher_is_better=True,
        n=len(served),
        interval=bootstrap(range(len(served)), statistic=partial(_f1_of, labels[later], served)),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def read_stories(folder: Path, mapping: dict[str, list[str]], limit: int) -> list[Story]:
    """At most `limit` stories with a topic, evenly chosen, oldest first. Raises CannotScore."""
    files = sorted(folder.glob("reut2-*.sgm"))
    if not files:
        raise CannotScore(f"{folder} holds no reut2-*.sgm")
    ours = {theirs: key for key, several in mapping.items() for theirs in several}
    found = [story for file in files for story in parse(file.read_text("latin-1"), ours)]
    found.sort(key=lambda story: story.at)
    chosen = np.linspace(0, len(found) - 1, min(limit, len(found))).astype(int)
    return [found[index] for index in chosen]


def parse(text: str, ours: dict[str, str]) -> Iterator[Story]:
    """The stories of one file that have a body and at least one topic of editors."""
    for match in _STORY.finditer(text):
        story = match[0]
        topics = _ITEM.findall(_first(_TOPICS, story))
        body = _END.sub("", html.unescape(_first(_BODY, story)))
        if not topics or not body.strip():
            continue
        at = datetime.strptime(_first(_DATE, story).split(".")[0], "%d-%b-%Y %H:%M:%S")  # noqa: DTZ007
        title = html.unescape(_first(_TITLE, story)).strip()
        kept = frozenset(ours[topic] for topic in topics if topic in ours)
        yield Story(at, f"{title}\n\n{body.strip()}", kept)


def _f1_of(labels: Labels, probabilities: NDArray[Any], rows: NDArray[np.float64]) -> float:
    chosen = rows.astype(int)
    return macro_f1(labels[chosen], probabilities[chosen])


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _trained(vectors: Floats, labels: Labels, later: slice) -> NDArray[np.float64]:
    lines = fit_topics(vectors[: later.start], labels[: later.start])
    return _filled(scores(vectors[later], lines, list(lines)), list(lines), labels.shape[1])


def _tfidf(texts: list[str], labels: Labels, later: slice) -> NDArray[np.float64]:
    made = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    rows = made.fit_transform(texts[: later.start])
    lines = fit_topics(rows, labels[: later.start])
    found = scores(made.transform(texts[later]), lines, list(lines))
    return _filled(found, list(lines), labels.shape[1])


def _filled(found: NDArray[np.float64], columns: list[int], n: int) -> NDArray[np.float64]:
    """With zeros for topics that had too few examples to learn from."""
    whole = np.zeros((len(found), n))
    whole[:, columns] = found
    return whole


def _measures(labels: Labels, probabilities: NDArray[Any], keys: list[str]) -> dict[str, Any]:
    judged = [key for key, column in zip(keys, labels.T, strict=True) if column.any()]
    per_topic = f1_per_topic(labels, probabilities)
    return {
        "macro_f1": macro_f1(labels, probabilities),
        "mean_average_precision": mean_average_precision(labels, probabilities),
        "f1": dict(zip(judged, per_topic, strict=True)),
    }


def _print(detail: dict[str, Any], names: list[str], keys: list[str], labels: Labels) -> None:
    print(f"{'F1':20}" + "".join(f"{name:>10}" for name in names) + f"{'stories':>10}")
    for key, count in zip(keys, labels.sum(axis=0), strict=True):
        row = "".join(f"{detail[name]['f1'].get(key, 0):10.3f}" for name in names)
        print(f"{key:20}{row}{count:10}")
    for measure in ("macro_f1", "mean_average_precision"):
        row = "".join(f"{detail[name][measure]:10.3f}" for name in names)
        print(f"{measure:20.20}{row}")
