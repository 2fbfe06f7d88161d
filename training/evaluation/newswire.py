"""A dated newswire as documents of the feed, with what its editors knew and the ranker does not.

Reuters-21578: companies are the names in angle brackets, of titles and texts, sources the offices
of the date lines.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from docintel import encoders
from docintel.scoring import CannotScore
from feed.ml.facts import Documents, Floats
from ingestion.classifying.pooling import document_vector
from ingestion.topics import live_classifier
from training.learning.embedding import passages_of

MAPPING = Path(__file__).with_name("reuters_topics.toml")
_STORY = re.compile(r"<REUTERS TOPICS.*?</REUTERS>", re.DOTALL)
_LIST = {
    name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("TOPICS", "PLACES")
}  # fmt: skip
_ITEM = re.compile(r"<D>(.*?)</D>")
_FIELDS = {
    name: re.compile(rf"<{name}>\s*(.*?)\s*</{name}>", re.DOTALL)
    for name in ("DATE", "TITLE", "BODY", "DATELINE")
}
_COMPANY = re.compile(r"<([A-Z][A-Za-z0-9.&' -]{0,40})>")
_TABLE = re.compile(r"\b(?:Shr|Net|Revs|Oper)\b")
# Stories of an office that wrote fewer are of "elsewhere".
FEWEST_OF_AN_OFFICE = 15
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Newswire:
    """n stories, oldest first. `topics` and `places` are the editors'; nobody tells the ranker."""

    documents: Documents
    days: Floats  # since the first Monday before them
    topics: tuple[frozenset[str], ...]
    places: tuple[frozenset[str], ...]
    companies: tuple[str, ...]  # the name of company number i + 1
    mapped: dict[str, str]  # the editors' topic -> the product's
    words: dict[str, Floats]  # the editors' topic -> the vector of its name in plain words


def read(folder: Path, limit: int) -> Newswire:
    """At most `limit` stories, evenly chosen; embeds and classifies them as ingestion does.

    Raises CannotScore, EncoderUnavailable and ClassifierUnavailable.
    """
    files = sorted(folder.glob("reut2-*.sgm"))
    if not files:
        raise CannotScore(f"{folder} holds no reut2-*.sgm")
    found = [story for file in files for story in stories_of(file.read_text("latin-1"))]
    found.sort(key=lambda story: story["at"])
    chosen = np.unique(np.linspace(0, len(found) - 1, min(limit, len(found))).astype(int))
    stories = [found[at] for at in chosen]
    named = Counter(name for story in stories for name in story["companies"])
    numbers = {name: at for at, name in enumerate(sorted(named), start=1)}
    offices = Counter(story["office"] for story in stories)
    kept = [name for name, count in offices.most_common() if count >= FEWEST_OF_AN_OFFICE]
    places = {name: at for at, name in enumerate([ELSEWHERE, *kept], start=1)}
    passages = passages_of([story["text"] for story in stories])
    classifier = live_classifier(encoders.live_embedder())
    first = stories[0]["at"].replace(hour=0, minute=0, second=0)
    monday = first - timedelta(days=first.weekday())
    told = tomllib.loads(MAPPING.read_text("utf-8"))
    mapping: dict[str, list[str]] = told["topics"]
    documents = Documents(
        ids=np.arange(1, len(stories) + 1),
        companies=tuple(frozenset(numbers[n] for n in story["companies"]) for story in stories),
        main=np.array([numbers[s["companies"][0]] if s["companies"] else 0 for s in stories]),
        topic_keys=classifier.keys,
        topics=np.array([classifier.probabilities(rows) for rows in passages], dtype=np.float64),
        kinds=tuple(story["kind"] for story in stories),
        sources=np.array([places.get(s["office"], places[ELSEWHERE]) for s in stories]),
        credibility=np.full(len(stories), 0.5),
        vectors=np.array([document_vector(rows) for rows in passages], dtype=np.float64),
        characters=np.array([float(len(story["text"])) for story in stories]),
        groups=np.arange(1, len(stories) + 1),
        opening=tuple(story["text"][:200].lower() for story in stories),
    )
    codes = sorted({topic for story in stories for topic in story["topics"]})
    names = [told["names"].get(code, code.replace("-", " ")) for code in codes]
    return Newswire(
        documents,
        np.array([(story["at"] - monday) / timedelta(days=1) for story in stories]),
        tuple(story["topics"] for story in stories),
        tuple(story["places"] for story in stories),
        tuple(sorted(named)),
        {theirs: key for key, several in mapping.items() for theirs in several},
        dict(zip(codes, encoders.embed(names, kind="query").astype(np.float64), strict=True)),
    )


def stories_of(text: str) -> Iterator[dict[str, Any]]:
    """Those with a body and a date, of one file; `companies` with the one of the title first."""
    for match in _STORY.finditer(text):
        story = match[0]
        said = {name: _first(pattern, story) for name, pattern in _FIELDS.items()}
        body = html.unescape(said["BODY"]).strip()
        if not body or not said["DATE"]:
            continue
        at = datetime.strptime(said["DATE"].split(".")[0], "%d-%b-%Y %H:%M:%S")  # noqa: DTZ007
        title = html.unescape(said["TITLE"]).strip()
        # The title's comes first: whose story it is.
        named = [" ".join(name.upper().split()) for name in _COMPANY.findall(f"{title}\n{body}")]
        lists = {
            name: frozenset(_ITEM.findall(_first(pattern, story)))
            for name, pattern in _LIST.items()
        }
        yield {
            "at": at,
            "text": _COMPANY.sub(r"\1", f"{title}\n\n{body}"),
            "companies": list(dict.fromkeys(named))[:10],
            "topics": lists["TOPICS"],
            "places": lists["PLACES"],
            "office": html.unescape(said["DATELINE"]).split(",")[0].strip().upper(),
            "kind": _kind(body),
        }


def _kind(body: str) -> str:
    """By its form: a table of results, a long piece, or news."""
    if len(_TABLE.findall(body[:400])) >= 2:
        return "announcement"
    return "research_note" if len(body) > 2_500 else "news"


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
