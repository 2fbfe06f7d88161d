"""The tables of topics: what there is to be about, and what documents are about.

Part of `ingestion.models`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from pgvector.django import HalfVectorField

from docintel.models import ModelVersion
from ingestion.chunk_tables import VECTOR_DIMENSIONS
from ingestion.classifying.calibration import SHOWN

LONGEST_DESCRIPTION = 1_000


class Topic(models.Model):
    """A research topic. The default classifier knows it by its description and phrases alone."""

    key = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    group = models.CharField(max_length=40)
    description = models.TextField(
        max_length=LONGEST_DESCRIPTION,
        help_text="what a document about it speaks of; changing it classifies all documents anew",
    )
    phrases = models.JSONField(default=list)
    ordinal = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(
        default=True, help_text="off: neither shown nor found by; what is known of it is kept"
    )
    edited = models.BooleanField(
        default=False, editable=False, help_text="a person wrote this description"
    )

    class Meta:
        ordering = ["ordinal", "key"]

    def __str__(self) -> str:
        return self.name


class TopicVector(models.Model):
    """The direction of a topic in one embedder's space, kept because making it needs a model."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="vectors")
    embedder = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the texts it was made from")
    embedding = HalfVectorField(dimensions=VECTOR_DIMENSIONS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["topic", "embedder"], name="topic_vector_once")
        ]

    def __str__(self) -> str:
        return f"vector of {self.topic_id}"


class DocumentTopic(models.Model):
    """How likely it is that the document is about the topic; only likely ones have a row."""

    document = models.ForeignKey(
        "ingestion.Document", on_delete=models.CASCADE, related_name="topics"
    )
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="documents")
    probability = models.FloatField()
    classifier = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-probability", "topic_id"]
        constraints = [
            models.UniqueConstraint(fields=["document", "topic"], name="document_topic_once")
        ]
        indexes = [
            models.Index(
                fields=["topic", "document"],
                name="document_topic_shown",
                condition=models.Q(probability__gte=SHOWN),
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic_id} {self.probability:.2f}"


class TopicLabel(models.Model):
    """An expert's word on whether a document is about a topic; what training learns from."""

    document = models.ForeignKey(
        "ingestion.Document", on_delete=models.CASCADE, related_name="topic_labels"
    )
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="labels")
    applies = models.BooleanField(default=True)
    labelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    labelled_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-labelled_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["document", "topic"], name="topic_label_once")
        ]

    def __str__(self) -> str:
        return f"{self.topic_id}: {'yes' if self.applies else 'no'}"
