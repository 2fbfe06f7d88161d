"""People's questions on real report tables: half of what follows from cells is derived, rightly."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ingestion.parsing import html
from qa.asked import Asked
from qa.checking.evidence import Header, Source
from qa.extractive.deriving_figures import derived
from qa.offering import Offered
from qa.passages import Passage
from qa.question.relative_periods import read_periods
from qa.verifying import Verified, verify
from training.answerable_tables import markup_of, newest_year, text_of

PAGES = 40


def passages(page: dict[str, Any], folder: Path) -> list[Offered]:
    path = folder / "page.html"
    path.write_text(f"<html><body>{markup_of(page)}</body></html>")
    text, year = html.parse(path, 1_000_000).text, newest_year(text_of(page))
    header = Header("Halden Motion", (), "annual_report", year)
    passage = Passage(1, 1, 0, len(text), 1, 1, "", text, 1.0)
    source = Source(1, text, 0, len(text), header, 1)
    return [Offered("p1", passage, source, "Report", "Annual report", str(year), 7, None)]


def outcome(question: dict[str, Any], offered: list[Offered]) -> str:
    understood: Any = SimpleNamespace(
        companies=[SimpleNamespace(id=7)], metrics=[], comparison=False, temporal=False,
        periods=read_periods(question["question"], date(2021, 1, 1)),
    )  # fmt: skip
    found = derived(question["question"], cast("Asked", understood), offered)
    if not found:
        return "none"
    sources = {one.reference: one.source for one in found[0].offered}
    verified = verify(found[0].drafted, sources)
    assert isinstance(verified, Verified), verified
    said = verified.text.replace(",", "")
    gold = abs(float(question["answer"]))
    return "right" if f"{gold:g}" in said or f"{gold:.1f}" in said else "other"


def test_changes_and_averages_of_real_tables(data: Path, tmp_path: Path) -> None:
    pages = json.loads((data / "tatqa" / "dev.json").read_text(encoding="utf-8"))[:PAGES]
    counts: Counter[str] = Counter()
    for page in pages:
        offered = passages(page, tmp_path)
        for question in page["questions"]:
            if question["answer_type"] == "arithmetic":
                counts[outcome(question, offered)] += 1
    assert counts["right"] >= 0.4 * counts.total()
    # Another row, another operation, or the gold's own way of rounding.
    assert counts["other"] <= 0.12 * counts.total()
