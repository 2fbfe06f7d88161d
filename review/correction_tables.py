"""What experts said, for good: the database refuses to change or delete a row.

Read it through `standing` and `final`: an undone verdict is here too, and so is its undoing.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from docintel.models import ModelVersion
from extraction.models import Schema, SchemaVersion
from ingestion.models import Document
from ingestion.querysets import User
from review.item_tables import ReviewItem


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def standing(self, at: datetime | None = None) -> CorrectionQuerySet:
        """Verdicts as of a time, now by default: not undone by then, no skips, no undoings."""
        undone = Correction.objects.filter(undo_of=OuterRef("pk"))
        said = self.exclude(verdict__in=(Correction.Verdict.UNDO, Correction.Verdict.SKIP))
        if at is not None:
            said, undone = said.filter(at__lte=at), undone.filter(at__lte=at)
        return said.filter(~Exists(undone))

    def final(self, at: datetime | None = None) -> CorrectionQuerySet:
        """Of each item the last standing verdict: what readers see and training learns from.

        A blind second opinion counts for agreement only; what two experts disagree about has the
        first one's verdict until it is settled.
        """
        last = (
            Correction.objects.standing(at)
            .filter(item=OuterRef("item"))
            .exclude(role=Correction.Role.SECOND)
            .order_by("-pk")
        )
        return self.standing(at).filter(pk=Subquery(last.values("pk")[:1]))

    def visible_to(self, user: User) -> CorrectionQuerySet:
        """Those on items that this person may see."""
        return self.filter(item__in=ReviewItem.objects.visible_to(user).order_by())


class Correction(models.Model):
    """One verdict of one person on one item; `before` and `after` are shaped as its proposal.

    `before` is null where something was added, `after` where the proposal was refused. An accepted
    proposal has both, and they are equal. For spans and relations, offsets are into the text with
    the digest `text_sha256`. An accepted answer sentence is one that the verifier rightly dropped.
    """

    class Verdict(models.TextChoices):
        ACCEPT = "accept", "Accepted"
        REJECT = "reject", "Rejected"
        RELABEL = "relabel", "Relabelled"
        MOVE = "move", "Boundary moved"
        ADD = "add", "Added"
        LINK = "link", "Linked"
        SKIP = "skip", "Skipped"
        UNDO = "undo", "Undone"

    class Role(models.TextChoices):
        ONLY = "only", "Only opinion"
        FIRST = "first", "First of two"
        SECOND = "second", "Second, blind to the first"
        ADJUDICATION = "adjudication", "Settles a disagreement"

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="corrections")
    kind = models.CharField(max_length=10, choices=ReviewItem.Kind.choices)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.ONLY)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="of a skip, or as the person put it")
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    text_sha256 = models.CharField(max_length=64, blank=True, help_text="of the document's text")
    schema = models.ForeignKey(
        Schema, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    schema_version = models.ForeignKey(
        SchemaVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="by which it was proposed",
    )  # fmt: skip
    model_version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        help_text="that proposed it, and erred where before and after differ",
    )  # fmt: skip
    confidence = models.FloatField(null=True, blank=True, help_text="of the proposal, then")
    audit = models.BooleanField(default=False, help_text="on an item drawn at random")
    # A name and a number and no key to the account: the row never changes, also when that goes.
    who = models.CharField(max_length=150)
    who_id = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(null=True, blank=True, help_text="from its opening to the verdict")
    batch = models.UUIDField(default=uuid.uuid4, help_text="the same for what one key did")
    undo_of = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by"
    )

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["kind", "schema", "at"], name="correction_learned"),
            models.Index(fields=["who_id", "-id"], name="correction_by"),
            models.Index(fields=["batch"], name="correction_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.verdict}"
