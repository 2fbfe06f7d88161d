"""Whether the passages found can answer a question at all, and why not, in words.

The probability is calibrated; numbers and thresholds are learned (`manage.py train answerable`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from docintel import encoders, registry
from docintel.encoders import EncoderUnavailable
from docintel.models import ModelVersion
from ingestion.lexical import rarest
from ingestion.querysets import User
from qa.answerable_periods import Covered, covered
from qa.answerable_units import Unit, of_units, read_units
from qa.answerable_words import (
    Held,
    Needed,
    asks_for_private,
    coverage,
    greatest_weight,
    held,
    keyword_score,
    needed,
    together,
    without_remarks,
)
from qa.extractive.asked_kinds import asked_for
from qa.ml import answerable
from qa.ml.answerable import BadModel, Model
from qa.offering import Offered
from qa.understood import Understanding

NAME = "answerable"
LOOKED_AT = 10
FEW_WORDS = 2.0
NOTHING = 0.1  # of the weight of what is asked
# Of the weight of a word that occurs nowhere; below, a word says too little to be named.
TELLING = 0.45
log = logging.getLogger(__name__)


# Features that are 1 where everything named is missing.
ABSENT = ("company_without_documents", "name_missing", "period_not_covered", "private")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`answerable` is what to do; `clearly_not` is surer, enough to spare a model call.

    `why` says in words what speaks against an answer; empty where there is an answer. `unheard`: no
    word of the question stands in any document.
    """

    answerable: bool
    probability: float
    why: str = ""
    clearly_not: bool = False
    unheard: bool = False
    features: dict[str, float] = field(default_factory=dict)

    @property
    def is_absent(self) -> bool:
        """Whether the company, name or period asked about is not here at all."""
        return not self.answerable and (
            self.unheard or any(self.features.get(name, 0.0) >= 1.0 for name in ABSENT)
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """What was looked at, for the features and for the words."""

    understanding: Understanding
    offered: Sequence[Offered]
    needs: list[Needed]
    whole: Held
    units: Sequence[Unit]
    periods: list[Covered]
    names_missing: list[str]
    features: dict[str, float]


def judge(
    understanding: Understanding, offered: Sequence[Offered], user: User, *, followed: bool = False
) -> Verdict:
    """The verdict on the best 10 of these passages, best first, as `qa.offering` gives them.

    `followed`: each step of a question in steps found companies, so it is not weighed as one: no
    sentence says all of it.
    """
    read = _read(understanding, offered[:LOOKED_AT], user)
    model = _model(with_cosines=not read.features["no_cosine"])
    probability = model.probability(read.features) if read.offered else 0.0
    nothing = not read.offered or _is_surely_absent(read.features)
    unheard = _is_unheard(read)
    found = not (nothing or unheard) and (followed or probability >= model.least)
    return Verdict(
        found,
        probability,
        "" if found else _why(read),
        clearly_not=not found and (nothing or unheard or probability < model.clearly_below),
        unheard=unheard,
        features=read.features,
    )


def is_surely_absent(understanding: Understanding, offered: Sequence[Offered], user: User) -> bool:
    """What needs no weighing: nothing is offered, no company asked about has documents, or no
    document reports or names the period. Takes a few milliseconds."""
    if not offered:
        return True
    low = _in_small([each.source.text[each.source.start : each.source.end] for each in offered])
    periods = covered(understanding, user)
    return _is_surely_absent(
        _of_companies(understanding, offered) | _of_periods(understanding, periods, offered, low)
    )


def _is_unheard(read: _Read) -> bool:
    """Typed at random, or in a language that no document is in."""
    most = greatest_weight()
    return bool(read.features["nothing_found"]) and all(row.weight >= most for row in read.needs)


def _is_surely_absent(features: Mapping[str, float]) -> bool:
    """Whether no company asked about has documents, or no document reports or names the period."""
    return features["company_without_documents"] >= 1.0 or (
        features["period_not_covered"] >= 1.0 and features["year_not_in_passages"] >= 1.0
    )


def features(
    understanding: Understanding, offered: Sequence[Offered], user: User
) -> dict[str, float]:
    """What the model looks at, by name; see `qa.ml.answerable`."""
    return _read(understanding, offered[:LOOKED_AT], user).features


def keep(
    numbers: Mapping[str, Any],
    version: str,
    digest: str,
    metrics: Mapping[str, Any] | None = None,
    created_by: str = "",
) -> ModelVersion:
    """These numbers as a candidate. Raises BadModel, and then nothing has changed."""
    answerable.read(numbers)
    told = {"metrics": dict(metrics or {}), "created_by": created_by}
    return registry.add(NAME, version, digest, metadata={"numbers": dict(numbers)}, **told)


def _model(*, with_cosines: bool) -> Model:
    """The live model of the live embedder; the one without cosines for an unknown embedder."""
    version = registry.live(NAME)
    try:
        return model_of(version, with_cosines=with_cosines)
    except BadModel as error:
        log.warning("%s is not usable, the bundled one judges: %s", version, error)
        return model_of(None, with_cosines=with_cosines)


def model_of(version: ModelVersion | None, *, with_cosines: bool = True) -> Model:
    """As this version judges, live or not; of None the one that comes with the code.

    Raises BadModel.
    """
    models = _stored(version.pk, version.digest) if version else answerable.bundled()
    if not with_cosines:
        return models[answerable.WITHOUT_COSINES]
    try:
        embedder = encoders.live_embedder().version
    except EncoderUnavailable:
        embedder = answerable.WITHOUT_COSINES
    return models.get(embedder, models[answerable.WITHOUT_COSINES])


@lru_cache(maxsize=2)
def _stored(pk: int, digest: str) -> dict[str, Model]:  # noqa: ARG001  another digest is another model
    return answerable.read(ModelVersion.objects.get(pk=pk).metadata.get("numbers", {}))


def _read(understanding: Understanding, offered: Sequence[Offered], user: User) -> _Read:
    needs = needed(understanding)
    texts = [each.source.text[each.source.start : each.source.end] for each in offered]
    sections = [each.passage.section for each in offered]
    passages = held([f"{s} {t}" for s, t in zip(sections, texts, strict=True)])
    units = read_units(understanding, offered)
    pieces = [unit.own for unit in units]
    whole = together(passages)
    periods = covered(understanding, user)
    low = _in_small([*texts, *(each.source.header.company for each in offered)])
    names = [name for name in understanding.unlinked if name.lower() not in low]
    best = max((coverage(needs, each) for each in passages), default=0.0)
    metrics = [row for row in needs if row.metric]
    found = {
        **_cosines(offered),
        "coverage_of_nearest": _of_nearest(needs, offered, passages),
        "coverage_best": best,
        "coverage_all": coverage(needs, whole),
        "coverage_unit": max((coverage(needs, each) for each in pieces), default=0.0),
        "keywords": max((keyword_score(needs, each) for each in passages), default=0.0),
        "heaviest_missing": max((_missing(row, whole) for row in needs), default=0.0)
        / max(1.0, sum(row.weight for row in needs)),
        "nothing_found": float(coverage(needs, whole) < NOTHING),
        "metric_missing": _share(not whole.share(row) for row in metrics),
        "metric_missing_in_unit": _share(
            not any(piece.share(row) for piece in pieces) for row in metrics
        ),
        "name_missing": _share(name in names for name in understanding.unlinked),
        "has_name": float(bool(understanding.unlinked)),
        **_of_companies(understanding, offered),
        **_of_periods(understanding, periods, offered, low),
        "private": float(asks_for_private(understanding)),
        "few_words": float(sum(1 for _ in needs) <= FEW_WORDS),
        **of_units(understanding, needs, units),
    }
    return _Read(understanding, offered, needs, whole, units, periods, names, found)


def _in_small(texts: Iterable[str]) -> str:
    return " ".join("\n".join(texts).lower().split())


def _missing(row: Needed, whole: Held) -> float:
    return row.weight * (1 - whole.share(row))


def _cosines(offered: Sequence[Offered]) -> dict[str, float]:
    near = sorted(
        (e.passage.dense_score for e in offered if e.passage.dense_score is not None), reverse=True
    )
    return {
        "dense": near[0] if near else 0.0,
        "dense_of_five": sum(near[:5]) / len(near[:5]) if near else 0.0,
        "no_cosine": float(not near),
    }


def _of_nearest(
    needs: Sequence[Needed], offered: Sequence[Offered], passages: Sequence[Held]
) -> float:
    """Whether words and meaning agree: the coverage of the passage with the best cosine."""
    near = [
        (each.passage.dense_score, coverage(needs, words))
        for each, words in zip(offered, passages, strict=True)
        if each.passage.dense_score is not None
    ]
    return max(near)[1] if near else 0.0


def _of_companies(understanding: Understanding, offered: Sequence[Offered]) -> dict[str, float]:
    there = {each.company_id for each in offered}
    known = [read for read in understanding.companies if read.has_documents]
    return {
        "company_without_documents": _share(not r.has_documents for r in understanding.companies),
        "company_not_among_passages": _share(r.id not in there for r in known),
        "has_company": float(bool(understanding.companies)),
    }


def _of_periods(
    understanding: Understanding, periods: Sequence[Covered], offered: Sequence[Offered], low: str
) -> dict[str, float]:
    years = {y for c in periods for y in (*c.period.years, *(y for y, _ in c.period.quarters))}
    reported = {each.source.header.fiscal_year for each in offered}
    return {
        "period_not_covered": _share(not (c.own or c.later) for c in periods),
        "period_only_later": _share(c.later and not c.own for c in periods),
        "year_not_in_passages": _share(y not in reported and str(y) not in low for y in years),
        "future": float(bool(understanding.future)),
    }


def _share(rows: Iterator[bool]) -> float:
    listed = list(rows)
    return sum(listed) / len(listed) if listed else 0.0


def _why(read: _Read) -> str:
    """What speaks most against an answer, in a sentence or two."""
    reasons = list(_reasons(read))
    if not reasons and read.units and read.needs:
        return _nowhere_together(read)
    return " ".join(reasons[:2]) or "No passage comes near enough to what is asked."


def _reasons(read: _Read) -> Iterator[str]:
    asked = read.understanding
    absent = [company.name for company in asked.companies if not company.has_documents]
    if absent:
        yield f"No document of {_listed(absent)} is here."
    for name in read.names_missing[:2]:
        if rarest(name) == 0:
            yield f"“{name}” occurs nowhere in the documents."
        else:
            yield f"The passages do not speak of “{name}”."
    of = [company.name for company in asked.companies if company.has_documents]
    for period in read.periods:
        if period.period.future:
            yield f"{period.period.label} has not begun, and no document here reports it."
        elif not period.own:
            whose = f" of {_listed(of)}" if of else ""
            yield f"No document{whose} that reports {period.period.label} is here."
    if read.features["private"]:
        yield "No private particulars of a person are in the passages."
    least = TELLING * greatest_weight()
    missing = [row for row in read.needs if row.weight >= least and not read.whole.share(row)]
    if missing and read.offered:
        yield f"The passages do not speak of {_quoted([row.shown for row in missing[:3]])}."


def _nowhere_together(read: _Read) -> str:
    """What no sentence or row says, where each of the words stands in some."""
    of = [company.name for company in read.understanding.companies if company.has_documents]
    about = _quoted([row.shown for row in read.needs[:3]], "and")
    whose = f" of {_listed(of)}" if of else ""
    labels = [each.period.label for each in read.periods]
    when = f" for {_listed(labels)}" if labels else ""
    wants = asked_for(without_remarks(read.understanding))
    if wants.figure:
        return f"None of the passages gives a figure for {about}{whose}{when}."
    if wants.cause:
        return f"None of the passages gives a reason that concerns {about}{whose}{when}."
    if wants.person:
        return f"None of the passages names a person for {about}{whose}{when}."
    return f"No sentence of the passages tells of {about}{whose}{when}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _quoted(names: Sequence[str], last: str = "or") -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"
