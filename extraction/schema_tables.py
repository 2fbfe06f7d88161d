"""Schemas and their versions; only `changing_schemas` writes them, and a version never changes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import models

from extraction.schema import SchemaSpec, as_mapping, read
from ingestion.models import Document
from ingestion.querysets import DocumentQuerySet, Scope


class SchemaQuerySet(models.QuerySet["Schema"]):
    def active(self) -> SchemaQuerySet:
        """Those that documents are read by, in order of their names."""
        return self.filter(active=True).order_by("name")


class Schema(models.Model):
    """What is looked for in which documents, as an expert last left it."""

    name = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=120, blank=True)
    version = models.PositiveIntegerField(default=0)
    spec = models.JSONField(default=dict)
    active = models.BooleanField(default=True, help_text="documents are read by it")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = SchemaQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title or self.name

    def read(self) -> SchemaSpec:
        """The schema as it is now. Raises BadSchema where the row was written by hand."""
        return read({**self.spec, "version": max(1, self.version)})

    @property
    def current(self) -> SchemaVersion:
        """Its newest version. Raises SchemaVersion.DoesNotExist where it was never saved whole."""
        return self.versions.get(number=self.version)

    def documents(self) -> DocumentQuerySet:
        """The searchable documents that it applies to, whoever may see them.

        No place for a person's eyes: those go through `visible_to` as well.
        """
        given = self.spec.get("applies_to", {})
        scope = Scope(
            kinds=tuple(given.get("kinds", ())),
            sources=tuple(given.get("sources", ())),
            companies=tuple(given.get("companies", ())),
        )
        return Document.objects.searchable().within(scope)


class SchemaVersion(models.Model):
    """A schema as it once was; a trigger of the database refuses to change the row.

    `result_digest` is the same for versions that find the same spans and relations in a text with
    the same tagger: labels, groups, rules and what is dropped, not titles, colours or documents.
    """

    schema = models.ForeignKey(Schema, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField()
    result_digest = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # A name and no key to the account: the row never changes, also when the account goes.
    created_by = models.CharField(max_length=150, blank=True, help_text="empty: came with docintel")

    class Meta:
        ordering = ["schema", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["schema", "number"], name="schema_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.schema} v{self.number}"

    def read(self) -> SchemaSpec:
        """The schema of this version."""
        return read({**self.spec, "version": self.number})


def result_digest(spec: SchemaSpec) -> str:
    """SHA-256 in hex of all that decides which spans and relations are kept."""
    mapping = as_mapping(spec)
    matters: list[Any] = [
        spec.name,
        [[label["name"], label["group"]] for label in mapping["labels"]],
        mapping["rules"],
        mapping["thresholds"]["keep"],
    ]
    return hashlib.sha256(json.dumps(matters, sort_keys=True).encode()).hexdigest()
