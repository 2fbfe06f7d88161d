"""The house's order: imports and foreign keys point down, and no model library in `web`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from fresh_process import loaded

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"docintel": 0, "ingestion": 1, "extraction": 2, "feed": 2, "qa": 2, "review": 3}
FLOORS["training"] = 4
PACKAGES = tuple(FLOORS)


def test_import_contracts_are_kept() -> None:
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_foreign_key_points_down() -> None:
    wrong = []
    for model in apps.get_models():
        here = model._meta.app_label
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if here not in FLOORS or target is None or field.auto_created:
                continue
            there = target._meta.app_label
            if there in FLOORS and there != here and FLOORS[there] >= FLOORS[here]:
                wrong.append(f"{here}.{model.__name__}.{field.name} -> {there}")
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_and_files_stay_small(package: str) -> None:
    import ast

    long = []
    for path in (ROOT / package).rglob("*.py"):
        if "migrations" in path.parts:
            continue
        source = path.read_text()
        if source.count("\n") > 400:
            long.append(f"{path.relative_to(ROOT)}: {source.count(chr(10))} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 60:
                    long.append(f"{path.relative_to(ROOT)}:{node.name}: {length} lines")
    assert long == []


def test_web_never_loads_a_model_library() -> None:
    code = "from django.urls import get_resolver\nget_resolver().url_patterns\nimport docintel.asgi"
    heavy = ("torch", "openvino", "transformers", "sentence_transformers", "lightgbm", "spacy")
    assert loaded(code, (*heavy, "thinc")) == []
