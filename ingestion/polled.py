"""What a source that is asked regularly remembers, and the list of what it has offered.

`SourceItem` is the ledger of what to expect: one row per item ever listed, fetched or not. Trap: a
listed item that waits for its turn has not failed; only `gave_up_at` says so.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

MOST_ITEM_ATTEMPTS = 3
WEEK_MINUTES = 7 * 24 * 60


class Polled(models.Model):
    """When a source is asked next, what it answered last, and who is asking now (a lease)."""

    poll_minutes = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(WEEK_MINUTES)]
    )
    next_run_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="empty: as soon as a worker is free"
    )
    polled_at = models.DateTimeField(null=True, blank=True, help_text="the last answer or error")
    failures = models.PositiveSmallIntegerField(default=0, help_text="in a row")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    notes = models.JSONField(default=list, blank=True, help_text="oddities of the last answer")
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    # Turns: one item of each source at a time, and a slow one rests in between.
    last_turn_at = models.DateTimeField(null=True, blank=True)
    rest_until = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def poll_interval(self) -> timedelta:
        return timedelta(minutes=self.poll_minutes)

    @property
    def lag(self) -> timedelta:
        """How long its next run is overdue; zero if it is not."""
        if self.next_run_at is None:
            return timedelta(0)
        return max(timedelta(0), timezone.now() - self.next_run_at)

    def start_over(self) -> None:
        """Forget the last answer, unsaved: another place is asked at once and in full."""
        self.etag = self.last_modified = self.last_error = ""
        self.next_run_at = self.rest_until = None
        self.failures = 0
        self.notes = []


class SourceItemQuerySet(models.QuerySet["SourceItem"]):
    def waiting(self) -> SourceItemQuerySet:
        """Listed, neither fetched nor given up."""
        return self.filter(fetched_at__isnull=True, gave_up_at__isnull=True)

    def due(self) -> SourceItemQuerySet:
        """Waiting, and not put off after a failure."""
        put_off = Q(retry_after__isnull=True) | Q(retry_after__lte=timezone.now())
        return self.waiting().filter(put_off)


class SourceItem(models.Model):
    """One thing that a source offered, under the source's own id for it.

    `version` changes when the source says that the item did; it is then fetched again.
    """

    source = models.ForeignKey("ingestion.Source", on_delete=models.CASCADE, related_name="items")
    external_id = models.CharField(max_length=500)
    url = models.TextField(blank=True)
    version = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=500, blank=True)
    published_on = models.DateField(null=True, blank=True)
    pushed = models.JSONField(default=dict, blank=True, help_text="what the source says of it")
    document = models.ForeignKey(
        "ingestion.Document", null=True, blank=True, on_delete=models.SET_NULL, related_name="items"
    )
    listed_at = models.DateTimeField(default=timezone.now)
    fetched_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failed_reason = models.TextField(blank=True)
    retry_after = models.DateTimeField(null=True, blank=True)
    gave_up_at = models.DateTimeField(null=True, blank=True)

    objects = SourceItemQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="source_item_once"),
        ]
        indexes = [
            models.Index(
                fields=["source", "id"],
                name="source_item_waiting",
                condition=Q(fetched_at__isnull=True, gave_up_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.external_id


def free() -> Q:
    """Sources that nobody holds."""
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=timezone.now())


def due_to_poll() -> Q:
    """Sources whose next run has come."""
    return Q(next_run_at__isnull=True) | Q(next_run_at__lte=timezone.now())


def due_for_a_turn() -> Q:
    """Sources that hold an item to fetch and are not at rest."""
    rested = Q(rest_until__isnull=True) | Q(rest_until__lte=timezone.now())
    return rested & Q(Exists(SourceItem.objects.due().filter(source=OuterRef("pk"))))


LONGEST_WAITING_FIRST = {
    "poll": (F("next_run_at").asc(nulls_first=True), "pk"),
    "turn": (F("last_turn_at").asc(nulls_first=True), "pk"),
}
