"""`evaluate answers`: every question put to the serving path, judged, its citations checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading_corpus import library

from docintel.scoring import CannotScore
from qa.models import Ask
from training.evaluation import answers

pytestmark = pytest.mark.django_db(transaction=True)
ROWS: list[dict[str, Any]] = [
    {
        "question": "What was the gross margin of Tidewater Foods in fiscal year 2024?",
        "type": "factual",
        "answer": "31.2 percent, after 33.9 percent",
        "facts": ["31.2%"],
        "evidence": [{"file": "x/tidewater.pdf", "passage": "Gross margin narrowed to"}],
    },
    {
        "question": "What was the gross margin of Tidewater Foods in FY2011?",
        "type": "factual",
        "answer": None,
        "evidence": [],
    },
    {
        "question": "How many moons does the planet Jupiter have?",
        "question_type": "outside",
        "answer": "79.5 million moons",
        "evidence": [{"doc_name": "tidewater", "evidence_page_num": 2}],
    },
]  # fmt: skip


def write(folder: Path, rows: list[dict[str, Any]]) -> Path:
    lines = [json.dumps(row) for row in rows]
    (folder / "questions.jsonl").write_text("\n".join(lines))
    return folder


def test_right_answers_refusals_and_citations_are_counted(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MEDIA_ROOT = tmp_path
    library(embed=True)
    score = answers.run(write(tmp_path, ROWS), show=True)
    detail = score.detail
    assert score.n == 3
    assert detail["answerable"] == {
        "n": 2, "correct": 0.5, "wrong": 0.0, "refused": 0.5, "asked back": 0.0,
    }  # fmt: skip
    assert detail["unanswerable"] == {"n": 1, "right_refusals": 1.0}
    assert score.value == pytest.approx(2 / 3)
    assert detail["by_kind"]["factual"]["correct"] == 1.0
    assert detail["cited_an_evidence_page"] == 1.0
    assert 0 < detail["citation_precision"] <= 1
    assert detail["all_facts_found"] == 1.0
    shown = capsys.readouterr().out
    assert "REFUSED (not_found" in shown
    assert "gold: no answer" in shown
    assert "moons" in shown
    # Through the serving path: each is on record, of nobody.
    assert Ask.objects.filter(asker=None).count() == 3


def test_a_folder_that_cannot_be_scored_says_why(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    with pytest.raises(CannotScore, match="ingest"):
        answers.run(write(tmp_path, ROWS))
    library()
    with pytest.raises(CannotScore, match="does not exist"):
        answers.run(tmp_path / "nowhere")
    with pytest.raises(CannotScore, match="no question"):
        answers.run(write(tmp_path, []))
    with pytest.raises(CannotScore, match="without answer"):
        answers.run(write(tmp_path, [{"question": "Why?"}]))


def test_a_stopped_run_goes_on_and_a_sample_is_drawn_by_seed(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    library()
    folder, kept = write(tmp_path, ROWS), tmp_path / "kept.jsonl"
    first = answers.run(folder, sample=2, keep=kept)
    assert first.n == 2
    assert len(kept.read_text().splitlines()) == 2
    # Killed in the middle of a line.
    with kept.open("a") as file:
        file.write('{"question": "How many moo')
    asked: list[str] = []
    answer = answers.answer

    def counted(question: answers.Question) -> answers.Outcome:
        asked.append(question.text)
        return answer(question)

    monkeypatch.setattr(answers, "answer", counted)
    again = answers.run(folder, sample=2, keep=kept)
    assert asked == []
    assert (again.value, again.detail["by_kind"]) == (first.value, first.detail["by_kind"])
    everything = answers.run(folder, keep=kept)
    assert len(asked) == 1
    assert everything.n == 3
    assert [json.loads(line)["question"] for line in kept.read_text().splitlines()][-1] == asked[0]
    kept.write_text("no outcome\n")
    with pytest.raises(CannotScore, match="no kept outcomes"):
        answers.run(folder, keep=kept)
