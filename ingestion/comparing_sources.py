"""A new source beside the corpus: what its documents hold, and what is odd about them in words.

The trap: only what was read by the recogniser counts, so the first figures are of few documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Avg, Exists, OuterRef, Sum
from django.db.models.functions import Length
from django.utils import timezone

from ingestion.models import Chunk, Document, Mention, Source, SourceComparison
from ingestion.querysets import DocumentQuerySet

NEW_FOR = timedelta(days=30)
# The latest of each, so that a large corpus is not counted whole every day.
MOST_DOCUMENTS = 1_000
# Fewer say nothing about a source.
FEWEST_DOCUMENTS = 5
FEW_HITS = 0.5
SHORT_PASSAGES = 0.5
THIN, THICK = 0.4, 2.5


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some documents: how many, share with a linked company, tokens a passage, mentions per
    1,000 characters.
    """

    documents: int
    hit_rate: float | None = None
    chunk_tokens: float | None = None
    density: float | None = None


def compare_new_sources() -> int:
    """Today's row of every source of the last 30 days that has documents; how many rows."""
    today = timezone.localdate()
    done = 0
    for source in Source.objects.filter(created_at__gte=timezone.now() - NEW_FOR):
        own = figures(Document.objects.filter(source=source))
        if not own.documents:
            continue
        corpus = figures(Document.objects.exclude(source=source))
        SourceComparison.objects.update_or_create(
            source=source,
            day=today,
            defaults={
                "documents": own.documents,
                "hit_rate": own.hit_rate,
                "chunk_tokens": own.chunk_tokens,
                "density": own.density,
                "corpus_documents": corpus.documents,
                "corpus_hit_rate": corpus.hit_rate,
                "corpus_chunk_tokens": corpus.chunk_tokens,
                "corpus_density": corpus.density,
            },
        )
        done += 1
    return done


def figures(documents: DocumentQuerySet) -> Figures:
    """Of the latest of these documents that are searchable and read."""
    rows = documents.searchable().filter(recognised_at__isnull=False)
    ids = list(rows.order_by("-received_at", "-pk").values_list("pk", flat=True)[:MOST_DOCUMENTS])
    if not ids:
        return Figures(0)
    chosen = Document.objects.filter(pk__in=ids).order_by()
    linked = Mention.objects.filter(document=OuterRef("pk"), company__isnull=False)
    characters = chosen.aggregate(n=Sum(Length("text")))["n"]
    mentions = Mention.objects.filter(document__in=ids).count()
    return Figures(
        documents=len(ids),
        hit_rate=chosen.filter(Exists(linked)).count() / len(ids),
        chunk_tokens=Chunk.objects.filter(document__in=ids).aggregate(n=Avg("n_tokens"))["n"],
        density=1_000 * mentions / characters if characters else None,
    )


def hints(row: SourceComparison) -> list[str]:
    """What is far off the corpus, for the operator; nothing while there is too little to judge."""
    if row.documents < FEWEST_DOCUMENTS:
        return []
    found = []
    if row.hit_rate is not None:
        usual = row.corpus_hit_rate if _enough(row) else None
        if row.hit_rate < FEW_HITS * (usual if usual is not None else 1.0):
            found.append(
                f"No company was recognised in {1 - row.hit_rate:.0%} of its documents. Is it "
                "about companies that are in the catalogue?"
            )
    if not _enough(row):
        return found
    if row.chunk_tokens and row.corpus_chunk_tokens:
        share = row.chunk_tokens / row.corpus_chunk_tokens
        if share < SHORT_PASSAGES:
            found.append(
                f"Its passages are short ({row.chunk_tokens:.0f} tokens, others "
                f"{row.corpus_chunk_tokens:.0f}): perhaps its documents are cut short, or only "
                "their first lines are offered."
            )
    if row.density is not None and row.corpus_density:
        share = row.density / row.corpus_density
        if share < THIN:
            found.append(
                "It names few companies, amounts and dates: perhaps menus or legal notes are kept "
                "instead of the articles."
            )
        elif share > THICK:
            found.append("It holds far more names and figures than others: mostly lists or tables.")
    return found


def _enough(row: SourceComparison) -> bool:
    return row.corpus_documents >= FEWEST_DOCUMENTS
