"""The extraction evaluation: which part is read, what perfect and poor taggers get, bad folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from docintel import artefacts, registry
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from extraction import schema, tagging
from extraction.ml import splitting
from extraction.ml.spans import FoundSpan
from training.evaluation import extraction
from training.learning import tagger_data

pytestmark = pytest.mark.django_db

MEASURES = (
    "span_f1_strict", "span_f1_overlap", "aupr_macro", "p_at_80r", "p_at_90r",
    "relation_f1_strict", "relation_f1_adjusted", "auto_accuracy", "auto_coverage", "ece",
)  # fmt: skip


def sentence(doc: str, split: str, *marked: tuple[str, str | None]) -> dict:
    return {
        "doc": doc, "split": split, "tokens": [token for token, _ in marked],
        "labels": [label for _, label in marked],
    }  # fmt: skip


SALES = (("Net", "kpi_1"), ("sales", "kpi_1"), ("were", None), ("$", None), ("12.5", "cy_1"))
COSTS = (("Costs", "kpi_1"), ("were", None), ("7", "cy_1"), ("and", None), ("6", "py_1"))


@pytest.fixture
def kpis(tmp_path: Path) -> Path:
    rows = [
        sentence("a", "valid", *SALES),
        sentence("b", "valid", *COSTS),
        sentence("c", "train", *SALES),
    ]
    (tmp_path / "sentences.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    text = "SUPPLY AGREEMENT\n\nbetween Acme and Bolt Ltd. Governed by the laws of Nevada."
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "one.txt").write_text(text)
    spans = [
        {"label": label, "start": text.index(words), "end": text.index(words) + len(words)}
        for label, words in (
            ("Document Name", "SUPPLY AGREEMENT"), ("Parties", "Acme"), ("Parties", "Bolt Ltd."),
            ("Governing Law", "Governed by the laws of Nevada."),
        )
    ]  # fmt: skip
    row = {"file": "one.txt", "n_chars": len(text), "spans": spans}
    (tmp_path / "spans.jsonl").write_text(json.dumps(row))
    return tmp_path


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    version = registry.register("tagger:test", "1", "0" * 64)
    monkeypatch.setattr(tagging, "live_tagger", lambda _: version)
    return version


def gold_of(folder: Path, name: str) -> dict[str, list[FoundSpan]]:
    loaded = tagger_data.load(folder, schema.bundled(name).label_names)
    return {
        example.text: [FoundSpan(s.start, s.end, s.label, 0.95) for s in example.spans]
        for rows in loaded.parts.values()
        for example in rows
    }


def finds(monkeypatch: pytest.MonkeyPatch, tag: Callable[[str], list[FoundSpan]]) -> None:
    """Have the live tagger find this, shown and ranked alike."""
    monkeypatch.setattr(
        tagging, "tag_ranked", lambda texts, *_: [(tag(text), tag(text)) for text in texts]
    )


def test_a_perfect_tagger_is_perfect(kpis, live, monkeypatch, capsys) -> None:
    gold = gold_of(kpis, "kpis")
    finds(monkeypatch, gold.__getitem__)
    call_command("evaluate", "extraction", str(kpis), "--dataset", "kpi_edgar", "--json")
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["headline"] == "relation_f1_strict on kpi_edgar, part valid"
    assert (line["value"], line["n"], line["higher_is_better"]) == (1, 3, True)
    detail = line["detail"]
    assert (detail["texts"], detail["documents"]) == (2, 2)
    for name in MEASURES:
        assert detail[name] == (0.05 if name == "ece" else 1), name
        assert len(detail["interval"][name]) == 2
        assert detail["n"][name] > 0
    assert detail["by_label"]["py"]["gold"] == 1


def test_what_a_poor_tagger_gets_is_counted_by_hand(kpis, live, monkeypatch) -> None:
    def poor(text: str) -> list[FoundSpan]:
        if text.startswith("Net"):
            # One word of two: a Jaccard of 5 to 9 characters and of 1 to 2 words.
            return [FoundSpan(4, 9, "kpi", 0.95), FoundSpan(17, 21, "cy", 0.6)]
        return [FoundSpan(0, 5, "kpi", 0.92), FoundSpan(11, 12, "py", 0.15)]

    finds(monkeypatch, poor)
    detail = extraction.run(kpis, "kpi_edgar").detail
    # Shown, at 0.2 or more: three spans; right: "12.5" and "Costs"; gold: five.
    assert detail["span_f1_strict"] == pytest.approx(2 * 2 / (3 + 5))
    assert detail["span_f1_overlap"] == pytest.approx(2 * 3 / (3 + 5))
    # Delivered, at 0.9 or more: "sales", which is wrong, and "Costs".
    assert detail["auto_accuracy"] == 0.5
    assert detail["n"]["auto_accuracy"] == 2
    assert detail["auto_coverage"] == pytest.approx(2 / 3)
    # kpi: both found; cy: one of two; py: "7" where it is 6.
    assert detail["aupr_macro"] == pytest.approx((1 + 0.5 + 0) / 3)
    # One pair found of three, with a half of "Net sales": 2 right of 3 words.
    assert detail["relation_f1_strict"] == 0
    assert 0 < detail["relation_f1_adjusted"] < 0.6


def test_a_fitted_threshold_decides_what_is_delivered(kpis, live, monkeypatch) -> None:
    gold = gold_of(kpis, "kpis")
    finds(monkeypatch, gold.__getitem__)
    for threshold, coverage in ((0.95, 1), (0.951, 0)):
        live.metrics = {"deliver_at": threshold}
        assert extraction.run(kpis, "kpi_edgar").detail["auto_coverage"] == coverage


def test_contracts_are_scored_by_words_and_have_no_relations(contracts, live, monkeypatch) -> None:
    text = (contracts / "contracts" / "one.txt").read_text()

    def rough(text: str) -> list[FoundSpan]:
        parties = text.index("between")
        law = text.index("laws")
        return [
            FoundSpan(parties, text.index(" Governed"), "Parties", 0.95),
            FoundSpan(law, len(text), "Governing Law", 0.95),
        ]

    finds(monkeypatch, rough)
    part = "held_out" if splitting.tenth("one") in splitting.TESTED else "all"
    score = extraction.run(contracts, "cuad")
    detail = score.detail
    assert score.headline == f"aupr_macro on cuad, part {part}"
    assert detail["characters"] == len(text)
    # A party may be a part of what is found; "laws of Nevada" is 3 of 6 words.
    assert detail["aupr_macro"] == pytest.approx(2 / 3)
    assert detail["aupr_pooled"] == pytest.approx(3 / 4)
    assert detail["auto_accuracy"] == 1
    assert detail["span_f1_strict"] == 0
    assert detail["n"]["relation_f1_strict"] == 0
    assert json.loads(score.json_line())["detail"]["relation_f1_strict"] is None


def test_parts_are_chosen_and_named(kpis, live, monkeypatch) -> None:
    finds(monkeypatch, lambda _: [])
    counts = {
        part: extraction.run(kpis, "kpi_edgar", part=part).detail["texts"]
        for part in ("", "train", "all")
    }
    assert counts == {"": 2, "train": 1, "all": 3}
    assert extraction.run(kpis, "kpi_edgar", part="all", most=1).detail["texts"] == 1
    with pytest.raises(CannotScore, match=r"no part 'dev'; there: .*train.*valid.*all"):
        extraction.run(kpis, "kpi_edgar", part="dev")


def test_contracts_that_were_learned_from_are_left_out(
    contracts, live, monkeypatch, settings, tmp_path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"
    rows = []
    for name in ("one", "two", "three"):
        (contracts / "contracts" / f"{name}.txt").write_text("by the laws of Nevada")
        spans = [{"label": "Governing Law", "start": 0, "end": 21}]
        rows.append(json.dumps({"file": f"{name}.txt", "spans": spans}))
    (contracts / "spans.jsonl").write_text("\n".join(rows))
    made = tmp_path / "made"
    made.mkdir()
    (made / "learned.json").write_text(json.dumps([splitting.mark("one")]))
    version = artefacts.keep(made, "tagger:contracts")
    monkeypatch.setattr(tagging, "live_tagger", lambda _: version)
    finds(monkeypatch, lambda _: [])
    score = extraction.run(contracts, "cuad")
    assert score.headline.endswith("part unseen")
    assert (score.detail["documents"], score.detail["documents_learned_from"]) == (2, 0)
    everything = extraction.run(contracts, "cuad", part="all").detail
    assert (everything["documents"], everything["documents_learned_from"]) == (3, 1)
    (artefacts.open_folder(version) / "learned.json").write_text("[]")
    with pytest.raises(CannotScore, match=r"learned\.json is not what was kept"):
        extraction.run(contracts, "cuad")


def test_a_tagger_that_finds_nothing_gets_zero(kpis, live, monkeypatch) -> None:
    finds(monkeypatch, lambda _: [])
    line = json.loads(extraction.run(kpis, "kpi_edgar").json_line())
    assert (line["value"], line["detail"]["span_f1_strict"], line["detail"]["aupr_macro"]) == (
        0, 0, 0
    )  # fmt: skip
    assert line["detail"]["auto_accuracy"] is None


def test_a_folder_of_another_shape_is_refused(kpis, contracts, tmp_path, live) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CommandError, match=r"not of the shape of cuad: it has no spans\.jsonl"):
        call_command("evaluate", "extraction", str(empty), "--dataset", "cuad")
    with pytest.raises(CommandError, match="not of the shape of kpi_edgar"):
        call_command("evaluate", "extraction", str(tmp_path / "no"), "--dataset", "kpi_edgar")
    (contracts / "contracts" / "one.txt").unlink()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("evaluate", "extraction", str(contracts), "--dataset", "cuad")
    (kpis / "sentences.jsonl").write_text("")
    with pytest.raises(CommandError, match="no text"):
        call_command("evaluate", "extraction", str(kpis), "--dataset", "kpi_edgar")
    (kpis / "sentences.jsonl").write_text('{"tokens": ["a"], "labels": []}')
    with pytest.raises(CommandError, match="line 1"):
        call_command("evaluate", "extraction", str(kpis), "--dataset", "kpi_edgar")


def test_without_a_live_tagger_nothing_is_scored(kpis, monkeypatch) -> None:
    monkeypatch.setattr(tagging, "live_tagger", lambda _: None)
    with pytest.raises(CommandError, match="no tagger of kpis is live"):
        call_command("evaluate", "extraction", str(kpis), "--dataset", "kpi_edgar")
