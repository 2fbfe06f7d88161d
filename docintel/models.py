"""Kernel tables: versions of models and which is live, API tokens, measurements."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Max, Q
from django.utils import timezone

from docintel.activity_tables import Activity

__all__ = ["Activity", "ApiToken", "Measurement", "ModelFlip", "ModelVersion"]


class ModelVersion(models.Model):
    """One version of a model; at most one is live per name, by constraint.

    `files` maps a relative name to {"sha256", "bytes"}; they are kept by `docintel.artefacts` and
    read through it alone. A version without files keeps what it needs in `metadata`, or is told
    from others by its digest only. Trap: state changes through `docintel.registry`, which also
    writes the audit row.
    """

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        LIVE = "live"
        RETIRED = "retired"
        REJECTED = "rejected"

    kind = models.CharField(max_length=40, help_text="embedder, tagger, router, …")
    name = models.CharField(
        max_length=80, help_text="what it serves as: its kind, with what it is for after a colon"
    )
    number = models.PositiveIntegerField(help_text="counts up within the name")
    version = models.CharField(max_length=120, help_text="what people call it")
    digest = models.CharField(max_length=64, help_text="SHA-256 of all that decides what it gives")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CANDIDATE)
    files = models.JSONField(default=dict, blank=True)
    base_encoder = models.CharField(max_length=200, blank=True)
    base_digest = models.CharField(max_length=64, blank=True)
    snapshot_hash = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the examples it learned from"
    )
    metrics = models.JSONField(default=dict, blank=True)
    card = models.TextField(blank=True, help_text="what it is, what it learned from, its limits")
    created_by = models.CharField(max_length=200, blank=True, help_text="which run, or what else")
    dimensions = models.PositiveIntegerField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name", "-number"]
        permissions = [("flip_modelversion", "Can make versions of models live and roll back")]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "version", "digest"], name="model_version_once"
            ),
            models.UniqueConstraint(fields=["name", "number"], name="model_number_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(state="live"), name="one_live_version_per_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Gives a new row its kind and number; two at once need the lock of `registry`."""
        if not self.kind:
            self.kind = self.name.partition(":")[0]
        if not self.number:
            self.number = self.next_number(self.name)
        super().save(*args, **kwargs)

    @classmethod
    def next_number(cls, name: str) -> int:
        """One more than the greatest in use."""
        return (cls.objects.filter(name=name).aggregate(most=Max("number"))["most"] or 0) + 1

    @property
    def is_live(self) -> bool:
        return self.state == self.State.LIVE


class ModelFlip(models.Model):
    """One change of which version of a name is live, or one version ruled out; append-only.

    The database refuses to change or delete a row. `from_version` and `to_version` were live
    before and after; they are the same where a candidate was rejected.
    """

    class Action(models.TextChoices):
        PROMOTED = "promoted"
        ROLLED_BACK = "rolled back"
        RETIRED = "retired"
        REJECTED = "rejected"

    name = models.CharField(max_length=80)
    action = models.CharField(max_length=12, choices=Action.choices)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="flips", help_text="what was acted on"
    )
    from_version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    to_version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    who = models.CharField(
        max_length=200, blank=True, help_text="a person, or what acted by itself"
    )
    why = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["name", "-id"])]

    def __str__(self) -> str:
        return f"{self.name}: {self.version.version} {self.action}"


class ApiToken(models.Model):
    """A personal access token; only its digest is stored, the token is shown once."""

    PREFIX = "dik_"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=80)
    hint = models.CharField(max_length=12, help_text="its first characters, to tell tokens apart")
    digest = models.CharField(max_length=64, unique=True)
    may_write = models.BooleanField(default=False, help_text="may push documents, not only read")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @staticmethod
    def digest_of(token: str) -> str:
        """SHA-256 in hex; enough for 256 random bits, which no dictionary holds."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user: Any, name: str, **fields: Any) -> tuple[ApiToken, str]:
        """A new row and the token itself, which is not stored and cannot be shown again."""
        token = cls.PREFIX + secrets.token_urlsafe(32)
        row = cls.objects.create(
            user=user, name=name, hint=token[:10], digest=cls.digest_of(token), **fields
        )
        return row, token

    def is_valid(self, now: datetime | None = None) -> bool:
        """Neither revoked nor expired."""
        now = now or timezone.now()
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class Measurement(models.Model):
    """One measured number with its labels; append-only."""

    name = models.CharField(max_length=80)
    value = models.FloatField()
    labels = models.JSONField(default=dict, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["name", "-recorded_at"])]

    def __str__(self) -> str:
        return f"{self.name}={self.value:g}"
