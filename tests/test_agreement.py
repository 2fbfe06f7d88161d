"""How far experts agree, and what each of them has done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from extraction_corpus import go_live, put
from review_items import an_item

from docintel.models import ModelVersion
from review.agreement import NONE, Opinions, by_label, by_pair, kappa, opinions, span_f1
from review.experts import work_of
from review.keys import DEFAULTS, BadKeys, keys_of, set_keys
from review.models import Correction, ReviewItem

SPAN = {"label": "kpi", "start": 0, "end": 7, "text": "Revenue"}
LONGER = {**SPAN, "end": 11, "text": "Revenue was"}
OTHER = {**SPAN, "label": "cy"}


def pair(first, second, who=("eve", "adam"), label="kpi") -> Opinions:
    return Opinions(label, who, (first, second))


def test_kappa_is_cohens() -> None:
    # Cohen (1960): agreement .7 where .5 is expected by chance.
    labels = [("a", "a")] * 40 + [("a", "b")] * 10 + [("b", "a")] * 20 + [("b", "b")] * 30
    assert kappa(labels) == pytest.approx(0.4)
    assert kappa([("a", "b"), ("b", "a")]) == -1
    assert kappa([("a", "a")] * 5) is None, "with one label chance agrees always"
    assert kappa([]) is None


def test_span_f1_counts_boundaries_and_labels() -> None:
    assert span_f1([pair(SPAN, SPAN)]) == 1
    assert span_f1([pair(SPAN, SPAN), pair(SPAN, LONGER)]) == 0.5
    assert span_f1([pair(SPAN, SPAN), pair(SPAN, None)]) == pytest.approx(2 / 3)
    assert span_f1([pair(None, None)]) is None


def test_by_label_and_by_pair_whoever_was_first() -> None:
    pairs = [
        pair(SPAN, SPAN),
        pair(SPAN, OTHER, who=("adam", "eve")),
        pair(OTHER, None, who=("eve", "olga"), label="cy"),
    ]
    assert [(one.name, one.items, one.same) for one in by_label(pairs, {})] == [
        ("kpi", 2, 1), ("cy", 1, 0),
    ]  # fmt: skip
    assert [(one.name, one.items) for one in by_pair(pairs)] == [
        ("adam and eve", 2), ("eve and olga", 1),
    ]  # fmt: skip
    assert pairs[2].labels == ("cy", NONE)


def said(item: ReviewItem, user, after, **fields) -> Correction:
    values = {
        "kind": "span", "verdict": "accept" if after else "reject", "before": SPAN, "after": after,
        "who": user.username, "who_id": user.pk, **fields,
    }  # fmt: skip
    return Correction.objects.create(item=item, **values)


@pytest.mark.django_db
def test_only_standing_verdicts_on_both_sides_are_compared(eve, adam) -> None:
    both, undone, one = (an_item(put()) for _ in range(3))
    for item in (both, undone):
        said(item, eve, SPAN, role="first")
    said(one, eve, SPAN, role="first")
    said(both, adam, None, role="second")
    second = said(undone, adam, SPAN, role="second")
    said(undone, adam, None, verdict="undo", undo_of=second, role="second")
    (found,) = opinions(eve)
    assert (found.who, found.after) == (("eve", "adam"), (SPAN, None))


@pytest.mark.django_db
def test_an_expert_sees_what_they_did_and_what_came_of_it(eve, adam) -> None:
    go_live("1")
    first = ModelVersion.objects.get(name="tagger:kpis")
    ModelVersion.objects.filter(pk=first.pk).update(metrics={"labels": {"kpi": {"f1": 0.6}}})
    now = timezone.now()
    for seconds, after in ((2.0, SPAN), (4.0, None), (9.0, LONGER)):
        said(an_item(put()), eve, after, seconds=seconds, model_version=first)
    said(an_item(put()), eve, SPAN, at=now - timedelta(days=90), seconds=100)
    said(an_item(put()), adam, SPAN, seconds=50)
    undone = said(an_item(put()), eve, SPAN, seconds=70)
    said(undone.item, eve, None, verdict="undo", undo_of=undone)
    work = work_of(eve)
    assert (work.verdicts, work.changed, work.seconds) == (3, 1, 4.0)
    assert dict(work.by_verdict) == {"Accepted": 2, "Rejected": 1}
    assert [n for _, n in work.by_day] == [3]
    assert work.rises == []
    go_live("2")
    ModelVersion.objects.filter(version="2").update(metrics={"labels": {"kpi": {"f1": 0.7}}})
    (rise,) = work_of(eve).rises
    assert (rise.label, rise.corrections, rise.before, rise.after) == ("Key figure", 3, 0.6, 0.7)


@pytest.mark.django_db
def test_keys_are_ones_own_and_do_one_thing_each(eve, adam) -> None:
    set_keys(eve, {"accept": "j", "reject": ""})
    assert keys_of(eve)["accept"] == "j"
    assert keys_of(eve)["reject"] == DEFAULTS["reject"][0]
    assert keys_of(adam)["accept"] == "a"
    for wanted, why in (({"accept": "x"}, "two things"), ({"undo": "1"}, "something else")):
        with pytest.raises(BadKeys, match=why):
            set_keys(eve, wanted)
    assert keys_of(eve)["accept"] == "j"
