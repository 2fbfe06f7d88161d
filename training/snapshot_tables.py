"""What models learned from: snapshots that never change, and which documents are kept for testing.

`training.datasets` alone writes them.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Snapshot(models.Model):
    """The examples of one model as they were at a time; their file is in Django's storage.

    `digest` is the SHA-256 of that file. The database refuses to change or delete a row.
    """

    name = models.CharField(max_length=80, help_text="of the model, such as tagger:kpis")
    number = models.PositiveIntegerField(help_text="counts up within the name")
    digest = models.CharField(max_length=64)
    file = models.CharField(max_length=200, help_text="its place in the storage")
    as_of = models.DateTimeField(help_text="corrections until then are in it")
    last_correction = models.BigIntegerField(default=0, help_text="the newest one in it")
    corrections = models.PositiveIntegerField(default=0)
    examples = models.PositiveIntegerField()
    test_examples = models.PositiveIntegerField()
    documents = models.PositiveIntegerField()
    test_documents = models.PositiveIntegerField()
    notes = models.JSONField(default=list, help_text="what was left out, and why")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="snapshot_number_once"),
        ]

    def __str__(self) -> str:
        return f"snapshot {self.number} of {self.name}"


class SnapshotDocument(models.Model):
    """On which side of the split a document stands: for good, from the first snapshot with it.

    The database refuses to change or delete a row, so a document that was once learned from can
    never be tested on.
    """

    class Part(models.TextChoices):
        TRAIN = "train", "Learned from"
        TEST = "test", "Tested on"

    name = models.CharField(max_length=80, help_text="of the model")
    key = models.CharField(max_length=200, help_text="names the document, whatever its revision")
    part = models.CharField(max_length=5, choices=Part.choices)
    first = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="dealt")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "key"], name="document_dealt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.part}"
