"""The tables of entities: other names of companies, and mentions; part of `ingestion.models`."""

from __future__ import annotations

from django.contrib.postgres.indexes import OpClass
from django.db import models

from docintel.models import ModelVersion
from ingestion.company_tables import older_linked_at


class CompanyAlias(models.Model):
    """Another name of a company. A key that two companies share names neither of them."""

    company = models.ForeignKey(
        "ingestion.Company", on_delete=models.CASCADE, related_name="aliases"
    )
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, db_index=True, editable=False)
    older_linked_at = older_linked_at()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "company aliases"
        constraints = [models.UniqueConstraint(fields=["company", "key"], name="alias_once")]

    def __str__(self) -> str:
        return self.name


class Mention(models.Model):
    """`document.text[start:end]` names something; `name` is its normalised form.

    `value` by kind: see `ingestion.recognising.mention.Found`. `company` is empty where the name is
    ambiguous or unknown: unlinked rather than wrong.
    """

    class Kind(models.TextChoices):
        COMPANY = "company", "Company"
        PERSON = "person", "Person"
        PLACE = "place", "Place"
        MONEY = "money", "Money"
        PERCENT = "percent", "Percentage"
        DATE = "date", "Date"
        PERIOD = "period", "Fiscal period"
        METRIC = "metric", "Metric"

    document = models.ForeignKey(
        "ingestion.Document", on_delete=models.CASCADE, related_name="mentions"
    )
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=200)
    value = models.JSONField(default=dict, blank=True)
    company = models.ForeignKey(
        "ingestion.Company",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="mentions",
    )
    recogniser = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["document_id", "start"]
        indexes = [
            models.Index(fields=["document", "start"]),
            models.Index(fields=["kind", "name"]),
            models.Index(fields=["company", "document"], condition=models.Q(company__isnull=False),
                         name="mention_company"),
            # By the beginning of a name that became known later.
            models.Index(OpClass("name", name="varchar_pattern_ops"), name="mention_unlinked",
                         condition=models.Q(kind="company", company__isnull=True)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
