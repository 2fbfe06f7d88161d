"""Two experts who do not see one another, and a third who settles what they disagree about."""

from __future__ import annotations

import pytest
from extraction_corpus import go_live, tags_by
from review_items import UNSURE, found, item_of, no_lots, read_document, said, tags_with

from review.correcting import undo
from review.judging import BadVerdict
from review.models import Correction, DeskSettings, ReviewItem

pytestmark = pytest.mark.django_db
State = ReviewItem.State


@pytest.fixture(autouse=True)
def document(monkeypatch: pytest.MonkeyPatch, db: None):
    go_live()
    tags_by(monkeypatch, tags_with({"30.5": UNSURE}))
    no_lots()
    DeskSettings.objects.update(double_share=1)
    return read_document()


def item() -> ReviewItem:
    return item_of("30.5")


def test_two_who_agree_settle_it(eve, adam, document) -> None:
    first = said(eve, item(), "relabel", label="py").corrections[0]
    assert (first.role, item().state) == ("first", State.OPEN)
    assert ("py", "30.5") in found(document), "the first word counts until there is another"
    second = said(adam, item(), "relabel", label="py").corrections[0]
    assert (second.role, item().state) == ("second", State.DONE)
    assert Correction.objects.final().get() == first


def test_nobody_is_both(eve) -> None:
    said(eve, item(), "accept")
    with pytest.raises(BadVerdict, match="another expert"):
        said(eve, item(), "reject")


def test_two_who_disagree_leave_it_to_a_third(eve, adam, olga, admin_user, document) -> None:
    said(eve, item(), "accept")
    said(adam, item(), "reject")
    assert item().state == State.ADJUDICATE
    assert ("cy", "30.5") in found(document)
    with pytest.raises(BadVerdict, match="who settles"):
        said(olga, item(), "reject")
    settled = said(admin_user, item(), "reject").corrections[0]
    assert (settled.role, item().state) == ("adjudication", State.DONE)
    assert Correction.objects.final().get() == settled
    assert ("cy", "30.5") not in found(document)
    undo(admin_user, settled)
    assert item().state == State.ADJUDICATE
    assert ("cy", "30.5") in found(document)


def test_undoing_an_opinion_asks_for_it_again(eve, adam) -> None:
    said(eve, item(), "accept")
    second = said(adam, item(), "reject").corrections[0]
    undo(adam, second)
    assert (item().state, item().leased_to) == (State.OPEN, adam)
    said(adam, item(), "accept")
    assert item().state == State.DONE
