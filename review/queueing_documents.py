"""What enters the queue from recognising and classifying: doubtful links and topics.

Work is a query: searchable documents that were not looked through since they were recognised and
classified. Nothing that a person has settled enters again; what is proposed no more leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from docintel.models import ModelVersion
from ingestion.linking import catalogue
from ingestion.models import Chunk, Company, Document, Mention, TopicVector
from ingestion.querysets import BODY_FIELDS, DocumentQuerySet
from review.desk_tables import DeskSettings
from review.item_tables import QueuedDocument, ReviewItem, key_of
from review.proposals import Proposal, is_drawn
from review.valuing import stakes, uses_of, value

DOCUMENTS_AT_ONCE = 200
# Of one document, the names and topics of which most depends.
MOST_NAMES, MOST_TOPICS = 5, 3
# A topic as likely as this is neither clearly there nor clearly not.
DOUBTFUL = (0.35, 0.65)
# A name that two companies share is linked to neither: no number says which, so even odds.
AMBIGUOUS = 0.5
# By spelling alone: as sure as the spelling is near, from the linker's least on.
NEAR, SURE = (90.0, 100.0), 0.95
LONGEST_EVIDENCE = 300
Kind, Why, State = ReviewItem.Kind, ReviewItem.Why, ReviewItem.State
KINDS = (Kind.ENTITY, Kind.TOPIC)


def queue_documents(most: int = DOCUMENTS_AT_ONCE) -> int:
    """Look through the newest that were not; how many proposals wait because of them."""
    settings = DeskSettings.current()
    return sum(queue(document, settings) for document in unqueued().defer(*BODY_FIELDS)[:most])


def unqueued() -> DocumentQuerySet:
    """Recognised and classified, and not looked through as they are now."""
    looked = QueuedDocument.objects.filter(
        document=OuterRef("pk"),
        recognised_at=OuterRef("recognised_at"),
        classifier=OuterRef("classifier"),
    )
    ready = Document.objects.searchable().filter(
        recognised_at__isnull=False, classifier__isnull=False
    )
    return ready.filter(~Exists(looked)).order_by("-received_at", "pk")


@transaction.atomic
def queue(document: Document, settings: DeskSettings) -> int:
    """One document's proposals enter, are said anew or leave; how many of them wait now."""
    assert document.recognised_at is not None
    assert document.classifier_id is not None
    at_stake = stakes(uses_of(document.pk))
    wanted = {}
    for item in (*_names(document), *_topics(document)):
        item.stakes, item.value = at_stake, value(item.confidence, at_stake)
        item.wanted = 2 if is_drawn(item.key, settings.double_share, "double") else 1
        wanted[item.keyed().key] = item
    known = ReviewItem.objects.filter(document=document, kind__in=KINDS)
    known.waiting().exclude(key__in=wanted).update(state=State.GONE, closed_at=timezone.now())
    again = known.filter(state=State.GONE, key__in=wanted, corrections=None)
    again.update(state=State.OPEN, closed_at=None)
    ReviewItem.objects.bulk_create(wanted.values(), ignore_conflicts=True)
    QueuedDocument.objects.update_or_create(
        document=document,
        defaults={
            "recognised_at": document.recognised_at, "classifier_id": document.classifier_id,
        },
    )  # fmt: skip
    return known.waiting().count()


def _names(document: Document) -> Iterator[ReviewItem]:
    """Names that several companies share, and names linked by a near spelling alone."""
    matcher = catalogue().matcher
    rows = document.mentions.filter(kind=Mention.Kind.COMPANY).exclude(value__has_key="reference")
    said = set(document.link_words.values_list("name", flat=True))
    counts: Counter[str] = Counter()
    first: dict[str, Mention] = {}
    for row in rows.order_by("start").select_related("recogniser"):
        if row.name not in said:
            counts[row.name] += 1
            first.setdefault(row.name, row)
    found = 0
    for name, _ in counts.most_common():
        mention = first[name]
        offers = matcher.offers(name)
        sure = _sureness(mention.company_id, offers)
        if sure is None:
            continue
        yield _of_name(document, mention, list(offers), sure)
        found += 1
        if found == MOST_NAMES:
            return


def _sureness(company: int | None, offers: dict[int, float]) -> float | None:
    """How sure the link is; None where it need not be looked at."""
    same = [pk for pk, score in offers.items() if score >= NEAR[1]]
    if company is None:
        return AMBIGUOUS if len(same) > 1 else None
    score = offers.get(company)
    if score is None or not NEAR[0] <= score < NEAR[1]:
        # By what the document says of itself, or by the very name.
        return None
    return min(SURE, (score - NEAR[0]) / (NEAR[1] - NEAR[0]))


def _of_name(
    document: Document, mention: Mention, offered: list[int], confidence: float
) -> ReviewItem:
    names = Company.objects.in_bulk(offered)
    linked = names.get(mention.company_id or 0)
    proposal: Proposal = {
        "name": mention.name,
        "start": mention.start,
        "end": mention.end,
        "company": linked.pk if linked else None,
        "company_name": linked.name if linked else "",
        "offered": [pk for pk in offered if pk in names],
    }
    told = f"{linked.name} by a near spelling" if linked else "Several companies have this name"
    return _item(
        document, Kind.ENTITY, {"name": mention.name}, proposal, mention.recogniser,
        start=mention.start, end=mention.end, text=mention.name, confidence=confidence,
        reason=f"{told}; {confidence:.0%} sure.",
    )  # fmt: skip


def _topics(document: Document) -> Iterator[ReviewItem]:
    """Those that the classifier is least sure of, each with the passage that comes nearest."""
    low, high = DOUBTFUL
    rows = document.topics.filter(
        probability__gt=low, probability__lt=high, topic__active=True
    ).exclude(topic__in=document.topic_labels.values("topic"))
    doubtful = sorted(rows.select_related("topic", "classifier"), key=_doubt)[:MOST_TOPICS]
    for row in doubtful:
        nearest = _nearest(document, row.topic_id)
        applies = row.probability >= AMBIGUOUS
        proposal: Proposal = {
            "topic": row.topic_id,
            "name": row.topic.name,
            "applies": applies,
            "probability": round(row.probability, 4),
        }
        sure = max(row.probability, 1 - row.probability)
        yield _item(
            document, Kind.TOPIC, {"topic": row.topic_id}, proposal, row.classifier,
            start=nearest.start if nearest else 0, end=nearest.end if nearest else 0,
            text=nearest.text[:LONGEST_EVIDENCE] if nearest else "", label=row.topic_id,
            confidence=sure, reason=f"{row.probability:.0%} likely to be about it.",
        )  # fmt: skip


def _doubt(row: object) -> float:
    return abs(getattr(row, "probability", 0.0) - AMBIGUOUS)


def _nearest(document: Document, topic: str) -> Chunk | None:
    """The passage that is nearest to the topic's description; None without vectors."""
    if document.embedder is None:
        return None
    kept = TopicVector.objects.filter(topic=topic, embedder=document.embedder).first()
    if kept is None:
        return None
    chunks = Chunk.objects.of([document.pk])
    best = chunks.nearest(np.array(kept.embedding), None, document.embedder, 1, few=True)
    return Chunk.objects.get(pk=best[0].chunk_id) if best else None


def _item(
    document: Document, kind: str, named: Proposal, proposal: Proposal, model: ModelVersion,
    **fields: object,
) -> ReviewItem:  # fmt: skip
    """Known by document and name or topic, whatever is proposed of it."""
    return ReviewItem(
        kind=kind, key=key_of(kind, document.pk, None, named), document=document,
        proposal=proposal, model_version=model, why=Why.DOUBT, **fields,
    )  # fmt: skip
