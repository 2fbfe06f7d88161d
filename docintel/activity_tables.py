"""The table of what people ask for, kept for whatever learns from it; part of `docintel.models`."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class Activity(models.Model):
    """A person did something that tells of their interest. Ids instead of keys: no app is known."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="activities"
    )
    verb = models.CharField(max_length=20)
    companies = ArrayField(models.BigIntegerField(), default=list, blank=True)
    topics = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    text = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "activities"
        indexes = [models.Index(fields=["user", "-at"], name="activity_of_user")]

    def __str__(self) -> str:
        return f"{self.verb}: {self.text[:60]}"
