"""Every new document is ranked for every analyst; an analyst whose interests changed, anew.

Work is a query: what is ready and not yet ranked, and profiles that changed since they were ranked.
Repeating a call does no harm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, F, Max, OuterRef, Q
from django.utils import timezone
from pgvector import HalfVector

from docintel import encoders, measuring
from docintel.leasing import retry_at
from docintel.models import ModelVersion
from docintel.scheduling import enqueue
from feed import credibility, facts, learning_tastes, live_ranker
from feed.following import id_of
from feed.live_ranker import Ranker
from feed.ml import freshness, profiles
from feed.ml.facts import Analyst, Documents, Firm
from feed.ml.features import features
from feed.ml.muting import hidden
from feed.models import FeedItem, FeedProfile, Interest, RankedDocument, RankFailure
from ingestion.models import Document
from ingestion.querysets import BODY_FIELDS, DocumentQuerySet, User

logger = logging.getLogger(__name__)
# What arrived longer ago is no news.
DAYS = 30
AT_ONCE = 25
# Of one document; then it is left out, visibly.
MOST_ATTEMPTS = 3
TURN_SECONDS = 10.0
# Of one analyst's documents, scored in one go.
CHUNK = 2_000


def unranked(now: datetime | None = None) -> DocumentQuerySet:
    """Recent documents that are embedded, recognised and classified, and not yet ranked, or read
    anew since: by a better recogniser, or when a company that they name became known."""
    now = now or timezone.now()
    failed = RankFailure.objects.filter(
        Q(attempts__gte=MOST_ATTEMPTS) | Q(retry_after__gt=now), document=OuterRef("pk")
    )
    ready = Document.objects.searchable().filter(
        received_at__gte=now - timedelta(days=DAYS), embedder__isnull=False,
        recognised_at__isnull=False, classifier__isnull=False,
    ).filter(Q(ranked__isnull=True) | Q(ranked__facts_at__lt=F("recognised_at")))  # fmt: skip
    return (
        ready.exclude(Exists(failed.order_by())).order_by("-received_at", "-pk").defer(*BODY_FIELDS)
    )


def rank_pending(seconds: float = TURN_SECONDS) -> int:
    """Rank what waits, the newest first; how many documents. A task goes on with the rest."""
    until = time.monotonic() + seconds
    done = 0
    try:
        embedder = encoders.live_embedder()
    except encoders.EncoderUnavailable as error:
        logger.warning("the feed waits: %s", error)
        return 0
    while documents := list(unranked()[:AT_ONCE]):
        began = time.perf_counter()
        done += _ranked(documents, embedder)
        spent = time.perf_counter() - began
        measuring.record("feed_rank_seconds", spent, documents=len(documents))
        if time.monotonic() > until:
            enqueue("feed.tasks.rank_pending")
            break
    return done


def _ranked(documents: Sequence[Document], embedder: ModelVersion) -> int:
    """How many could be ranked: where all of them together fail, each is tried alone."""
    try:
        rank(documents, embedder)
    except (OperationalError, InterfaceError):
        raise  # The database is away, which is no document's fault.
    except Exception as error:  # noqa: BLE001  whatever it is, the next document is not to wait
        if len(documents) > 1:
            return sum(_ranked([document], embedder) for document in documents)
        _note_failure(documents[0], error)
        return 0
    RankFailure.objects.filter(document__in=[row.pk for row in documents]).delete()
    return len(documents)


def _note_failure(document: Document, error: Exception) -> None:
    logger.error("document %s cannot be ranked", document.pk, exc_info=error)
    row, _ = RankFailure.objects.get_or_create(document=document)
    row.attempts += 1
    row.reason = f"{type(error).__name__}: {error}"[:500]
    row.retry_after = retry_at(row.attempts, timezone.now())
    row.save()


def rank(documents: Sequence[Document], embedder: ModelVersion) -> None:
    """Rank these documents for all analysts in one batched call."""
    began = timezone.now()
    rows = facts.gather(documents, embedder)
    for row in rows:
        row.facts_at = began
    analysts, firm = _everybody(embedder)
    columns = facts.documents_of(rows, embedder)
    items = _items(columns, [row.fresh_at for row in rows], analysts, firm, live_ranker.live())
    with transaction.atomic():
        RankedDocument.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["document"],
            update_fields=["facts", "vector", "embedder", "facts_at", "fresh_at"],
        )  # fmt: skip
        _write(items)


def rescore_pending(seconds: float = TURN_SECONDS) -> int:
    """Rank anew for analysts whose profile changed since; how many of them."""
    until = time.monotonic() + seconds
    changed = Q(ranked_for__isnull=True) | Q(ranked_for__lt=F("changed_at"))
    done = 0
    for profile in FeedProfile.objects.filter(changed).order_by("-changed_at").select_related():
        if time.monotonic() > until:
            enqueue("feed.tasks.rescore_pending")
            break
        try:
            rescore(profile.user)
        except encoders.EncoderUnavailable as error:
            logger.warning("the feed waits: %s", error)
            break
        done += 1
    return done


def rescore(user: User, *, most: int | None = None) -> int:
    """Rank the last 30 days anew for one analyst, the newest `most` alone where given; how many.

    Raises EncoderUnavailable where it is unknown which embedder is live.
    """
    now = timezone.now()
    embedder = encoders.live_embedder()
    profile = FeedProfile.objects.get_or_create(user_id=id_of(user))[0]
    changed_at = profile.changed_at
    _embed_interests(user, embedder)
    facts.refresh(profile, embedder, now, _taste(profile, embedder, now, at_once=most is not None))
    firm = credibility.firm()
    [analyst] = facts.analysts_of([profile], embedder)
    ranker = live_ranker.live()
    recent = RankedDocument.objects.filter(fresh_at__gte=now - timedelta(days=2 * DAYS))
    ids = list(recent.order_by("-fresh_at").values_list("pk", flat=True)[:most])
    for start in range(0, len(ids), CHUNK):
        rows = list(RankedDocument.objects.filter(pk__in=ids[start : start + CHUNK]))
        columns = facts.documents_of(rows, embedder)
        _write(_items(columns, [row.fresh_at for row in rows], [analyst], firm, ranker))
    if most is None:
        FeedProfile.objects.filter(pk=profile.pk).update(ranked_for=changed_at)
    return len(ids)


def _taste(
    profile: FeedProfile, embedder: ModelVersion, now: datetime, *, at_once: bool
) -> dict[str, float]:
    """The one of before where somebody waits: what they said changes their feed, and no taste."""
    if at_once:
        return dict(profile.facts.get("taste", {}))
    return learning_tastes.taste_of(profile.user_id, embedder, now)


def rerank_all() -> None:
    """Another model is live, or a rate was set: everybody's feed is ranked anew, in turns."""
    _kept.clear()
    FeedProfile.objects.update(ranked_for=None, newest_due=True)
    enqueue("feed.tasks.rescore_pending")


def forget_old(now: datetime | None = None) -> int:
    """Rows of documents that are no news any more; how many."""
    before = (now or timezone.now()) - timedelta(days=2 * DAYS)
    return FeedItem.objects.filter(fresh_at__lt=before).delete()[0]


def _items(
    documents: Documents,
    fresh: Sequence[datetime],
    analysts: Sequence[Analyst],
    firm: Firm,
    ranker: Ranker,
) -> list[FeedItem]:
    made = features(documents, analysts, firm)
    scores = ranker.score(made.reshape(-1, made.shape[2])).reshape(made.shape[:2])
    now = timezone.now()
    items = []
    for at, analyst in enumerate(analysts):
        muted = hidden(documents, analyst)
        for row in range(len(documents)):
            score = float(scores[row, at])
            items.append(
                FeedItem(
                    user_id=analyst.id, document_id=int(documents.ids[row]), score=score,
                    order=freshness.order(score, fresh[row], ranker.half_life),
                    fresh_at=fresh[row], version=ranker.version, hidden_by=muted[row],
                    features=[None if np.isnan(v) else round(float(v), 5) for v in made[row, at]],
                    company_ref=int(documents.main[row]) or None,
                    source_ref=int(documents.sources[row]), group=int(documents.groups[row]),
                    ranked_at=now,
                )
            )  # fmt: skip
    return items


def _write(items: list[FeedItem]) -> None:
    fields = [
        "score", "order", "fresh_at", "features", "version", "hidden_by", "company_ref",
        "source_ref", "group", "ranked_at",
    ]  # fmt: skip
    FeedItem.objects.bulk_create(
        items, batch_size=2_000, update_conflicts=True, update_fields=fields,
        unique_fields=["user", "document"],
    )  # fmt: skip


def _embed_interests(user: User, embedder: ModelVersion) -> None:
    """Those without a vector of this embedder, where an encoder answers; the others wait."""
    lacking = Interest.objects.filter(user=user.pk).exclude(embedder=embedder, vector__isnull=False)
    rows = list(lacking)
    try:
        vectors = encoders.embed([row.text for row in rows], kind="query")
    except encoders.EncoderUnavailable as error:
        logger.info("interests wait: %s", error)
        return
    for row, vector in zip(rows, vectors, strict=True):
        row.vector, row.embedder = HalfVector(vector), embedder
        row.save(update_fields=["vector", "embedder"])


_kept: list[tuple[object, list[Analyst], Firm]] = []


def _everybody(embedder: ModelVersion) -> tuple[list[Analyst], Firm]:
    """All analysts and what they read together; read again when a profile has changed."""
    state = FeedProfile.objects.aggregate(changed=Max("changed_at"), ranked=Max("ranked_for"))
    known = (embedder.pk, FeedProfile.objects.count(), *state.values())
    if not _kept or _kept[0][0] != known:
        analysts = facts.analysts_of(list(FeedProfile.objects.order_by("pk")), embedder)
        read = profiles.firm_of(one.profile for one in analysts)
        _kept[:] = [(known, analysts, Firm(read.topics, read.sources, credibility.by_hand()))]
    return _kept[0][1], _kept[0][2]
