"""Snapshots: hashed, split by document for good, and made of verdicts that nothing waits beside."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from flywheel_world import (
    NAME,
    a_document,
    gold,
    proposed,
    reviewed,
    said,
    shown_run,
)

from docintel import artefacts, registry
from docintel.scoring import CannotScore, wilson
from extraction.ml import splitting
from extraction.models import ExtractedSpan, Schema
from training import corrected_texts, datasets
from training.datasets import SnapshotDamaged
from training.live_accuracy import live_accuracy
from training.models import Snapshot, SnapshotDocument

pytestmark = pytest.mark.django_db


@pytest.fixture
def kpis(settings, tmp_path) -> Schema:
    settings.MEDIA_ROOT, settings.VAR_DIR = tmp_path / "files", tmp_path / "var"
    registry.register(NAME, "1", "1" * 64)
    return Schema.objects.get(name="kpis")


def test_the_same_examples_are_the_same_snapshot(kpis, tmp_path) -> None:
    data = gold(tmp_path / "gold")
    first = datasets.build(NAME, gold=data)
    content = default_storage.open(first.file).read()
    assert hashlib.sha256(content).hexdigest() == first.digest
    assert (first.examples, first.test_examples, first.test_documents) == (42, 12, 12)
    assert datasets.build(NAME) == first
    reviewed(1)
    second = datasets.build(NAME)
    assert (second.number, second.corrections, second.examples) == (2, 2, 43)
    assert second.digest != first.digest
    # The first one is as it was.
    assert default_storage.open(first.file).read() == content


def test_a_document_never_changes_sides(kpis, tmp_path) -> None:
    reviewed(30)
    first = datasets.build(NAME)
    dealt = dict(SnapshotDocument.objects.values_list("key", "part"))
    assert set(dealt.values()) == {"train", "test"}
    for key, part in dealt.items():
        assert (part == "test") is (splitting.tenth(key) in splitting.TESTED)
    tested = {example.key for example in datasets.test_part(first)}
    reviewed(10, first=30)
    second = datasets.build(NAME)
    assert {example.key for example in datasets.test_part(second)} >= tested
    assert tested.isdisjoint(row["key"] for row in datasets.train_rows(second))
    now = dict(SnapshotDocument.objects.values_list("key", "part"))
    assert {key: now[key] for key in dealt} == dealt


def test_what_a_version_has_learned_from_is_never_tested_on(kpis, tmp_path) -> None:
    folder = tmp_path / "version"
    folder.mkdir()
    marks = [splitting.mark(f"valid {number}") for number in range(3)]
    (folder / "learned.json").write_text(json.dumps(marks))
    artefacts.keep(folder, NAME)
    snapshot = datasets.build(NAME, gold=gold(tmp_path / "gold"))
    assert snapshot.test_documents == 9
    assert len([note for note in snapshot.notes if "a version has learned from it" in note]) == 3


def test_passages_hold_every_span_and_nothing_that_waits(kpis) -> None:
    text = "Net sales was $ 12. Costs of 3 rose. Profit was $ 7. Cash was $ 9."
    document = a_document("Report", text)
    run = shown_run(document)
    delivered = text.index("12")
    ExtractedSpan.objects.create(
        run=run, document=document, schema=kpis, label="cy", start=delivered, end=delivered + 2,
        text="12", confidence=0.97,
    )  # fmt: skip
    said(proposed(document, "Net sales", "kpi"))
    said(proposed(document, "Costs", "kpi"), after={})
    said(proposed(document, "Profit", "kpi"))
    proposed(document, "7", "cy")
    rows, notes = corrected_texts.rows_of(kpis)
    held = {row["text"]: [(s["label"], row["text"][s["start"] : s["end"]]) for s in row["spans"]]
            for row in rows}  # fmt: skip
    assert held == {
        "Net sales was $ 12. ": [("kpi", "Net sales"), ("cy", "12")],
        "Costs of 3 rose. ": [],
    }
    assert notes == ["left out: 1 verdicts beside spans that still wait for one"]


def test_a_moved_boundary_takes_the_place_of_what_was_proposed(kpis) -> None:
    document = a_document("Report", "The net sales was $ 12.")
    item = proposed(document, "sales", "kpi")
    start = document.text.index("net")
    said(item, after={"label": "kpi", "start": start, "end": start + 9, "text": "net sales"})
    (row,), _ = corrected_texts.rows_of(kpis)
    assert [row["text"][s["start"] : s["end"]] for s in row["spans"]] == ["net sales"]


def test_a_verdict_on_another_text_is_left_out(kpis) -> None:
    document = a_document("Report", "Net sales was $ 12.")
    said(proposed(document, "Net sales", "kpi"))
    type(document).objects.filter(pk=document.pk).update(text_sha256="0" * 64)
    rows, notes = corrected_texts.rows_of(kpis)
    assert rows == []
    assert notes == ["left out: 1 verdicts on a text that was changed since"]


def test_revisions_of_a_document_stand_on_one_side(kpis) -> None:
    first = a_document("10-K", "Net sales was $ 12.")
    second = a_document("10-K/A", "Net sales was $ 13.")
    type(second).objects.filter(pk=second.pk).update(supersedes=first)
    second.refresh_from_db()
    assert corrected_texts.key_of(second) == corrected_texts.key_of(first) == str(first.public_id)


def test_the_training_set_of_any_day_is_written_again(kpis, tmp_path, capsys) -> None:
    reviewed(3)
    call_command("snapshot", NAME)
    first = Snapshot.objects.get()
    day = f"{first.as_of:%Y-%m-%d}"
    call_command("snapshot", NAME, "--export", str(tmp_path / "out"), "--on", day)
    written = (tmp_path / "out" / "examples.jsonl").read_bytes()
    assert hashlib.sha256(written).hexdigest() == first.digest
    with pytest.raises(CommandError, match="no snapshot of 2020-01-01"):
        call_command("snapshot", NAME, "--export", str(tmp_path), "--on", "2020-01-01")
    with pytest.raises(CommandError, match="is no day"):
        call_command("snapshot", NAME, "--export", str(tmp_path), "--on", "yesterday")
    assert "3 documents, 6 corrections" in capsys.readouterr().out


def test_a_damaged_or_missing_file_is_refused(kpis, settings) -> None:
    reviewed(3)
    snapshot = datasets.build(NAME)
    path = Path(default_storage.path(snapshot.file))
    path.write_bytes(path.read_bytes().replace(b"cy", b"py"))
    with pytest.raises(SnapshotDamaged, match="is not what was kept"):
        datasets.rows_of(snapshot)
    path.unlink()
    with pytest.raises(SnapshotDamaged, match="cannot be read"):
        datasets.rows_of(snapshot)


def test_a_full_disk_leaves_no_row(kpis, monkeypatch) -> None:
    reviewed(3)

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "save", full)
        with pytest.raises(OSError, match="No space left"):
            datasets.build(NAME)
    assert not Snapshot.objects.exists()
    assert not SnapshotDocument.objects.exists()
    assert datasets.build(NAME).number == 1


def test_nothing_to_learn_from_is_said(kpis) -> None:
    with pytest.raises(CannotScore, match="neither gold nor corrections"):
        datasets.build(NAME)
    with pytest.raises(CannotScore, match="no tagger of a schema"):
        datasets.build("router")


def test_the_audit_sample_alone_says_how_right_a_version_is(kpis) -> None:
    reviewed(4, "eve", audit=True)
    reviewed(1, "bob", audit=True, wrong=True, first=4)
    reviewed(6, "mallory", wrong=True, first=5)
    (found,) = live_accuracy(kpis)
    assert (found.number, found.n, found.right) == (1, 10, 8)
    assert found.interval == pytest.approx((0.4902, 0.9433), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)
