"""The page of a feed: what may be seen, diverse, folded, explored by chance, scrolled exactly."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from docintel.models import Activity
from feed import ranking, reading
from feed.explaining import cards
from feed.following import follow, profile_of
from feed.marking_cards import read
from feed.ml.diversity import AMONG, MOST, arrange
from feed.ml.features import NAMES
from feed.models import Engagement, FeedItem, RankedDocument
from feed.reading import BadCursor
from feed.walking import Filters, Walk
from ingestion.models import Chunk, Topic
from tests.feed_corpus import company, known, source

EVERYTHING = Filters()
pytestmark = pytest.mark.django_db


class Never(random.Random):
    def random(self) -> float:
        return 0.99


class Always(random.Random):
    def random(self) -> float:
        return 0.0


def ranked(user, *more) -> None:
    for person in (user, *more):
        profile_of(person)
    ranking.rank_pending(seconds=600)


def scroll(user, filters: Filters = EVERYTHING, chance=None) -> list[list[int]]:
    pages, cursor = [], ""
    while True:
        page = reading.page(user, filters, cursor, chance=chance or Never())
        pages.append([slot.item.document_id for slot in page.slots])
        cursor = page.cursor
        if not cursor:
            return pages


def test_scrolling_loses_and_repeats_nothing(alice) -> None:
    wires = [source(f"Wire {n}") for n in range(4)]
    firms = [company(f"Firm {n}") for n in range(3)]
    made = {
        known(f"Story {n}", of=firms[n % 3] if n % 2 else None, wire=wires[n // 40], days=n / 50).pk
        for n in range(130)
    }
    ranked(alice)
    pages = scroll(alice)
    shown = [pk for page in pages for pk in page]
    assert len(shown) == len(set(shown)) == 130
    assert set(shown) == made
    assert all(len(page) == reading.PER_PAGE for page in pages[:-1])
    newest = [pk for page in scroll(alice, Filters(sort="time")) for pk in page]
    rows = FeedItem.objects.filter(user=alice).order_by("-fresh_at", "-pk")
    assert newest == list(rows.values_list("document", flat=True))


def test_no_more_than_three_of_a_company_or_source_in_ten() -> None:
    crowd = [(1, 1)] * 12 + [(n, n) for n in range(2, 40)]
    order = [crowd[at] for at in arrange(crowd, 30)]
    for start in range(len(order) - AMONG + 1):
        window = order[start : start + AMONG]
        assert sum(company == 1 for company, _ in window) <= MOST
    assert arrange([(1, 1)] * 5, 5) == [0, 1, 2, 3, 4]
    assert arrange(crowd, 5, companies=False, sources=False) == [0, 1, 2, 3, 4]
    # Unknown companies are not one company.
    assert arrange([(None, n) for n in range(6)], 6) == list(range(6))


def test_a_hidden_document_is_on_no_feed_whatever_was_ranked(alice, bob) -> None:
    vault = source("Vault")
    team = Group.objects.create(name="deal team")
    vault.groups.add(team)
    known("Falcon will be bought", wire=vault)
    known("Acme grew")
    ranked(alice, bob)
    bob.groups.add(team)
    assert [slot.document.title for slot in reading.page(alice).slots] == ["Acme grew"]
    assert len(reading.page(bob).slots) == 2
    assert reading.count_new(alice, timezone.now() - timedelta(hours=1)) == 1


def test_withdrawn_and_superseded_documents_leave_the_feed(alice) -> None:
    gone = known("Withdrawn")
    known("Acme grew")
    ranked(alice)
    gone.withdrawn_at = timezone.now()
    gone.save()
    assert [slot.document.title for slot in reading.page(alice).slots] == ["Acme grew"]


def test_nearly_the_same_documents_are_one_card(alice) -> None:
    first = known("Acme grew")
    copy = known("Acme grew much", wire=source("Second wire"))
    copy.near_duplicate_of, copy.searchable_at = first, None
    copy.save()
    ranked(alice)
    [slot] = reading.page(alice).slots
    assert slot.document == first
    assert slot.near == [copy]


def test_exploring_is_marked_and_its_propensity_is_the_chance_it_had(alice) -> None:
    wires = [source(f"Wire {n}") for n in range(8)]
    for n in range(40):
        known(f"Story {n}", wire=wires[n % 8], days=n / 10)
    ranked(alice)
    page = reading.page(alice, chance=Always(3))
    explored = [slot for slot in page.slots if slot.exploring]
    shown = [slot.item.document_id for slot in page.slots]
    assert len(explored) == reading.PER_PAGE
    assert len(set(shown)) == len(shown)
    mark = read(explored[0].mark, alice)
    assert mark.exploring
    assert 0 < mark.propensity <= reading.EXPLORING / 10
    assert mark.position == explored[0].position
    assert not any(slot.exploring for slot in reading.page(alice, chance=Never()).slots)
    confined = reading.page(alice, Filters(kinds=("news",)), chance=Always())
    assert not any(slot.exploring for slot in confined.slots)
    [card] = cards(explored[:1], alice)
    assert card.reasons[0].text.startswith("Exploring")


def test_filters_confine(alice) -> None:
    acme, orion = company("Acme"), company("Orion")
    wire = source("Other wire")
    one = known("Acme grew", of=acme)
    two = known("Rates", names=(acme, orion), topics={"mergers": 0.9}, days=10)
    three = known("Weather", kind="other", wire=wire, days=20)
    ranked(alice)

    def found(**fields):
        return {pk for page in scroll(alice, Filters(**fields)) for pk in page}

    assert found(companies=(acme.pk,)) == {one.pk, two.pk}
    assert found(topics=("mergers",)) == {two.pk}
    assert found(kinds=("other",)) == {three.pk} == found(sources=(wire.pk,))
    assert found(days=7) == {one.pk}
    assert found(days=30, companies=(orion.pk,)) == {two.pk}
    follow(alice, "company", str(acme.pk), muted=True)
    ranking.rescore(alice)
    assert reading.count_hidden(alice, Filters()) == 1
    assert found(hidden=True) == {one.pk}
    assert one.pk not in found()


def test_exploring_draws_nothing_that_its_reader_opened(alice, bob) -> None:
    opened, shown, others = (known(f"Story {n}") for n in range(3))
    ranked(alice, bob)
    for user, document in ((alice, opened), (bob, others)):
        Engagement.objects.create(
            user=user, document=document, shown=1, opens=1, opened_at=timezone.now()
        )
    Engagement.objects.create(user=alice, document=shown, shown=1)
    drawn_from = {document for _, document in Walk(alice, EVERYTHING).beyond(float("inf"))}
    assert drawn_from == {shown.pk, others.pk}


def test_a_cursor_is_of_one_person(alice, bob) -> None:
    for n in range(30):
        known(f"Story {n}")
    ranked(alice, bob)
    cursor = reading.page(alice).cursor
    assert cursor
    for user, text in ((bob, cursor), (alice, cursor[:-2]), (alice, "x")):
        with pytest.raises(BadCursor):
            reading.page(user, Filters(), text)


def test_reasons_are_tied_to_what_shows_them(alice) -> None:
    acme, orion = company("Acme"), company("Orion")
    known("Rates and prices", names=(orion, acme), about=4)
    read_before = known("Mergers of last week", topics={"mergers": 0.9}, about=9, days=3)
    known("Another merger", topics={"mergers": 0.8}, about=9)
    known("Weather", about=7, kind="other")
    ranked(alice)
    follow(alice, "company", str(acme.pk))
    Engagement.objects.create(
        user=alice, document=read_before, opens=1, active_ms=60_000, opened_at=timezone.now()
    )
    ranking.rescore(alice)
    made = {card.slot.document.title: card for card in cards(reading.page(alice).slots, alice)}
    assert made["Rates and prices"].reasons[0].text == "You follow Acme"
    assert made["Rates and prices"].passage.startswith("Acme spoke.")
    said = [reason.text for reason in made["Another merger"].reasons]
    topic = "You read 1 document on "
    assert any(text.startswith(topic) or "Mergers of last week" in text for text in said), said
    assert not any("You follow" in reason.text for reason in made["Weather"].reasons)
    assert made["Mergers of last week"].slot.is_read


def test_a_habit_is_told_when_there_is_one(alice) -> None:
    wires = [source(f"Wire {n}") for n in range(4)]
    before = [known(f"Call {n}", wire=wires[n], kind="earnings_call", days=3) for n in range(3)]
    known("Another call", wire=wires[3], kind="earnings_call")
    ranked(alice)
    for count, document in enumerate(before, start=1):
        Engagement.objects.create(
            user=alice, document=document, opens=1, active_ms=60_000, opened_at=timezone.now()
        )
        ranking.rescore(alice)
        FeedItem.objects.update(features=[float(name == "kind_share") for name in NAMES])
        made = {card.slot.document.title: card for card in cards(reading.page(alice).slots, alice)}
        often = "You often read this type: earnings call"
        told = often if count == 3 else "New; not close to what you follow or read"
        assert [reason.text for reason in made["Another call"].reasons] == [told]


def test_what_was_asked_about_is_named_and_nothing_else(alice) -> None:
    acme, orion = company("Acme"), company("Orion")
    known("Orion met Acme", of=orion, names=(orion, acme), topics={"mergers": 0.9, "earnings": 0.8})
    Activity.objects.create(user=alice, verb="asked", companies=[acme.pk], topics=["earnings"])
    ranked(alice)
    ranking.rescore(alice)
    [card] = cards(reading.page(alice).slots, alice)
    said = {reason.text for reason in card.reasons if reason.text.startswith("You asked")}
    assert said
    topic = Topic.objects.get(key="earnings").name
    assert said <= {"You asked about Acme", f"You asked about {topic}"}


def test_a_card_quotes_no_cover(alice) -> None:
    document = known("Annual report", kind="annual_report")
    cover = "FORM 10-K\nIndicate by check mark whether the registrant is a shell company. Yes No"
    said = "Net sales increased by 20 percent because the new plant in Ohio was open all year."
    chunk = document.chunks.get()
    chunk.delete()
    for ordinal, (start, text) in enumerate([(0, cover), (200, f"Results\n{said}")]):
        Chunk.objects.create(
            document=document, ordinal=ordinal, start=start, end=start + len(text), page=1,
            n_tokens=9, body=f"x\n{text}", header_length=2, terms=chunk.terms,
            statement="mdna" if ordinal else "",
        )  # fmt: skip
    ranked(alice)
    [card] = cards(reading.page(alice).slots, alice)
    assert card.passage == said
    # A title on the same line is no part of it.
    RankedDocument.objects.update(facts=RankedDocument.objects.get().facts | {"lead": 212})
    [card] = cards(reading.page(alice).slots, alice)
    assert card.passage == said.removeprefix("Net ")
    # What was ranked before this was known is quoted from its beginning.
    RankedDocument.objects.update(facts=RankedDocument.objects.get().facts | {"lead": 0})
    [card] = cards(reading.page(alice).slots, alice)
    assert card.passage.startswith("FORM 10-K")


def test_a_card_quotes_where_another_document_names_what_is_followed(alice) -> None:
    acme, orion = company("Acme"), company("Orion")
    own = known("Acme files its report", of=acme, names=(acme,))
    other = known("Orion spoke of Acme and grew much more than it had said before", of=orion,
                  names=(orion, acme))  # fmt: skip
    ranked(alice)
    follow(alice, "company", str(acme.pk))
    ranking.rescore(alice)
    made = {card.slot.document.pk: card for card in cards(reading.page(alice).slots, alice)}
    assert made[other.pk].passage.startswith("Acme spoke.")
    # Its own documents name it on every page: they are quoted from where they begin.
    assert made[own.pk].passage.startswith("Acme files its report.")


def test_the_page_and_its_controls(client, alice) -> None:
    acme = company("Acme")
    document = known("Acme grew", of=acme, names=(acme,))
    for n in range(30):
        known(f"Story {n}")
    ranked(alice)
    client.force_login(alice)
    page = client.get("/feed/")
    assert page.status_code == 200
    assert "Pick companies and topics" in page.content.decode()
    assert page.content.decode().count("data-document=") >= 20
    followed = client.post(
        "/feed/follow/", {"kind": "company", "value": acme.pk, "stance": "follow"},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert "You follow Acme." in followed.content.decode()
    assert "You follow Acme" in client.get("/feed/").content.decode()
    client.post(f"/documents/{document.public_id}/save/", {"saved": "1"})
    assert "Acme grew" in client.get("/feed/saved/").content.decode()
    refused = client.post(
        "/feed/follow/", {"kind": "company", "value": "987654", "stance": "follow"},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert refused.status_code == 422
    client.post("/feed/follow/", {"kind": "document_kind", "value": "news", "stance": "mute"})
    everything = client.get("/feed/").content.decode()
    assert "Everything recent is hidden by what you mute" in everything
    # Said, and shown all the same: the newest of it.
    assert everything.count("data-document=") == reading.PER_PAGE
    assert client.get("/feed/?cursor=bad").status_code == 302
    assert client.get(f"/documents/{document.public_id}/beside/").status_code == 200
