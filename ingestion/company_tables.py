"""The table of companies, each once."""

from __future__ import annotations

from datetime import datetime

from django.db import models


def older_linked_at() -> models.DateTimeField[datetime | None, datetime | None]:
    """Of a name: when the documents that were read before it was known were linked."""
    return models.DateTimeField(null=True, editable=False)


class Company(models.Model):
    """A company, once; documents and scopes refer to it."""

    name = models.CharField(max_length=200)
    # The name without case, punctuation and legal form: two spellings, one company.
    key = models.CharField(max_length=200, unique=True)
    ticker = models.CharField(max_length=16, blank=True)
    cik = models.CharField("CIK", max_length=10, blank=True)
    lei = models.CharField("LEI", max_length=20, blank=True)
    older_linked_at = older_linked_at()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name
