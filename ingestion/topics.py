"""What documents are about: by the live classifier, from the vectors that they already have.

The default one compares passages with the descriptions of the topics; a trained one that is live
decides on the topics it has learned, if it was trained on vectors of the live embedder.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from pgvector import HalfVector

from docintel import encoders, registry
from docintel.models import ModelVersion
from ingestion.claiming import ClaimLost, finish, lock
from ingestion.classifying import pooling
from ingestion.classifying.calibration import (
    KEPT,
    METHOD,
    Calibration,
    calibration_of,
    probabilities,
)
from ingestion.classifying.learned import BadModel, Learned
from ingestion.classifying.pooling import Floats
from ingestion.models import Document, DocumentTopic, Topic, TopicVector
from ingestion.vector_tables import vectors_by

logger = logging.getLogger(__name__)

# The probability of a topic that an expert gave a document.
BY_A_PERSON = 1.0
# What `train topics` registers, and the whole that classifies: descriptions and weights together.
TRAINED = "topics"
CLASSIFIER = "topic classifier"


class ClassifierUnavailable(Exception):
    """No topics can be found here and now; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """Everything that is needed to classify a document by its vectors; `keys` name the columns."""

    keys: tuple[str, ...]
    vectors: Floats
    calibration: Calibration
    learned: Learned | None = None

    def probabilities(self, passages: Floats) -> Floats:
        """How likely a document with these passages (n, 768) is about each topic; (topics,).

        A document without passages is about nothing.
        """
        if not len(passages) or not self.keys:
            return np.zeros(len(self.keys), dtype=np.float32)
        found = probabilities(pooling.similarities(passages, self.vectors), self.calibration)
        if self.learned is not None:
            better = self.learned.probabilities(pooling.document_vector(passages)[None])[0]
            columns = {key: column for column, key in enumerate(self.keys)}
            for key, probability in zip(self.learned.topics, better, strict=True):
                if key in columns:
                    found[columns[key]] = probability
        return found


def classify(document: Document) -> int:
    """Write what the document is about; how many topics have a row.

    Raises ClaimLost, EncoderUnavailable and ClassifierUnavailable.
    """
    embedder = encoders.live_embedder()
    version = live_version(embedder)
    classifier = live_classifier(embedder)
    found = classifier.probabilities(passage_vectors(document, embedder))
    rows = [
        DocumentTopic(
            document=document, topic_id=key, probability=float(probability), classifier=version
        )
        for key, probability in zip(classifier.keys, found, strict=True)
        if probability >= KEPT
    ]
    with transaction.atomic():
        lock(document)
        document.topics.all().delete()
        DocumentTopic.objects.bulk_create(rows)
        settle_topics(document, version)
        if not finish(document, classifier=version):
            raise ClaimLost(document.pk)
    return len(rows)


def settle_topics(document: Document, version: ModelVersion | None = None) -> None:
    """Within a transaction: the document is about what experts said, whatever the classifier says.

    `version` is what classified it, by default what did last or would now.
    """
    classifier = version or document.classifier or registry.live(CLASSIFIER)
    said = dict(document.topic_labels.values_list("topic", "applies"))
    document.topics.filter(topic__in=[key for key, applies in said.items() if not applies]).delete()
    if classifier is None:
        return
    for key in (key for key, applies in said.items() if applies):
        DocumentTopic.objects.update_or_create(
            document=document, topic_id=key,
            defaults={"probability": BY_A_PERSON, "classifier": classifier},
        )  # fmt: skip


def passage_vectors(document: Document, embedder: ModelVersion) -> Floats:
    """The vectors of its passages by this embedder, in reading order: float32 (n, 768)."""
    rows = vectors_by(embedder).filter(chunk__document=document)
    found = rows.order_by("chunk__ordinal").values_list("embedding", flat=True)
    return np.array(list(found), dtype=np.float32).reshape(-1, encoders.MAX_DIMENSIONS)


def live_version(embedder: ModelVersion) -> ModelVersion:
    """The row of what classifies now; another description, embedder or training is another row.

    Asks no model. Raises ClassifierUnavailable.
    """
    calibration = _calibration(embedder)
    topics = _topics()
    trained = live_trained(embedder)
    described = _digest([METHOD, embedder.digest, astuple(calibration), topics])
    name = f"descriptions {described[:12]}"
    if trained is not None:
        name = f"{trained.version} + {name}"
    digest = _digest([described, trained.digest if trained else ""])
    return registry.register(CLASSIFIER, name[:120], digest)


def live_classifier(embedder: ModelVersion) -> Classifier:
    """What classifies now. Asks the embedder only for topics whose vectors are not kept yet.

    Raises ClassifierUnavailable and EncoderUnavailable.
    """
    calibration = _calibration(embedder)
    topics = _topics()
    vectors = topic_vectors(topics, embedder)
    trained = live_trained(embedder)
    learned = load_trained(trained) if trained else None
    return Classifier(tuple(topics), vectors, calibration, learned)


def live_trained(embedder: ModelVersion) -> ModelVersion | None:
    """The trained classifier that is live, if vectors of this embedder are what it knows."""
    found = registry.live(TRAINED)
    return found if found and found.metadata.get("embedder") == embedder.digest else None


def load_trained(version: ModelVersion) -> Learned:
    """Its weights, checked against the registered digest. Raises ClassifierUnavailable."""
    try:
        return _learned(version.digest)
    except (OSError, BadModel) as error:
        raise ClassifierUnavailable(
            f"the trained classifier {version.version} cannot be used: {error}; train it again, or "
            "make another version live"
        ) from error


def keep_trained(learned: Learned) -> str:
    """Store the weights where every role finds them; their SHA-256."""
    content = learned.to_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if not default_storage.exists(_place(digest)):
        default_storage.save(_place(digest), ContentFile(content))
    return digest


def topic_vectors(topics: dict[str, tuple[str, list[str]]], embedder: ModelVersion) -> Floats:
    """A row for each of these, from the table where they are; the others are made and kept."""
    digests = {key: _digest(texts) for key, texts in topics.items()}
    rows = TopicVector.objects.filter(embedder=embedder, topic__in=topics)
    found = {
        key: np.array(embedding, dtype=np.float32)
        for key, digest, embedding in rows.values_list("topic", "digest", "embedding")
        if digest == digests[key]
    }
    lacking = [key for key in topics if key not in found]
    if lacking:
        made = vectors_of_topics([topics[key] for key in lacking], embedder)
        found |= dict(zip(lacking, made, strict=True))
        TopicVector.objects.bulk_create(
            [
                TopicVector(
                    topic_id=key,
                    embedder=embedder,
                    digest=digests[key],
                    embedding=HalfVector(found[key]),
                )
                for key in lacking
            ],
            update_conflicts=True,
            unique_fields=["topic", "embedder"],
            update_fields=["digest", "embedding"],
        )
    vectors = np.array([found[key] for key in topics], dtype=np.float32)
    return vectors.reshape(-1, encoders.MAX_DIMENSIONS)


def vectors_of_topics(topics: Sequence[tuple[str, list[str]]], embedder: ModelVersion) -> Floats:
    """The directions of these descriptions with their phrases, made now: float32 (topics, 768)."""
    texts = [text for description, phrases in topics for text in (description, *phrases)]
    # As a question, because a person's long description is cut then and not refused.
    vectors = iter(_vectors_of(tuple(texts), embedder.digest))
    found = []
    for _, phrases in topics:
        description = next(vectors)
        rows = np.array([next(vectors) for _ in phrases], dtype=np.float32)
        # Half precision, as the table has it: first use and every later one agree.
        vector = pooling.topic_vector(description, rows)
        found.append(vector.astype(np.float16).astype(np.float32))
    return np.stack(found)


@lru_cache(maxsize=2)
def _vectors_of(texts: tuple[str, ...], _embedder: str) -> Floats:
    return encoders.embed(texts, kind="query")


def _topics() -> dict[str, tuple[str, list[str]]]:
    """Key -> description and phrases, of topics switched off too."""
    rows = Topic.objects.values_list("key", "name", "description", "phrases")
    return {key: (f"{name}. {text}", list(phrases)) for key, name, text, phrases in rows}


def _calibration(embedder: ModelVersion) -> Calibration:
    found = calibration_of(embedder.digest)
    if found is None:
        raise ClassifierUnavailable(
            f"nobody calibrated topics for the embedder {embedder.version}; run: python manage.py "
            "train calibration"
        )
    return found


@lru_cache(maxsize=2)
def _learned(digest: str) -> Learned:
    with default_storage.open(_place(digest)) as file:
        return Learned.from_bytes(file.read(), digest)


def _place(digest: str) -> str:
    return f"models/topics/{digest}.npz"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()
