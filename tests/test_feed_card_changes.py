"""A card says what holds now, whatever of it has been kept since it was last shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from feed import ranking, saving
from feed.following import profile_of
from feed.models import Engagement, RankedDocument
from ingestion.models import Chunk, Document
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db
Change = Callable[[Document], object]


@pytest.fixture
def story(client: Client, alice: User) -> Document:
    """It has been on Alice's feed once, so that whatever is kept of it is."""
    acme, orion = company("Acme"), company("Orion")
    made = known("Freight fell", of=acme, names=(acme, orion), published_on=date(2026, 3, 1))
    profile_of(alice)
    ranking.rank_pending()
    client.force_login(alice)
    assert "Freight fell" in shown(client)
    return made


def shown(client: Client) -> str:
    return client.get("/feed/").content.decode()


def _set(**fields: object) -> Change:
    return lambda story: Document.objects.filter(pk=story.pk).update(**fields)


def _amend(story: Document) -> None:
    chunk = Chunk.objects.filter(document=story)
    chunk.update(body="x\nA tenth of it was lost.")


def _relink(story: Document) -> None:
    row = RankedDocument.objects.get(document=story)
    row.facts = {**row.facts, "companies": [company("Nimbus").pk], "main": company("Nimbus").pk}
    row.save()


def _rename_source(story: Document) -> None:
    story.source.name = "Ticker"
    story.source.save()


def _repeat(story: Document) -> None:
    copy = known("Freight fell much", wire=source("Second wire"))
    copy.near_duplicate_of, copy.searchable_at = story, None
    copy.save()


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (_set(title="Freight rose"), "Freight fell</a>", "Freight rose</a>"),
        (_set(kind="annual_report"), "<span>News</span>", "<span>Annual report</span>"),
        (_set(published_on=date(2026, 3, 2)), "1 Mar 2026", "2 Mar 2026"),
        (
            _set(published_on=None, received_at=timezone.now() - timedelta(days=3, minutes=30)),
            "1 Mar 2026</time>",
            "3\xa0days ago</time>",
        ),
        (_rename_source, "<span>Wire</span>", "<span>Ticker</span>"),
        (_amend, "The end of it.</p>", "A tenth of it was lost."),
        (_relink, ">Orion<", ">Nimbus<"),
    ],
)
def test_what_has_changed_is_shown(
    story: Document, client: Client, change: Change, before: str, after: str
) -> None:
    page = shown(client)
    assert before in page
    assert after not in page
    change(story)
    page = shown(client)
    assert after in page
    assert before not in page


def test_reports_that_are_nearly_the_same_come_and_go(story: Document, client: Client) -> None:
    _repeat(story)
    assert "1 more report of this" in shown(client)
    source("Second wire").groups.add(Group.objects.create(name="deal team"))
    assert "more report" not in shown(client)


@pytest.mark.parametrize(
    "change",
    [
        _set(withdrawn_at=timezone.now()),
        _set(superseded_at=timezone.now()),
        _set(dropped_at=timezone.now()),
        lambda story: story.source.groups.add(Group.objects.create(name="deal team")),
        lambda story: story.delete(),
    ],
    ids=["withdrawn", "superseded", "dropped", "closed", "deleted"],
)
def test_what_may_not_be_shown_any_more_is_gone(
    story: Document, client: Client, change: Change
) -> None:
    change(story)
    assert "Freight fell" not in shown(client)


def test_what_a_reader_did_is_theirs_alone(
    story: Document, client: Client, alice: User, bob: User
) -> None:
    ranking.rescore(bob)
    other = Client()
    other.force_login(bob)
    saving.save(alice, story.pk, saved=True)
    Engagement.objects.filter(user=alice).update(opens=1)
    mine, theirs = shown(client), shown(other)
    assert "<span>Read</span>" in mine
    assert 'aria-pressed="true"' in mine
    assert "<span>Read</span>" not in theirs
    assert 'aria-pressed="true"' not in theirs
