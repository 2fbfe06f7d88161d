"""Tables of ingestion: sources, companies, documents, chunks and what the two indexes hold.

Every span is a pair of character offsets into `Document.text`, which never changes once parsed.
"""

from __future__ import annotations

import uuid
from bisect import bisect_right
from pathlib import PurePath

from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from docintel.models import ModelVersion
from ingestion.backlog_indexes import BACKLOG_INDEXES
from ingestion.chunk_tables import (
    TERM_DIMENSIONS,
    VECTOR_DIMENSIONS,
    Chunk,
    ChunkVector,
    OtherChunkVector,
)
from ingestion.company_tables import Company
from ingestion.comparison_tables import SourceComparison
from ingestion.judged_tables import LinkWord
from ingestion.mention_tables import CompanyAlias, Mention
from ingestion.polled import Polled, SourceItem
from ingestion.querysets import FOREIGN, DocumentQuerySet
from ingestion.reembedding_tables import EmbeddedBeside, Reembedding
from ingestion.source_querysets import SourceQuerySet
from ingestion.term_tables import CorpusStatistics, TermStatistic, TextBand
from ingestion.topic_tables import DocumentTopic, Topic, TopicLabel, TopicVector
from ingestion.unit_tables import UnitVectors

__all__ = [
    "TERM_DIMENSIONS",
    "VECTOR_DIMENSIONS",
    "Chunk",
    "ChunkVector",
    "Company",
    "CompanyAlias",
    "CorpusStatistics",
    "Document",
    "DocumentTopic",
    "EmbeddedBeside",
    "LinkWord",
    "Mention",
    "OtherChunkVector",
    "Reembedding",
    "Source",
    "SourceComparison",
    "SourceItem",
    "TermStatistic",
    "TextBand",
    "Topic",
    "TopicLabel",
    "TopicVector",
    "UnitVectors",
]

MAX_ATTEMPTS = 3
# What a document is, beside its company: what is pushed, found in the file, or edited.
DESCRIBED = ("title", "kind", "fiscal_year", "fiscal_quarter", "published_on")
LONGEST_TITLE = 500
# What people may type; whatever lies outside is a mistake.
FISCAL_YEARS = (1900, 2200)


class Source(Polled):
    """Where documents come from; it decides who may see them."""

    class Kind(models.TextChoices):
        FOLDER = "folder", "Folder"
        UPLOAD = "upload", "Upload"
        API = "api", "API push"
        RSS = "rss", "Feed (RSS, Atom, CDF)"
        PAGE = "page", "Web page"
        MAILBOX = "mailbox", "Folder of mail (EML)"
        EDGAR = "edgar", "SEC EDGAR"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    location = models.TextField(
        blank=True,
        help_text="the folder, the address, or for EDGAR a CIK and perhaps forms: 320193 10-K,8-K",
    )
    credibility = models.FloatField(
        default=0.5, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    default_kind = models.CharField(max_length=20, blank=True)
    groups = models.ManyToManyField(
        Group, blank=True, help_text="who may see its documents; empty: everyone who may sign in"
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    offered = models.PositiveIntegerField(
        null=True, blank=True, help_text="documents that it held when it was last looked through"
    )

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def blob_path(document: Document, file_name: str) -> str:
    """Where the bytes are stored: named by our own id, never by what the sender called them."""
    suffix = PurePath(file_name).suffix.lower()
    suffix = suffix if suffix[1:].isalnum() and len(suffix) <= 8 else ".bin"
    identifier = document.public_id.hex
    return f"documents/{identifier[:2]}/{identifier}{suffix}"


class Document(models.Model):
    """One arrival of one document, and how far the pipeline has brought it.

    A duplicate is a row of its own (`duplicate_of`) with no text and no chunks: the sighting.
    Lists must use `.listed()`, which leaves the text in the database.
    """

    class Kind(models.TextChoices):
        ANNUAL_REPORT = "annual_report", "Annual report"
        QUARTERLY_REPORT = "quarterly_report", "Quarterly report"
        CURRENT_REPORT = "current_report", "Current report"
        EARNINGS_CALL = "earnings_call", "Earnings call"
        ANNOUNCEMENT = "announcement", "Announcement"
        RESEARCH_NOTE = "research_note", "Research note"
        NEWS = "news", "News"
        OTHER = "other", "Other"

    class Stage(models.TextChoices):
        PARSE = "parse", "Parse"
        INDEX = "index", "Index"
        EMBED = "embed", "Embed"
        RECOGNISE = "recognise", "Recognise"
        CLASSIFY = "classify", "Classify"
        UNITS = "units", "Units"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="documents")
    external_id = models.CharField(max_length=500, blank=True)
    uploaded_by = models.ForeignKey(
        "auth.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    file = models.FileField(upload_to=blob_path, max_length=200)
    file_name = models.CharField(max_length=255, help_text="as the sender called it")
    file_size = models.BigIntegerField(default=0, help_text="bytes")
    file_sha256 = models.CharField(max_length=64, db_index=True)
    media_type = models.CharField(max_length=100, blank=True)

    # What it is; `provenance` says per field who said so: push, file, name, page or edited.
    title = models.CharField(max_length=LONGEST_TITLE, blank=True)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.OTHER)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="documents"
    )
    fiscal_year = models.PositiveSmallIntegerField(null=True, blank=True)
    fiscal_quarter = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    published_on = models.DateField(null=True, blank=True)
    provenance = models.JSONField(default=dict, blank=True)

    # The frozen text and its layout: page starts and sections are offsets into it.
    text = models.TextField(blank=True)
    text_sha256 = models.CharField(max_length=64, blank=True, help_text="of the normalised text")
    pages = models.JSONField(default=list, blank=True, help_text="start offset of each page")
    sections = models.JSONField(
        default=list, blank=True, help_text='[{"title": …, "level": 1, "start": offset}, …]'
    )
    tables = models.JSONField(
        default=list, blank=True, help_text="rows, caption, heads and scale of each; see parsed.py"
    )
    language = models.CharField(
        max_length=3, blank=True, help_text="ISO 639, of the text; empty: not recognised"
    )
    notes = models.JSONField(default=list, blank=True, help_text="what the parser had to leave")

    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="sightings"
    )
    near_duplicate_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="near_duplicates",
        help_text="the document that search shows in its place",
    )
    similarity = models.FloatField(
        null=True, blank=True, help_text="Jaccard of the word shingles of the two texts, 0 to 1"
    )
    shingle_count = models.PositiveIntegerField(
        null=True, blank=True, help_text="null: not yet compared with the others"
    )

    # Over time. What is superseded or withdrawn leaves search and stays readable.
    supersedes = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="successors"
    )
    superseded_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    index_again = models.BooleanField(
        default=False, help_text="searchable as it is, and to be indexed anew"
    )
    missing_scans = models.PositiveSmallIntegerField(
        default=0, help_text="looks in a row in which its file was not there"
    )

    # How far it has come. A row whose stage failed keeps the reason; see MAX_ATTEMPTS.
    received_at = models.DateTimeField(default=timezone.now)
    parsed_at = models.DateTimeField(null=True, blank=True)
    searchable_at = models.DateTimeField(null=True, blank=True)
    embedded_at = models.DateTimeField(null=True, blank=True)
    embedder = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the version that made the vectors of all its chunks",
    )
    unit_embedder = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the version that made the vectors of the units of all its chunks",
    )
    recogniser = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the version that found its mentions, all of them once recognised_at is set",
    )
    recognised_at = models.DateTimeField(null=True, blank=True)
    recognised_to = models.PositiveIntegerField(default=0, help_text="characters read so far")
    classifier = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the version that found its topics, from its vectors as they are",
    )
    chunk_count = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    failed_stage = models.CharField(max_length=10, choices=Stage.choices, blank=True)
    failed_reason = models.TextField(blank=True)
    retry_after = models.DateTimeField(null=True, blank=True)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(
        null=True, blank=True, help_text="a person dropped it from quarantine"
    )
    # A claim is a lease: only its holder may finish the row, and a killed worker's lease ends.
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        permissions = [
            ("operate_pipeline", "Can see every arrival, retry and drop quarantined ones")
        ]
        indexes = [
            models.Index(fields=["-received_at", "-id"]),
            models.Index(fields=["company", "fiscal_year"]),
            models.Index(fields=["company", "-received_at", "-id"], name="document_of_company"),
            models.Index(fields=["kind", "-published_on"]),
            models.Index(fields=["text_sha256"]),
            *BACKLOG_INDEXES,
            models.Index(
                fields=["-fiscal_year"],
                name="document_year",
                condition=Q(searchable_at__isnull=False),
            ),
            models.Index(fields=["language"], name="document_foreign", condition=FOREIGN),
            models.Index(
                fields=["-quarantined_at"],
                name="document_quarantined",
                condition=Q(quarantined_at__isnull=False),
            ),
            models.Index(fields=["source", "external_id"], name="document_external_id"),
        ]
        constraints = [
            # Two workers that parse the same text at the same moment: one becomes the duplicate.
            models.UniqueConstraint(
                fields=["text_sha256"],
                condition=Q(
                    duplicate_of__isnull=True,
                    superseded_at__isnull=True,
                    withdrawn_at__isnull=True,
                )
                & ~Q(text_sha256=""),
                name="document_text_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.file_name

    def get_absolute_url(self) -> str:
        return reverse("ingestion:document", args=[self.public_id])

    @property
    def state(self) -> str:
        """The furthest point it reached, one word: what lists, API and status pages show."""
        reached = {
            "dropped": self.dropped_at,
            "withdrawn": self.withdrawn_at,
            "superseded": self.superseded_at,
            "quarantined": self.quarantined_at,
            "duplicate": self.duplicate_of_id,
            "near_duplicate": self.near_duplicate_of_id,
            "embedded": self.embedded_at,
            "searchable": self.searchable_at,
            "parsed": self.parsed_at,
        }
        return next((name for name, value in reached.items() if value), "received")

    @property
    def period(self) -> str:
        """Its fiscal period as people write it: "FY2024", "Q1 FY2024", or empty."""
        if not self.fiscal_year:
            return ""
        year = f"FY{self.fiscal_year}"
        return f"Q{self.fiscal_quarter} {year}" if self.fiscal_quarter else year

    @property
    def is_pdf(self) -> bool:
        return self.media_type == "application/pdf"

    def page_of(self, offset: int) -> int:
        """The number of the page, from 1, that holds this character; 1 where there are none."""
        return max(1, bisect_right(self.pages, offset))
