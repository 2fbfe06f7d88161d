"""`evaluate tables`: questions on report tables, told apart by what they ask, and judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docintel.scoring import CannotScore
from ingestion.models import Document
from training.evaluation import table_answers

pytestmark = pytest.mark.django_db(transaction=True)


def question(text: str, answer: Any, derivation: str = "", **more: Any) -> dict[str, Any]:
    """As TAT-QA writes them; one with a derivation is computed unless `more` says otherwise."""
    row = {
        "uid": text, "question": text, "answer": answer, "derivation": derivation,
        "answer_type": "arithmetic" if derivation else "span", "req_comparison": False, "scale": "",
    }  # fmt: skip
    return row | more


PAGE = {
    "table": {
        "table": [
            ["(in millions)", "2019", "2018"],
            ["Fixed price contracts", "$ 1,452.4", "$ 1,146.2"],
            ["Other contracts", "44.1", "56.7"],
            ["Total sales", "1,496.5", "1,202.9"],
        ]
    },
    "paragraphs": [{"order": 1, "text": "Sales by contract type were as follows in 2019."}],
    "questions": [
        question("What were the total sales in 2019?", ["1,496.5"]),
        question("What is the percentage change in other contracts from 2018 to 2019?", -22.22,
                 "(44.1-56.7)/56.7", scale="percent"),
        question("What is the change in other contracts from 2018 to 2019?", -99, "44.1 - 143.1"),
        question("In which year were total sales higher?", ["2019"], "1,496.5>1,202.9",
                 answer_type="span", req_comparison=True),
        question("How many contract types are there?", 3, "a##b##c", answer_type="count"),
    ],
}  # fmt: skip


def test_pages_are_taken_in_once_and_their_questions_judged(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "dev.json").write_text(json.dumps([PAGE]))
    score = table_answers.run(tmp_path, show=True)
    kinds = score.detail["by_kind"]
    assert score.n == 5
    assert kinds["look-up"]["said"] == 1.0
    assert kinds["percentage change"]["said"] == kinds["percentage change"]["first"] == 1.0
    assert kinds["comparison"]["said"] == 1.0
    # The gold is another figure than the rows give: computed, and not right.
    assert kinds["difference"]["said"] == 0.0
    assert kinds["difference"]["wrongly_computed"] == 1.0
    assert kinds["count"]["computed"] == 0.0
    shown = capsys.readouterr().out
    assert "= -12.6, or -22.22%" in shown
    again = table_answers.run(tmp_path, sample=2, seed=3)
    assert again.n == 2
    assert Document.objects.count() == 1


def test_a_folder_without_the_files_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotScore, match="no TAT-QA"):
        table_answers.run(tmp_path, "unseen")
