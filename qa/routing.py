"""The path a question takes, by the live router; loads no model library."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from docintel import registry
from docintel.models import ModelVersion
from qa.ml import router
from qa.ml.router import BadModel, Route, Router
from qa.question.asked_items import read_kinds, read_metrics, read_statements
from qa.question.intents import read_hops, read_intents
from qa.question.relative_periods import read_periods

NAME = "router"
LONGEST_READ = 600
log = logging.getLogger(__name__)
# What the verb asks for, in any family of questions.
_ASKS = {
    "asks to find": r"\b(?:find|show|list|search|pull|open|fetch|locate|retrieve|browse|dig|grab|"
    r"look(?:ing)?\s(?:for|up)|get\sme|bring\sup|where|which\s(?:documents?|filings?|notes?|reports?|"
    r"articles?|calls?|transcripts?|pages?)|anything|everything|any\s(?:documents?|filings?|notes?|news)|"
    r"mention(?:s|ing|ed)?)\b",
    "asks for reasons": r"\b(?:why|explain|reasons?|cause[ds]?|drove|drivers?|drive|behind|led\sto|factors?|"  # noqa: E501
    r"because|explains)\b",
    "asks for a value": r"\b(?:how\s(?:much|many|big|large|long)|what\spercent|calculate|compute|who|when|"  # noqa: E501
    r"number\sof|amount|total|by\swhat|rate\sof|how\sfast)\b",
    "asks to sum up": r"\b(?:summar\w+|overview|recap|outline|discuss|describe|analy[sz]e|assess|evaluate|"  # noqa: E501
    r"brief|sum\sup|key\s(?:points|risks|debates)|walk\s(?:me\s)?through|implications?|impact|effects?|"
    r"pros\sand\scons|views?)\b",
    "asks how": r"^\W*how\s(?!much|many|big|large|long|fast)",
    "asks what was": r"^\W*what(?:'?s|\s(?:was|were|is|are|did|does|do))\b",
    "asks yes or no": r"^\W*(?:is|are|was|were|do|does|did|has|have|had|will|can|should)\b",
}
_ASKED = {name: re.compile(pattern, re.I) for name, pattern in _ASKS.items()}


def route(question: str) -> Route:
    """Lookup, factual or synthesis; synthesis where the model is less than 0.7 sure."""
    return live_router().predict(question, flags(question))


def live_router() -> Router:
    """The live version's numbers; the bundled ones where none is live or they cannot be read."""
    version = registry.live(NAME)
    if version is None:
        return router.bundled()
    try:
        return _read(version.pk, version.digest)
    except BadModel as error:
        log.warning("router %s is not usable, the bundled one answers: %s", version.version, error)
        return router.bundled()


def flags(question: str) -> tuple[str, ...]:
    """What the rules see in a question, for the router; needs no database and no catalogue."""
    text = question[:LONGEST_READ]
    # Any day does: only how many periods there are counts.
    periods = read_periods(text, date(2024, 1, 1))
    metrics, kinds = read_metrics(text), read_kinds(text)
    intents = read_intents(text, periods)
    found = {
        "comparison": intents.comparison,
        "temporal": intents.temporal,
        "hops": bool(read_hops(text, periods)),
        "one period": len(periods) == 1,
        "several periods": len(periods) > 1,
        "no period": not periods,
        "newest": any(period.newest for period in periods),
        "one metric": len(metrics) == 1,
        "several metrics": len(metrics) > 1,
        "no metric": not metrics,
        "ratio": any(metric.formula for metric in metrics),
        "kind": bool(kinds),
        "statement": bool(read_statements(text)),
        "metric and period": bool(metrics and periods),
        "question mark": "?" in text,
    }
    found |= {name: bool(pattern.search(text)) for name, pattern in _ASKED.items()}
    return tuple(name for name, present in found.items() if present)


def keep(
    numbers: Mapping[str, Any],
    version: str,
    digest: str,
    *,
    metrics: Mapping[str, Any] | None = None,
    learned: Sequence[str] = (),
    created_by: str = "",
) -> ModelVersion:
    """These numbers as a candidate; `learned` marks the people's questions that it has seen.

    Raises BadModel, and then nothing has changed.
    """
    router.read(numbers)
    told = {"metrics": dict(metrics or {}), "created_by": created_by}
    metadata = {"numbers": dict(numbers), "learned": sorted(learned)}
    return registry.add(NAME, version, digest, metadata=metadata, **told)


def router_of(version: ModelVersion) -> Router:
    """Of this version, live or not. Raises BadModel."""
    return _read(version.pk, version.digest)


@lru_cache(maxsize=2)
def _read(pk: int, digest: str) -> Router:  # noqa: ARG001  another digest is another model
    return router.read(ModelVersion.objects.get(pk=pk).metadata.get("numbers", {}))
