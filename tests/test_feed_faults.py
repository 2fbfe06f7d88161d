"""What goes wrong around the feed: a document that fails, a burst, companies that become one."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from docintel import activity, encoders
from feed import facts, health, hearing, ranking, reading, saving_searches
from feed.following import MOST_LISTED, follow, follow_all, profile_of
from feed.models import FeedItem, Follow, RankedDocument, RankFailure
from ingestion.merging import merge_companies
from ingestion.models import Chunk, Company, Document
from ingestion.querysets import Scope
from tests.feed_corpus import company, known, source, version

pytestmark = pytest.mark.django_db


def failing_at(monkeypatch, document, error: Exception) -> None:
    gather = facts.gather

    def broken(documents, embedder):
        if document.pk in {row.pk for row in documents}:
            raise error
        return gather(documents, embedder)

    monkeypatch.setattr(facts, "gather", broken)


def test_a_document_that_fails_keeps_no_other_waiting_and_is_left_out_visibly(
    alice, monkeypatch
) -> None:
    profile_of(alice)
    spoilt, fine = known("Spoilt"), known("Acme grew")
    with monkeypatch.context() as patch:
        failing_at(patch, spoilt, ValueError("no such fact"))
        assert ranking.rank_pending() == 1
        assert list(ranking.unranked()) == []  # It waits for its next attempt.
        for attempt in range(2, ranking.MOST_ATTEMPTS + 1):
            RankFailure.objects.update(retry_after=timezone.now())
            assert ranking.rank_pending() == 0
            assert RankFailure.objects.get().attempts == attempt
        RankFailure.objects.update(retry_after=timezone.now())
        assert list(ranking.unranked()) == []
    assert [slot.document for slot in reading.page(alice).slots] == [fine]
    said = {finding.name: finding for finding in health.findings()}["Feed failures"]
    assert not said.ok
    assert "ValueError: no such fact" in RankFailure.objects.get().reason
    # A person has it tried again.
    RankFailure.objects.all().delete()
    assert ranking.rank_pending() == 1
    assert not RankFailure.objects.exists()


def test_a_database_that_is_away_is_no_documents_fault(alice, monkeypatch) -> None:
    failing_at(monkeypatch, known("Acme grew"), OperationalError("gone"))
    with pytest.raises(OperationalError):
        ranking.rank_pending()
    assert not RankFailure.objects.exists()


def test_a_burst_of_five_thousand_is_ranked_in_turns(alice, bob) -> None:
    for person in (alice, bob):
        profile_of(person)
    now, wire = timezone.now(), source()
    stage = {"embedder": encoders.live_embedder(), "recogniser": version("recogniser"),
             "classifier": version("topic classifier"), "recognised_at": now, "parsed_at": now,
             "searchable_at": now, "embedded_at": now}  # fmt: skip
    Document.objects.bulk_create(
        Document(source=wire, title=f"Story {n}", kind="news", pages=[0], text=f"Story {n}.",
                 text_sha256=str(n), file_sha256=str(n),
                 received_at=now - timedelta(seconds=n), **stage)
        for n in range(5_000)
    )  # fmt: skip
    turns = 0
    while ranked := ranking.rank_pending(seconds=1.0):
        turns += 1
        # The newest first: who reads meanwhile sees them.
        if turns == 1:
            assert Document.objects.get(title="Story 0").ranked
        assert ranked >= ranking.AT_ONCE or not ranking.unranked().exists()
    assert FeedItem.objects.count() == 10_000
    assert len(reading.page(alice).slots) >= reading.PER_PAGE


def test_companies_that_become_one_keep_what_people_said_of_them(alice, bob, eve) -> None:
    acme, other = company("Acme"), company("Acme Works")
    document = known("Acme Works grew", of=other, names=(other,))
    follow(alice, "company", str(other.pk))
    follow(bob, "company", str(acme.pk))
    follow(bob, "company", str(other.pk), muted=True)
    search = saving_searches.save(alice, "Mine", "", Scope(companies=(other.pk, acme.pk)))
    activity.record(alice, activity.ASKED, companies=[other.pk])
    ranking.rank_pending()
    gone = other.pk
    assert merge_companies(acme, [other], eve) == 1
    assert {(row.user, row.company, row.muted) for row in Follow.objects.all()} == {
        (alice, acme, False), (bob, acme, True),
    }  # fmt: skip
    search.refresh_from_db()
    assert saving_searches.scope_of(search).companies == (acme.pk,)
    assert alice.activities.get().companies == [acme.pk]
    found = RankedDocument.objects.get(document=document)
    assert (found.facts["companies"], found.facts["main"]) == ([acme.pk], acme.pk)
    assert not FeedItem.objects.filter(company_ref=gone).exists()
    assert ranking.rescore_pending() == 2
    assert FeedItem.objects.get(user=bob).hidden_by
    assert not FeedItem.objects.get(user=alice).hidden_by


def test_who_follows_five_thousand_companies_gets_pages_of_usual_size(
    client, alice, django_assert_max_num_queries
) -> None:
    rows = [Company(name=f"Company {n:04}", key=f"company {n}") for n in range(5_000)]
    ids = [row.pk for row in Company.objects.bulk_create(rows)]
    follow_all(alice, ids, [])
    document = known("Company 0007 grew", of=Company.objects.get(pk=ids[7]))
    ranking.rank_pending()
    ranking.rescore(alice)
    client.force_login(alice)
    with django_assert_max_num_queries(40):
        page = client.get("/feed/").content.decode()
    assert document.title in page
    assert "You follow Company 0007" in page
    assert page.count("<option") < 200
    profile = client.get("/feed/profile/").content.decode()
    assert profile.count('name="kind" value="company"') == MOST_LISTED
    assert "and 4,800 more" in profile
    found = client.get("/feed/profile/?find=company 0007").content.decode()
    assert found.count('name="kind" value="company"') == 1
    assert b"has this in its name" in client.get("/feed/profile/?find=nobody").content


def test_a_document_that_is_deleted_while_somebody_scrolls_is_gone(client, alice) -> None:
    profile_of(alice)
    made = [known(f"Story {n}", days=n / 50) for n in range(60)]
    ranking.rank_pending(seconds=600)
    first = reading.page(alice)
    shown = {slot.item.document_id for slot in first.slots}
    [*_, gone] = [document for document in made if document.pk not in shown]
    [lost, *_] = first.slots
    said = {"verb": "impression", "document": str(lost.document.public_id), "mark": lost.mark,
            "id": str(uuid4()), "at": timezone.now().isoformat()}  # fmt: skip
    address = lost.document.get_absolute_url()
    for document in (gone, lost.document):
        Chunk.objects.filter(document=document).delete()
        Document.objects.get(pk=document.pk).delete()
    rest = [slot.item.document_id for slot in reading.page(alice, cursor=first.cursor).slots]
    assert rest
    assert gone.pk not in rest
    assert dict(hearing.hear(alice, [said]).refused) == {"no such document": 1}
    client.force_login(alice)
    assert client.get(address).status_code == 404
    assert client.get("/feed/").status_code == 200
