"""A person's word on a document: which company a name means there, and what it is about.

Readers see it when the transaction commits. It outranks recogniser and classifier, also when they
read the document again: both end in `settle_links` and `settle_topics`.
"""

from __future__ import annotations

from django.db import transaction

from docintel.models import ModelVersion
from docintel.scheduling import enqueue
from ingestion.linking import link_mentions
from ingestion.models import Document, DocumentTopic, LinkWord, Mention, TopicLabel
from ingestion.topics import settle_topics


@transaction.atomic
def say_link(document: Document, name: str, company: int | None) -> None:
    """Every mention of this name in the document is of this company, or of none."""
    LinkWord.objects.update_or_create(
        document=document, name=name, defaults={"company_id": company}
    )
    mentions = document.mentions.filter(kind=Mention.Kind.COMPANY, name=name)
    mentions.exclude(value__has_key="reference").update(company=company)


@transaction.atomic
def unsay_link(document: Document, name: str) -> None:
    """As if nothing had been said: the linker decides again."""
    LinkWord.objects.filter(document=document, name=name).delete()
    link_mentions(document)


@transaction.atomic
def say_topic(document: Document, topic: str, *, applies: bool, by: int) -> None:
    """The document is about this topic, or is not; training learns from it too."""
    TopicLabel.objects.update_or_create(
        document=document, topic_id=topic, defaults={"applies": applies, "labelled_by_id": by}
    )
    settle_topics(document)


@transaction.atomic
def unsay_topic(
    document: Document, topic: str, probability: float, classifier: ModelVersion
) -> None:
    """As if nothing had been said: as likely as this classifier had it.

    Where another one has classified the document since, it does so again.
    """
    TopicLabel.objects.filter(document=document, topic=topic).delete()
    DocumentTopic.objects.update_or_create(
        document=document, topic_id=topic,
        defaults={"probability": probability, "classifier": classifier},
    )  # fmt: skip
    if document.classifier_id != classifier.pk:
        Document.objects.filter(pk=document.pk).update(classifier=None)
        transaction.on_commit(lambda: enqueue("ingestion.tasks.classify_pending"))
