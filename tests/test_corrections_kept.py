"""What experts said stays as it was said, and can be read as of any time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import Error, IntegrityError, transaction
from django.utils import timezone
from review_items import an_item

from review.models import Correction, ReviewItem

pytestmark = pytest.mark.django_db
V = Correction.Verdict


def said(item: ReviewItem, verdict: str = V.ACCEPT, **fields) -> Correction:
    given = {"before": item.proposal, "after": item.proposal, "who": "eve", "who_id": 1}
    return Correction.objects.create(item=item, kind=item.kind, verdict=verdict, **given | fields)


@pytest.fixture
def item():
    return an_item()


def test_the_database_refuses_to_change_or_delete_one(item):
    said(item)
    for change in (
        lambda: Correction.objects.update(who="nobody"),
        lambda: Correction.objects.all().delete(),
    ):
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            change()
    assert Correction.objects.get().who == "eve"


def test_the_last_word_counts_and_an_undone_one_does_not(item):
    first = said(item)
    second = said(item, V.REJECT, after=None)
    assert list(Correction.objects.final()) == [second]
    said(item, V.UNDO, before=None, undo_of=second)
    assert list(Correction.objects.final()) == [first]


def test_a_past_day_reads_as_it_was(item):
    now = timezone.now()
    first = said(item, at=now - timedelta(days=3))
    said(item, V.UNDO, undo_of=first, at=now - timedelta(days=2))
    later = said(item, V.RELABEL, at=now - timedelta(days=1))
    on = Correction.objects.final
    assert list(on(now - timedelta(days=4))) == []
    assert list(on(now - timedelta(days=2.5))) == [first]
    assert list(on(now - timedelta(days=1.5))) == []
    assert list(on()) == [later]


def test_skips_and_blind_second_opinions_teach_nothing(item):
    first = said(item, role=Correction.Role.FIRST)
    said(item, V.SKIP, after=None)
    said(item, V.REJECT, after=None, role=Correction.Role.SECOND)
    assert list(Correction.objects.final()) == [first]


def test_nothing_is_undone_twice(item):
    first = said(item)
    said(item, V.UNDO, undo_of=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        said(item, V.UNDO, undo_of=first)


def test_the_same_proposal_is_one_item(item):
    with pytest.raises(IntegrityError), transaction.atomic():
        an_item(item.document)
