"""How the desk is set: for everyone, and the keys of each expert."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

SHARE = (MinValueValidator(0.0), MaxValueValidator(1.0))


class DeskSettings(models.Model):
    """One row; read it by `current`, which makes it."""

    audit_share = models.FloatField(
        default=0.02, validators=SHARE,
        help_text="of the confident spans, drawn at random to estimate errors that nobody sees",
    )  # fmt: skip
    double_share = models.FloatField(
        default=0.05, validators=SHARE,
        help_text="of the items, given to two experts who do not see each other's verdict",
    )  # fmt: skip
    lease_minutes = models.PositiveIntegerField(
        default=15, validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text="after which an item that was opened and left returns to the queue",
    )  # fmt: skip
    routes_a_week = models.PositiveIntegerField(
        default=20, validators=[MaxValueValidator(1_000)],
        help_text="questions whose route was doubtful, or that were asked again at once",
    )  # fmt: skip

    class Meta:
        verbose_name = "desk settings"
        verbose_name_plural = "desk settings"

    def __str__(self) -> str:
        return "Settings of the desk"

    @classmethod
    def current(cls) -> DeskSettings:
        """The row, with defaults where nobody has set anything."""
        return cls.objects.get_or_create(pk=1)[0]


class DeskKeys(models.Model):
    """An expert's own keys: {"accept": "a", …}; what is missing has its default."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    keys = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"keys of {self.user_id}"
