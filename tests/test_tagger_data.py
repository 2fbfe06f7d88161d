"""Labelled texts are read as their authors mean them, and wrong gold is told by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docintel.scoring import CannotScore
from extraction import schema
from extraction.ml.spans import Example
from training.learning.tagger_data import KPI_LABELS, check_labels, load


def lines(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


def kpi_row(words: str, *labels: str | None, **fields: Any) -> dict[str, Any]:
    return {"doc": "a.txt", "split": "train", "tokens": words.split(), "labels": labels} | fields


def found(example: Example) -> list[tuple[str, str]]:
    return [(span.label, example.text[span.start : span.end]) for span in example.spans]


def test_a_value_belongs_to_what_has_its_index(tmp_path: Path) -> None:
    row = kpi_row(
        "Net sales rose by 5 to 12 , of which services 3 .",
        "kpi_1", "kpi_1", None, None, "increase_1", None, "cy_1", None, None, None,
        "thereof_1_1", "cy_1_1", None,
    )  # fmt: skip
    other = kpi_row("costs of 7 , 9", "kpi_2", None, "cy_2_1", "false_positive", " ")
    lines(tmp_path / "sentences.jsonl", row, other)
    first, second = load(tmp_path, KPI_LABELS).parts["train"]
    assert found(first) == [
        ("kpi", "Net sales"), ("increase", "5"), ("cy", "12"), ("thereof", "services"), ("cy", "3"),
    ]  # fmt: skip
    assert first.relations == ((1, 0), (2, 0), (3, 0), (4, 3))
    assert found(second) == [("kpi", "costs"), ("cy", "7")]
    assert second.relations == ((1, 0),)


def test_sentences_marked_for_deletion_are_left_out_and_counted(tmp_path: Path) -> None:
    lines(tmp_path / "sentences.jsonl", kpi_row("a b", "delete", None), kpi_row("a", "kpi_1"))
    labelled = load(tmp_path, KPI_LABELS)
    assert len(labelled.parts["train"]) == 1
    assert labelled.notes == ["left out: 1 sentences marked for deletion"]


def test_contracts_are_read_as_their_offsets_assume(tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "a.txt").write_bytes(b"DEAL\r\nbetween \xff Acme\r\nand Umbrella")
    text = "DEAL\nbetween � Acme\nand Umbrella"
    start = text.index("Acme")
    span = {"label": "Parties", "start": start, "end": start + 4}
    lines(tmp_path / "spans.jsonl", {"file": "a.txt", "n_chars": len(text), "spans": [span, span]})
    (example,) = load(tmp_path, ["Parties"]).parts["all"]
    assert (example.key, found(example)) == ("a", [("Parties", "Acme")])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"text": "abc", "spans": [{"start": 1, "end": 9, "label": "a"}]}, "line 1.*outside"),
        ({"text": "abc", "spans": [{"start": 2, "end": 2, "label": "a"}]}, "outside the text"),
        ({"text": "abc", "spans": [{"start": 0, "label": "a"}]}, "lacks start, end or label"),
        ({"text": "abc", "spans": [{"start": 0, "end": 1, "label": "z"}]}, "no label z"),
        ({"text": "abc", "relations": [[0, 1]]}, "not there"),
        ({"spans": []}, "no text"),
        ([1], "not an object"),
    ],
)
def test_wrong_gold_is_told_with_its_line(tmp_path: Path, row: Any, words: str) -> None:
    lines(tmp_path / "examples.jsonl", row)
    with pytest.raises(CannotScore, match=words):
        load(tmp_path, ["a"])


def test_what_is_no_json_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(CannotScore, match="holds none of"):
        load(tmp_path, ["a"])
    (tmp_path / "examples.jsonl").write_text('{"text": "a"}\n\n{"text"')
    with pytest.raises(CannotScore, match="line 3: not JSON"):
        load(tmp_path, ["a"])


def test_labels_without_examples_are_noted_and_no_examples_at_all_refused(tmp_path: Path) -> None:
    span = {"start": 0, "end": 1, "label": "a"}
    lines(tmp_path / "examples.jsonl", {"text": "abc", "spans": [span]})
    examples = load(tmp_path, ["a", "b"]).of("train")
    assert check_labels(examples, ["a", "b"]) == ["no example of 'b': it will not be found"]
    with pytest.raises(CannotScore, match="none of 1 texts"):
        check_labels([Example("k", "abc")], ["a"])


def test_the_real_sets_are_read_whole(data: Path) -> None:
    kpis = load(data / "kpi_edgar", schema.bundled("kpis").label_names)
    assert {name: len(part) for name, part in kpis.parts.items()} == {"train": 970, "valid": 147}
    assert not {e.key for e in kpis.parts["train"]} & {e.key for e in kpis.parts["valid"]}
    contracts = load(data / "cuad", schema.bundled("contracts").label_names)
    assert len(contracts.parts["all"]) == 407
    assert contracts.notes == []
