"""A document through a trained tagger of the registry, its schema and its rules: nothing faked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.cache import cache
from extraction_corpus import put

from docintel import artefacts, registry
from extraction import shown
from extraction.catching_up import extract_pending
from extraction.changing_schemas import save_schema
from extraction.ml.learning import Course
from extraction.ml.settings import Design
from extraction.ml.training import Base, Material, Plan, save, train
from extraction.result_tables import ExtractionRun
from extraction.schema_tables import Schema
from tests.tiny_taggers import GROUPS, examples, tiny_encoder

pytestmark = pytest.mark.django_db
LABELS = ("figure", "value", "phrase")
SCHEMA = {
    "name": "tiny",
    "labels": [
        {"name": name, "group": "a" if name != "phrase" else "b"} for name in LABELS
    ],
    "rules": [
        {"name": "nearest before", "relation": "of", "head": "value", "tail": "figure",
         "choose": "nearest_before", "same": "document"},
    ],
    "thresholds": {"keep": 0.05},
}  # fmt: skip


@dataclass(frozen=True)
class Artefact:
    folder: Path
    encoder: Path


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("trained")
    encoder = tiny_encoder(place / "tiny")
    design = Design(GROUPS, rank=4, hidden=32, length=20, stride=10)
    known = examples(160)
    plan = Plan(Base("tiny", encoder), design, Course(6, 8, 5e-3, 1e-2))
    material = Material(known[:100], known[100:140], known[140:])
    outcome = train(material, plan, place / "work", lambda *_: None)
    save(outcome, place / "folder", "# A tiny tagger\n")
    return Artefact(place / "folder", encoder)


@pytest.fixture
def schema(settings: Any, tmp_path: Path) -> Schema:
    cache.clear()
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.MODELS_DIR = tmp_path / "models"
    settings.INFERENCE_DEVICE = "cpu"
    Schema.objects.update(active=False)
    save_schema(SCHEMA)
    return Schema.objects.get(name="tiny")


def test_rows_are_what_the_live_version_finds_in_the_text(
    artefact: Artefact, schema: Schema
) -> None:
    version = artefacts.keep(
        artefact.folder, "tagger:tiny", kind="tagger", base_encoder=str(artefact.encoder)
    )
    documents = [put(example.text) for example in examples(6, seed=11)]
    assert extract_pending(600) == 0, "a candidate reads nothing"
    registry.make_live(version, who="test")
    assert extract_pending(600) == 6
    runs = ExtractionRun.objects.all()
    assert {(run.state, run.model_version) for run in runs} == {("finished", version)}
    assert sum(run.span_count for run in runs) > 10
    related = 0
    for document in documents:
        spans = list(shown.spans_of(document, schema.pk))
        for span in spans:
            assert span.label in LABELS
            assert document.text[span.start : span.end] == span.text
        for relation in shown.relations_of(document, schema.pk):
            related += 1
            assert (relation.head.label, relation.tail.label) == ("value", "figure")
    assert related > 3


def test_a_damaged_file_costs_no_document_an_attempt(artefact: Artefact, schema: Schema) -> None:
    version = artefacts.keep(
        artefact.folder, "tagger:tiny", kind="tagger", base_encoder=str(artefact.encoder)
    )
    registry.make_live(version, who="test")
    # Gone since it went live.
    type(version).objects.filter(pk=version.pk).update(base_encoder="/nowhere/at/all")
    put()
    assert extract_pending(600) == 0
    run = ExtractionRun.objects.get()
    assert (run.state, run.attempts) == (ExtractionRun.State.WAITING, 0)
