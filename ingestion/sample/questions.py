"""Builds the gold questions: facts filled from the model, passages cut out of the documents."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from ingestion.sample.blocks import Bullets, Doc, Heading, Para, Table
from ingestion.sample.companies import HERE, load_companies
from ingestion.sample.figures import fill

# A paragraph up to this length is cited whole, a longer one by the sentence that holds the fact.
WHOLE = 360
STOP = re.compile(r"(?<=[a-z0-9%)\"]\.) (?=[A-Z\"])")


def build_questions(docs: list[Doc]) -> list[dict[str, Any]]:
    """All questions, answerable ones first; raises when a passage is not in its document."""
    by_file = {doc.file: doc for doc in docs}
    found: list[dict[str, Any]] = []
    for path in sorted((HERE / "gold").glob("*.toml")):
        listed = tomllib.loads(path.read_text(encoding="utf-8"))["q"]
        found += [_question(raw, by_file) for raw in listed]
    found.sort(key=lambda q: q["answer"] is None)
    for number, question in enumerate(found, start=1):
        question["id"] = f"sample-{number:03d}"
    return found


def _question(raw: dict[str, Any], by_file: dict[str, Doc]) -> dict[str, Any]:
    """One question in the published shape."""
    keys, periods = raw.get("c", []), raw.get("p", [])
    key, period = (keys or ["halden"])[0], (periods or ["2024Q1"])[0]

    def full(text: str) -> str:
        return fill(text, key, period)

    cited = [(file, passage(by_file[file], full(part))) for file, part in raw.get("e", [])]
    evidence = [{"file": file, "passage": text} for file, text in dict.fromkeys(cited)]
    return {
        "id": "",
        "question": raw["q"],
        "type": raw["t"],
        "companies": [load_companies()[k].name for k in keys],
        "periods": periods,
        "answer": full(raw["a"]) if "a" in raw else None,
        "facts": [full(f) for f in raw.get("f", [])],
        "evidence": evidence,
    }


def passage(doc: Doc, part: str) -> str:
    """The paragraph, sentence, list item or table row of ``doc`` that contains ``part``."""
    for block in doc.blocks:
        if isinstance(block, Para) and part in block.text:
            return block.text if len(block.text) <= WHOLE else _sentence(block.text, part)
        if isinstance(block, Bullets):
            for item in block.items:
                if part in item:
                    return item
        if isinstance(block, Table):
            for row in block.rows:
                text = " ".join((row.label, *row.cells))
                if part in text:
                    return text
        if isinstance(block, Heading) and part in block.text:
            return block.text
    raise LookupError(f"{doc.file} does not say {part!r}")


def _sentence(text: str, part: str) -> str:
    """The sentence of ``text`` with ``part``, or the whole text when it spans several."""
    sentences = STOP.split(text)
    holding = [s for s in sentences if part in s]
    if not holding:
        return text
    return holding[0]
