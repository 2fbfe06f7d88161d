"""The feed's lines of the health report: what ranks, and what waits to be ranked."""

from __future__ import annotations

from collections.abc import Iterator

from docintel import registry
from docintel.doctor import Finding
from feed import live_ranker, ranking
from feed.live_ranker import CannotUse

MOST_COUNTED = 10_000


def findings() -> Iterator[Finding]:
    yield _ranker()
    waiting = ranking.unranked().order_by()[: MOST_COUNTED + 1].count()
    said = f"{waiting:,}" if waiting <= MOST_COUNTED else f"over {MOST_COUNTED:,}"
    yield Finding("Feed", ok=True, message=f"{said} documents wait to be ranked")


def _ranker() -> Finding:
    version = registry.live(live_ranker.NAME)
    if version is None:
        message = "no model is live: the cold-start formula ranks"
        return Finding("Feed ranker", ok=True, message=message, hint="python manage.py train feed")
    try:
        live_ranker.use(version)
    except CannotUse as error:
        return Finding(
            "Feed ranker",
            ok=False,
            message=f"the cold-start formula ranks: {error}",
            hint="train it again, or make another version live: python manage.py promote feed",
        )
    return Finding("Feed ranker", ok=True, message=str(version))
