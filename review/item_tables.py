"""What waits for an expert's eye, and which runs have been looked through for it.

An item is a proposal of a model, told by its offsets and not by a row of extraction, because those
rows go when the document is read again. `queueing` adds and values items, `correcting` closes them.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from docintel.models import ModelVersion
from extraction.models import ExtractionRun, Schema, SchemaVersion
from ingestion.models import Document, Source
from ingestion.querysets import User
from ingestion.source_querysets import SourceQuerySet


def _groups_of(sources: SourceQuerySet) -> QuerySet[Group]:
    return Group.objects.filter(pk__in=sources.values("groups"))


class ItemQuerySet(models.QuerySet["ReviewItem"]):
    def visible_to(self, user: User) -> ItemQuerySet:
        """Those of documents that this person may see, and of questions by people who see no more.

        A question and its answer may tell of sources that its asker may read and others may not.
        """
        documents = Document.objects.visible_to(user).order_by()
        hidden = Source.objects.hidden_from(user).order_by()
        of_document = Q(document__in=documents)
        if not hidden.exists():
            return self.filter(of_document | Q(document=None))
        people = get_user_model().objects
        see_more = people.filter(Q(is_superuser=True) | Q(groups__in=_groups_of(hidden)))
        return self.filter(of_document | Q(document=None, asker__isnull=False)).exclude(
            asker__in=see_more.values("pk")
        )

    def listed(self) -> ItemQuerySet:
        """With what is shown of them; the text of a document stays in the database."""
        found = self.select_related(
            "document__company", "schema", "schema_version", "model_version", "leased_to"
        )
        return found.defer("document__text", "document__sections", "document__tables")

    def waiting(self) -> ItemQuerySet:
        """Those that lack a verdict, leased or not."""
        return self.filter(state=ReviewItem.State.OPEN)

    def unheld(self) -> ItemQuerySet:
        """Those that nobody has a lease of."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lt=timezone.now()))


class ReviewItem(models.Model):
    """One proposal and how far its review has come.

    `proposal` is what the model says, by kind. Span: {"label", "start", "end", "text"}.
    Relation: {"relation", "head": span, "tail": span}. Sentence: {"sentence", "text", "reason",
    "question", "lost"}, proposed to be dropped. Router: {"ask", "question", "route"}.
    Entity: {"name", "start", "end", "company", "company_name", "offered"}, the ids of companies
    that a person might mean. Topic: {"topic", "name", "applies", "probability"}.
    """

    class Kind(models.TextChoices):
        SPAN = "span", "Span"
        RELATION = "relation", "Relation"
        SENTENCE = "sentence", "Answer sentence"
        ROUTER = "router", "Route of a question"
        ENTITY = "entity", "Company link"
        TOPIC = "topic", "Topic"

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        DONE = "done", "Reviewed"
        SKIPPED = "skipped", "Skipped"
        ADJUDICATE = "adjudicate", "Experts disagree"
        GONE = "gone", "No longer proposed"

    class Why(models.TextChoices):
        UNSURE = "unsure", "below the threshold of delivery"
        DOUBT = "doubt", "the model is in doubt"
        AUDIT = "audit", "random sample of the confident"
        INCOMPLETE = "incomplete", "lacks a relation that it must have"
        MOVED = "moved", "an amendment moved what an expert had said"
        DROPPED = "dropped", "the verifier dropped it"
        REASKED = "reasked", "asked again at once"
        ADDED = "added", "an expert added it"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=64, help_text="SHA-256 of the proposal; see `key_of`")
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    schema = models.ForeignKey(
        Schema, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    schema_version = models.ForeignKey(
        SchemaVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="by which it was proposed",
    )  # fmt: skip
    model_version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="that proposed it",
    )  # fmt: skip
    label = models.CharField(
        max_length=120, blank=True, help_text="of a span; else relation, route or topic"
    )
    rule = models.CharField(max_length=120, blank=True, help_text="that made the relation")
    start = models.PositiveIntegerField(null=True, blank=True)
    end = models.PositiveIntegerField(null=True, blank=True)
    text = models.TextField(blank=True, help_text="the words in question")
    text_key = models.CharField(max_length=32, blank=True, help_text="equal for equal words")
    proposal = models.JSONField(default=dict)
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+", db_index=False, help_text="of the question that it is about",
    )  # fmt: skip
    confidence = models.FloatField(help_text="calibrated probability of the proposal, 0 to 1")
    why = models.CharField(max_length=10, choices=Why.choices)
    reason = models.TextField(blank=True, help_text="the same in words, with the numbers")
    audit = models.BooleanField(
        default=False, help_text="drawn at random from what is delivered without review"
    )
    stakes = models.FloatField(default=1, help_text="what depends on it; 1: nothing yet")
    value = models.FloatField(default=0, help_text="of a look: uncertainty × stakes × age")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # A lease: until then the item is this person's alone.
    leased_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    leased_until = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    wanted = models.PositiveSmallIntegerField(
        default=1, help_text="experts asked, blind to one another"
    )
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["-value", "pk"]
        permissions = [
            ("correct_reviewitem", "Can give verdicts at the review desk"),
            ("adjudicate_reviewitem", "Can settle what experts disagree about"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="review_item_once"),
        ]
        indexes = [
            models.Index(fields=["-value", "id"], name="review_open", condition=Q(state="open")),
            models.Index(
                fields=["kind", "created_at"], name="review_waiting", condition=Q(state="open")
            ),
            models.Index(
                fields=["schema", "label", "text_key"], name="review_same_text",
                condition=Q(state="open"),
            ),
            models.Index(fields=["document", "schema"], name="review_of_document"),
            models.Index(fields=["state", "-closed_at"], name="review_closed"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.label or self.text[:60]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Gives a new row its keys; `bulk_create` needs `keyed` first."""
        self.keyed()
        super().save(*args, **kwargs)

    def keyed(self) -> ReviewItem:
        """Itself, with `key` and `text_key` as they follow from the proposal."""
        self.key = self.key or key_of(self.kind, self.document_id, self.schema_id, self.proposal)
        self.text_key = text_key(self.text)
        return self

    @property
    def is_leased(self) -> bool:
        return self.leased_until is not None and self.leased_until > timezone.now()


class QueuedRun(models.Model):
    """A finished extraction that was looked through for items.

    One that was done again, or whose schema has changed, is looked through anew.
    """

    run = models.OneToOneField(ExtractionRun, on_delete=models.CASCADE, related_name="+")
    ended_at = models.DateTimeField(help_text="of the run, when it was looked through")
    schema_number = models.PositiveIntegerField(default=0, help_text="version of the schema, then")
    items = models.PositiveIntegerField(default=0, help_text="what it brought into the queue")

    def __str__(self) -> str:
        return f"run {self.run_id}: {self.items} items"


class QueuedDocument(models.Model):
    """A document that was looked through for doubtful links and topics, as it was then.

    One that was recognised or classified anew is looked through anew.
    """

    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="+")
    recognised_at = models.DateTimeField()
    classifier = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"document {self.document_id}"


def key_of(
    kind: str, document_id: int | None, schema_id: int | None, proposal: dict[str, Any]
) -> str:
    """SHA-256 in hex; the same proposal of another version of the model has the same."""
    parts = [kind, document_id, schema_id, proposal]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def text_key(text: str) -> str:
    """The same for texts that differ in white space and case only; empty for an empty one."""
    words = " ".join(text.split()).casefold()
    return hashlib.sha256(words.encode()).hexdigest()[:32] if words else ""
