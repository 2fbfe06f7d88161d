"""What a page of the feed keeps between requests is never another person's, nor of another time."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, User
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client

from feed import ranking
from feed.explaining import Thing
from feed.following import follow, profile_of
from feed.menus import menus
from feed.walking import Filters
from ingestion.models import Document
from ingestion.seeing import seen_once
from tests.feed_corpus import company, known, source

EVERYTHING = Filters()
pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, alice: User) -> str:
    """Alice's feed with one document of a company with an unkind name."""
    acme = company("A<b>cme & Sons")
    known("It grew", of=acme, names=(acme,))
    profile_of(alice)
    ranking.rank_pending()
    client.force_login(alice)
    return client.get("/feed/").content.decode()


def tokens(page: str) -> set[str]:
    return set(re.findall(r'name="csrfmiddlewaretoken" value="(\w*)"', page))


def test_each_page_has_its_own_token_in_every_form(page: str, client: Client, bob: User) -> None:
    again = client.get("/feed/").content.decode()
    for each in (page, again):
        [token] = tokens(each)
        assert len(token) == 64
        assert each.count(token) >= each.count('<form class="thing') >= 3
    assert tokens(page) != tokens(again)
    ranking.rescore(bob)
    other = Client()
    other.force_login(bob)
    assert tokens(other.get("/feed/").content.decode()).isdisjoint(tokens(page) | tokens(again))


def test_names_stay_text(page: str) -> None:
    assert "A<b>cme" not in page
    assert "A&lt;b&gt;cme &amp; Sons" in page


def test_a_control_says_what_holds_now(page: str, client: Client, alice: User) -> None:
    acme = company("A<b>cme & Sons")
    following = "No longer follow A&lt;b&gt;cme"
    assert following not in page
    follow(alice, "company", str(acme.pk))
    assert following in client.get("/feed/").content.decode()
    acme.name = "Orion"
    acme.save()
    assert "No longer follow Orion" in client.get("/feed/").content.decode()


def test_menus_have_what_may_be_known_now(alice: User) -> None:
    def options(name: str, filters: Filters = EVERYTHING) -> str:
        return next(str(menu.options) for menu in menus(alice, filters) if menu.name == name)

    wire = source("Wire <1>")
    assert f'<option value="{wire.pk}">Wire &lt;1&gt;</option>' in options("source")
    chosen = options("source", Filters(sources=(wire.pk,)))
    assert f'<option value="{wire.pk}" selected>' in chosen
    assert "selected" not in options("source")
    wire.name = "Ticker"
    wire.save()
    assert ">Ticker<" in options("source")
    wire.groups.add(Group.objects.create(name="deal team"))
    assert ">Ticker<" not in options("source")
    follow(alice, "company", str(company("Acme").pk))
    assert ">Acme<" in options("company")


def test_what_may_be_seen_is_looked_up_once_for_an_answer_and_anew_for_the_next(
    alice: User, bob: User
) -> None:
    known("Falcon will be bought", wire=source("Vault"))

    def seen(user: User) -> int:
        return Document.objects.visible_to(user).count()

    with seen_once():
        assert seen(alice) == 1
        source("Vault").groups.add(Group.objects.create(name="deal team"))
        assert seen(alice) == 1
        # Nobody goes by another's look.
        assert seen(bob) == 0
        with seen_once():
            assert seen(alice) == 0
        assert seen(alice) == 1
    assert seen(alice) == 0


@seen_once()
def _answer(user: User) -> int:
    return Document.objects.visible_to(user).count()


def test_a_decorated_answer_looks_each_time(alice: User) -> None:
    known("Falcon will be bought", wire=source("Vault"))
    assert _answer(alice) == 1
    source("Vault").groups.add(Group.objects.create(name="deal team"))
    assert _answer(alice) == 0


@pytest.mark.parametrize("name", ["A<b>cme & Sons", 'Q"uote' * 12, "Ünïcode " * 4])
@pytest.mark.parametrize("stance", ["", "follow", "mute"])
def test_a_filled_control_is_as_its_template_would_be(name: str, stance: str) -> None:
    for kind, value in (("company", "12"), ("phrase", "cost <pressure>")):
        thing = Thing(kind, value, name, stance)
        page = Template("{% load kept %}{% follow_or_mute thing %}").render(
            Context({"thing": thing, "csrf_token": "t0ken"})
        )
        assert page == render_to_string("feed/_thing.html", {"thing": thing, "csrf_token": "t0ken"})
