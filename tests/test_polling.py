"""Sources are asked when due, by one worker at a time, and no slow or huge one starves another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from web_server import Web, web

from ingestion import fetching_items, listing, polled, polling
from ingestion.models import Document, Source, SourceItem
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.django_db

WORDS = (
    "Revenue rose by 12 percent to $30 million in the first quarter, Acme said, as demand in "
    "Europe recovered. Management expects further growth in the second half of the year and has "
    "raised its guidance for sales to $130 million."
)


@pytest.fixture
def server(settings: LazySettings, tmp_path: Path) -> Iterator[Web]:
    settings.MEDIA_ROOT = tmp_path / "stored"
    settings.FETCH_THREADS = 1
    settings.FETCH_SECONDS = ENOUGH_SECONDS
    with web() as served:
        settings.ALLOWED_FETCH_HOSTS = [f"127.0.0.1:{served.port}"]
        yield served


def source(server: Web, path: str = "/feed", name: str = "Wire", **fields: object) -> Source:
    values = {"name": name, "kind": Source.Kind.RSS, "location": server.url(path), **fields}
    return Source.objects.create(**values)


def feed(*items: str) -> str:
    return f'<rss version="2.0"><channel><title>Wire</title>{"".join(items)}</channel></rss>'


def entry(number: int | str, link: str = "", more: str = "") -> str:
    return (
        f"<item><guid>{number}</guid><title>Story {number}</title>"
        f"<link>{link or f'/story/{number}.txt'}</link>{more}</item>"
    )


def serve(server: Web, count: int, path: str = "/feed", **headers: str) -> None:
    for number in range(count):
        server.says(f"/story/{number}.txt", f"Story {number}. {WORDS}", Content_Type="text/plain")
    server.says(path, feed(*map(entry, range(count))), Content_Type="text/xml", **headers)


def due_again(row: Source) -> None:
    Source.objects.filter(pk=row.pk).update(next_run_at=None)


def test_what_a_feed_lists_becomes_documents_once(server: Web) -> None:
    serve(server, 3, ETag='"1"')
    row = source(server)
    polling.poll_sources()
    assert sorted(row.documents.values_list("title", flat=True)) == [
        "Story 0", "Story 1", "Story 2",
    ]  # fmt: skip
    assert {d.external_id for d in row.documents.all()} == {"0", "1", "2"}
    row.refresh_from_db()
    assert row.last_success_at is not None
    assert (row.last_error, row.etag, row.claim) == ("", '"1"', None)
    asked = len(server.asked)
    due_again(row)
    polling.poll_sources()
    assert server.asked[asked:][0][1]["If-None-Match"] == '"1"'
    assert len(server.asked) == asked + 1
    assert row.documents.count() == 3


def test_a_source_is_not_asked_before_its_time_nor_while_inactive(server: Web) -> None:
    serve(server, 1)
    source(server, next_run_at=timezone.now() + timedelta(minutes=1))
    source(server, name="Off", active=False)
    assert polling.poll_sources() == 0
    assert server.asked == []


def test_failures_are_told_in_words_and_wait_longer_each_time(server: Web) -> None:
    row = source(server, "/none", poll_minutes=10)
    waits = []
    for _ in range(3):
        due_again(row)
        polling.poll_next()
        row.refresh_from_db()
        assert row.next_run_at is not None
        waits.append(round((row.next_run_at - timezone.now()).total_seconds() / 60))
    assert row.last_error == "127.0.0.1 answered 404 Not Found."
    assert (row.failures, waits) == (3, [10, 20, 40])
    assert polling.back_off(row, 500) == timedelta(days=1)
    serve(server, 0, path="/none")
    due_again(row)
    polling.poll_next()
    row.refresh_from_db()
    assert (row.failures, row.last_error) == (0, "")


def test_a_server_that_asks_for_rest_gets_it(server: Web) -> None:
    server.says("/feed", "", 503, Retry_After="7200")
    row = source(server, poll_minutes=5)
    polling.poll_next()
    row.refresh_from_db()
    assert row.next_run_at is not None
    assert row.next_run_at > timezone.now() + timedelta(minutes=115)


def test_turns_go_round_so_that_a_huge_source_starves_nobody(server: Web) -> None:
    serve(server, 40, "/huge")
    huge = source(server, "/huge", "Huge")
    polling.poll_next()
    server.says("/small", feed(entry("a", "/story/1.txt"), entry("b", "/story/2.txt")))
    small = source(server, "/small", "Small")
    polling.poll_next()
    for _ in range(4):
        polling.take_turn()
    fetched = SourceItem.objects.filter(fetched_at__isnull=False)
    assert fetched.filter(source=small).count() == 2
    assert fetched.filter(source=huge).count() == 2
    huge.refresh_from_db()
    assert (huge.last_error, huge.failures) == ("", 0)
    assert huge.items.waiting().count() == 38


def test_a_slow_source_rests_while_the_others_go_on(
    server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(server, 3)
    row = source(server)
    polling.poll_next()
    monkeypatch.setattr(polling, "SLOW_SECONDS", -1.0)
    monkeypatch.setattr(polling, "REST_FACTOR", 1000)
    assert polling.take_turn()
    assert not polling.take_turn()
    row.refresh_from_db()
    assert row.rest_until is not None
    assert row.rest_until > timezone.now()


def test_what_is_held_by_one_worker_is_left_alone_by_another(server: Web) -> None:
    serve(server, 1)
    row = source(server)
    held = polling.claim_source(polled.due_to_poll(), "poll")
    assert held == row
    assert not polling.poll_next()
    # A killed worker's lease ends, and what it still writes afterwards is not kept.
    Source.objects.update(claimed_until=timezone.now())
    assert polling.poll_next()
    polling._release(held, last_error="too late")
    row.refresh_from_db()
    assert row.last_error == ""


@pytest.mark.django_db(transaction=True)
def test_many_threads_ask_each_source_once(server: Web, settings: LazySettings) -> None:
    settings.FETCH_THREADS = 6
    serve(server, 3)
    for number in range(12):
        server.says(f"/feed/{number}", feed(entry(f"x{number}", "/story/1.txt")))
        source(server, f"/feed/{number}", f"Wire {number}")
    polling.poll_sources(seconds=60)
    asked = [path for path in server.paths() if path.startswith("/feed/")]
    assert sorted(asked) == sorted(f"/feed/{number}" for number in range(12))
    assert SourceItem.objects.filter(fetched_at__isnull=False).count() == 12


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_source(server: Web) -> None:
    for number in range(6):
        source(server, name=f"Wire {number}")
    claimed: list[int] = []
    together = threading.Barrier(4)

    def claim_all() -> None:
        together.wait()
        while (row := polling.claim_source(polled.due_to_poll(), "poll")) is not None:
            claimed.append(row.pk)
        connection.close()

    workers = [threading.Thread(target=claim_all) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(claimed) == len(set(claimed)) == 6


def test_an_item_that_is_gone_is_given_up_and_a_broken_one_tried_again(server: Web) -> None:
    server.says("/feed", feed(entry("gone", "/gone.txt"), entry("ill", "/ill.txt")))
    server.says("/ill.txt", "", 500)
    row = source(server)
    polling.poll_sources()
    gone, ill = row.items.order_by("external_id")
    assert gone.gave_up_at is not None
    assert "404" in gone.failed_reason
    assert (ill.gave_up_at, ill.attempts) == (None, 1)
    assert not row.items.due().exists()
    for _ in range(2):
        row.items.update(retry_after=None)
        polling.take_turn()
    ill.refresh_from_db()
    assert ill.gave_up_at is not None
    assert row.documents.count() == 0


def test_an_item_that_leads_inside_is_given_up_in_words(server: Web) -> None:
    server.says("/feed", feed(entry("in", "http://169.254.169.254/latest/meta-data/")))
    row = source(server)
    polling.poll_sources()
    item = row.items.get()
    assert "link-local" in item.failed_reason
    assert item.gave_up_at is not None


def test_an_item_whose_worker_was_killed_each_time_is_given_up(server: Web) -> None:
    serve(server, 1)
    row = source(server)
    polling.poll_next()
    row.items.update(attempts=polled.MOST_ITEM_ATTEMPTS)
    polling.take_turn()
    assert row.items.get().gave_up_at is not None


def test_an_entry_that_says_it_changed_is_fetched_again(server: Web) -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>W</title><entry><id>1</id>'
        "<title>S</title><link href='/s.txt'/><updated>{}</updated></entry></feed>"
    )
    server.says("/feed", atom.format("2024-01-01T00:00:00Z"))
    server.says("/s.txt", "first", Content_Type="text/plain")
    row = source(server)
    polling.poll_sources()
    server.says("/feed", atom.format("2024-01-02T00:00:00Z"))
    server.says("/s.txt", "second", Content_Type="text/plain")
    due_again(row)
    polling.poll_sources()
    assert row.documents.count() == 1  # Not twice within the hour.
    row.items.update(fetched_at=timezone.now() - timedelta(hours=2))
    due_again(row)
    polling.poll_sources()
    assert set(row.documents.values_list("external_id", flat=True)) == {"1"}
    assert row.documents.count() == 2
    assert row.items.count() == 1


def test_a_source_that_changes_its_ids_daily_brings_no_flood(
    server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "REPEATS_LOOKED_AT", 20)
    row = source(server)
    for day in range(6):
        for number in range(5):
            server.says(f"/{day}/{number}.txt", f"Story {number}", Content_Type="text/plain")
        serial = [entry(f"{day}-{n}", f"/{day}/{n}.txt") for n in range(5)]
        server.says("/feed", feed(*serial))
        due_again(row)
        polling.poll_sources()
    assert row.documents.count() == 5
    assert row.items.count() == 30
    row.refresh_from_db()
    assert any("brought before" in note for note in row.notes)
    # New ids at the old addresses are not even fetched.
    asked = len(server.asked)
    server.says("/feed", feed(*[entry(f"z{n}", f"/5/{n}.txt?utm_source=z") for n in range(5)]))
    due_again(row)
    polling.poll_sources()
    assert len(server.asked) == asked + 1
    row.refresh_from_db()
    assert any("5 known addresses" in note for note in row.notes)


def test_a_feed_of_100000_items_is_bounded(server: Web) -> None:
    server.says("/feed", feed(*map(entry, range(100_000))), Content_Type="text/xml")
    row = source(server)
    polling.poll_next()
    assert row.items.count() == listing.MOST_NEW
    row.refresh_from_db()
    assert any("100,000" in note for note in row.notes)
    assert any("500 new items" in note for note in row.notes)
    assert row.next_run_at is not None
    assert row.next_run_at < timezone.now() + timedelta(minutes=2)
    due_again(row)
    polling.poll_next()
    assert row.items.count() == 2 * listing.MOST_NEW


def test_a_date_in_the_future_is_left_out_and_noted(server: Web) -> None:
    serve(server, 1)
    when = "<pubDate>Fri, 01 Jan 2199 00:00:00 GMT</pubDate>"
    past = "<pubDate>Mon, 06 May 2024 10:00:00 GMT</pubDate>"
    server.says("/feed", feed(entry(0, more=when), entry("p", "/story/0.txt?p", more=past)))
    row = source(server)
    polling.poll_next()
    assert [i.published_on and i.published_on.isoformat() for i in row.items.all()] == [
        None, "2024-05-06",
    ]  # fmt: skip
    row.refresh_from_db()
    assert row.notes == [
        "1 item is dated in the future (the latest 2199-01-01); the date is left out."
    ]


def test_a_reader_that_breaks_stops_no_other_source(
    server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Source) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(polling, "record", broken)
    row = source(server)
    assert polling.poll_next()
    row.refresh_from_db()
    assert row.last_error == "It could not be read (ZeroDivisionError)."
    assert row.failures == 1


def test_the_same_bytes_again_are_the_same_document(server: Web) -> None:
    row = source(server)
    for name in ("a", "b"):
        server.says(f"/{name}.txt", "one text", Content_Type="text/plain")
    server.says("/feed", feed(entry("a", "/a.txt"), entry("b", "/b.txt")))
    polling.poll_sources()
    assert Document.objects.filter(source=row).count() == 1
    assert {item.document for item in row.items.all()} == {row.documents.get()}
    assert fetching_items.MOST_ITEM_ATTEMPTS == 3
