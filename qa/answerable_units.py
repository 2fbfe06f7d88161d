"""Whether one sentence or row of the passages says what is asked, of the right company and period.

A near miss has all its words somewhere in ten passages; an answer has them in one place, with a
figure, a cause or a person where the question wants one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from docintel import encoders
from docintel.encoders import EncoderUnavailable, TextTooLong
from qa.answerable_words import (
    Held,
    Needed,
    blanked,
    coverage,
    held,
    together,
    without_remarks,
)
from qa.checking.wording import content, says_the_same
from qa.extractive.asked_kinds import asked_for
from qa.extractive.scoring_units import candidates_of, measure
from qa.extractive.unit_features import (
    CAUSE,
    PERSON,
    Candidate,
    Question,
    Read,
    read_question,
    read_text,
)
from qa.offering import Offered
from qa.understood import Understanding

# What is said of another company or of another year counts for less, and not for nothing: a name
# may be misread, and a report speaks of other years in passing.
OTHER_COMPANY = 0.2
OTHER_PERIOD = 0.3
OTHER_YEAR_IN_RIGHT_REPORT = 0.7
OTHER_QUARTER = 0.7
OTHER_KIND = 0.5
HEAVIEST = 3
MOST_EMBEDDED = 6
LONGEST_EMBEDDED = 200


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or row: its own words, and those with its heading and the sentence before.

    `said` is what it is about, for the encoder: a row without its figures, under its heading.
    `fits` is 1 for the right company and period, less for another; `kind_fits` whether it holds a
    figure, cause, person or date where one is asked for.
    """

    said: str
    own: Held
    around: Held
    fits: float
    kind_fits: bool
    label: float


def read_units(understanding: Understanding, offered: Sequence[Offered]) -> list[Unit]:
    """All units of the passages, each once, in their order."""
    asked = read_question(without_remarks(understanding), understanding)
    candidates = candidates_of(offered)
    if not candidates:
        return []
    reads = [_read(each) for each in candidates]
    rows = measure(asked, candidates, reads)
    words = held([each.unit.shown for each in candidates])
    sections = dict.fromkeys(each.offered.passage.section for each in candidates)
    headings = dict(zip(sections, held(list(sections)), strict=True))
    found = []
    for i, each in enumerate(candidates):
        parts = [words[i], headings[each.offered.passage.section]]
        if each.before is not None:
            parts.append(words[each.before])
        found.append(
            Unit(
                _said(each),
                words[i],
                together(parts),
                _fit(asked, each, rows[i]),
                _kind_fits(asked, reads[i]),
                _label_fit(asked, each, rows[i]),
            )
        )
    return found


def of_units(
    understanding: Understanding, needs: Sequence[Needed], units: Sequence[Unit]
) -> dict[str, float]:
    """The features, 0 to 1; all 0 where there is no unit. `no_cosine` if no encoder answers."""
    wants = asked_for(without_remarks(understanding))
    heavy = needs[:HEAVIEST]
    alone = [coverage(needs, each.own) * each.fits for each in units]
    around = [coverage(needs, each.around) * each.fits for each in units]
    kind = [
        share * (1.0 if each.kind_fits else OTHER_KIND)
        for share, each in zip(around, units, strict=True)
    ]
    return {
        "unit_words": max(alone, default=0.0),
        "unit_words_around": max(around, default=0.0),
        "unit_of_kind": max(kind, default=0.0),
        "heaviest_together": max(
            (coverage(heavy, each.around) * each.fits for each in units), default=0.0
        ),
        "row_label": max((each.label * each.fits for each in units), default=0.0),
        "wants_figure": float(wants.figure),
        "wants_cause": float(wants.cause),
        **_cosines(understanding, units, kind),
    }


def _cosines(
    understanding: Understanding, units: Sequence[Unit], scores: Sequence[float]
) -> dict[str, float]:
    """How near the nearest units are in meaning, names and periods left out on both sides."""
    order = sorted(range(len(units)), key=lambda i: (-scores[i], -units[i].label))[:MOST_EMBEDDED]
    none = {"unit_dense": 0.0, "unit_dense_fitting": 0.0}
    if not order:
        return none
    core = " ".join(blanked(understanding).split()) or understanding.question
    try:
        asked = encoders.embed([core[:1000]], kind="query")[0]
        near = encoders.embed([units[i].said for i in order]) @ asked
    except (EncoderUnavailable, TextTooLong):
        return none | {"no_cosine": 1.0}
    fits = np.array([units[i].fits for i in order])
    return {
        "unit_dense": float(near.max()),
        "unit_dense_fitting": float((near * fits).max()),
    }


def _said(each: Candidate) -> str:
    shown = each.unit.shown if each.unit.row is None else each.unit.shown.split(" | ", 1)[0]
    section = each.offered.passage.section.rsplit("›", 1)[-1].strip()
    return f"{section}: {shown}"[:LONGEST_EMBEDDED]


def _read(candidate: Candidate) -> Read:
    unit, offered = candidate.unit, candidate.offered
    label = unit.shown.split(" | ", 1)[0] if unit.row is not None else ""
    return read_text(unit.shown, label, offered.source.header.company, offered.passage.section)


def _fit(asked: Question, each: Candidate, row: dict[str, float]) -> float:
    company = OTHER_COMPANY if row["company"] < 0 else 1.0
    year, document = row["year"], row["document_year"]
    if year < 0:
        period = OTHER_YEAR_IN_RIGHT_REPORT if document >= 1 else OTHER_PERIOD
    else:
        strange = document < 0 or _is_of_another_time(asked, each)
        period = OTHER_PERIOD if year == 0 and strange else 1.0
    return company * period * (OTHER_QUARTER if row["quarter"] < 0 else 1.0)


def _is_of_another_time(asked: Question, each: Candidate) -> bool:
    """Whether a document without a fiscal year appeared neither in an asked year nor after it."""
    header = each.offered.source.header
    if not asked.years or header.fiscal_year or header.published_on is None:
        return False
    return header.published_on.year not in {y + late for y in asked.years for late in (0, 1)}


def _kind_fits(asked: Question, read: Read) -> bool:
    wants = asked.wants
    if wants.figure and not read.has_figure:
        return False
    if wants.cause and not CAUSE.search(read.folded):
        return False
    if wants.person and not PERSON.search(read.folded):
        return False
    times = read.times
    return not wants.day or bool(times.days or times.months or times.years)


def _label_fit(asked: Question, each: Candidate, row: dict[str, float]) -> float:
    """How far a row's label and the question's words are the same words: F1, or its metric."""
    if each.unit.row is None:
        return 0.0
    label = content(each.unit.shown.split(" | ", 1)[0])
    if not label or not asked.stems:
        return max(0.0, row["metric"])
    hits = sum(any(says_the_same(word, other) for other in label) for word in asked.stems)
    back = sum(any(says_the_same(word, other) for other in asked.stems) for word in label)
    recall, precision = hits / len(asked.stems), back / len(label)
    both = 2 * recall * precision / (recall + precision) if hits and back else 0.0
    return max(both, row["metric"])
