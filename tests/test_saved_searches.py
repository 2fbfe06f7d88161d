"""A saved search is matched by what arrives, as far as its owner may see it, and told once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.http import QueryDict
from django.utils import timezone

from docintel.models import ApiToken
from feed import digesting, ranking, saving_searches, telling_matches
from feed.following import profile_of
from feed.matching_searches import match_pending
from feed.models import FeedProfile, SavedSearch
from feed.saving_searches import CannotSave
from ingestion.models import Topic
from ingestion.querysets import Scope
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db
EVERYTHING = Scope()


def watching(user, query: str = "", scope: Scope = EVERYTHING, **how) -> SavedSearch:
    return saving_searches.save(user, "Mine", query, scope, **how)


def titles(search: SavedSearch) -> set[str]:
    return {match.document.title for match in search.matches.select_related("document")}


def test_words_match_in_any_form_within_one_passage(alice) -> None:
    known("Margins were falling before")
    words = watching(alice, "falling margin")
    exact = watching(alice, '"margins fell"')
    neither = watching(alice, "margin -freight")
    foreign = watching(alice, "運賃")
    known("Acme margins fell")
    known("Margins of freight fall")
    known("Rates rose")
    known("海運会社の運賃が下がった", language="ja")
    assert match_pending() > 0
    assert titles(words) == {"Margins of freight fall"}
    assert titles(exact) == {"Acme margins fell"}
    assert titles(neither) == {"Acme margins fell"}
    assert titles(foreign) == {"海運会社の運賃が下がった"}
    assert match_pending() == 0


def test_filters_confine_also_what_is_known_only_later(alice) -> None:
    acme = company("Acme")
    of_acme = watching(alice, "", Scope(companies=(acme.pk,), kinds=("news",)))
    mergers = watching(alice, "", Scope(topics=("mergers",)))
    known("Acme grew", of=acme)
    known("Acme's year", of=acme, kind="annual_report")
    late = known("A merger")
    match_pending()
    assert titles(of_acme) == {"Acme grew"}
    assert titles(mergers) == set()
    SavedSearch.objects.update(looked_at=timezone.now() + timedelta(hours=1))
    topic = Topic.objects.get(key="mergers")
    late.topics.create(topic=topic, probability=0.9, classifier=late.classifier)
    profile_of(alice)
    ranking.rank_pending()
    late.ranked.ranked_at = timezone.now() + timedelta(hours=2)
    late.ranked.save()
    match_pending(timezone.now() + timedelta(hours=3))
    assert titles(mergers) == {"A merger"}


def test_nothing_hidden_and_nothing_during_a_pause_is_matched(alice, bob) -> None:
    vault = source("Vault")
    team = Group.objects.create(name="deal team")
    vault.groups.add(team)
    bob.groups.add(team)
    outside, inside = watching(alice, "bought"), watching(bob, "bought")
    paused = watching(bob, "bought", paused=True)
    known("Falcon will be bought", wire=vault)
    match_pending()
    assert (titles(outside), titles(inside), titles(paused)) == (
        set(), {"Falcon will be bought"}, set()
    )  # fmt: skip
    bob.groups.remove(team)
    assert telling_matches.visible(inside, inside.matches.all()) == []
    gone = type(bob).objects.get(pk=bob.pk)
    gone.groups.clear()
    known("Orion will be bought")
    match_pending()
    assert titles(SavedSearch.objects.get(pk=inside.pk)) == {"Falcon will be bought"}


@pytest.mark.parametrize(
    ("query", "field"), [("", "query"), ("the of and", "query"), ("x" * 2_001, "query")]
)
def test_what_is_no_search_is_refused(alice, query, field) -> None:
    with pytest.raises(CannotSave) as refused:
        watching(alice, query)
    assert refused.value.field == field
    with pytest.raises(CannotSave):
        watching(alice, "margins", webhook="ftp://example.com/x")
    with pytest.raises(CannotSave):
        watching(alice, "margins", alert="pigeon")


def test_there_is_a_most(alice, monkeypatch) -> None:
    monkeypatch.setattr(saving_searches, "MOST_SEARCHES", 1)
    watching(alice, "margins")
    with pytest.raises(CannotSave):
        watching(alice, "rates")


def test_the_address_of_a_search_is_read_and_written_alike(alice) -> None:
    falcon, acme = company("Falcon"), company("Acme")
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    known("Falcon will be bought", of=falcon, wire=vault)
    wire = source()
    known("Acme grew", of=acme)
    address = (
        f"q=margins&company={acme.pk}&company={falcon.pk}&company=x&kind=news&kind=poem"
        f"&topic=mergers&year=2024&quarter=2&quarter=9&source={wire.pk}&source={vault.pk}"
        "&from=2024-01-31&to=yesterday"
    )
    scope = saving_searches.read_scope(QueryDict(address), alice)
    row = watching(alice, "margins", scope)
    assert saving_searches.scope_of(SavedSearch.objects.get(pk=row.pk)) == scope
    assert saving_searches.address(row) == (
        f"q=margins&company={acme.pk}&kind=news&topic=mergers&year=2024&quarter=2"
        f"&source={wire.pk}&from=2024-01-31"
    )
    assert "Falcon" not in " ".join(saving_searches.described(row, alice))


def test_mail_is_sent_once_at_once_and_the_digest_has_a_line(alice, bob, mailoutbox) -> None:
    for person in (alice, bob):
        person.email = f"{person.username}@example.com"
        person.save()
    at_once = watching(alice, "margins", alert="mail")
    watching(bob, "margins", alert="digest")
    watching(alice, "rates", alert="badge")
    profile_of(bob)
    FeedProfile.objects.filter(user=bob).update(digest="daily")
    known("Acme margins fell")
    known("Rates rose")
    match_pending()
    assert telling_matches.mail_pending() == 1
    assert telling_matches.mail_pending() == 0
    [mail] = mailoutbox
    assert mail.to == ["alice@example.com"]
    assert "Acme margins fell" in mail.subject
    assert f"/feed/searches/{at_once.public_id}/" in mail.body
    assert digesting.send_due() == 1
    assert "1 new for your saved search “Mine”" in mailoutbox[1].body


def test_switching_mail_on_tells_nothing_of_before(alice, mailoutbox) -> None:
    alice.email = "alice@example.com"
    alice.save()
    row = watching(alice, "margins")
    known("Acme margins fell")
    match_pending()
    saving_searches.change(row, alert="mail")
    assert telling_matches.mail_pending() == 0


def test_the_pages(client, alice, bob) -> None:
    acme = company("Acme")
    client.force_login(alice)
    known("Acme's first year", of=acme)
    found = client.get("/?q=year").content.decode()
    assert "Save search" in found
    saved = client.post(
        "/feed/searches/", {"address": f"q=margins&company={acme.pk}", "name": "Acme margins"}
    )
    row = SavedSearch.objects.get()
    assert saved["Location"] == f"/feed/searches/{row.public_id}/"
    known("Acme margins fell", of=acme)
    match_pending()
    assert "1 new" in client.get("/feed/").content.decode()
    assert "1 new" in client.get("/feed/profile/").content.decode()
    page = client.get(saved["Location"]).content.decode()
    assert "Acme margins fell" in page
    assert "1 new" not in client.get("/feed/").content.decode()
    client.post(saved["Location"], {"what": "edit", "name": "Other", "alert": "mail"})
    client.post(saved["Location"], {"what": "pause", "next": "profile"})
    row.refresh_from_db()
    assert (row.name, row.alert, row.paused) == ("Other", "mail", True)
    client.force_login(bob)
    assert client.get(saved["Location"]).status_code == 404
    assert client.post(saved["Location"], {"what": "delete"}).status_code == 404
    client.force_login(alice)
    assert client.post(saved["Location"], {"what": "delete"}).status_code == 302
    assert not SavedSearch.objects.exists()
    refused = client.post("/feed/searches/", {"address": "", "name": "x"}, follow=True)
    assert "A search needs words or a filter" in refused.content.decode()


def test_the_api(client, alice, bob) -> None:
    acme = company("Acme")
    known("Acme's first year", of=acme)
    headers = {"Authorization": f"Bearer {ApiToken.issue(alice, 'reads')[1]}"}
    place = "/api/v1/saved-searches/"

    def send(method: str, address: str, said: dict | None = None, status: int = 200):
        answer = getattr(client, method)(
            address, said, content_type="application/json", headers=headers
        )
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    said = {"name": "Margins", "query": "margins", "company": ["Acme"], "alert": "digest"}
    made = send("post", place, said, 201)
    assert made["filters"] == {"company": ["Acme"]}
    assert made["secret"]
    known("Acme margins fell", of=acme)
    match_pending()
    [row] = send("get", place)
    assert row["fresh"] == 1
    assert [match["title"] for match in row["matches"]] == ["Acme margins fell"]
    one = f"{place}{made['id']}/"
    assert send("patch", one, {"paused": True, "name": "Other"})["paused"] is True
    assert "webhook" in send("patch", one, {"webhook": "ftp://x/"}, 400)
    assert "colour" in send("post", place, {**said, "colour": "red"}, 400)
    assert "query" in send("post", place, {"name": "All"}, 400)
    headers["Authorization"] = f"Bearer {ApiToken.issue(bob, 'reads')[1]}"
    send("get", one, None, 404)
    send("delete", one, None, 404)
    headers["Authorization"] = f"Bearer {ApiToken.issue(alice, 'again')[1]}"
    send("delete", one, None, 204)
    assert send("get", place) == []
