"""A source's own page says how it is doing; an operator changes it, and opens it to nobody new."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from pgvector import SparseVector

from docintel import registry
from ingestion import comparing_sources
from ingestion.changing_sources import Refused, change
from ingestion.models import (
    TERM_DIMENSIONS,
    Chunk,
    Company,
    Document,
    Mention,
    Source,
    SourceComparison,
)
from ingestion.onboarding import switch_on

pytestmark = pytest.mark.django_db


def wire(**fields: object) -> Source:
    values = {"name": "Wire", "kind": Source.Kind.RSS, "location": "https://a.example/feed"}
    return Source.objects.create(**{**values, **fields})


def said(source: Source, **changes: object) -> dict[str, object]:
    return {
        "name": source.name, "kind": source.kind, "location": source.location,
        "credibility": 0.5, "poll_minutes": 30, "default_kind": "", "active": "on", **changes,
    }  # fmt: skip


def test_a_page_says_in_plain_words_how_a_source_is_doing(client: Client, olga: User) -> None:
    client.force_login(olga)
    now = timezone.now()
    source = wire(
        failures=3, last_error="a.example answered 503.", polled_at=now,
        next_run_at=now + timedelta(hours=2), notes=["It lists 4,000 items."],
    )  # fmt: skip
    source.items.create(external_id="1", title="Lost", gave_up_at=now, failed_reason="404 gone.")
    content = client.get(f"/sources/{source.pk}/").content.decode()
    for words in (
        "3 times in a row: a.example answered 503.", "It has never answered.", "Lost", "404 gone.",
        "Of 1 items that it listed, 0 were fetched", "1 were given up", "It lists 4,000 items.",
        "seen by everyone",
    ):  # fmt: skip
        assert words in content, words
    folder = Source.objects.create(name="F", kind="folder", location="/f", offered=12)
    assert "It held 12 files" in client.get(f"/sources/{folder.pk}/").content.decode()


def test_an_operator_changes_a_source_and_it_is_asked_anew(client: Client, olga: User) -> None:
    client.force_login(olga)
    later = timezone.now() + timedelta(hours=5)
    source = wire(etag='"1"', failures=4, last_error="Gone.", next_run_at=later)
    page = f"/sources/{source.pk}/edit/"
    assert b"a.example" in client.get(page).content
    assert client.post(page, said(source, poll_minutes=5, credibility=0.9)).status_code == 302
    source.refresh_from_db()
    assert (source.poll_minutes, source.credibility, source.etag) == (5, 0.9, '"1"')
    client.post(page, said(source, location="https://b.example/feed"))
    source.refresh_from_db()
    assert (source.etag, source.failures, source.last_error) == ("", 0, "")
    assert source.next_run_at is None
    answer = client.post(page, said(source, poll_minutes=0, credibility=7))
    assert answer.status_code == 422
    other = wire(name="Other")
    assert client.post(f"/sources/{other.pk}/edit/", said(source)).status_code == 422


def test_a_folder_keeps_its_place(client: Client, olga: User) -> None:
    client.force_login(olga)
    source = Source.objects.create(name="F", kind="folder", location="/f")
    client.post(f"/sources/{source.pk}/edit/", said(source, location="/etc", kind="rss", name="G"))
    source.refresh_from_db()
    assert (source.name, source.kind, source.location) == ("G", "folder", "/f")


def test_an_operator_narrows_who_sees_a_source_but_opens_it_to_nobody(
    client: Client, olga: User, adam: User
) -> None:
    deal, desk = (Group.objects.create(name=name) for name in ("deal team", "desk"))
    source = wire()
    assert change(source, olga, [deal, desk]) == ["groups"]
    assert change(source, olga, [deal]) == ["groups"]
    for wider in ([], [deal, desk], [desk]):
        with pytest.raises(Refused, match="administrator"):
            change(source, olga, wider)
    assert set(source.groups.all()) == {deal}
    # Nor does the page exist for who may not see the source.
    client.force_login(olga)
    assert client.get(f"/sources/{source.pk}/edit/").status_code == 404
    assert change(source, adam, []) == ["groups"]


def test_a_new_source_is_restricted_from_its_first_moment(client: Client, olga: User) -> None:
    deal = Group.objects.create(name="deal team")
    source = switch_on("Deals", Source.Kind.RSS, "https://d.example/feed", groups=[deal])
    assert not Source.objects.visible_to(olga).filter(pk=source.pk).exists()
    client.force_login(olga)
    form = {"location": "https://e.example/feed", "kind": "rss", "credibility": 0.5,
            "poll_minutes": 30, "groups": [deal.pk], "switch_on": 1}  # fmt: skip
    client.post("/sources/new/", form)
    made = Source.objects.get(location="https://e.example/feed")
    assert list(made.groups.all()) == [deal]


# The first 30 days


def fill(source: Source, count: int, tokens: int, mentions: int, linked: bool) -> None:
    recogniser = registry.register("recogniser", "test", "0")
    company, _ = Company.objects.get_or_create(name="Acme", key="acme")
    now = timezone.now()
    for number in range(count):
        text = f"{source.name} {number} ".ljust(1_000, "x")
        document = Document.objects.create(
            source=source, text=text, text_sha256=f"{source.pk}-{number}", parsed_at=now,
            searchable_at=now, recognised_at=now, recogniser=recogniser, chunk_count=1,
        )  # fmt: skip
        Chunk.objects.create(
            document=document, ordinal=0, start=0, end=1_000, page=1, n_tokens=tokens,
            body=text, header_length=0, terms=SparseVector({}, TERM_DIMENSIONS),
        )  # fmt: skip
        Mention.objects.bulk_create(
            Mention(
                document=document, start=at, end=at + 1, kind="company", name="Acme",
                company=company if linked else None, recogniser=recogniser,
            )
            for at in range(mentions)
        )  # fmt: skip


def test_a_new_source_is_kept_beside_the_corpus_for_thirty_days(client: Client, olga: User) -> None:
    old = wire(name="Old", location="https://o.example/")
    Source.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    fill(old, 6, tokens=400, mentions=20, linked=True)
    new = wire()
    fill(new, 5, tokens=90, mentions=2, linked=False)
    wire(name="Empty", location="https://n.example/")
    assert comparing_sources.compare_new_sources() == 1
    assert comparing_sources.compare_new_sources() == 1
    row = SourceComparison.objects.get()
    assert (row.source, row.documents, row.corpus_documents) == (new, 5, 6)
    assert (row.hit_rate, row.corpus_hit_rate) == (0.0, 1.0)
    assert (row.chunk_tokens, row.corpus_chunk_tokens) == (90, 400)
    assert (row.density, row.corpus_density) == (2.0, 20.0)
    hints = comparing_sources.hints(row)
    assert "No company was recognised in 100% of its documents" in hints[0]
    assert "cut short" in hints[1]
    assert "menus" in hints[2]
    client.force_login(olga)
    content = client.get(f"/sources/{new.pk}/").content.decode()
    assert "cut short" in content
    assert "others 400" in content
    Source.objects.filter(pk=new.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert comparing_sources.compare_new_sources() == 0
    assert SourceComparison.objects.count() == 1


def test_a_few_documents_say_nothing() -> None:
    fill(wire(), 2, tokens=10, mentions=0, linked=False)
    comparing_sources.compare_new_sources()
    assert comparing_sources.hints(SourceComparison.objects.get()) == []
