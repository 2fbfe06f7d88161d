"""Which version of a model is live; knows no torch.

A name whose model comes with the installation is registered on first use; a newer version goes
live by flipping rows in one transaction.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from docintel.models import ModelVersion


def live(name: str) -> ModelVersion | None:
    """The live version of `name`, or None when there is none yet."""
    return ModelVersion.objects.filter(name=name, live=True).first()


@transaction.atomic
def make_live(version: ModelVersion) -> None:
    """Make this version the live one of its name; whatever was live no longer is."""
    rows = ModelVersion.objects.select_for_update().filter(name=version.name)
    rows.filter(live=True).exclude(pk=version.pk).update(live=False)
    rows.filter(pk=version.pk).update(live=True)
    version.live = True


def add(name: str, version: str, digest: str, **fields: Any) -> ModelVersion:
    """The row of exactly these weights, made if there is none; it is not made live."""
    row, _ = ModelVersion.objects.get_or_create(
        name=name, version=version, digest=digest, defaults=fields
    )
    return row


def register(name: str, version: str, digest: str, **fields: Any) -> ModelVersion:
    """The row of exactly these weights, live, made if there is none."""
    found = ModelVersion.objects.filter(
        name=name, version=version, digest=digest, live=True
    ).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            row, _ = ModelVersion.objects.get_or_create(
                name=name, version=version, digest=digest, defaults=fields
            )
            make_live(row)
    except IntegrityError:
        # Another process registered the same weights at the same moment.
        row = ModelVersion.objects.get(name=name, version=version, digest=digest)
    return row
