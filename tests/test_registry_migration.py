"""Versions registered before there were states and numbers keep what they were."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = ("docintel", "0002_initial"), ("docintel", "0003_model_registry")


def migrate(target: tuple[str, str]):
    executor = MigrationExecutor(connection)
    executor.migrate([target])
    return MigrationExecutor(connection).loader.project_state([target]).apps


@pytest.mark.django_db(transaction=True)
def test_rows_of_before_get_their_state_number_and_first_audit_row() -> None:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        table = migrate(BEFORE).get_model("docintel", "ModelVersion")
        good = {"metrics": {"macro_f1": 0.6, "default_macro_f1": 0.5, "held_out_documents": 40}}
        worse = {"metrics": {"macro_f1": 0.4, "default_macro_f1": 0.5, "held_out_documents": 40}}
        few = {"metrics": {"macro_f1": 0.9, "default_macro_f1": 0.5, "held_out_documents": 19}}
        for name, version, live, metadata in (
            ("embedder", "mini", False, {}),
            ("topics", "a", False, good),
            ("topics", "b", False, worse),
            ("topics", "c", False, few),
            ("embedder", "mpnet", True, {}),
            ("topics", "d", True, good),
        ):
            table.objects.create(
                name=name, version=version, digest="0", live=live, metadata=metadata
            )
        apps = migrate(AFTER)
        rows = apps.get_model("docintel", "ModelVersion").objects.order_by("pk")
        assert [(row.kind, row.number, row.version, row.state) for row in rows] == [
            ("embedder", 1, "mini", "retired"),
            ("topics", 1, "a", "retired"),
            ("topics", 2, "b", "candidate"),
            ("topics", 3, "c", "candidate"),
            ("embedder", 2, "mpnet", "live"),
            ("topics", 4, "d", "live"),
        ]
        assert rows[1].metrics == good["metrics"]
        flips = apps.get_model("docintel", "ModelFlip").objects.order_by("pk")
        assert [(f.to_version.version, f.from_version) for f in flips] == [
            ("mpnet", None), ("d", None)
        ]  # fmt: skip
        back = migrate(BEFORE).get_model("docintel", "ModelVersion").objects.order_by("pk")
        assert [row.version for row in back if row.live] == ["mpnet", "d"]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(latest)
