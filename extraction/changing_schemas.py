"""Save a schema: every change of what it says is a version of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from extraction.schema import SchemaSpec, as_mapping, bundled, bundled_names, read
from extraction.schema_tables import Schema, SchemaVersion, result_digest


def save_schema(mapping: Mapping[str, Any], by: str = "") -> SchemaVersion:
    """The version that says this: the newest if it does already, else a new one.

    `by` is the name of who changed it. Raises BadSchema, and then nothing is saved.
    """
    return save_spec(read(mapping), by)


@transaction.atomic
def save_spec(spec: SchemaSpec, by: str = "") -> SchemaVersion:
    """The same for a schema that was read already; its version is counted here."""
    Schema.objects.bulk_create([Schema(name=spec.name)], ignore_conflicts=True)
    # Two that save at once take turns, so that numbers have neither gaps nor twins.
    schema = Schema.objects.select_for_update().get(name=spec.name)
    mapping = as_mapping(spec)
    if schema.version and schema.spec == mapping:
        return schema.current
    schema.version += 1
    schema.spec = mapping
    schema.title = spec.title[:120]
    schema.save(update_fields=["version", "spec", "title", "changed_at"])
    return SchemaVersion.objects.create(
        schema=schema,
        number=schema.version,
        spec=mapping,
        result_digest=result_digest(spec),
        created_by=by,
    )


def seed_schemas() -> list[SchemaVersion]:
    """The schemas that come with docintel, made or renewed; what a person changed stays."""
    made = []
    for name in bundled_names():
        latest = SchemaVersion.objects.filter(schema__name=name).order_by("-number").first()
        if latest is None or not latest.created_by:
            made.append(save_spec(bundled(name)))
    return made
