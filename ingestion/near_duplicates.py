"""Nearly the same text is indexed once: the later document is linked to the earlier one.

The trap: what stands for another must lose nothing to anybody. So the earlier one must be open to
all who may see the later one, say the same of company, kind and period, and hold every figure of
the later one. docs/decisions/0011 says why.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q

from docintel.scheduling import enqueue
from ingestion.audiences import covering, covers
from ingestion.claiming import ClaimLost, finish, lock
from ingestion.models import Document, TextBand
from ingestion.querysets import DocumentQuerySet
from ingestion.revising import UNSHARED, retire_predecessors
from ingestion.shingling import band_keys, figures, jaccard, shingles

LEAST_SIMILARITY = 0.9
# A shorter text is read at a glance, and a word makes another text of it.
FEWEST_SHINGLES = 30
# Compared exactly, those with the most bands in common first.
MOST_CANDIDATES = 20
LONGEST_CHAIN = 100
AT_ONCE = 50


def sketch(document: Document) -> set[str]:
    """The text's shingles; their bands are stored, in place of earlier ones."""
    found = shingles(document.text)
    keys = band_keys(found) if len(found) >= FEWEST_SHINGLES else []
    with transaction.atomic():
        lock(document)
        document.bands.all().delete()
        TextBand.objects.bulk_create(TextBand(document=document, key=key) for key in keys)
        Document.objects.filter(pk=document.pk).update(shingle_count=len(found))
    document.shingle_count = len(found)
    return found


def link(document: Document) -> Document | None:
    """The earlier document that this claimed one is nearly the same as; then nothing is indexed.

    None, and nothing changed but the stored bands, if there is none. Raises ClaimLost.
    """
    found = sketch(document)
    if len(found) < FEWEST_SHINGLES:
        return None
    for candidate in _candidates(document, len(found)):
        if not _says_the_same(candidate, document) or not _open_to_all_of(document, candidate):
            continue
        similarity = jaccard(found, shingles(candidate.text))
        if similarity < LEAST_SIMILARITY or figures(document.text) - figures(candidate.text):
            continue
        if _stand_behind(document, candidate, similarity):
            return candidate
    return None


def _candidates(document: Document, count: int) -> DocumentQuerySet:
    """Indexed documents, and earlier ones on their way, that share a band, the likeliest first."""
    keys = list(document.bands.values_list("key", flat=True))
    shared = (
        TextBand.objects.filter(key__in=keys)
        .exclude(document=document)
        .values("document")
        .annotate(n=Count("pk"))
        .order_by("-n", "document")
    )
    likely = [row["document"] for row in shared[: MOST_CANDIDATES * 5]]
    earlier = Q(received_at__lt=document.received_at) | Q(
        received_at=document.received_at, pk__lt=document.pk
    )
    rows = Document.objects.current().filter(
        Q(searchable_at__isnull=False) | earlier,
        pk__in=set(likely) - _own_past(document),
        parsed_at__isnull=False,
        near_duplicate_of=None,
        # Of sets this unlike in size no pair reaches the least similarity.
        shingle_count__gte=count * LEAST_SIMILARITY,
        shingle_count__lte=count / LEAST_SIMILARITY,
    )
    return rows.order_by("received_at", "pk")[:MOST_CANDIDATES]


def _own_past(document: Document) -> set[int]:
    """Its revisions, earlier and later: a new one replaces the old, it does not stand behind it."""
    past = {document.pk}
    for step in ("supersedes", "successors"):
        reached = {document.pk}
        for _ in range(LONGEST_CHAIN):
            rows = Document.objects.filter(pk__in=reached).exclude(**{step: None})
            reached = set(rows.values_list(step, flat=True)) - past
            if not reached:
                break
            past |= reached
    originals = Document.objects.filter(pk__in=past).exclude(duplicate_of=None)
    past.update(pk for pk in originals.values_list("duplicate_of", flat=True) if pk)
    return past


def _says_the_same(candidate: Document, document: Document) -> bool:
    """A search narrowed to what the document is finds the candidate too."""
    if document.kind not in (Document.Kind.OTHER, candidate.kind):
        return False
    names = ("company_id", "fiscal_year", "fiscal_quarter")
    said = [(getattr(document, name), getattr(candidate, name)) for name in names]
    return all(own is None or own == other for own, other in said)


def _open_to_all_of(document: Document, candidate: Document) -> bool:
    sources = {document.source_id, *document.sightings.values_list("source", flat=True)}
    return all(covers(candidate.source_id, source) for source in sources)


def _stand_behind(document: Document, candidate: Document, similarity: float) -> bool:
    """False if the candidate left search, or its own place, in the meantime."""
    with transaction.atomic():
        still = Document.objects.current().filter(pk=candidate.pk, near_duplicate_of=None)
        if not still.select_for_update().exists():
            return False
        lock(document)
        document.chunks.all().delete()
        # They were compared with this one, not with the other.
        freed = document.near_duplicates.update(**UNSHARED)
        if not finish(
            document,
            near_duplicate_of=candidate,
            similarity=similarity,
            searchable_at=None,
            embedded_at=None,
            embedder=None,
            unit_embedder=None,
            chunk_count=0,
            index_again=False,
        ):
            raise ClaimLost(document.pk)
        # It is found by its stand-in from now on.
        retire_predecessors(document)
    if freed:
        enqueue("ingestion.tasks.index_pending")
    return True


def release_stranded() -> int:
    """Documents whose stand-in left search, or is no longer open to all of theirs; how many.

    They are indexed for themselves. Groups of a source may change at any time, and another arrival
    of the same text may come from elsewhere.
    """
    linked = Document.objects.living().filter(near_duplicate_of__isnull=False).order_by()
    lost = linked.exclude(near_duplicate_of__in=Document.objects.current().order_by())
    done = lost.update(**UNSHARED)
    own = linked.values_list("near_duplicate_of__source", "source").distinct()
    sighted = linked.filter(sightings__isnull=False)
    theirs = sighted.values_list("near_duplicate_of__source", "sightings__source").distinct()
    pairs: set[Any] = {*own, *theirs}
    for wider, narrower in pairs - covering(pairs):
        apart = linked.filter(Q(source=narrower) | Q(sightings__source=narrower))
        ids = list(apart.filter(near_duplicate_of__source=wider).values_list("pk", flat=True))
        done += Document.objects.filter(pk__in=ids).update(**UNSHARED)
    if done:
        enqueue("ingestion.tasks.index_pending")
    return done


def sketch_pending() -> int:
    """Store the bands of documents that were indexed before there were any; how many."""
    rows = (
        Document.objects.searchable().filter(shingle_count=None).order_by(F("received_at").desc())
    )
    done = 0
    for document in rows[:AT_ONCE]:
        try:
            sketch(document)
            done += 1
        except ClaimLost:
            continue
    return done
