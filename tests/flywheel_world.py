"""A small tagger of key figures that learns in a second, and verdicts of experts on it."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from docintel import artefacts, registry
from docintel.models import ModelVersion
from extraction import tagging
from extraction.models import ExtractionRun, Schema
from ingestion.freezing import text_digest
from ingestion.models import Document, Source
from review.models import Correction, ReviewItem
from tests.tiny_taggers import tiny_encoder
from training import gate
from training.learning import tagger

NAME = "tagger:kpis"
FIGURES = ("revenue", "profit", "sales")
_workshop = tempfile.TemporaryDirectory(prefix="docintel-taggers-")
QUICK = {"epochs": 12, "batch": 8, "folds": 0, "match": "exact", "rate": 1e-2}


def words_of(number: int) -> tuple[list[str], list[str | None]]:
    """ "net profit was $ 13 in the year": the figure is a kpi, the amount its current value."""
    figure = FIGURES[number % 3]
    words = ["net", figure, "was", "$", str(10 + number % 7), "in", "the", "year"]
    return words, ["kpi_1", "kpi_1", None, None, "cy_1", None, None, None]


def gold(folder: Path, train: int = 30, valid: int = 12) -> Path:
    """In the shape of KPI-EDGAR, each sentence a document of its own."""
    rows = []
    for split, count in (("train", train), ("valid", valid)):
        for number in range(count):
            words, labels = words_of(number)
            row = {"doc": f"{split} {number}", "split": split, "tokens": words, "labels": labels}
            rows.append(json.dumps(row))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentences.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder


def small_world(settings: Any, monkeypatch: Any, folder: Path) -> Path:
    """Files and runs in this folder, and trainings that take seconds; its encoder.

    Encoder and converted graphs are the same for all tests of a process.
    """
    settings.MEDIA_ROOT, settings.VAR_DIR = folder / "files", folder / "var"
    settings.MODELS_DIR = Path(_workshop.name) / "models"
    monkeypatch.setitem(tagger.PRESETS, "kpis", QUICK)
    # One that finds nothing yet is quicker, and so small an encoder takes hardly any time beside.
    monkeypatch.setattr(gate, "LEAST_SPEED", 0.0)
    tagging._loaded.clear()
    encoder = Path(_workshop.name) / "encoder"
    if not encoder.is_dir():
        encoder.mkdir()
        tiny_encoder(encoder)
    return encoder


def learned(data: Path, encoder: Path, epochs: int) -> Path:
    """What `train tagger --output` leaves, made once in a process for the same sentences."""
    sentences = (data / "sentences.jsonl").read_bytes()
    digest = hashlib.sha256(sentences + str(epochs).encode()).hexdigest()[:16]
    folder = Path(_workshop.name) / digest
    if not folder.is_dir():
        parser = argparse.ArgumentParser()
        tagger.add_arguments(parser)
        given = ["--schema", "kpis", "--data", str(data), "--encoder", str(encoder)]
        options = vars(parser.parse_args([*given, "--device", "cpu", "--epochs", str(epochs)]))
        tagger.run(**{**options, "output": folder})
    return folder


def version(data: Path, encoder: Path, epochs: int) -> ModelVersion:
    """A candidate that learned from the data for so long."""
    folder = learned(data, encoder, epochs)
    sheet = tagging.read_sheet(folder)
    return artefacts.keep(
        folder, NAME, base_encoder=str(encoder), base_digest=sheet.encoder_digest,
        metrics=sheet.metrics,
    )  # fmt: skip


def live_version(data: Path, encoder: Path, epochs: int) -> ModelVersion:
    made = version(data, encoder, epochs)
    registry.make_live(made)
    return made


def a_document(title: str, text: str) -> Document:
    source = Source.objects.get_or_create(name="Library", kind=Source.Kind.FOLDER)[0]
    now = timezone.now()
    return Document.objects.create(
        source=source, title=title, file_sha256=title, text=text, text_sha256=text_digest(text),
        pages=[0], media_type="text/plain", parsed_at=now, searchable_at=now, embedded_at=now,
    )  # fmt: skip


def proposed(document: Document, words: str, label: str, **fields: Any) -> ReviewItem:
    """A span that the live tagger proposes at these words, waiting for a look."""
    schema = Schema.objects.get(name="kpis")
    start = document.text.index(words)
    said = {"label": label, "start": start, "end": start + len(words), "text": words}
    return ReviewItem.objects.create(
        kind="span", document=document, schema=schema, schema_version=schema.current,
        model_version=registry.live(NAME), label=label, start=start, end=start + len(words),
        text=words, proposal=said, confidence=0.5, why="unsure", **fields,
    )  # fmt: skip


def said(
    item: ReviewItem, who: str = "eve", after: dict[str, Any] | None = None, **fields: Any
) -> Correction:
    """The expert's verdict: accepted unless another span is given, or {} to reject it."""
    verdict = "accept" if after is None else "relabel" if after else "reject"
    row = Correction.objects.create(
        item=item, kind=item.kind, verdict=verdict, before=item.proposal,
        after=item.proposal if after is None else after or None, document=item.document,
        text_sha256=item.document.text_sha256 if item.document else "", schema=item.schema,
        schema_version=item.schema_version, model_version=item.model_version, who=who,
        who_id=len(who), seconds=4.0, **fields,
    )  # fmt: skip
    ReviewItem.objects.filter(pk=item.pk).update(state="done")
    return row


def reviewed(
    count: int, who: str = "eve", *, wrong: bool = False, first: int = 0,
    at: datetime | None = None, audit: bool = False,
) -> list[Correction]:  # fmt: skip
    """A document for each with both spans judged; a wrong expert swaps the two labels."""
    rows = []
    for number in range(first, first + count):
        words, _ = words_of(number)
        # No two documents have one text.
        text = f"{' '.join(words)}. Said of {who} {number}."
        document = a_document(f"{who} {number}", text)
        for text, label in ((" ".join(words[:2]), "kpi"), (words[4], "cy")):
            item = proposed(document, text, label)
            swapped = {**item.proposal, "label": {"kpi": "cy", "cy": "kpi"}[label]}
            told = {"at": at} if at else {}
            rows.append(said(item, who, swapped if wrong else None, audit=audit, **told))
    return rows


def shown_run(document: Document) -> ExtractionRun:
    """A finished run of the live tagger that readers see, without spans."""
    schema = Schema.objects.get(name="kpis")
    return ExtractionRun.objects.create(
        document=document, schema=schema, schema_version=schema.current,
        model_version=registry.live(NAME), state="finished", shown=True,
    )  # fmt: skip
