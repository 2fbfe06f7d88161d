"""From one embedder to the next without a gap: vectors beside the old ones, then one flip.

Search stays on the live embedder until every document has vectors of the next. What was live keeps
its vectors until they are tidied away, so the way back is a flip too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from docintel import artefacts, encoders, registry, weights
from docintel.artefacts import ArtefactDamaged
from docintel.encoders import EncoderUnavailable
from docintel.locking import one_at_a_time
from docintel.models import ModelVersion
from docintel.registry import EMBEDDER, CannotFlip
from docintel.scheduling import enqueue
from docintel.weights import WeightsUnavailable
from ingestion.models import Document, EmbeddedBeside, Reembedding
from ingestion.vector_tables import empty_table_of, give_other_table, shares_table

State = Reembedding.State
UNDER_WAY = (State.MAKING, State.PAUSED, State.COMPLETE)
TASK = "ingestion.tasks.reembed_pending"
AFTERWARDS = ("embed_pending", "classify_pending", "units_pending")


class CannotReembed(Exception):
    """This cannot be done now; the message says why."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Of documents that search sees; `seconds_left` by the pace so far, None without one."""

    documents: int
    done: int
    unread: int
    chunks_left: int
    seconds_left: float | None

    @property
    def lacking(self) -> int:
        return self.documents - self.done - self.unread


def under_way() -> Reembedding | None:
    """The one that has not gone live and was not cancelled."""
    rows = Reembedding.objects.filter(state__in=UNDER_WAY)
    return rows.select_related("embedder", "before").first()


def candidate(name: str) -> ModelVersion:
    """The version of a known model or of a folder of weights, a candidate if it is new.

    Raises CannotReembed.
    """
    try:
        found = weights.describe(name)
        if name in weights.KNOWN:
            return registry.add(EMBEDDER, found.name, found.digest, dimensions=found.dimensions)
        kept = ModelVersion.objects.filter(name=EMBEDDER, digest=found.digest).first()
        return kept or artefacts.keep(
            found.folder, EMBEDDER, digest=found.digest, dimensions=found.dimensions
        )
    except (WeightsUnavailable, artefacts.CannotKeep, OSError) as error:
        raise CannotReembed(str(error)) from error


@transaction.atomic
def start(version: ModelVersion, *, who: str = "", automatic: bool = True) -> Reembedding:
    """Begin to make its vectors. What its table holds of others is gone then.

    Raises CannotReembed.
    """
    _hold()
    try:
        live = encoders.live_embedder()
    except EncoderUnavailable as error:
        raise CannotReembed(str(error)) from error
    if version.name != EMBEDDER or version.state == ModelVersion.State.REJECTED:
        raise CannotReembed(f"{version} is {version.state} and no embedder to change to")
    if version == live:
        raise CannotReembed(f"{version} is live already")
    busy = under_way()
    if busy is not None:
        raise CannotReembed(f"{busy.embedder} is under way; cancel it first")
    kept = EmbeddedBeside.objects.filter(embedder=version)
    if shares_table(version, live) or not kept.exists():
        give_other_table(version, live)
        kept.delete()
    EmbeddedBeside.objects.exclude(embedder=version).delete()
    kept.exclude(reason="").delete()
    Reembedding.objects.filter(state__in=(State.LIVE, State.BACK)).update(state=State.TIDIED)
    row = Reembedding.objects.create(
        embedder=version, before=live, automatic=automatic, started_by=who[:200]
    )
    transaction.on_commit(lambda: enqueue(TASK))
    return row


def pause(row: Reembedding) -> None:
    """After the batch at hand nothing more is made."""
    _to(row, (State.MAKING, State.COMPLETE), State.PAUSED)


def resume(row: Reembedding) -> None:
    """Go on, and try again what could not be read."""
    _to(row, (State.PAUSED, State.COMPLETE), State.MAKING)
    EmbeddedBeside.objects.filter(embedder=row.embedder).exclude(reason="").delete()
    enqueue(TASK)


@transaction.atomic
def cancel(row: Reembedding) -> None:
    """Give it up; its vectors are gone."""
    _to(row, UNDER_WAY, State.CANCELLED)
    _forget(row.embedder)


def complete(row: Reembedding) -> None:
    """Nothing is lacking: go live, or wait for a person, also where something cannot be read."""
    unread = EmbeddedBeside.objects.filter(embedder=row.embedder).exclude(reason="").count()
    note = f"{unread:,} documents cannot be read by it." if unread else ""
    rows = Reembedding.objects.filter(pk=row.pk, state__in=(State.MAKING, State.COMPLETE))
    if not rows.update(state=State.COMPLETE, note=note):
        return
    row.refresh_from_db()
    if row.automatic and not unread:
        switch(row, who=f"re-embedding {row.pk}")


@transaction.atomic
def switch(row: Reembedding, *, who: str) -> None:
    """Search by the next embedder from now on. Documents that it cannot read are found by words.

    Raises CannotReembed where vectors are lacking.
    """
    _hold()
    row.refresh_from_db()
    lacking = progress(row).lacking
    if row.state != State.COMPLETE or lacking:
        raise CannotReembed(f"{row}; {lacking:,} documents lack its vectors")
    _swap(row.before, row.embedder, who, f"re-embedding {row.pk}: all vectors are there")
    _set(row, State.LIVE, switched_at=timezone.now())


@transaction.atomic
def roll_back(row: Reembedding, *, who: str) -> None:
    """Search by what was live before, whose vectors were kept; what came since gets them again.

    Raises CannotReembed.
    """
    _hold()
    row.refresh_from_db()
    if row.state != State.LIVE or registry.live(EMBEDDER) != row.embedder:
        raise CannotReembed(f"{row}; only what is live can be rolled back")
    _swap(row.embedder, row.before, who, f"re-embedding {row.pk} is rolled back")
    _set(row, State.BACK)


@transaction.atomic
def tidy(row: Reembedding) -> None:
    """Let the vectors go that do not serve: the way back is a re-embedding then."""
    _hold()
    row.refresh_from_db()
    if row.state not in {State.LIVE, State.BACK}:
        raise CannotReembed(f"{row}; there is nothing to tidy")
    _forget(row.before if row.state == State.LIVE else row.embedder)
    _set(row, State.TIDIED)


def progress(row: Reembedding) -> Progress:
    """Counts what search sees: about a second for half a million documents."""
    seen = Document.objects.searchable().order_by()
    known = EmbeddedBeside.objects.filter(embedder=row.embedder, document__in=seen)
    done, unread = known.filter(reason=""), known.exclude(reason="")
    left = seen.exclude(pk__in=known.values("document")).aggregate(n=Sum("chunk_count", default=0))
    pace = row.chunks / row.seconds if row.seconds else 0.0
    return Progress(
        seen.count(), done.count(), unread.count(), left["n"], left["n"] / pace if pace else None
    )


def _hold() -> None:
    one_at_a_time("changing embedders")


def _to(row: Reembedding, known: tuple[State, ...], state: State) -> None:
    """Raises CannotReembed where it is in none of the known states."""
    if not Reembedding.objects.filter(pk=row.pk, state__in=known).update(state=state, note=""):
        row.refresh_from_db()
        raise CannotReembed(f"It is too late for that: {row}.")
    row.refresh_from_db()


def _set(row: Reembedding, state: State, **fields: object) -> None:
    Reembedding.objects.filter(pk=row.pk).update(state=state, note="", **fields)
    row.refresh_from_db()


def _forget(embedder: ModelVersion) -> None:
    empty_table_of(embedder)
    EmbeddedBeside.objects.filter(embedder=embedder).delete()


def _swap(now: ModelVersion, to: ModelVersion, who: str, why: str) -> None:
    """The flip, and for every document which of the two embedders it has vectors of.

    In one transaction; readers see either all of it or nothing. Raises CannotReembed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"now": now.pk})
        cursor.execute(_TAKE, {"to": to.pk, "at": timezone.now()})
    Document.objects.searchable().filter(embedder=now).update(embedder=None, embedded_at=None)
    EmbeddedBeside.objects.filter(embedder=to).delete()
    try:
        registry.make_live(to, who=who, why=why, prepared=True)
    except (CannotFlip, ArtefactDamaged) as error:
        raise CannotReembed(str(error)) from error
    for task in AFTERWARDS:
        transaction.on_commit(partial(enqueue, f"ingestion.tasks.{task}"))


_KEEP = """
INSERT INTO ingestion_embeddedbeside (document_id, embedder_id, reason)
SELECT id, embedder_id, '' FROM ingestion_document WHERE embedder_id = %(now)s
ON CONFLICT DO NOTHING
"""
_TAKE = """
UPDATE ingestion_document AS document SET embedder_id = %(to)s, embedded_at = %(at)s
FROM ingestion_embeddedbeside AS beside
WHERE beside.document_id = document.id AND beside.embedder_id = %(to)s AND beside.reason = ''
"""
