"""Documents that were read by a tagger found by patterns, and what of them waits for review."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone
from extraction_corpus import find, kpis, put

from docintel import registry
from extraction import shown
from extraction.extracting import extract
from extraction.ml.spans import FoundSpan
from ingestion.linking import catalogue
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias, Document, Topic
from review import queueing
from review.correcting import Said, correct, seen_by
from review.judging import Given
from review.models import DeskSettings, ReviewItem
from review.queueing_documents import queue_documents

UNSURE = 0.6


def tags_with(confidences: dict[str, float]):
    """As `find` does, with these confidences for these words."""

    def tag(text: str, _schema: str) -> list[FoundSpan]:
        return [
            FoundSpan(
                one.start, one.end, one.label, confidences.get(text[one.start : one.end], 0.97)
            )
            for one in find(text)
        ]

    return tag


def no_lots() -> DeskSettings:
    """Neither audits nor second opinions, unless a test asks for them."""
    settings = DeskSettings.current()
    DeskSettings.objects.update(audit_share=0, double_share=0)
    return settings


def read_document(text: str | None = None, **fields: object) -> Document:
    """Put, extracted from and looked through for items."""
    document = put(text, **fields) if text else put(**fields)
    extract(document, kpis())
    queueing.queue_pending()
    return document


def an_item(document: Document | None = None, **fields: object) -> ReviewItem:
    """A row without a tagger: that the first word of a document is a key figure."""
    document = document or put()
    proposal = {"label": "kpi", "start": 0, "end": 7, "text": "Revenue"}
    values = {
        "kind": "span", "document": document, "schema": kpis(), "label": "kpi", "start": 0,
        "end": 7, "text": "Revenue", "proposal": proposal, "confidence": UNSURE,
        "why": ReviewItem.Why.UNSURE, "value": 0.96, **fields,
    }  # fmt: skip
    return ReviewItem.objects.create(**values)


def item_of(words: str, **fields: object) -> ReviewItem:
    return ReviewItem.objects.get(text=words, **fields)


def said(user: User, item: ReviewItem, verdict: str, **fields: object) -> Said:
    """A verdict by somebody who has seen the item as it is."""
    last = seen_by(item, user).first()
    return correct(user, item.pk, Given(verdict, seen=last.pk if last else 0, **fields))


def found(document: Document) -> list[tuple[str, str]]:
    return [(s.label, s.text) for s in shown.spans_of(document, kpis().pk)]


def doubtful() -> list[ReviewItem]:
    """A name that two companies share, and a topic that is as likely as not."""
    for name in ("Halden Mills", "Halden Optics"):
        company = Company.objects.create(name=name, key=company_key(name))
        CompanyAlias.objects.create(company=company, name="Halden", key="halden")
    catalogue(fresh=True)
    news = put("Halden is said to be in talks about a merger.\nNothing is signed.", title="News")
    news.mentions.create(
        start=0, end=6, kind="company", name="Halden",
        recogniser=registry.register("recogniser", "test", "test"),
    )  # fmt: skip
    classifier = registry.register("topic classifier", "test", "test")
    topic, _ = Topic.objects.get_or_create(key="mergers", defaults={"name": "Mergers"})
    news.topics.create(topic=topic, probability=0.48, classifier=classifier)
    Document.objects.filter(pk=news.pk).update(recognised_at=timezone.now(), classifier=classifier)
    queue_documents()
    return list(ReviewItem.objects.filter(document=news).order_by("kind"))
