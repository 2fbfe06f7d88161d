"""Questions on report tables in the shape of TAT-QA, in the words of a tiny encoder."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tiny_taggers import WORDS

CONTEXTS = 100


def tables(folder: Path) -> Path:
    """Contexts of TAT-QA's shape, in each a table whose row answers its question."""
    contexts = []
    for number in range(CONTEXTS):
        label = f"{WORDS[number % 20]} {WORDS[(number * 7 + 3) % 24]}"
        question = {
            "question": f"{label} in the year?", "answer_from": "table", "answer_type": "span",
            "rel_paragraphs": [], "answer": [str(20 + number % 70)], "derivation": "",
        }  # fmt: skip
        contexts.append(
            {
                "paragraphs": [{"order": 1, "text": "revenue and profit were in the year."}],
                "table": {"table": [["", "2019"], [label, str(20 + number % 70)]]},
                "questions": [question],
            }
        )
    folder.mkdir()
    (folder / "dev.json").write_text(json.dumps(contexts))
    (folder / "test_gold.json").write_text("[]")
    return folder
