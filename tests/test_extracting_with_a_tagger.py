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
FIGURES = ("revenue", "profit", "sales") * 4
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


def live(artefact: Artefact) -> None:
    version = artefacts.keep(
        artefact.folder, "tagger:tiny", kind="tagger", base_encoder=str(artefact.encoder)
    )
    registry.make_live(version, who="test")


def test_three_hundred_pages_are_read_to_the_last_one(artefact: Artefact, schema: Schema) -> None:
    live(artefact)
    sentence = "in the year net revenue was $ 37 million and the year \n"
    text = sentence * (300 * 1_000 // len(sentence))
    document = put(text, pages=[1_000 * page for page in range(300)], media_type="application/pdf")
    assert extract_pending(600) == 1
    run = ExtractionRun.objects.get()
    assert (run.state, run.characters) == (ExtractionRun.State.FINISHED, len(text))
    spans = list(shown.spans_of(document, schema.pk).filter(label="value"))
    assert {span.text for span in spans} == {"37"}
    # The same words tell the same wherever they stand, but for where a window begins.
    assert len(spans) > 0.9 * text.count("37")
    assert max(span.page for span in spans) == 300


def test_a_document_of_a_single_table_pairs_what_stands_in_a_row(
    artefact: Artefact, schema: Schema
) -> None:
    live(artefact)
    lines = [f"net {name} was | $ {10 + at} million" for at, name in enumerate(FIGURES)]
    text = "\n".join(lines)
    rows = [(text.index(line), text.index(line) + len(line)) for line in lines]
    table = {"start": 0, "end": len(text), "caption": "", "heads": "", "scale": "", "rows": rows}
    document = put(text, tables=[table])
    assert extract_pending(600) == 1
    spans = list(shown.spans_of(document, schema.pk))
    values = {span.text for span in spans if span.label == "value"}
    assert values >= {str(10 + at) for at in range(len(FIGURES))}
    pairs = {(r.head.text, r.tail.text) for r in shown.relations_of(document, schema.pk)}
    # A tiny encoder never saw the sign between cells, and takes it for a value here and there.
    right = {(str(10 + at), name) for at, name in enumerate(FIGURES)}
    assert len(pairs & right) >= len(right) - 3
    assert all(span.page is None and span.end <= len(text) for span in spans)
