"""Walk 2, whole: from an expert's keys in a browser to a tagger that learned them and is live.

`docs/walks.md` tells it in words; each step here is the one that the desk, the worker or the
trainer takes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from extraction_corpus import kpis, put
from flywheel_world import NAME, QUICK, gold, live_version, small_world, words_of
from playwright.sync_api import Page, expect

from docintel import registry
from docintel.models import ModelVersion
from extraction import catching_up, shown
from ingestion.models import Document
from review import queueing
from review.models import Correction, DeskSettings, ReviewItem
from tests.browser.conftest import sign_in
from training import datasets, learning_if_due
from training.learning import tagger
from training.models import FlywheelSettings

ADMIN = "/admin/review/reviewitem"
DOCUMENTS = 8
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("without_models", "equal_speed"),
]


@pytest.fixture
def wrong(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelVersion:
    """The live tagger learned figures as values and values as figures; twelve held-out texts.

    Of right labels the trainer has twelve sentences besides what is said at the desk.
    """
    encoder = small_world(settings, monkeypatch, tmp_path)
    right = gold(tmp_path / "gold", train=12)
    swapped = gold(tmp_path / "swapped")
    path = swapped / "sentences.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    other = {"kpi_1": "cy_1", "cy_1": "kpi_1", None: None}
    for row in rows:
        row["labels"] = [other[label] for label in row["labels"]]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    live = live_version(swapped, encoder, 14)
    # More steps from fewer sentences.
    monkeypatch.setitem(tagger.PRESETS, "kpis", {**QUICK, "epochs": 50})
    datasets.build(NAME, gold=right)
    FlywheelSettings.objects.update_or_create(pk=1, defaults={"enough": 2 * DOCUMENTS})
    # It is sure of itself: only an audit brings its errors to the desk.
    DeskSettings.current()
    DeskSettings.objects.update(audit_share=1, double_share=0)
    return live


def text_of(number: int) -> str:
    words, _ = words_of(number)
    return f"{' '.join(words)}."


def read_by_workers() -> None:
    while catching_up.extract_pending():
        pass
    while queueing.queue_pending():
        pass


def labels(document: Document) -> set[tuple[str, str]]:
    return {(span.label, span.text) for span in shown.spans_of(document, kpis().pk)}


def judge_all_by_keys(page: Page) -> int:
    """Figures are 1, values are 5; how many items the desk gave."""
    keys = {
        kind: str(at) for at, kind in enumerate((one["name"] for one in kpis().spec["labels"]), 1)
    }
    page.goto(f"{ADMIN}/desk/?kind=span")
    item = page.locator("[data-item]")
    count = 0
    while True:
        expect(item.or_(page.locator(".desk-empty")).first).to_be_visible()
        if not item.count():
            return count
        pk, words = item.get_attribute("data-item"), page.locator("mark.own").inner_text()
        page.keyboard.press(keys["cy" if words.isdigit() else "kpi"])
        expect(page.locator(f"[data-item='{pk}']")).to_have_count(0)
        expect(page.locator("[data-note]")).to_contain_text("Relabelled")
        count += 1


def test_from_keys_at_the_desk_to_a_live_tagger(
    page: Page, eve: User, wrong: ModelVersion, complaints: list[str]
) -> None:
    documents = [put(text_of(number)) for number in range(DOCUMENTS)]
    read_by_workers()
    first = documents[0]
    assert labels(first) == {("cy", "net revenue"), ("kpi", "10")}
    assert ReviewItem.objects.filter(kind="span").count() == 2 * DOCUMENTS

    # The expert: one key for each. Each is right on the document's page at once.
    sign_in(page, "eve")
    assert learning_if_due.due(NAME) is None
    assert judge_all_by_keys(page) == 2 * DOCUMENTS
    assert labels(first) == {("kpi", "net revenue"), ("cy", "10")}
    page.goto(f"{first.get_absolute_url()}?view=text")
    expect(page.locator("mark.x", has_text="net revenue").first).to_be_visible()
    assert Correction.objects.filter(verdict="relabel", who="eve").count() == 2 * DOCUMENTS

    # The trainer: enough was said, so it freezes, learns, judges and flips.
    reason = learning_if_due.due(NAME)
    assert reason is not None
    assert reason.why.startswith(f"{2 * DOCUMENTS} new corrections")
    verdict = learning_if_due.learn_if_due(NAME)
    assert verdict is not None
    assert verdict.outcome == "promoted", verdict.why
    live = registry.live(NAME)
    assert live is not None
    assert live not in (None, wrong)
    newest = datasets.newest(NAME)
    assert newest is not None
    assert (newest.corrections, newest.digest) == (2 * DOCUMENTS, live.snapshot_hash)

    # The worker: new texts are read by it, and what the old one read is read again.
    new = put(text_of(100))
    read_by_workers()
    # Which documents it was tested on the lot decides, so how much it finds differs a little.
    assert labels(new)
    assert labels(new) <= {("kpi", "net profit"), ("cy", "12")}
    assert labels(first) == {("kpi", "net revenue"), ("cy", "10")}
    runs = [shown.runs_of(each).get().model_version for each in (new, first)]
    assert runs == [live, live]

    # The story, and what it says to the expert whose work it was.
    page.goto(f"/admin/training/trainingrun/story/?name={NAME}")
    expect(page.locator("body")).to_contain_text(f"{2 * DOCUMENTS} corrections")
    expect(page.locator("body")).to_contain_text("Promoted")
    if shots := os.environ.get("DOCINTEL_SCREENSHOTS"):
        page.screenshot(path=Path(shots, "story.png"), full_page=True)
        page.emulate_media(color_scheme="dark")
        page.reload()
        page.screenshot(path=Path(shots, "story-dark.png"), full_page=True)
    page.goto(f"{ADMIN}/mine/")
    expect(page.locator(".desk-tile", has_text="Verdicts")).to_contain_text(str(2 * DOCUMENTS))
    expect(page.locator(".desk-tile", has_text="Relabelled")).to_contain_text(str(2 * DOCUMENTS))
    assert complaints == []

    # Back is the same flip: what the old one read is shown again, but for what a person said.
    registry.roll_back(NAME, who="eve", why="to see")
    assert registry.live(NAME) == wrong
    read_by_workers()
    assert labels(first) == {("kpi", "net revenue"), ("cy", "10")}
    assert labels(new) == {("cy", "net profit"), ("kpi", "12")}
