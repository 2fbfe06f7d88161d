"""Fused chunk ids to candidates with everything that a reranker sees of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingestion.models import Chunk, Document, Mention
from ingestion.querysets import DocumentQuerySet
from ingestion.unit_vectors import Nearness, nearness
from qa.passages import CHUNK_FIELDS, Passage, passage_of
from qa.ranking.looking import Looked, Lookup
from qa.ranking.ranking_features import (
    Candidate,
    Filing,
    Pool,
    Question,
    Scores,
    add_best_coverage,
    features,
    prior,
)
from qa.ranking.relative_features import add_relative
from qa.ranking.scoring_chunks import Asked, without_names
from qa.ranking.unit_features import compare_units_of_all, of_units
from qa.understood import Understanding

# The share of the candidates kept for what only the wide look found.
RESERVED = 0.1
# How much a filing of the right period and kind is raised before candidates are cut.
PRIOR = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage of one look with its features, before reranking."""

    passage: Passage
    fused: float
    features: dict[str, float]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Of all looks' candidates: chunks and how near their units come, by chunk id; documents and
    what is known of each, by document id."""

    chunks: Mapping[int, Chunk]
    near: Mapping[int, Nearness]
    documents: dict[int, Document]
    filings: Mapping[int, Filing]


def as_question(understanding: Understanding, looked: Looked) -> Question:
    """The question of one look: its own companies and periods."""
    look = looked.look
    names = {read.id: read.name for read in understanding.companies}
    periods = [period for period in look.periods if not period.future]
    return Question(
        left=without_names(understanding.question, understanding),
        metrics=tuple((m.name, *m.items) for m in understanding.metrics),
        statements=understanding.statements,
        expansions=tuple((row.term, row.weight) for row in understanding.expansions),
        companies=look.companies,
        company_names=tuple(names[pk] for pk in look.companies if pk in names),
        years=tuple(sorted({year for period in periods for year in period.years})),
        quarters=tuple(sorted({quarter for period in periods for quarter in period.quarters})),
        kinds=understanding.kinds,
        wanted=look.wanted,
        ratio=any(metric.formula for metric in understanding.metrics),
        temporal=understanding.temporal,
        comparison=understanding.comparison,
    )


def cut(
    looked: Looked, question: Question, lookup: Lookup, filings: Mapping[int, Filing], depth: int
) -> list[tuple[int, float]]:
    """The best `depth` by fused score and prior; some places are kept for the wide look's own."""
    raised = []
    for pk, score in looked.fused:
        row = lookup.rows.get(pk)
        if row is None or row.document not in filings:
            continue
        weight = prior(question, filings[row.document])
        raised.append((pk, score * (1.0 + PRIOR * (0.0 if math.isnan(weight) else weight))))
    raised.sort(key=lambda pair: (-pair[1], pair[0]))
    if looked.inside is None:
        return raised[:depth]
    within = [pair for pair in raised if lookup.rows[pair[0]].document in looked.inside]
    beside = [pair for pair in raised if lookup.rows[pair[0]].document not in looked.inside]
    room = max(depth - len(within), int(depth * RESERVED))
    chosen = within[: depth - min(room, len(beside))] + beside[:room]
    return sorted(chosen, key=lambda pair: (-pair[1], pair[0]))


def filings_of(
    lookup: Lookup, documents: DocumentQuerySet, companies: Sequence[int]
) -> tuple[dict[int, Document], dict[int, Filing]]:
    """The documents of all candidates that the user may see, and what is known of each."""
    wanted = {lookup.rows[pk].document for each in lookup.looked for pk, _ in each.fused}
    rows = documents.filter(pk__in=wanted).select_related("company", "source")
    found = {row.pk: row for row in rows.defer("text", "sections", "tables")}
    mentioning: set[int] = set()
    if companies:
        mentions = Mention.objects.filter(company__in=companies, document__in=found)
        mentioning = set(mentions.order_by().values_list("document", flat=True).distinct())
    return found, {
        pk: Filing(
            row.company_id,
            row.kind,
            row.fiscal_year,
            row.fiscal_quarter,
            row.published_on,
            row.source.credibility,
            pk in mentioning,
        )
        for pk, row in found.items()
    }


def load_chunks(ids: Sequence[int]) -> dict[int, Chunk]:
    return Chunk.objects.only(*CHUNK_FIELDS, "n_tokens").in_bulk(ids)


def compare_units(ids: Sequence[int], asked: Asked) -> Mapping[int, Nearness]:
    """By chunk id, how near its units come to the question without its names; none if unknown."""
    if asked.left_vector is None or asked.embedder is None:
        return {}
    return nearness(ids, asked.left_vector, asked.embedder)


def entries(
    looked: Looked,
    chosen: Sequence[tuple[int, float]],
    question: Question,
    lookup: Lookup,
    loaded: Loaded,
) -> list[Entry]:
    """The candidates of one look with their features, in the order given."""
    chunks, documents, filings = loaded.chunks, loaded.documents, loaded.filings
    kept = [(pk, score) for pk, score in chosen if pk in chunks]
    found_at = {pk: lookup.rows[pk] for pk, _ in kept}
    counted = Counter(row.document for row in found_at.values())
    bests: dict[int, float] = {}
    for pk, score in kept:
        owner = found_at[pk].document
        bests[owner] = max(bests.get(owner, 0.0), score)
    years = [filings[pk].fiscal_year for pk in counted]
    pool = Pool(
        max((row.words for row in found_at.values()), default=0.0),
        max((row.expanded for row in found_at.values()), default=0.0),
        _most(row.meaning for row in found_at.values()),
        _most(row.left for row in found_at.values()),
        max((score for _, score in kept), default=0.0),
        max((year for year in years if year), default=None),
    )
    ranks = _ranks(looked)
    made = []
    for pk, score in kept:
        chunk, row = chunks[pk], found_at[pk]
        document = documents[row.document]
        mine = {name: places.get(pk) for name, places in ranks.items()}
        candidate = Candidate(
            chunk.text,
            chunk.section,
            chunk.statement,
            chunk.n_tokens,
            chunk.ordinal / max(1, document.chunk_count),
            filings[row.document],
            Scores(row.words, row.expanded, row.meaning, row.left, score, mine),
            inside=looked.inside is None or row.document in looked.inside,
        )
        found = features(
            question,
            candidate,
            pool,
            of_document=(bests[row.document], counted[row.document] / len(kept)),
        )
        if near := loaded.near.get(pk):
            text, asked = candidate.text, question.words
            found |= of_units(near.cosines, near.spans, text, chunk.start, asked)
        made.append(Entry(passage_of(chunk, document, score), score, found))
    rows = [entry.features for entry in made]
    add_best_coverage(rows)
    compare_units_of_all(rows)
    add_relative(rows)
    return made


def _most(cosines: Iterable[float]) -> float:
    return max((each for each in cosines if not math.isnan(each)), default=math.nan)


def _ranks(looked: Looked) -> dict[str, dict[int, int]]:
    """Chunk id to its rank by each ranking of the look's main place."""
    main = next(iter(looked.rankings.values()), {})
    return {
        name: {pk: rank for rank, pk in enumerate(ranking, start=1)}
        for name, ranking in main.items()
    }
