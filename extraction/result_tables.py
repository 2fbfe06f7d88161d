"""What was extracted: runs, their spans and relations, and bulk runs; part of `extraction.models`.

A run is one document through one version of a schema and one version of its tagger, and a row
from the moment that it is begun: attempts, lease and failure are its own and never the document's.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from docintel.models import ModelVersion
from ingestion.models import Document
from ingestion.querysets import User

MAX_ATTEMPTS = 3
# Evidence may be a whole page; the offsets say all of it.
LONGEST_EVIDENCE = 2_000


class RunQuerySet(models.QuerySet["ExtractionRun"]):
    def shown(self) -> RunQuerySet:
        """The run of each document and schema that readers see."""
        return self.filter(shown=True)

    def unfinished(self) -> RunQuerySet:
        """Begun or to be done again, and not given up."""
        return self.filter(state__in=ExtractionRun.UNFINISHED)

    def due(self) -> RunQuerySet:
        """Unfinished, neither leased to a worker nor waiting for its next attempt; oldest first."""
        now = timezone.now()
        return (
            self.unfinished()
            .filter(
                Q(claimed_until=None) | Q(claimed_until__lt=now),
                Q(retry_after=None) | Q(retry_after__lte=now),
            )
            .order_by("pk")
        )

    def failed(self) -> RunQuerySet:
        """Given up after the last attempt, until a person has them tried again."""
        return self.filter(state=ExtractionRun.State.FAILED)

    def visible_to(self, user: User) -> RunQuerySet:
        """Runs of documents that this person may see."""
        return self.filter(document__in=Document.objects.visible_to(user).order_by())


class ExtractionRun(models.Model):
    """One document through one schema version and one tagger version.

    `shown` is the run whose spans readers see, at most one per document and schema; it stays shown
    while a newer version is at work, and while it is itself done again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        FAILED = "failed", "Failed"

    UNFINISHED = (State.WAITING, State.RUNNING)

    document = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="extractions", db_index=False
    )
    schema = models.ForeignKey("extraction.Schema", on_delete=models.PROTECT, related_name="runs")
    schema_version = models.ForeignKey(
        "extraction.SchemaVersion", on_delete=models.PROTECT, related_name="runs"
    )
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    shown = models.BooleanField(default=False)
    span_count = models.PositiveIntegerField(default=0)
    relation_count = models.PositiveIntegerField(default=0)
    characters = models.PositiveIntegerField(
        default=0, help_text="length of the text that was read"
    )
    seconds = models.FloatField(null=True, blank=True, help_text="of the attempt that succeeded")
    notes = models.JSONField(default=list, blank=True, help_text="what had to be left out")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="when it was last finished or given up"
    )
    superseded_at = models.DateTimeField(null=True, blank=True, help_text="a newer run is shown")

    attempts = models.PositiveSmallIntegerField(default=0)
    failed_reason = models.TextField(blank=True)
    retry_after = models.DateTimeField(null=True, blank=True)
    # A lease, as of documents in ingestion: only its holder may finish the row.
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("operate_extraction", "Can have documents extracted from again")]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "schema_version", "model_version"], name="extraction_run_once"
            ),
            models.UniqueConstraint(
                fields=["document", "schema"], condition=Q(shown=True), name="one_run_shown"
            ),
        ]
        indexes = [
            models.Index(
                fields=["schema", "id"],
                name="run_unfinished",
                condition=Q(state__in=["waiting", "running"]),
            ),
            models.Index(fields=["schema", "-id"], name="run_failed", condition=Q(state="failed")),
            # Which documents another version read: the backlog after a promotion.
            models.Index(
                fields=["schema", "model_version", "schema_version"],
                name="run_versions",
                condition=Q(shown=True),
            ),
            models.Index(fields=["schema", "-id"], name="run_listed", condition=Q(shown=True)),
            models.Index(
                fields=["superseded_at"],
                name="run_superseded",
                condition=Q(superseded_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schema_id} over {self.document_id}"


class ShownQuerySet(models.QuerySet[Any]):
    """Of spans and relations alike: both have `run` and `document`."""

    def visible_to(self, user: User) -> ShownQuerySet:
        """Those in documents that this person may see."""
        return self.filter(document__in=Document.objects.visible_to(user).order_by())


class ExtractedSpan(models.Model):
    """`document.text[start:end]` is a `label`; `text` repeats it, because texts never change.

    Read them through `extraction.shown`: a row of a superseded run is here too.
    """

    class Origin(models.TextChoices):
        MODEL = "model", "Model"
        PERSON = "person", "Person"

    # The indexes below begin with these three.
    run = models.ForeignKey(
        ExtractionRun, on_delete=models.CASCADE, related_name="spans", db_index=False
    )
    document = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    schema = models.ForeignKey(
        "extraction.Schema", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    label = models.CharField(max_length=80)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    text = models.TextField()
    page = models.PositiveIntegerField(null=True, blank=True, help_text="of a PDF, from 1")
    confidence = models.FloatField(help_text="calibrated probability, 0 to 1")
    origin = models.CharField(max_length=6, choices=Origin.choices, default=Origin.MODEL)
    superseded_at = models.DateTimeField(
        null=True, blank=True, help_text="a person's word has taken its place"
    )

    objects = ShownQuerySet.as_manager()

    class Meta:
        ordering = ["run_id", "start", "end", "label"]
        constraints = [
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="span_has_text"),
        ]
        indexes = [
            models.Index(fields=["run", "start"], name="span_in_order"),
            models.Index(fields=["document", "-id"], name="span_of_document"),
            models.Index(fields=["schema", "label", "-id"], name="span_of_label"),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.start}–{self.end}"


class ExtractedRelation(models.Model):
    """`head` and `tail` belong together by the rule `rule`; `evidence` is where that can be read.

    Evidence is a pair of offsets into the document's text.
    """

    run = models.ForeignKey(ExtractionRun, on_delete=models.CASCADE, related_name="relations")
    # The indexes below begin with these two.
    document = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    schema = models.ForeignKey(
        "extraction.Schema", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    relation = models.CharField(max_length=80)
    head = models.ForeignKey(ExtractedSpan, on_delete=models.CASCADE, related_name="heads")
    tail = models.ForeignKey(ExtractedSpan, on_delete=models.CASCADE, related_name="tails")
    rule = models.CharField(max_length=120)
    evidence_start = models.PositiveIntegerField()
    evidence_end = models.PositiveIntegerField()
    evidence = models.TextField(blank=True, help_text="the words there, or the first of many")
    confidence = models.FloatField(help_text="0 to 1")
    superseded_at = models.DateTimeField(
        null=True, blank=True, help_text="a person's word has taken its place"
    )

    objects = ShownQuerySet.as_manager()

    class Meta:
        ordering = ["run_id", "pk"]
        indexes = [
            models.Index(fields=["document", "-id"], name="relation_of_document"),
            models.Index(fields=["schema", "relation", "-id"], name="relation_of_name"),
        ]

    def __str__(self) -> str:
        return f"{self.relation}: {self.head_id} to {self.tail_id}"


class BulkQuerySet(models.QuerySet["BulkRun"]):
    def visible_to(self, user: User) -> BulkQuerySet:
        """One's own; a superuser sees all. Scope and counts would tell others what is hidden."""
        if getattr(user, "is_superuser", False) and getattr(user, "is_active", False):
            return self
        return self.filter(created_by=user.pk) if user.is_authenticated else self.none()

    def preparing(self) -> BulkQuerySet:
        """Those whose documents are still to be listed, oldest first."""
        return self.filter(state=BulkRun.State.PREPARING).order_by("pk")

    def running(self) -> BulkQuerySet:
        """Those that workers take documents of, oldest first."""
        return self.filter(state=BulkRun.State.RUNNING).order_by("pk")


class BulkRun(models.Model):
    """The documents of a scope through one schema, as they were when it was started.

    Its documents are fixed by then (`BulkDocument`); what reads them is the version that is live
    when their turn comes, which their own runs name.
    """

    class State(models.TextChoices):
        PREPARING = "preparing", "Preparing"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        CANCELLED = "cancelled", "Cancelled"
        FINISHED = "finished", "Finished"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    schema = models.ForeignKey(
        "extraction.Schema", on_delete=models.PROTECT, related_name="bulk_runs"
    )
    schema_version = models.ForeignKey(
        "extraction.SchemaVersion", on_delete=models.PROTECT, related_name="+"
    )
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    scope = models.JSONField(default=dict, help_text="as the form takes it")
    described = models.CharField(max_length=500, help_text="the scope in words")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARING)
    again = models.BooleanField(
        default=False, help_text="also documents that the same versions have read"
    )
    document_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Of the time that it was not paused.
    resumed_at = models.DateTimeField(null=True, blank=True)
    seconds_before = models.FloatField(default=0, help_text="worked before the last pause")
    error = models.TextField(blank=True, help_text="why it makes no headway")

    objects = BulkQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["id"],
                name="bulk_open",
                condition=Q(state__in=["preparing", "running"]),
            ),
            models.Index(fields=["created_by", "-id"], name="bulk_own"),
        ]

    def __str__(self) -> str:
        return f"{self.schema_id}: {self.described}"

    def get_absolute_url(self) -> str:
        return reverse("extraction:bulk", args=[self.public_id])


class BulkDocument(models.Model):
    """A document of a bulk run, and what became of it there."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        KNOWN = "known", "Read before"
        FAILED = "failed", "Failed"

    bulk = models.ForeignKey(
        BulkRun, on_delete=models.CASCADE, related_name="items", db_index=False
    )
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    seconds = models.FloatField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bulk", "document"], name="bulk_document_once")
        ]
        indexes = [
            models.Index(fields=["bulk", "id"], name="bulk_waiting", condition=Q(state="waiting")),
            models.Index(fields=["bulk", "state", "-finished_at"], name="bulk_states"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}: {self.state}"
