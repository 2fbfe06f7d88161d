"""Ranked chunk ids to what is shown: passages without overlap, with excerpts, by document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingestion.language import DEFAULT, SIMPLE, in_pairs, search_config
from ingestion.lexical import stems
from ingestion.models import Chunk, Document
from ingestion.querysets import DocumentQuerySet
from ingestion.ranking import Scored
from qa.excerpts import excerpt, matcher, words

PASSAGES_PER_DOCUMENT = 3
CHUNK_FIELDS = (
    *("document", "ordinal", "start", "end", "page", "section", "statement", "body"),
    "header_length",
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk, or the part of it that no better passage shows: `document.text[start:end]`.

    `config` is how its words are stemmed; `score` is the fused one; a half that did not find it has
    rank and score None. Ranks and pages count from 1. `highlights` are offsets into `excerpt`,
    which begins at `excerpt_start` of the document's text.
    """

    chunk_id: int
    document_id: int
    start: int
    end: int
    page: int
    last_page: int
    section: str
    text: str
    score: float
    statement: str = ""
    statement_label: str = ""
    config: str = DEFAULT
    bm25_rank: int | None = None
    bm25_score: float | None = None
    dense_rank: int | None = None
    dense_score: float | None = None
    excerpt: str = ""
    excerpt_start: int = 0
    highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentHits:
    """A document with its best passages, best first; its score is that of the first."""

    document: Document
    passages: list[Passage]
    score: float
    n_passages: int


def load(
    fused: Sequence[tuple[int, float]],
    bm25: Sequence[Scored],
    dense: Sequence[Scored],
    documents: DocumentQuerySet,
) -> tuple[list[Passage], dict[int, Document]]:
    """The passages in their fused order, and their documents by id."""
    chunks = Chunk.objects.only(*CHUNK_FIELDS).in_bulk([chunk_id for chunk_id, _ in fused])
    wanted = {chunk.document_id for chunk in chunks.values()}
    found = documents.filter(pk__in=wanted).select_related("company", "source")
    by_id = {document.pk: document for document in found.defer("text", "sections", "tables")}
    lexical = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(bm25, start=1)}
    semantic = {hit.chunk_id: (rank, hit.score) for rank, hit in enumerate(dense, start=1)}
    passages = []
    for chunk_id, score in fused:
        chunk = chunks.get(chunk_id)
        # Gone since it was ranked: deleted, or no longer for this user.
        if chunk is None or chunk.document_id not in by_id:
            continue
        bm25_rank, bm25_score = lexical.get(chunk_id, (None, None))
        dense_rank, dense_score = semantic.get(chunk_id, (None, None))
        passages.append(
            replace(
                passage_of(chunk, by_id[chunk.document_id], score),
                bm25_rank=bm25_rank,
                bm25_score=bm25_score,
                dense_rank=dense_rank,
                dense_score=dense_score,
            )
        )
    return passages, by_id


def passage_of(chunk: Chunk, document: Document, score: float) -> Passage:
    """The whole chunk as a passage, with no half's rank."""
    return Passage(
        chunk_id=chunk.pk,
        document_id=chunk.document_id,
        start=chunk.start,
        end=chunk.end,
        page=chunk.page,
        last_page=document.page_of(max(chunk.start, chunk.end - 1)),
        section=chunk.section,
        text=chunk.text,
        score=score,
        statement=chunk.statement,
        statement_label=chunk.get_statement_display(),
        config=search_config(document.language),
    )


def without_overlap(
    passages: Iterable[Passage], documents: dict[int, Document], phrases: Sequence[str] = ()
) -> list[Passage]:
    """Cuts from each passage what a better one of its document already shows.

    One that loses more than half of its text, or the quoted phrase, is left out.
    """
    kept: list[Passage] = []
    shown: dict[int, list[Passage]] = {}
    for passage in passages:
        better = shown.setdefault(passage.document_id, [])
        cut = _cut(passage, better, documents[passage.document_id])
        if cut is None or not all(has_phrase(cut.text, phrase) for phrase in phrases):
            continue
        kept.append(cut)
        better.append(cut)
    return kept


def _cut(passage: Passage, better: Iterable[Passage], document: Document) -> Passage | None:
    start, end = passage.start, passage.end
    for other in better:
        if other.end <= start or other.start >= end:
            continue
        if other.start <= start:
            start = max(start, other.end)
        else:
            end = min(end, other.start)
    if (start, end) == (passage.start, passage.end):
        return passage
    text = passage.text[start - passage.start : max(start, end) - passage.start]
    if end - start < (passage.end - passage.start) / 2 or not text.strip():
        return None
    return replace(
        passage,
        start=start,
        end=end,
        text=text,
        page=document.page_of(start),
        last_page=document.page_of(end - 1),
    )


def has_phrase(text: str, phrase: str) -> bool:
    """Whether the text has the phrase, letter case and white space aside."""
    return " ".join(phrase.split()).casefold() in " ".join(text.split()).casefold()


def with_excerpts(passages: Sequence[Passage], question: str, limit: int) -> list[Passage]:
    """The passages; those that a page of `limit` documents shows get their excerpt.

    An excerpt is the few sentences with most of the question's words. The others keep it empty.
    """
    shown = _shown(passages, limit)
    looks = {
        config: _looked_for(question, [p.text for p in shown if p.config == config], config)
        for config in {passage.config for passage in shown}
    }
    done = {}
    for passage in shown:
        cut = excerpt(passage.text, *looks[passage.config])
        done[passage.chunk_id] = replace(
            passage,
            excerpt=passage.text[cut.start : cut.end],
            excerpt_start=passage.start + cut.start,
            highlights=tuple(cut.highlights),
        )
    return [done.get(passage.chunk_id, passage) for passage in passages]


def _looked_for(
    question: str, texts: Iterable[str], config: str
) -> tuple[re.Pattern[str], dict[str, str]]:
    """What finds the question's words in texts of one language, and the stems of all words."""
    read = in_pairs if config == SIMPLE else str
    asked = set(words(read(question)))
    stem_of = stems(asked.union(*(words(read(text)) for text in texts)), config)
    wanted = {stem_of[word] for word in asked} - {""}
    return matcher(word for word, stem in stem_of.items() if stem in wanted), stem_of


def _shown(passages: Sequence[Passage], limit: int) -> list[Passage]:
    """The best `limit` passages, and the best few of each of the best `limit` documents."""
    counts: dict[int, int] = {}
    shown = []
    for rank, passage in enumerate(passages):
        if passage.document_id not in counts and len(counts) == limit:
            continue
        counts[passage.document_id] = counts.get(passage.document_id, 0) + 1
        if rank < limit or counts[passage.document_id] <= PASSAGES_PER_DOCUMENT:
            shown.append(passage)
    return shown


def by_document(
    passages: Iterable[Passage], documents: dict[int, Document], limit: int
) -> list[DocumentHits]:
    """The first `limit` documents in the order of their best passages."""
    groups: dict[int, list[Passage]] = {}
    for passage in passages:
        groups.setdefault(passage.document_id, []).append(passage)
    return [
        DocumentHits(documents[pk], group[:PASSAGES_PER_DOCUMENT], group[0].score, len(group))
        for pk, group in list(groups.items())[:limit]
    ]
