"""Tables of what readers made of answers. Rows are added, never changed: the newest one holds."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from qa.answer_tables import Ask


class AnswerFeedback(models.Model):
    """One verdict of one person on one answer."""

    class Verdict(models.TextChoices):
        UP = "up", "Helpful"
        DOWN = "down", "Not helpful"
        USED = "used", "Used"

    class Reason(models.TextChoices):
        FIGURE = "figure", "Wrong figure"
        SCOPE = "scope", "Wrong company or period"
        INCOMPLETE = "incomplete", "Incomplete"
        OFF_TOPIC = "off_topic", "Not about my question"
        OTHER = "other", "Something else"

    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="feedback")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    verdict = models.CharField(max_length=4, choices=Verdict.choices)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["ask", "person", "-id"])]

    def __str__(self) -> str:
        return f"{self.verdict} {self.reason}".strip()


class FollowUp(models.Model):
    """A question asked soon after another about the same: the first one was not resolved."""

    first = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="follow_ups")
    then = models.ForeignKey(Ask, on_delete=models.CASCADE, related_name="follows")
    shared = models.JSONField(default=list, help_text='what both ask about: ["company:7", …]')
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["first", "then"], name="follow_up_once")]

    def __str__(self) -> str:
        return ", ".join(self.shared)
