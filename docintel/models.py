"""Kernel tables: which model version is live, API tokens, measurements."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class ModelVersion(models.Model):
    """One version of a model; at most one is live per name."""

    name = models.CharField(max_length=40, help_text="what it serves as: embedder, tagger, …")
    version = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the weights")
    dimensions = models.PositiveIntegerField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    live = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "version", "digest"], name="model_version_once"
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(live=True), name="one_live_version_per_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


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
