"""Indexes over documents by which each stage finds what is due, however many are done.

A stage asks for rows without a result, and for rows of another version; each has its index here.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

BACKLOG_INDEXES = [
    models.Index(
        fields=["-received_at"],
        name="document_unsketched",
        condition=Q(shingle_count__isnull=True, searchable_at__isnull=False),
    ),
    models.Index(
        fields=["-received_at"],
        name="document_unparsed",
        # Copies known by their bytes are never parsed; without them it stays short.
        condition=Q(
            parsed_at__isnull=True,
            duplicate_of__isnull=True,
            quarantined_at__isnull=True,
            dropped_at__isnull=True,
        ),
    ),
    models.Index(
        fields=["-received_at"],
        name="document_unindexed",
        condition=Q(
            parsed_at__isnull=False,
            searchable_at__isnull=True,
            duplicate_of__isnull=True,
            near_duplicate_of__isnull=True,
            quarantined_at__isnull=True,
        ),
    ),
    models.Index(
        fields=["-received_at"],
        name="document_index_again",
        condition=Q(index_again=True),
    ),
    models.Index(
        fields=["-received_at"],
        name="document_unembedded",
        condition=Q(
            searchable_at__isnull=False,
            embedder__isnull=True,
            duplicate_of__isnull=True,
            quarantined_at__isnull=True,
        ),
    ),
    models.Index(
        fields=["embedder", "-received_at"],
        name="document_embedder",
        condition=Q(searchable_at__isnull=False),
    ),
    models.Index(
        fields=["recogniser", "-received_at"],
        name="document_recogniser",
        condition=Q(searchable_at__isnull=False),
    ),
    models.Index(
        fields=["-received_at"],
        name="document_unclassified",
        condition=Q(
            searchable_at__isnull=False,
            embedder__isnull=False,
            classifier__isnull=True,
            duplicate_of__isnull=True,
            quarantined_at__isnull=True,
        ),
    ),
    models.Index(
        fields=["classifier", "-received_at"],
        name="document_classifier",
        condition=Q(searchable_at__isnull=False),
    ),
    models.Index(
        fields=["-received_at"],
        name="document_unitless",
        condition=Q(
            searchable_at__isnull=False,
            embedder__isnull=False,
            unit_embedder__isnull=True,
            duplicate_of__isnull=True,
            quarantined_at__isnull=True,
        ),
    ),
    models.Index(
        fields=["unit_embedder", "-received_at"],
        name="document_unit_embedder",
        condition=Q(searchable_at__isnull=False),
    ),
]
