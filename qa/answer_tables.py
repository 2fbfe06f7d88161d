"""Tables of answers: what was asked, each sentence with its fate, its citations, each model call.

Rows are added and never changed, but for the state of an ask and the outcome of a call.
"""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ingestion.models import Chunk, Document


class Ask(models.Model):
    """One question of one person, and how its answer came about (`receipt`)."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        ANSWERED = "answered", "Answered"
        NOT_FOUND = "not_found", "Not found"
        LOOKUP = "lookup", "Passages listed"
        ASK_BACK = "ask_back", "Asked back"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="asks"
    )
    text = models.TextField()
    scope = models.JSONField(default=dict, blank=True)
    route = models.CharField(max_length=20, blank=True, help_text="lookup, factual or synthesis")
    confidence = models.FloatField(null=True, blank=True, help_text="of the route, 0 to 1")
    mode = models.CharField(max_length=12, blank=True, help_text="model, chosen or extractive")
    notice = models.TextField(blank=True)
    understood = models.JSONField(
        default=dict, blank=True, help_text="chips, notes, what was removed, and what was not found"
    )
    cached_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="repeats",
        help_text="the answer that this one repeats",
    )  # fmt: skip
    state = models.CharField(max_length=12, choices=State.choices, default=State.RUNNING)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    receipt = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["asker", "-created_at"])]

    def __str__(self) -> str:
        return self.text[:80]


class AnswerSentence(models.Model):
    """One drafted sentence: kept and shown, or dropped with the reason, for review only."""

    class State(models.TextChoices):
        KEPT = "kept", "Kept"
        DROPPED = "dropped", "Dropped"

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="sentences")
    ordinal = models.PositiveSmallIntegerField(help_text="among all drafted ones, from 1")
    text = models.TextField()
    group = models.CharField(max_length=120, blank=True, help_text="the company or period above it")
    state = models.CharField(max_length=8, choices=State.choices)
    reason = models.TextField(blank=True)
    lost = models.JSONField(
        default=list, blank=True, help_text='[{"reference": …, "quote": …, "reason": …}, …]'
    )

    class Meta:
        ordering = ["ask_id", "ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["ask", "ordinal"], name="answer_sentence_once")
        ]
        indexes = [
            models.Index(
                fields=["-id"], name="answer_sentence_dropped", condition=Q(state="dropped")
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Citation(models.Model):
    """`quote` is `document.text[start:end]`; the chunk may be cut anew later, the text never."""

    sentence = models.ForeignKey(AnswerSentence, on_delete=models.CASCADE, related_name="citations")
    ordinal = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField(
        default=0, help_text="of the passage; one passage has one number in the whole answer"
    )
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    chunk = models.ForeignKey(
        Chunk, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    quote = models.TextField()

    class Meta:
        ordering = ["sentence_id", "ordinal"]

    def __str__(self) -> str:
        return self.quote[:80]


class ShownPassage(models.Model):
    """A passage listed without being cited: of a lookup, or near to what was not found."""

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="passages")
    ordinal = models.PositiveSmallIntegerField(help_text="from 1, best first")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()

    class Meta:
        ordering = ["ask_id", "ordinal"]

    def __str__(self) -> str:
        return f"{self.document_id}:{self.start}-{self.end}"


class ModelCall(models.Model):
    """One request to a language model, written before it is sent.

    While it runs `cost` is what it may cost at most, so that parallel calls keep to the budget.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        OK = "ok", "Answered"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    ask = models.ForeignKey(
        Ask, null=True, blank=True, on_delete=models.CASCADE, related_name="calls"
    )
    prompt = models.CharField(max_length=40)
    prompt_sha256 = models.CharField(max_length=64)
    model = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    attempts = models.PositiveSmallIntegerField(default=0)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(
        max_digits=10, decimal_places=6, default=Decimal(0), help_text="US dollars"
    )
    seconds = models.FloatField(default=0.0)
    first_token_seconds = models.FloatField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["-created_at"])]

    def __str__(self) -> str:
        return f"{self.prompt} {self.model} {self.status}"
