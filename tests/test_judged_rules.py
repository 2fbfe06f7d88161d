"""How right each rule's relations are, by verdicts, on the schema's page; and labels by title."""

from __future__ import annotations

import pytest
from extraction_corpus import go_live, kpis, tags_by
from review_items import no_lots, read_document, said, tags_with

from extraction.changing_schemas import save_schema
from extraction.result_tables import ExtractedRelation
from review import agreement, queue_page
from review.choosing_items import Filters
from review.judged_rules import judged_rules
from review.models import DeskSettings, ReviewItem
from review.titles import label_titles

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    go_live()
    tags_by(monkeypatch, tags_with({}))
    no_lots()


def related() -> list[ReviewItem]:
    return list(ReviewItem.objects.filter(kind="relation").order_by("pk"))


def test_relations_are_drawn_at_random_and_counted_by_rule(eve) -> None:
    DeskSettings.objects.update(audit_share=1.0)
    read_document()
    items = related()
    assert items
    assert all(item.audit and item.rule for item in items)
    rules = set(ExtractedRelation.objects.values_list("rule", flat=True))
    assert {item.rule for item in items} == rules
    assert judged_rules(kpis(), eve) == []
    said(eve, items[0], "reject")
    (judged,) = judged_rules(kpis(), eve)
    assert (judged.rule, judged.drawn, judged.drawn_right, judged.doubtful) == (
        items[0].rule, 1, 0, 0,
    )  # fmt: skip
    assert judged.interval[1] < 0.9
    # What a person linked is no rule's doing.
    assert not ReviewItem.objects.filter(rule="a person").exists()


def test_doubtful_ones_are_counted_apart(eve) -> None:
    spec = kpis().spec
    save_schema({**spec, "rules": [{**r, "confidence": 0.5} for r in spec["rules"]]}, "eve")
    read_document()
    item = related()[0]
    said(eve, item, "accept")
    (judged,) = judged_rules(kpis(), eve)
    assert (judged.drawn, judged.doubtful, judged.doubtful_right) == (0, 1, 1)
    assert judged.interval == (0.0, 1.0)


def test_the_schemas_page_shows_them_to_who_may_see_the_queue(eve, alice, client) -> None:
    DeskSettings.objects.update(audit_share=1.0)
    read_document()
    said(eve, related()[0], "accept")
    client.force_login(eve)
    page = client.get(f"/admin/extraction/schema/{kpis().pk}/change/").content.decode()
    place = f"/admin/review/reviewitem/rules/{kpis().pk}/"
    assert f'hx-get="{place}"' in page
    assert "1 of 1" in client.get(place).content.decode()
    assert client.get("/admin/review/reviewitem/rules/99999/").status_code == 404
    client.force_login(alice)
    assert client.get(place).status_code in {302, 403}


def test_labels_are_called_by_their_titles(eve) -> None:
    titles = label_titles()
    named = {label.name: label.shown for label in kpis().read().labels}
    assert named.items() <= titles.items()
    assert titles["cy"] != "cy"
    DeskSettings.objects.update(audit_share=1.0)
    read_document()
    rows = queue_page.page(eve, Filters(label="cy"), 1).items
    assert {row.title for row in rows} == {titles["cy"]}
    assert (titles["cy"], "cy") in [(words, key) for key, words in queue_page.choices(eve)["label"]]
    pair = agreement.Opinions("cy", ("eve", "adam"), ({"label": "cy"}, {"label": "cy"}))
    assert agreement.by_label([pair], titles)[0].name == titles["cy"]
