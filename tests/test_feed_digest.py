"""The digest goes to who wants it, when it is due, with what they may see; and stops at a click."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from feed import digesting, ranking
from feed.following import profile_of
from feed.models import FeedProfile
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db


def wants(user, digest: str) -> FeedProfile:
    user.email = f"{user.username}@example.com"
    user.save()
    profile = profile_of(user)
    FeedProfile.objects.filter(pk=profile.pk).update(digest=digest)
    return profile_of(user)


def test_it_is_sent_once_when_due_and_names_nothing_hidden(alice, bob, charlie, mailoutbox) -> None:
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    known("Falcon will be bought", wire=vault)
    known("Acme grew", of=company("Acme"))
    wants(alice, "daily")
    wants(bob, "off")
    wants(charlie, "daily")
    ranking.rank_pending()
    assert digesting.send_due() == 1
    [mail] = mailoutbox
    assert mail.to == ["alice@example.com"]
    assert "Acme grew" in mail.subject
    assert "Falcon" not in mail.body + str(mail.alternatives)
    assert digesting.send_due() == 0
    later = timezone.now() + timedelta(days=1, minutes=1)
    assert digesting.send_due(later) == 0
    assert len(mailoutbox) == 1


def test_weekly_waits_a_week(alice, mailoutbox) -> None:
    known("Acme grew")
    profile = wants(alice, "weekly")
    ranking.rank_pending()
    FeedProfile.objects.filter(pk=profile.pk).update(
        digest_sent_at=timezone.now() - timedelta(days=6)
    )
    assert digesting.send_due() == 0
    assert digesting.send_due(timezone.now() + timedelta(days=1, hours=1)) == 1


def test_unsubscribing_needs_no_account_and_tells_nothing(client, alice, mailoutbox) -> None:
    profile = wants(alice, "daily")
    address = f"/feed/unsubscribe/{profile.unsubscribe_token}/"
    assert client.get(address).status_code == 200
    assert profile_of(alice).digest == "daily"
    known_token, unknown = client.post(address), client.post("/feed/unsubscribe/nobodys/")
    assert known_token.status_code == unknown.status_code == 200
    assert profile_of(alice).digest == "off"
    # Also where it had been found to be due a moment before.
    assert digesting._send(profile.pk, timezone.now()) is False


def test_a_company_on_its_page_and_one_that_is_hidden(client, alice) -> None:
    acme, falcon = company("Acme"), company("Falcon")
    vault = source("Vault")
    vault.groups.add(Group.objects.create(name="deal team"))
    known("Falcon will be bought", of=falcon, wire=vault)
    known("Acme grew", of=acme)
    known("Rates", names=(acme,), days=40)
    client.force_login(alice)
    page = client.get(f"/companies/{acme.pk}/").content.decode()
    assert page.index("Acme grew") < page.index("Rates") < page.index("mentions it")
    assert client.get(f"/companies/{falcon.pk}/").status_code == 404
    assert client.get("/companies/987654/").status_code == 404
