"""Topics of documents: found by the pipeline from vectors that exist, and by nothing else."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from django.utils import timezone

from docintel import encoders, registry
from docintel.models import ModelVersion
from ingestion import pipeline, topics
from ingestion.classifying.learned import Learned
from ingestion.models import Document, DocumentTopic, Source, Topic, TopicVector
from ingestion.receiving import source_of_kind, take_in
from ingestion.rerunning import rerun
from ingestion.showing_topics import with_topics
from ingestion.topic_catalogue import save_topic, sync_topics
from tests.small_corpus import document as searchable

pytestmark = pytest.mark.django_db(transaction=True)

OIL = (
    "Crude oil rose after OPEC ministers agreed to cut output by 500,000 barrels a day. Traders "
    "said refineries in Asia had bought cargoes ahead of the meeting."
)
BID = (
    "Orvane Foods agreed to acquire all shares of Pell Brothers for 28 dollars a share in cash. "
    "The merger needs the approval of shareholders."
)


@pytest.fixture(autouse=True)
def stored(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


def arrived(text: str, name: str = "a.txt") -> Document:
    upload = source_of_kind(Source.Kind.UPLOAD)
    return take_in(upload, name, BytesIO(text.encode())).document


def all_done() -> None:
    while pipeline.work_once(60):
        pass


def embedded(text: str = OIL, vectors: int = 1) -> Document:
    """A document with real vectors, straight into the tables."""
    made = encoders.embed([text] * vectors) if vectors else []
    return searchable([text] * vectors, vectors=made, embedder=encoders.live_embedder())


def likely(document: Document) -> list[str]:
    return [row.topic_id for row in document.topics.filter(probability__gte=0.5)]


def test_a_document_gets_its_topics_after_its_vectors(monkeypatch):
    oil, bid = arrived(OIL), arrived(BID, "b.txt")
    all_done()
    assert likely(oil)[0] == "oil_gas"
    assert likely(bid)[0] == "mergers"
    oil.refresh_from_db()
    assert oil.classifier == topics.live_version(encoders.live_embedder())
    assert {row.classifier for row in oil.topics.all()} == {oil.classifier}
    assert TopicVector.objects.count() == 50
    assert not pipeline.classify_pending()


def test_no_model_is_asked_once_the_topics_have_vectors(monkeypatch):
    first = embedded()
    pipeline.classify_pending()

    def asked(*_, **__):
        raise AssertionError("a model was asked")

    monkeypatch.setattr(encoders, "embed", asked)
    topics._vectors_of.cache_clear()
    Document.objects.filter(pk=first.pk).update(classifier=None)
    assert pipeline.classify_pending() == 1
    assert likely(first)


def test_a_document_waits_until_the_live_embedder_made_its_vectors(monkeypatch):
    other = ModelVersion.objects.create(name="another", version="other", digest="9" * 64)
    row = searchable([OIL], vectors=encoders.embed([OIL]), embedder=other)
    bare = searchable([BID])
    assert pipeline.classify_pending() == 0
    assert not row.topics.exists()
    assert not bare.topics.exists()


def test_an_embedder_that_nobody_calibrated_leaves_topics_waiting(monkeypatch, caplog):
    other = ModelVersion.objects.create(name="another", version="other", digest="9" * 64)
    row = searchable([OIL], vectors=encoders.embed([OIL]), embedder=other)
    monkeypatch.setattr(encoders, "live_embedder", lambda: other)
    assert pipeline.classify_pending() == 0
    assert "nobody calibrated topics for the embedder other" in caplog.text
    row.refresh_from_db()
    assert row.attempts == 0
    assert row.claim is None


def test_while_no_embedder_answers_topics_wait_and_no_attempt_counts(monkeypatch):
    row = embedded()

    def absent(*_, **__):
        raise encoders.EncoderUnavailable("no inference")

    monkeypatch.setattr(encoders, "embed", absent)
    topics._vectors_of.cache_clear()
    assert pipeline.classify_pending() == 0
    row.refresh_from_db()
    assert (row.attempts, row.claim, row.classifier) == (0, None, None)


def test_a_document_without_vectors_is_about_nothing():
    row = searchable([OIL])
    row.embedder = encoders.live_embedder()
    row.save()
    assert pipeline.classify_pending() == 1
    row.refresh_from_db()
    assert row.classifier is not None
    assert not row.topics.exists()


def test_a_language_that_the_embedder_does_not_know_does_no_harm():
    row = embedded(
        "Der Vorstand hat beschlossen, die Hauptversammlung auf den Mai zu verlegen. " * 3
    )
    assert pipeline.classify_pending() == 1
    assert all(0 <= found.probability <= 1 for found in row.topics.all())


def test_without_any_topic_documents_are_done_and_have_none():
    Topic.objects.all().delete()
    row = embedded()
    assert pipeline.classify_pending() == 1
    assert not row.topics.exists()
    assert sync_topics() == (50, 0)
    assert pipeline.classify_pending() == 1
    assert likely(row) == ["oil_gas"]


def test_a_topic_switched_off_is_not_shown_and_comes_back_at_once():
    row = embedded()
    pipeline.classify_pending()
    Topic.objects.filter(key="oil_gas").update(active=False)
    assert pipeline.classify_pending() == 0
    assert with_topics([row])[0].shown_topics == []
    assert not Document.objects.all().about(["oil_gas"]).exists()
    Topic.objects.filter(key="oil_gas").update(active=True)
    assert [found.topic_id for found in with_topics([row])[0].shown_topics] == ["oil_gas"]
    assert Document.objects.all().about(["oil_gas"]).get() == row


def test_another_description_classifies_anew_and_survives_the_next_sync():
    row = embedded()
    pipeline.classify_pending()
    before = Document.objects.get(pk=row.pk).classifier
    topic = Topic.objects.get(key="oil_gas")
    topic.description = "Football, tennis and the goalkeepers of small clubs."
    save_topic(topic)
    assert sync_topics() == (0, 0)
    assert pipeline.classify_pending() == 1
    row.refresh_from_db()
    assert row.classifier != before
    assert Topic.objects.get(key="oil_gas").description.startswith("Football")


def test_a_very_long_description_is_cut_not_refused():
    Topic.objects.filter(key="oil_gas").update(description="crude oil barrels " * 500)
    row = embedded()
    assert pipeline.classify_pending() == 1
    assert row.topics.exists()


def test_a_topic_that_the_data_no_longer_has_is_switched_off():
    Topic.objects.create(key="tulips", name="Tulips", group="Other", description="Bulbs.")
    sync_topics()
    assert not Topic.objects.get(key="tulips").active
    assert Topic.objects.filter(active=True).count() == 50


def test_indexing_or_embedding_again_classifies_again():
    row = embedded()
    pipeline.classify_pending()
    assert rerun(Document.objects.all(), "embed") == 1
    row.refresh_from_db()
    assert row.classifier is None
    all_done()
    row.refresh_from_db()
    assert row.classifier is not None
    assert rerun(Document.objects.all(), "classify") == 1
    assert pipeline.classify_pending() == 1


def trained(weight: float, embedder: str) -> ModelVersion:
    """A classifier that says the same of every document: all about shipping, or nothing is."""
    keys = ("shipping",)
    made = Learned(keys, np.zeros((1, 768), np.float32), np.array([weight], np.float32))
    digest = topics.keep_trained(made)
    row = registry.add("topics", f"trained {weight}", digest, metadata={"embedder": embedder})
    registry.make_live(row)
    return row


def test_a_trained_one_that_goes_live_makes_a_backlog_and_decides_what_it_learned():
    row = embedded()
    pipeline.classify_pending()
    assert likely(row) == ["oil_gas"]
    trained(9.0, encoders.live_embedder().digest)
    assert pipeline.classify_pending() == 1
    assert likely(row) == ["shipping", "oil_gas"]
    row.refresh_from_db()
    assert row.classifier.version.startswith("trained 9.0 + descriptions")


def test_one_trained_on_vectors_of_another_embedder_decides_nothing():
    trained(9.0, "9" * 64)
    row = embedded()
    pipeline.classify_pending()
    assert likely(row) == ["oil_gas"]


def test_topics_wait_while_the_trained_file_is_missing_or_changed(tmp_path, caplog):
    live = trained(8.0, encoders.live_embedder().digest)
    file = tmp_path / "models" / "topics" / f"{live.digest}.npz"
    file.write_bytes(b"something else")
    row = embedded()
    assert pipeline.classify_pending() == 0
    assert "train it again" in caplog.text
    row.refresh_from_db()
    assert (row.attempts, row.quarantined_at) == (0, None)
    file.unlink()
    assert pipeline.classify_pending() == 0


def test_a_sighting_has_the_topics_of_its_original():
    row = embedded()
    pipeline.classify_pending()
    again = Document.objects.create(
        source=row.source, file_name="b.txt", duplicate_of=row, parsed_at=timezone.now()
    )
    assert [found.topic_id for found in with_topics([again])[0].shown_topics] == ["oil_gas"]
    assert set(Document.objects.all().about(["oil_gas"])) == {row, again}


def test_dropping_a_document_forgets_its_topics():
    from ingestion import claiming

    row = embedded()
    pipeline.classify_pending()
    Document.objects.filter(pk=row.pk).update(quarantined_at=timezone.now())
    assert claiming.drop(row)
    assert not DocumentTopic.objects.exists()
