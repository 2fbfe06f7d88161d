"""Doubtful company links and topics wait at the desk; a verdict holds at once and for good."""

from __future__ import annotations

import numpy as np
import pytest
from small_corpus import document, unit

from docintel import registry
from docintel.models import ModelVersion
from ingestion.linking import catalogue, link_mentions
from ingestion.mentioned import mentioned
from ingestion.merging import merge_companies
from ingestion.metadata import company_key
from ingestion.models import (
    Company,
    CompanyAlias,
    Document,
    DocumentTopic,
    Mention,
    Topic,
    TopicLabel,
    TopicVector,
)
from ingestion.showing_topics import with_topics
from ingestion.topics import settle_topics
from review.correcting import correct, undo
from review.judging import BadVerdict, Given
from review.leasing import next_item
from review.models import Correction, DeskSettings, QueuedDocument, ReviewItem
from review.queueing_documents import queue_documents
from review.showing_items import show

pytestmark = pytest.mark.django_db
TEXT = "Halden spoke. Brightwater Logistic was silent. Halden spoke again. Tidewater Foods too."


def company(name: str, *aliases: str) -> Company:
    row = Company.objects.create(name=name, key=company_key(name))
    for alias in aliases:
        CompanyAlias.objects.create(company=row, name=alias, key=company_key(alias))
    return row


@pytest.fixture
def firms() -> dict[str, Company]:
    """Two are called Halden; of one the document lacks a letter."""
    found = {
        "mills": company("Halden Mills", "Halden"),
        "optics": company("Halden Optics", "Halden"),
        "bright": company("Brightwater Logistics"),
        "foods": company("Tidewater Foods"),
    }
    catalogue(fresh=True)
    return found


@pytest.fixture
def embedder() -> ModelVersion:
    return registry.register("embedder", "axes", "0" * 64, dimensions=768)


@pytest.fixture
def report(firms: dict[str, Company], embedder: ModelVersion) -> Document:
    """Recognised and classified: about mergers perhaps, about earnings surely."""
    DeskSettings.objects.create(pk=1, double_share=0.0)
    row = document(
        [TEXT, "They merge, perhaps."], embedder=embedder, vectors=[unit((0, 1)), unit((1, 1))]
    )
    read(row)
    classifier = registry.register("topic classifier", "test", "test")
    for key, probability in (("mergers", 0.55), ("earnings", 0.97)):
        topic, _ = Topic.objects.get_or_create(key=key, defaults={"name": key.title()})
        Topic.objects.filter(pk=key).update(active=True)
        TopicVector.objects.create(
            topic=topic, embedder=embedder, digest="x", embedding=unit((1, 1), (2, 0.1))
        )
        row.topics.create(topic=topic, probability=probability, classifier=classifier)
    Document.objects.filter(pk=row.pk).update(
        recognised_at=row.searchable_at, classifier=classifier
    )
    row.refresh_from_db()
    return row


def read(row: Document) -> None:
    """As the recogniser leaves it."""
    row.mentions.all().delete()
    recogniser = registry.register("recogniser", "test", "test")
    for name in ("Halden", "Brightwater Logistic", "Tidewater Foods"):
        at = row.text.find(name)
        while at >= 0:
            Mention.objects.create(
                document=row, start=at, end=at + len(name), kind="company", name=name,
                recogniser=recogniser,
            )  # fmt: skip
            at = row.text.find(name, at + 1)
    link_mentions(row)


def of(kind: str, words: str = "") -> ReviewItem:
    return ReviewItem.objects.get(kind=kind, text__startswith=words)


def linked(row: Document) -> dict[str, str]:
    rows = row.mentions.filter(company__isnull=False).values_list("name", "company__name")
    return dict(rows)


def test_ambiguous_and_nearly_spelt_names_wait_with_what_is_offered(report, firms, eve) -> None:
    assert queue_documents() == 3
    assert {item.text for item in ReviewItem.objects.filter(kind="entity")} == {
        "Halden", "Brightwater Logistic",
    }  # fmt: skip
    halden = of("entity", "Halden")
    assert (halden.start, halden.end, halden.confidence) == (0, 6, 0.5)
    assert halden.proposal["company"] is None
    shown = show(halden, eve)
    assert {choice.title for choice in shown.choices} == {"Halden Mills", "Halden Optics"}
    assert shown.passage is not None
    assert shown.passage.text.startswith("Halden spoke")
    near = of("entity", "Brightwater")
    assert near.proposal["company"] == firms["bright"].pk
    assert 0.5 < near.confidence < 1
    # Looked through as it is now: nothing more to do until it is read again.
    assert queue_documents() == 0
    assert QueuedDocument.objects.get().document == report


def test_a_short_name_of_whom_the_document_is_about_is_in_no_doubt(report, firms, eve) -> None:
    marlow = company("Marlow & Finch Foods")
    catalogue(fresh=True)
    report.company = marlow
    report.save()
    reader = registry.register("recogniser", "test", "test")
    report.mentions.create(start=0, end=1, kind="company", name="Marlow & Finch", recogniser=reader)
    link_mentions(report)
    assert linked(report)["Marlow & Finch"] == marlow.name
    queue_documents()
    assert not ReviewItem.objects.filter(text__startswith="Marlow").exists()


def test_a_chosen_company_holds_at_once_and_when_it_is_read_again(report, firms, eve) -> None:
    queue_documents()
    item = of("entity", "Halden")
    assert "Halden" not in linked(report)
    correct(eve, item.pk, Given("relabel", label=str(firms["optics"].pk)))
    assert linked(report)["Halden"] == "Halden Optics"
    most = mentioned(report).companies[0]
    assert (most.name, most.count) == ("Halden Optics", 2)
    read(report)
    assert linked(report)["Halden"] == "Halden Optics"
    said = Correction.objects.get()
    assert (said.before["company"], said.after["company"]) == (None, firms["optics"].pk)
    # What is settled never enters again, and the word goes with the company.
    QueuedDocument.objects.all().delete()
    queue_documents()
    item.refresh_from_db()
    assert item.state == "done"
    merge_companies(firms["mills"], [firms["optics"]], eve)
    assert report.link_words.get().company == firms["mills"]


def test_a_link_is_accepted_refused_and_taken_back(report, firms, eve) -> None:
    queue_documents()
    near, halden = of("entity", "Brightwater"), of("entity", "Halden")
    said = correct(eve, near.pk, Given("reject"))
    assert "Brightwater Logistic" not in linked(report)
    read(report)
    assert "Brightwater Logistic" not in linked(report)
    undo(eve, said.corrections[0])
    assert linked(report)["Brightwater Logistic"] == "Brightwater Logistics"
    assert not report.link_words.exists()
    near.refresh_from_db()
    assert near.state == "open"
    correct(eve, halden.pk, Given("accept"))
    assert report.link_words.get().company is None
    seen = near.corrections.latest("pk").pk
    for label in (str(firms["foods"].pk), "0", "x", ""):
        with pytest.raises(BadVerdict, match="one of the companies below"):
            correct(eve, near.pk, Given("relabel", label=label, seen=seen))
    with pytest.raises(BadVerdict, match="no such verdict"):
        correct(eve, near.pk, Given("move", start=1, end=2, seen=seen))


def test_a_doubtful_topic_waits_with_the_passage_that_comes_nearest(report, eve) -> None:
    queue_documents()
    item = of("topic")
    assert (item.label, item.confidence) == ("mergers", 0.55)
    assert item.text.startswith("They merge, perhaps.")
    shown = show(item, eve)
    assert shown.passage is not None
    assert "They merge" in shown.passage.text
    assert next_item(eve) is not None


def test_a_verdict_on_a_topic_holds_at_once_and_teaches(report, eve) -> None:
    queue_documents()
    item = of("topic")
    shown = [row.topic_id for row in with_topics([report])[0].shown_topics]
    assert shown == ["earnings", "mergers"]
    said = correct(eve, item.pk, Given("reject"))
    assert [row.topic_id for row in with_topics([report])[0].shown_topics] == ["earnings"]
    label = TopicLabel.objects.get()
    assert (label.topic_id, label.applies, label.labelled_by) == ("mergers", False, eve)
    # The classifier says it again, and is not heard.
    classifier = registry.live("topic classifier")
    row = DocumentTopic(document=report, topic_id="mergers", probability=0.9, classifier=classifier)
    row.save()
    settle_topics(report, classifier)
    assert [each.topic_id for each in report.topics.all()] == ["earnings"]
    undo(eve, said.corrections[0])
    assert not TopicLabel.objects.exists()
    assert report.topics.get(topic="mergers").probability == 0.55
    assert Document.objects.get(pk=report.pk).classifier == classifier
    item.refresh_from_db()
    correct(eve, item.pk, Given("accept", seen=item.corrections.latest("pk").pk))
    assert report.topics.get(topic="mergers").probability == 1.0
    assert TopicLabel.objects.get().applies


def test_what_is_proposed_no_more_leaves_the_queue(report, firms, eve) -> None:
    queue_documents()
    CompanyAlias.objects.filter(company=firms["optics"]).delete()
    catalogue(fresh=True)
    read(report)
    report.topics.filter(topic="mergers").update(probability=0.9)
    QueuedDocument.objects.all().delete()
    assert queue_documents() == 1
    assert of("entity", "Halden").state == "gone"
    assert of("topic").state == "gone"
    assert of("entity", "Brightwater").state == "open"


def test_who_may_not_see_the_document_sees_no_item(report, eve) -> None:
    queue_documents()
    report.source.groups.create(name="vault")
    assert not ReviewItem.objects.visible_to(eve).exists()
    with pytest.raises(ReviewItem.DoesNotExist):
        correct(eve, of("topic").pk, Given("accept"))


def test_vectors_of_a_topic_need_not_be_there(report) -> None:
    TopicVector.objects.all().delete()
    queue_documents()
    item = of("topic")
    assert (item.text, item.end) == ("", 0)
    assert np.isclose(item.value, 4 * 0.55 * 0.45)
