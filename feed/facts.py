"""From the tables to what the ranker is told: of documents, and of analysts.

A document's facts are read once, when it is first ranked, and kept with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

import numpy as np
from django.db.models import Avg, F, Q
from django.db.models.functions import Substr
from pgvector import HalfVector

from docintel.models import Activity, ModelVersion
from feed.choosing_leads import MANAGEMENT, MOST_PASSAGES, Passage, lead
from feed.ml import profiles
from feed.ml.facts import Analyst, Documents, Floats, Muted
from feed.ml.freshness import fresh_at
from feed.ml.profiles import Asked, Read
from feed.models import Engagement, FeedProfile, Follow, Interest, RankedDocument
from ingestion.chunk_tables import VECTOR_DIMENSIONS
from ingestion.classifying.pooling import unit
from ingestion.models import Chunk, Document, DocumentTopic, Mention, Source, Topic
from ingestion.vector_tables import vectors_by

OPENING = 1_000
# A passage's usual length; the text itself is not read for its length alone.
CHARACTERS_OF_A_CHUNK = 1_800
# Of a profile's reading; older reading counts next to nothing by then.
MOST_READ = 1_000
MOST_ASKED = 200
# Of these a card quotes what moved by how much, of others how they begin.
TELLING = (
    Document.Kind.ANNUAL_REPORT, Document.Kind.QUARTERLY_REPORT, Document.Kind.CURRENT_REPORT,
    Document.Kind.EARNINGS_CALL,
)  # fmt: skip


class Facts(TypedDict):
    """As kept in RankedDocument; `lead` is where its text begins to say something."""

    companies: list[int]
    main: int
    topics: dict[str, float]
    kind: str
    source: int
    group: int
    characters: int
    opening: str
    lead: int


def gather(documents: Sequence[Document], embedder: ModelVersion) -> list[RankedDocument]:
    """Rows with the facts of these documents, not yet saved; a handful of queries for all."""
    ids = [document.pk for document in documents]
    companies: defaultdict[int, set[int]] = defaultdict(set)
    named = Mention.objects.filter(document__in=ids, company__isnull=False).order_by()
    for pk, company in named.values_list("document", "company").distinct():
        companies[pk].add(company or 0)
    topics: defaultdict[int, dict[str, float]] = defaultdict(dict)
    about = DocumentTopic.objects.filter(document__in=ids, topic__active=True).order_by()
    for pk, key, probability in about.values_list("document", "topic", "probability"):
        topics[pk][key] = round(probability, 4)
    rows = vectors_by(embedder).filter(chunk__document__in=ids).order_by()
    means = rows.values_list("chunk__document").annotate(mean=Avg("embedding"))
    vectors = {pk: unit(floats(mean).astype(np.float32)) for pk, mean in means if mean is not None}
    start = Document.objects.filter(pk__in=ids).order_by()
    openings = dict(start.values_list("pk", Substr("text", 1, OPENING)))
    leads = _leads(documents)
    made = []
    for document in documents:
        main = document.company_id or 0
        facts = Facts(
            companies=sorted(companies[document.pk] | ({main} - {0})),
            main=main,
            topics=topics[document.pk],
            kind=document.kind,
            source=document.source_id,
            group=document.near_duplicate_of_id or document.pk,
            characters=document.chunk_count * CHARACTERS_OF_A_CHUNK,
            opening=f"{document.title}\n{openings.get(document.pk, '')}".lower(),
            lead=leads[document.pk],
        )
        vector = vectors.get(document.pk)
        made.append(
            RankedDocument(
                document=document,
                facts=facts,
                vector=None if vector is None else HalfVector(vector),
                embedder=embedder,
                fresh_at=fresh_at(document.published_on, document.received_at),
            )
        )
    return made


def _leads(documents: Sequence[Document]) -> dict[int, int]:
    """Where each of them begins to say something."""
    found: defaultdict[int, list[Passage]] = defaultdict(list)
    rows = Chunk.objects.filter(document__in=[document.pk for document in documents])
    rows = rows.filter(Q(statement=MANAGEMENT) | Q(ordinal__lt=MOST_PASSAGES))
    columns = ("document", "start", "statement", Substr("body", F("header_length") + 1))
    for pk, start, statement, text in rows.order_by("document", "ordinal").values_list(*columns):
        found[pk].append(Passage(start, text, statement))
    return {
        document.pk: lead(found[document.pk], document.title, telling=document.kind in TELLING)
        for document in documents
    }


def documents_of(rows: Sequence[RankedDocument], embedder: ModelVersion) -> Documents:
    """Column by column; vectors of another embedder count as unknown."""
    facts: list[Any] = [row.facts for row in rows]
    keys = tuple(Topic.objects.filter(active=True).values_list("key", flat=True))
    credibility = dict(Source.objects.values_list("pk", "credibility"))
    topics = [[one["topics"].get(key, 0.0) for key in keys] for one in facts]
    known = [row.vector if row.embedder_id == embedder.pk else None for row in rows]
    return Documents(
        ids=np.array([row.document_id for row in rows], dtype=np.int64),
        companies=tuple(frozenset(one["companies"]) for one in facts),
        main=np.array([one["main"] for one in facts], dtype=np.int64),
        topic_keys=keys,
        topics=np.array(topics, dtype=np.float64).reshape(len(rows), len(keys)),
        kinds=tuple(one["kind"] for one in facts),
        sources=np.array([one["source"] for one in facts], dtype=np.int64),
        credibility=np.array([credibility.get(one["source"], 0.5) for one in facts]),
        vectors=np.array(
            [np.zeros(VECTOR_DIMENSIONS) if each is None else floats(each) for each in known]
        ).reshape(len(rows), VECTOR_DIMENSIONS),
        characters=np.array([one["characters"] for one in facts], dtype=np.float64),
        groups=np.array([one["group"] for one in facts], dtype=np.int64),
        opening=tuple(one["opening"] for one in facts),
    )


def analysts_of(people: Sequence[FeedProfile], embedder: ModelVersion) -> list[Analyst]:
    """What these analysts said and did, in their order; four queries for all of them."""
    ids = [profile.user_id for profile in people]
    followed: defaultdict[int, list[Follow]] = defaultdict(list)
    for row in Follow.objects.filter(user__in=ids).order_by():
        followed[row.user_id].append(row)
    interests: defaultdict[int, list[Floats]] = defaultdict(list)
    stated = Interest.objects.filter(user__in=ids, embedder=embedder, vector__isnull=False)
    for user, vector in stated.order_by().values_list("user", "vector"):
        interests[user].append(floats(vector))
    seen: defaultdict[int, set[int]] = defaultdict(set)
    opened = Engagement.objects.filter(user__in=ids, opened_at__isnull=False).order_by()
    for user, pk, near in opened.values_list("user", "document", "document__near_duplicate_of"):
        seen[user].add(near or pk)
    return [_analyst(row, followed[row.user_id], interests[row.user_id], seen[row.user_id],
                     embedder) for row in people]  # fmt: skip


def _analyst(
    row: FeedProfile, said: Iterable[Follow], interests: list[Floats], seen: set[int],
    embedder: ModelVersion,
) -> Analyst:  # fmt: skip
    known = row.vector is not None and row.embedder_id == embedder.pk
    follows, mutes = _by_kind(said, muted=False), _by_kind(said, muted=True)
    return Analyst(
        id=row.user_id,
        companies=frozenset(follows["company"]),
        topics=frozenset(follows["topic"]),
        sources=frozenset(follows["source"]),
        kinds=frozenset(follows["document_kind"]),
        phrases=tuple(follows["phrase"]),
        interests=np.array(interests).reshape(len(interests), VECTOR_DIMENSIONS),
        profile=profiles.from_json(row.facts, floats(row.vector) if known else np.zeros(0)),
        seen=frozenset(seen),
        muted=Muted(
            frozenset(mutes["company"]), frozenset(mutes["topic"]), frozenset(mutes["source"]),
            frozenset(mutes["document_kind"]), tuple(mutes["phrase"]),
        ),
    )  # fmt: skip


def _by_kind(said: Iterable[Follow], *, muted: bool) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {kind: [] for kind in Follow.Kind.values}
    for row in said:
        if row.muted == muted:
            thing = row.company_id or row.topic_id or row.source_id
            found[row.kind].append(thing or row.document_kind or row.phrase)
    return found


def refresh(
    row: FeedProfile, embedder: ModelVersion, now: datetime, taste: Mapping[str, float]
) -> None:
    """Writes what the analyst did in 90 days into their profile; of a new one, what they picked.

    Without any reading the vector is the centroid of the newest documents about what they follow.
    """
    since = now - timedelta(days=profiles.DAYS)
    opened = Engagement.objects.filter(user=row.user_id, opened_at__gte=since)
    engaged = list(opened.order_by("-opened_at")[:MOST_READ])
    ranked = RankedDocument.objects.in_bulk([one.document_id for one in engaged])
    reads = [
        _read(one, ranked[one.document_id], embedder, now)
        for one in engaged
        if one.document_id in ranked
    ]
    asked = Activity.objects.filter(user=row.user_id, verb="asked", at__gte=since)[:MOST_ASKED]
    questions = [Asked(_days(now, one.at), one.companies, one.topics) for one in asked]
    profile = profiles.build(reads, questions, _sources(row.user_id, since), taste)
    vector = profile.vector if len(profile.vector) else _centroid(row.user_id, embedder)
    row.facts = profiles.to_json(profile)
    row.vector = HalfVector(vector) if len(vector) else None
    row.embedder = embedder
    row.save(update_fields=["facts", "vector", "embedder"])


def _read(one: Engagement, ranked: RankedDocument, embedder: ModelVersion, now: datetime) -> Read:
    facts: Any = ranked.facts
    known = ranked.vector is not None and ranked.embedder_id == embedder.pk
    return Read(
        days_ago=_days(now, one.opened_at or now),
        seconds=one.active_ms / 1000,
        opens=one.opens,
        companies=frozenset(facts["companies"]),
        topics=facts["topics"],
        kind=facts["kind"],
        vector=floats(ranked.vector) if known else np.zeros(0),
    )


def _sources(user: int, since: datetime) -> dict[int, tuple[float, float]]:
    """Source -> (opened, shown) on the feed; opened elsewhere counts as shown too."""
    found: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    recent = Q(shown_at__gte=since) | Q(opened_at__gte=since)
    rows = Engagement.objects.filter(recent, user=user).order_by()
    for source, opens, shown in rows.values_list("document__source", "opens", "shown"):
        found[source][0] += min(opens, 1)
        found[source][1] += 1.0 if shown or opens else 0.0
    return {source: (opened, shown) for source, (opened, shown) in found.items()}


def _centroid(user: int, embedder: ModelVersion, most: int = profiles.CENTROID_OF) -> Floats:
    follows = Follow.objects.filter(user=user, muted=False)
    companies = [pk for pk in follows.values_list("company", flat=True) if pk]
    topics = [key for key in follows.values_list("topic", flat=True) if key]
    if not companies and not topics:
        return np.zeros(0)
    rows = RankedDocument.objects.filter(
        Q(facts__main__in=companies) | Q(document__topics__topic__in=topics,
                                         document__topics__probability__gte=0.5),
        embedder=embedder, vector__isnull=False,
    )  # fmt: skip
    newest = rows.order_by("-fresh_at").values_list("vector", flat=True)[:most]
    vectors = [floats(vector) for vector in newest]
    return unit(np.mean(vectors, axis=0)).astype(np.float64) if vectors else np.zeros(0)


def _days(now: datetime, at: datetime) -> float:
    return (now - at) / timedelta(days=1)


def floats(vector: Any) -> Floats:
    """A column of vectors as numpy, whichever way the driver gave it."""
    return np.asarray(vector.to_numpy() if isinstance(vector, HalfVector) else vector, float)
