"""An analyst's taste from the cards that they were shown: what was read, and what was passed over.

Bounded: the newest cards alone, and of each the score that stands in its impression.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from docintel.models import ModelVersion
from feed import facts
from feed.ml import formula, tasting
from feed.ml.features import NAMES
from feed.ml.profiles import DAYS, decay, read_share
from feed.models import Engagement, FeedEvent, RankedDocument

# Cards of an analyst, the newest; some weeks of reading.
MOST_CARDS = 2_000


def taste_of(user: int, embedder: ModelVersion, now: datetime) -> dict[str, float]:
    """Attribute -> weight (`feed.ml.tasting`); empty where nothing was shown.

    A card of features other than today's is left out, as nobody knows what it was expected to be.
    """
    looks, scores, ages = _shown(user, now)
    rows = list(RankedDocument.objects.filter(pk__in=list(looks)[: tasting.MOST]).order_by("pk"))
    if not rows:
        return {}
    read = _read(user, list(looks))
    ids = [row.document_id for row in rows]
    aged = np.array([decay(ages[pk], tasting.HALF_LIFE) for pk in ids])
    # What was opened was looked at, wherever it stood.
    looked = np.array([looks[pk] + (pk in read) for pk in ids])
    wanted = np.array([read.get(pk, 0.0) for pk in ids])
    documents = facts.documents_of(rows, embedder)
    return tasting.learn(
        documents, looked * aged, wanted * aged, np.array([scores[i] for i in ids])
    )


def _shown(
    user: int, now: datetime
) -> tuple[Mapping[int, float], Mapping[int, float], Mapping[int, float]]:
    """Document -> the sum of the chances that its cards were looked at, what the formula gave the
    last of them, and the days since then; what was shown last comes first."""
    cards = FeedEvent.objects.filter(
        user=user, verb=FeedEvent.Verb.IMPRESSION, received_at__gte=now - timedelta(days=DAYS),
        position__isnull=False, features__isnull=False, document__ranked__isnull=False,
    ).order_by("-received_at", "-pk")  # fmt: skip
    columns = ("document", "position", "features", "occurred_at", "document__ranked__fresh_at")
    looks: dict[int, float] = {}
    scores: dict[int, float] = {}
    ages: dict[int, float] = {}
    for pk, position, values, at, fresh_at in cards.values_list(*columns)[:MOST_CARDS]:
        if len(values) != len(NAMES):
            continue
        if pk not in looks:
            row = np.array([values], dtype=np.float64)
            age = max(0.0, (at - fresh_at) / timedelta(days=1))
            scores[pk] = float(formula.expected(row, np.array([age]))[0])
            ages[pk] = (now - at) / timedelta(days=1)
        looks[pk] = looks.get(pk, 0.0) + 1 / max(1, position)
    return looks, scores, ages


def _read(user: int, documents: list[int]) -> dict[int, float]:
    """Document -> how far it was read, of those that were opened."""
    rows = Engagement.objects.filter(user=user, document__in=documents, opened_at__isnull=False)
    told = rows.order_by().values_list("document", "active_ms", "opens")
    return {pk: read_share(active / 1000, opens) for pk, active, opens in told}
