"""The feed's lines of the health report: what ranks, and what waits to be ranked."""

from __future__ import annotations

from collections.abc import Iterator

from docintel import registry
from docintel.doctor import Finding
from feed import live_ranker, ranking
from feed.live_ranker import CannotUse
from feed.models import RankFailure, SavedSearch

MOST_COUNTED = 10_000


def findings() -> Iterator[Finding]:
    yield _ranker()
    waiting = ranking.unranked().order_by()[: MOST_COUNTED + 1].count()
    said = f"{waiting:,}" if waiting <= MOST_COUNTED else f"over {MOST_COUNTED:,}"
    yield Finding("Feed", ok=True, message=f"{said} documents wait to be ranked")
    yield _failed()
    yield _webhooks()


def _failed() -> Finding:
    count = RankFailure.objects.filter(attempts__gte=ranking.MOST_ATTEMPTS).count()
    message = (
        f"{count:,} documents could not be ranked" if count else "every document can be ranked"
    )
    hint = "the administration says why under Rank failures; delete a row to try again"
    return Finding("Feed failures", ok=not count, message=message, hint=hint if count else "")


def _webhooks() -> Finding:
    off = SavedSearch.objects.filter(webhook_off_at__isnull=False, paused=False).count()
    message = f"{off:,} of saved searches are switched off after failures" if off else "none is off"
    hint = "their owners see why in their feed profile" if off else ""
    return Finding("Webhooks", ok=not off, message=message, hint=hint)


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
