"""Looks carried out: which documents each looks in, widened where needed, and what ranks there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from django.db.models import Exists, OuterRef, Q
from numpy.typing import NDArray

from ingestion.models import Chunk, CorpusStatistics, Mention
from ingestion.querysets import ChunkQuerySet, DocumentQuerySet
from ingestion.ranking import NARROW_CHUNKS
from qa.fusion import reciprocal_rank_fusion
from qa.ranking.planning_looks import Filter, Look
from qa.ranking.ranking_features import PRIMARY
from qa.ranking.scoring_chunks import WORDS, Asked, rank_scanned, scan, walk
from qa.ranking.verbatim import WEIGHT as VERBATIM
from qa.ranking.verbatim import holding_verbatim

# What each ranking counts in the fusion. In documents that the question's names and periods have
# been filtered by, the words left with their line items say more than the whole question.
IN_FILTER = {"words": 0.5, "expanded": 1.0, "meaning": 1.0, "statement": 1.0}
IN_ALL = {"words": 1.0, "expanded": 0.5, "meaning": 1.0, "verbatim": VERBATIM}
# The wide look beside a filtered one: a wrong parse must not lose the document.
BESIDE = 0.35
# A filter whose best passage is so much worse than the best of all is taken for a wrong parse.
POOR_COSINE = 0.15
POOR_WORDS = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is looked for: what the user may see in the page's scope.

    `documents` is None for all, when none is hidden; `chunks` is narrowed by quoted phrases, and
    `few` says that these are few.
    """

    documents: DocumentQuerySet | None
    searchable: DocumentQuerySet
    chunks: ChunkQuerySet
    few: bool = False


@dataclass(slots=True)
class Looked:
    """One look's fused candidates (chunk id, score), best first, and what is told about it.

    `inside` are the documents of its filter, None for all; `poor` says that the filter's best is so
    much worse than the best of all that the question was perhaps read wrongly.
    """

    look: Look
    scope: str
    fused: list[tuple[int, float]] = field(default_factory=list)
    rankings: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    inside: frozenset[int] | None = None
    note: str = ""
    wide: bool = False
    poor: bool = False


class Row(NamedTuple):
    """A chunk's document and scores; `left` is the cosine with the question without its names."""

    document: int
    words: float
    expanded: float
    meaning: float
    left: float


@dataclass(slots=True)
class Lookup:
    """All looks of a question, and the scores of every chunk that any of them found."""

    looked: list[Looked]
    rows: dict[int, Row]


def look_up(
    looks: Sequence[Look],
    place: Place,
    asked: Asked,
    depth: int,
    statements: Sequence[str] = (),
) -> Lookup:
    """Every look, narrowest filter first, and a wide one beside each.

    In the documents of a filter the passages of these `statements` are ranked by themselves too.
    """
    chosen = [_choose(look, place) for look in looks]
    everything = _all_if_few(place)
    ids = {pk for _, levels in chosen for _, found in levels if found is not None for pk in found}
    wanted = everything if everything is not None else sorted(ids)
    table = _scan(place, asked, wanted)
    # Before the words were first counted only the index knows how much each of them weighs.
    if asked.counted and (everything is not None or place.few):
        wide = rank_scanned(table, None, depth)
    else:
        wide = walk(place.chunks, place.documents, asked, depth)
    wide["verbatim"] = [] if place.few else holding_verbatim(asked.text, place.searchable)
    stated = _stated(statements, sorted(ids))
    looked = [
        _fuse(look, levels, table, wide, place, asked, depth, stated) for look, levels in chosen
    ]
    rows = _rows(table)
    lacking = {pk for each in looked for pk, _ in each.fused} - rows.keys()
    if lacking:
        rows |= _rows(scan(Chunk.objects.filter(pk__in=lacking), asked))
    for each in looked:
        _widen_if_poor(each, wide, rows)
    return Lookup(looked, rows)


def condition(found: Filter) -> Q:
    """The documents that a filter lets in.

    One without a company counts for those that it mentions, one without a fiscal year for its day
    of publication.
    """
    made = Q()
    if found.companies:
        mentions = Mention.objects.filter(document=OuterRef("pk"), company__in=found.companies)
        named = Q(Exists(mentions), company__isnull=True)
        made &= Q(company__in=found.companies) | named
    since, until = found.published
    published = Q()
    if since:
        published &= Q(published_on__gte=since)
    if until:
        published &= Q(published_on__lte=until)
    if found.fiscal_years:
        undated = Q(fiscal_year__isnull=True) & published
        made &= Q(fiscal_year__in=found.fiscal_years) | (undated if published else Q(pk=None))
    else:
        made &= published
    if found.kinds:
        made &= Q(kind__in=found.kinds)
    return made


Levels = list[tuple[Filter, list[int] | None]]


def _choose(look: Look, place: Place) -> tuple[Look, Levels]:
    """Its filters that some document passes, with their ids; None for too many to name."""
    levels: Levels = []
    for each in look.filters:
        found = place.searchable.filter(condition(each)).narrow()
        if found is None or found:
            levels.append((each, found))
    return look, levels


def _stated(statements: Sequence[str], documents: Sequence[int]) -> frozenset[int]:
    """The chunks of these documents' primary statements that are among those asked for."""
    wanted = [name for name in statements if name in PRIMARY]
    if not wanted or not documents:
        return frozenset()
    found = Chunk.objects.filter(document__in=documents, statement__in=wanted)
    return frozenset(found.order_by().values_list("pk", flat=True))


def _all_if_few(place: Place) -> list[int] | None:
    if place.few:
        return None
    if place.documents is None and CorpusStatistics.current().n_chunks > NARROW_CHUNKS:
        return None
    return place.searchable.narrow()


def _scan(place: Place, asked: Asked, documents: Sequence[int]) -> NDArray[np.float64]:
    if place.few:
        return scan(place.chunks, asked)
    return scan(place.chunks.of(list(documents)), asked)


def _fuse(  # noqa: PLR0917
    look: Look,
    levels: Levels,
    table: NDArray[np.float64],
    wide: dict[str, list[int]],
    place: Place,
    asked: Asked,
    depth: int,
    stated: frozenset[int],
) -> Looked:
    found = Looked(look, levels[0][0].words if levels else "everything that you can search")
    found.wide = not levels
    if look.filters and (not levels or levels[0][0] != look.filters[0]):
        found.note = f"No document for {look.filters[0].words}; looked in {found.scope} instead."
    for number, (each, named) in enumerate(levels):
        inside = place.searchable.filter(condition(each))
        ids = named
        if ids is None and place.few:
            held = inside.filter(pk__in=_documents(table))
            ids = list(held.values_list("pk", flat=True))
        if ids is None:
            found.rankings[f"filter {number}"] = walk(
                place.chunks, inside, asked, depth, filtered=True
            )
        else:
            found.rankings[f"filter {number}"] = rank_scanned(table, ids, depth, stated)
        if number == 0:
            found.inside = None if ids is None else frozenset(ids)
    found.rankings["wide"] = wide
    found.fused = _fused(found.rankings, beside=BESIDE)
    return found


def _fused(rankings: dict[str, dict[str, list[int]]], *, beside: float) -> list[tuple[int, float]]:
    lists, weights = [], []
    main = next(iter(rankings))
    for place, by_name in rankings.items():
        weigh = IN_ALL if place == "wide" else IN_FILTER
        for name, ranking in by_name.items():
            lists.append(ranking)
            weights.append(weigh[name] * (1.0 if place == main else beside))
    return reciprocal_rank_fusion(*lists, weights=weights)


def _widen_if_poor(
    found: Looked,
    wide: dict[str, list[int]],
    rows: dict[int, Row],
) -> None:
    """Lets the wide look count as much where the filter's best is poor beside it."""
    if found.wide or "filter 0" not in found.rankings:
        return
    inside, outside = _bests(found.rankings["filter 0"], rows), _bests(wide, rows)
    if inside[0] < POOR_WORDS * outside[0] or inside[1] < outside[1] - POOR_COSINE:
        found.fused = _fused(found.rankings, beside=1.0)
        found.poor = True
        found.note = f"Little was found in {found.scope}; looked everywhere as well."


def _bests(ranking: dict[str, list[int]], rows: dict[int, Row]) -> tuple[float, float]:
    """The best BM25 score and cosine without names, which a filter's documents all have."""
    words = [rows[pk].expanded for pk in ranking["expanded"][:1] if pk in rows]
    meaning = [rows[pk].left for pk in ranking["meaning"] if pk in rows]
    return max(words, default=0.0), max(meaning, default=0.0)


def _rows(table: NDArray[np.float64]) -> dict[int, Row]:
    return {int(row[0]): Row(int(row[1]), *row[WORDS:]) for row in table.tolist()}


def _documents(table: NDArray[np.float64]) -> list[int]:
    return [int(pk) for pk in np.unique(table[:, 1])] if len(table) else []
