"""Which version of a model is live, and who made it so; knows no torch.

A name whose model comes with the installation is registered on first use. Every change of state
is one transaction that holds the name, so that two processes take turns, and leaves one audit row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction

from docintel import artefacts
from docintel.locking import hold_model
from docintel.models import ModelFlip, ModelVersion
from docintel.remembering import forget, remembered

State = ModelVersion.State
Action = ModelFlip.Action
BUNDLED = "comes with the code"
EMBEDDER = "embedder"


class CannotFlip(Exception):
    """This version cannot change state so; the message says why."""


def live(name: str) -> ModelVersion | None:
    """The live version of `name`, or None when there is none; read once in a turn."""
    return remembered(("live", name), lambda: _live_now(name))


def _live_now(name: str) -> ModelVersion | None:
    return ModelVersion.objects.filter(name=name, state=State.LIVE).first()


def get(name: str, number: int) -> ModelVersion:
    """Raises CannotFlip, naming the numbers there are, for one that is not there."""
    found = ModelVersion.objects.filter(name=name, number=number).first()
    if found is None:
        rows = ModelVersion.objects.filter(name=name).order_by("number")
        there = ", ".join(str(n) for n in rows.values_list("number", flat=True)) or "none"
        raise CannotFlip(f"{name} has no version {number}; there: {there}")
    return found


@transaction.atomic
def make_live(
    version: ModelVersion, *, who: str = "", why: str = "", prepared: bool = False
) -> ModelFlip | None:
    """Make this candidate, or one that was live, the live version; what was live is retired.

    None where it is live already. Raises CannotFlip for a rejected one, and for an embedder that is
    not `prepared` by a re-embedding; `ArtefactDamaged` where a file of it is not what was kept.
    Then nothing has changed.
    """
    hold_model(version.name)
    version.refresh_from_db()
    if version.is_live:
        return None
    if version.state == State.REJECTED:
        raise CannotFlip(f"{version} was rejected; train another candidate")
    _check_prepared(version, prepared)
    return _flip(version.name, version, Action.PROMOTED, version, who=who, why=why)


@transaction.atomic
def retire(version: ModelVersion, *, who: str = "", why: str = "") -> ModelFlip:
    """Take the live version out of service, with none in its place.

    Raises CannotFlip where it is not live.
    """
    hold_model(version.name)
    version.refresh_from_db()
    if not version.is_live:
        raise CannotFlip(f"{version} is {version.state}, not live")
    return _flip(version.name, None, Action.RETIRED, version, who=who, why=why)


@transaction.atomic
def reject(version: ModelVersion, *, who: str = "", why: str = "") -> ModelFlip:
    """Rule a candidate out for good. Raises CannotFlip where it is none."""
    hold_model(version.name)
    version.refresh_from_db()
    if version.state != State.CANDIDATE:
        raise CannotFlip(f"{version} is {version.state}; only a candidate can be rejected")
    _set(version, State.REJECTED)
    now = _live_now(version.name)
    return _record(version, Action.REJECTED, now, now, who=who, why=why)


@transaction.atomic
def roll_back(name: str, *, who: str = "", why: str = "") -> ModelFlip:
    """Make live again what the live version displaced; again goes back one further.

    Raises CannotFlip where nothing is live or it displaced nothing, `ArtefactDamaged` where the
    earlier one's files are not what was kept; then nothing has changed.
    """
    hold_model(name)
    now = _live_now(name)
    if now is None:
        raise CannotFlip(f"no version of {name} is live")
    promoted = ModelFlip.objects.filter(name=name, to_version=now, action=Action.PROMOTED)
    last = promoted.order_by("-pk").first()
    if last is None or last.from_version is None:
        raise CannotFlip(f"{now} displaced nothing that could be live again")
    _check_prepared(last.from_version, prepared=False)
    return _flip(name, last.from_version, Action.ROLLED_BACK, last.from_version, who=who, why=why)


def _check_prepared(version: ModelVersion, prepared: bool) -> None:
    """Search by meaning would find nothing until all vectors are made anew."""
    if version.kind == EMBEDDER and not prepared:
        raise CannotFlip(
            f"{version} has no vectors to search; start a re-embedding, which makes it live when "
            "all are there"
        )


def add(name: str, version: str, digest: str, **fields: Any) -> ModelVersion:
    """The row of exactly these weights, a candidate if it is new."""
    with transaction.atomic():
        hold_model(name)
        row, _ = ModelVersion.objects.get_or_create(
            name=name, version=version, digest=digest, defaults=fields
        )
    return row


def register(name: str, version: str, digest: str, **fields: Any) -> ModelVersion:
    """The row of exactly these weights, live, made if there is none.

    For names whose live version follows from a setting or the code. One that was promoted since the
    setting named these stays live, and is what is given.
    """
    found = live(name)
    if found is not None and (found.version, found.digest) == (version, digest):
        return found
    if found is not None and outranks(found, version, digest):
        return found
    with transaction.atomic():
        row = add(name, version, digest, **fields)
        row.refresh_from_db()
        if not row.is_live:
            _flip(name, row, Action.PROMOTED, row, why="registered on first use")
    return row


def outranks(found: ModelVersion, version: str, digest: str) -> bool:
    """Whether the live version was promoted over these weights, which a setting names still.

    What a setting names is registered by nobody in particular; a promotion has a name to it.
    """
    return remembered(
        ("outranks", found.pk, version, digest), lambda: _outranks(found, version, digest)
    )


def _outranks(found: ModelVersion, version: str, digest: str) -> bool:
    flips = ModelFlip.objects.filter(name=found.name).select_related("to_version").order_by("-pk")
    last = flips.filter(to_version=found).exclude(action=Action.REJECTED).first()
    if last is None or not last.who:
        return False
    named = flips.filter(action=Action.PROMOTED, who="").first()
    if named is None or named.to_version is None:
        return True
    return (named.to_version.version, named.to_version.digest) == (version, digest)


def register_bundled(folder: Path, name: str, **fields: Any) -> ModelVersion:
    """The live version of `name`; the one that comes in this folder where none is live.

    A newer bundled version takes an older one's place, and never that of a trained one. Takes the
    fields of `artefacts.keep`, and raises what it raises.
    """
    digest = artefacts.digest_of_folder(folder, str(fields.get("base_digest", "")))
    now = _live_now(name)
    if now is not None and (now.created_by != BUNDLED or now.digest == digest):
        return now
    with transaction.atomic():
        hold_model(name)
        now = _live_now(name)
        if now is not None and (now.created_by != BUNDLED or now.digest == digest):
            return now
        same = ModelVersion.objects.filter(name=name, digest=digest, created_by=BUNDLED)
        row = same.first() or artefacts.keep(folder, name, created_by=BUNDLED, **fields)
        _flip(name, row, Action.PROMOTED, row, why=BUNDLED)
    return row


def _flip(
    name: str,
    to: ModelVersion | None,
    action: Action,
    version: ModelVersion,
    *,
    who: str = "",
    why: str = "",
) -> ModelFlip:
    """Holding the name: `to`, or none, is live."""
    now = _live_now(name)
    if to is not None and to.files:
        artefacts.open_folder(to)
    if now is not None:
        _set(now, State.RETIRED)
    if to is not None:
        _set(to, State.LIVE)
    if to is None:
        version.state = State.RETIRED
    return _record(version, action, now, to, who=who, why=why)


def _set(version: ModelVersion, state: ModelVersion.State) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(state=state)
    version.state = state
    forget(("live", version.name))


def _record(
    version: ModelVersion,
    action: Action,
    before: ModelVersion | None,
    after: ModelVersion | None,
    *,
    who: str,
    why: str,
) -> ModelFlip:
    return ModelFlip.objects.create(
        name=version.name,
        action=action,
        version=version,
        from_version=before,
        to_version=after,
        who=who[:200],
        why=why,
    )
