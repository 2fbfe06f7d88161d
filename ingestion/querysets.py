"""What can be asked of documents and chunks as sets; of sources, see `source_querysets`.

`visible_to(user)` is the only way a page, the API or a retriever reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q
from django.db.models.functions import Substr
from django.utils import timezone
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector
from pgvector.django import MaxInnerProduct

from docintel import any_of  # noqa: F401  registers a lookup
from ingestion.classifying.calibration import SHOWN
from ingestion.language import PAIRED, has_runs
from ingestion.ranking import (
    IN_INDEX_ORDER,
    NARROW_CHUNKS,
    Bm25Distance,
    Bm25Score,
    OutsideIndex,
    Scored,
    hnsw_settings,
    phrase_pattern,
    planner,
)
from ingestion.source_querysets import SourceQuerySet

if TYPE_CHECKING:
    from docintel.models import ModelVersion
    from ingestion.models import Chunk, Document  # noqa: F401  named in the bases below

User = AbstractBaseUser | AnonymousUser
# In another language than the BM25 index is made for.
FOREIGN = ~Q(language__in=["", "en"])
BODY_FIELDS = ("text", "pages", "sections", "tables")
# In the metadata of an embedder: which of the two tables its vectors are in.
VECTORS = "vectors"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search is confined to; an empty field confines nothing, several add up (and)."""

    companies: tuple[int, ...] = ()  # Company ids
    kinds: tuple[str, ...] = ()  # Document.Kind values
    sources: tuple[int, ...] = ()  # Source ids
    fiscal_years: tuple[int, ...] = ()
    fiscal_quarters: tuple[int, ...] = ()
    published_from: date | None = None
    published_to: date | None = None
    documents: tuple[int, ...] = ()  # Document ids
    topics: tuple[str, ...] = ()  # Topic keys

    @property
    def is_empty(self) -> bool:
        return self == Scope()


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, user: User) -> DocumentQuerySet:
        """Documents of visible sources, and those still sighted in a visible source."""
        seen = SourceQuerySet(self.model.source.field.related_model).ids_visible_to(user)
        living = self.model.objects.living().order_by()
        # "Not null" besides, so that the database may gather the few there are at once.
        sightings = living.filter(
            duplicate_of=OuterRef("pk"), duplicate_of__isnull=False, source__any_of=seen
        )
        return self.filter(Q(source__any_of=seen) | Exists(sightings))

    def listed(self) -> DocumentQuerySet:
        """Without the bodies, with what a list shows."""
        return self.defer(*BODY_FIELDS).select_related("company", "source")

    def living(self) -> DocumentQuerySet:
        """What its source still says: neither superseded nor withdrawn nor dropped."""
        return self.filter(
            superseded_at__isnull=True, withdrawn_at__isnull=True, dropped_at__isnull=True
        )

    def current(self) -> DocumentQuerySet:
        """Leaves out duplicates, and quarantined, superseded, withdrawn and dropped ones."""
        return self.living().filter(duplicate_of__isnull=True, quarantined_at__isnull=True)

    def searchable(self) -> DocumentQuerySet:
        return self.current().filter(searchable_at__isnull=False)

    def within(self, scope: Scope) -> DocumentQuerySet:
        """Confined to a scope."""
        conditions: dict[str, Any] = {
            "company__in": scope.companies,
            "kind__in": scope.kinds,
            "fiscal_year__in": scope.fiscal_years,
            "fiscal_quarter__in": scope.fiscal_quarters,
            "pk__in": scope.documents,
            "published_on__gte": scope.published_from,
            "published_on__lte": scope.published_to,
        }
        found = self.about(scope.topics) if scope.topics else self
        found = found.filter(**{name: value for name, value in conditions.items() if value})
        if scope.sources:
            there = self.model.objects.living().filter(source__in=scope.sources).order_by()
            found = found.filter(
                Q(source__in=scope.sources)
                | Exists(there.filter(duplicate_of=OuterRef("pk")))
                | Exists(there.filter(near_duplicate_of=OuterRef("pk")))
            )
        return found

    def narrow(self) -> list[int] | None:
        """Ids of these documents if their chunks are few enough to score one by one, else None."""
        rows = self.order_by().values_list("pk", "chunk_count")[: NARROW_CHUNKS + 1]
        found = list(rows)
        few = len(found) <= NARROW_CHUNKS and sum(count for _, count in found) <= NARROW_CHUNKS
        return [pk for pk, _ in found] if few else None

    # Work is a query: each stage's backlog is the rows that lack its result.
    def unparsed(self) -> DocumentQuerySet:
        return self.filter(
            parsed_at__isnull=True,
            duplicate_of__isnull=True,
            quarantined_at__isnull=True,
            withdrawn_at__isnull=True,
            dropped_at__isnull=True,
        )

    def unindexed(self) -> DocumentQuerySet:
        """Parsed, not searchable (or to be indexed anew), and not left to a near duplicate."""
        return self.current().filter(
            Q(searchable_at__isnull=True) | Q(index_again=True),
            parsed_at__isnull=False,
            near_duplicate_of__isnull=True,
        )

    def unembedded(self, embedder: ModelVersion) -> DocumentQuerySet:
        """Searchable, but with a chunk that has no vector of this embedder."""
        return self.searchable().filter(Q(embedder__isnull=True) | _another(embedder))

    def next_to_embed(self, embedder: ModelVersion) -> DocumentQuerySet:
        """Those never embedded as long as one is due, then those that another embedder did.

        Apart, because the planner finds the first of either by an index, and of both by luck.
        """
        never = self.searchable().filter(embedder__isnull=True)
        return never if never.due().exists() else self.searchable().filter(_another(embedder))

    def unitless(self, embedder: ModelVersion) -> DocumentQuerySet:
        """With all vectors of this embedder, but with a chunk whose units have none of it."""
        return self._embedded_by(embedder).filter(
            Q(unit_embedder__isnull=True) | _other_units(embedder)
        )

    def next_for_units(self, embedder: ModelVersion) -> DocumentQuerySet:
        """Those of no embedder yet, then those of another; apart as in `next_to_embed`."""
        ready = self._embedded_by(embedder)
        never = ready.filter(unit_embedder__isnull=True)
        return never if never.due().exists() else ready.filter(_other_units(embedder))

    def _embedded_by(self, embedder: ModelVersion) -> DocumentQuerySet:
        # "Not null" besides, so that a partial index with this condition can answer.
        return self.searchable().filter(embedder__isnull=False, embedder=embedder)

    def unrecognised(self, recogniser: ModelVersion) -> DocumentQuerySet:
        """Searchable, but not all read by this recogniser."""
        return self.searchable().filter(
            Q(recognised_at__isnull=True) | Q(recogniser__isnull=True) | ~Q(recogniser=recogniser)
        )

    def next_to_classify(
        self, embedder: ModelVersion, classifier: ModelVersion
    ) -> DocumentQuerySet:
        """With all vectors of this embedder: never classified, then by another classifier.

        Apart for the same reason as in `next_to_embed`.
        """
        ready = self._embedded_by(embedder)
        never = ready.filter(classifier__isnull=True)
        if never.due().exists():
            return never
        other = Q(classifier__lt=classifier.pk) | Q(classifier__gt=classifier.pk)
        return ready.filter(other)

    def about(self, topics: Iterable[str]) -> DocumentQuerySet:
        """Shown as being about any of these topics (their keys); a sighting as its original is."""
        shown: models.QuerySet[Any] = models.QuerySet(self.model.topics.field.model).filter(
            topic__in=list(topics), topic__active=True, probability__gte=SHOWN
        )
        return self.filter(
            Exists(shown.filter(document=OuterRef("pk")))
            | Exists(shown.filter(document=OuterRef("duplicate_of")))
        )

    def quarantined(self) -> DocumentQuerySet:
        return self.filter(quarantined_at__isnull=False, dropped_at__isnull=True)

    def due(self, now: datetime | None = None) -> DocumentQuerySet:
        """Neither leased to a worker nor waiting for its next attempt; newest first.

        What one scan brought has one time of arrival and keeps the scan's order.
        """
        now = now or timezone.now()
        return self.filter(
            Q(claimed_until__isnull=True) | Q(claimed_until__lt=now),
            Q(retry_after__isnull=True) | Q(retry_after__lte=now),
        ).order_by(F("received_at").desc(), "pk")


def _another(embedder: ModelVersion) -> Q:
    # Ranges instead of "not equal", so that the index over `embedder` can answer.
    return Q(embedder__lt=embedder.pk) | Q(embedder__gt=embedder.pk)


def _other_units(embedder: ModelVersion) -> Q:
    return Q(unit_embedder__lt=embedder.pk) | Q(unit_embedder__gt=embedder.pk)


def relation_of(embedder: ModelVersion) -> str:
    """By what name a chunk knows its vector of this embedder; see `ingestion.vector_tables`."""
    return str(embedder.metadata.get(VECTORS, "vector"))


class ChunkQuerySet(models.QuerySet["Chunk"]):
    """Both rankings narrow `self` down to the documents given, and to searchable ones always.

    `documents=None` stands for all that are searchable: only for who may see every source.
    Ties are ordered by chunk id.
    """

    def of(self, documents: models.QuerySet[Any, Any] | Iterable[int]) -> ChunkQuerySet:
        """Chunks of these documents."""
        return self.filter(document__in=documents)

    def containing(self, phrase: str, *, by_index: bool) -> ChunkQuerySet:
        """Chunks whose text, header aside, has this phrase; letter case and spacing do not count.

        `by_index` finds those of a rare phrase at once: chunks with all its words. A phrase query
        would tokenise each of those again, because that index knows no positions.
        """
        passage = Substr("body", F("header_length") + 1)
        found = self.alias(passage=passage).filter(passage__iregex=phrase_pattern(phrase))
        if has_runs(phrase):
            # The inverted index takes a whole run for one word.
            return found.filter(document__language__in=PAIRED)
        if not by_index:
            return found
        words = SearchQuery(phrase, config="english")
        return found.alias(words=SearchVector("body", config="english")).filter(words=words)

    def lexical(
        self,
        query: str,
        documents: DocumentQuerySet | None,
        limit: int,
        *,
        terms: SparseVector | None = None,
        few: bool = False,
    ) -> list[Scored]:
        """The best `limit` chunks by BM25, never one without any word of the query.

        `terms` are the query's by `lexical.query_terms`; without them the index is walked however
        narrow the scope. `few` says that `self` is small already, whatever the documents.
        """
        rows = None if terms is None else self._narrowed(documents, few=few)
        if rows is not None:
            distance = MaxInnerProduct("terms", terms)
            return _best(rows.annotate(distance=distance).filter(distance__lt=0), limit)
        query = query.replace("\0", " ")
        rows = self._searchable(documents).annotate(score=Bm25Score())
        rows = rows.order_by(Bm25Distance("body", query, "chunk_bm25"))
        with planner(IN_INDEX_ORDER):
            walked = list(rows.values_list("pk", "score", "document_id")[:limit])
        foreign = set(self._foreign(documents)) if terms is not None else set()
        if not foreign:
            return _scored((pk, score) for pk, score, _ in walked)
        distance = MaxInnerProduct("terms", terms)
        own = self.of(foreign).annotate(distance=distance).filter(distance__lt=0)
        hits = {hit.chunk_id: hit.score for hit in _best(own, limit)}
        hits |= {pk: score for pk, score, of in walked if of not in foreign}
        return _scored(hits.items())[:limit]

    def _foreign(self, documents: DocumentQuerySet | None) -> list[int]:
        """Documents that the BM25 index reads in the wrong language, if few enough to score apart.

        It has one configuration for all, and in version 1.0.0 cannot be made for a part of a
        table: when it is built again it takes in every row.
        """
        if documents is None:
            documents = DocumentQuerySet(self.model.document.field.related_model)
        found = documents.searchable().filter(FOREIGN)
        return (found.narrow() or []) if found.exists() else []

    def nearest(
        self,
        vector: NDArray[np.floating[Any]],
        documents: DocumentQuerySet | None,
        embedder: ModelVersion,
        limit: int,
        *,
        few: bool = False,
    ) -> list[Scored]:
        """The best `limit` chunks by inner product with a unit vector of `embedder`'s space."""
        there = relation_of(embedder)
        distance = MaxInnerProduct(f"{there}__embedding", HalfVector(vector))
        of_embedder = self.filter(**{f"{there}__embedder": embedder})
        rows = of_embedder._narrowed(documents, few=few)
        if rows is not None:
            return _best(rows.annotate(distance=OutsideIndex(distance)), limit)
        rows = of_embedder._searchable(documents).annotate(distance=distance)
        with planner(IN_INDEX_ORDER | hnsw_settings(limit)):
            return _best(rows, limit)

    def scored(
        self,
        terms: Sequence[SparseVector],
        vectors: Sequence[NDArray[np.floating[Any]]],
        embedder: ModelVersion | None,
    ) -> NDArray[np.float64]:
        """Each of these chunks as a row: id, document id, a BM25 score per `terms`, the cosines.

        Trap: reads all of them, so first narrow them down to few, of documents that the user may
        see. A cosine is NaN where the chunk has no vector of this embedder.
        """
        rows: ChunkQuerySet = self
        columns = ["pk", "document_id"]
        for number, each in enumerate(terms):
            rows = rows.annotate(**{f"by_words_{number}": MaxInnerProduct("terms", each)})
            columns.append(f"by_words_{number}")
        if vectors and embedder is not None:
            there = relation_of(embedder)
            of_embedder = Q(**{f"{there}__embedder": embedder})
            rows = rows.annotate(live_vector=FilteredRelation(there, condition=of_embedder))
        for number, vector in enumerate(vectors):
            distance = MaxInnerProduct("live_vector__embedding", HalfVector(vector))
            rows = rows.annotate(**{f"by_meaning_{number}": distance})
            columns.append(f"by_meaning_{number}")
        found = np.array(list(rows.order_by().values_list(*columns)), dtype=np.float64)
        made = found.reshape(len(found), len(columns))
        # pgvector's inner products are negative.
        made[:, 2:] *= -1
        return made

    def _narrowed(self, documents: DocumentQuerySet | None, *, few: bool) -> ChunkQuerySet | None:
        """These chunks of searchable documents, if few enough to score one by one."""
        if few:
            return self._searchable(documents)
        narrow = None if documents is None else documents.searchable().narrow()
        # Ids, not a subquery: the planner then knows how few rows there are.
        return None if narrow is None else self.of(narrow)

    def _searchable(self, documents: DocumentQuerySet | None) -> ChunkQuerySet:
        """These chunks of those documents that are searchable."""
        if documents is None:
            documents = DocumentQuerySet(self.model.document.field.related_model)
        return self.of(documents.searchable().order_by().only("pk"))


def _best(rows: ChunkQuerySet, limit: int) -> list[Scored]:
    nearest = rows.order_by(F("distance")).values_list("pk", F("distance"))[:limit]
    return _scored((pk, -distance) for pk, distance in nearest)


def _scored(rows: Iterable[tuple[int, float]]) -> list[Scored]:
    found = [Scored(pk, float(score)) for pk, score in rows]
    return sorted(found, key=lambda hit: (-hit.score, hit.chunk_id))
