"""Nearly the same text is indexed once, and nobody loses it; pairs written for these tests."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User

from ingestion import near_duplicates, pipeline, revising
from ingestion.editing import edit
from ingestion.models import Document, Source, TextBand
from ingestion.receiving import take_in
from ingestion.shingling import band_keys, jaccard, shingles
from ingestion.withdrawing import withdraw_for
from qa.knowing import as_known
from qa.retrieval import Scope, search
from tests.reading_corpus import process

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path / "stored"


@pytest.fixture
def wire() -> Source:
    return Source.objects.create(name="Wire", kind=Source.Kind.API)


@pytest.fixture
def paper() -> Source:
    return Source.objects.create(name="Paper", kind=Source.Kind.API)


PLACES = ("Aldwick", "Brenmouth", "Corfe", "Dunster", "Elmswell", "Fowey", "Girvan", "Hythe")
STORY = "The ferry company opened a terminal.\n\n" + "\n\n".join(
    f"At {place} the crews loaded timber, copper and grain on pier {number}, and the harbour "
    f"master of {place} counted vessel after vessel while the {place} cranes went on all night."
    for number, place in enumerate(PLACES, start=1)
)
COPY = STORY.replace("opened a terminal.", "opened a terminal, our reporter writes.")


def put(source: Source, words: str, name: str = "a.txt", **said) -> Document:
    file = io.BytesIO(words.encode())
    row = take_in(source, name, file, external_id=name, pushed=said).document
    process()
    row.refresh_from_db()
    return row


def found(user: User, scope: Scope | None = None) -> list[int]:
    return [hit.document.pk for hit in search("ferry terminal cranes", user, scope).documents]


def test_the_later_one_is_not_indexed_and_keeps_its_text(wire, paper, alice) -> None:
    first, second = put(wire, STORY), put(paper, COPY)
    assert second.near_duplicate_of_id == first.pk
    assert 0.9 <= (second.similarity or 0) < 1
    assert (second.text, second.chunks.count()) == (COPY, 0)
    assert second.state == "near_duplicate"
    assert found(alice) == [first.pk]
    # Who looks only in its source finds what stands for it, and sees that it is meant.
    assert found(alice, Scope(sources=(paper.pk,))) == [first.pk]
    (known,) = as_known(search("ferry terminal", alice).documents, alice)
    assert [row.pk for row in known.near] == [second.pk]


def test_the_pages_say_so(wire, paper, alice, client) -> None:
    first, second = put(wire, STORY, "first.txt"), put(paper, COPY, "second.txt")
    client.force_login(alice)
    assert b"Also seen as" in client.get("/?q=ferry+terminal").content
    page = client.get(second.get_absolute_url()).content.decode()
    assert "Nearly the same text is here as" in page
    assert first.get_absolute_url() in page
    assert "our reporter writes" in page
    assert second.get_absolute_url() in client.get(first.get_absolute_url()).content.decode()


def test_progress_and_work_are_complete_with_one(wire, paper) -> None:
    put(wire, STORY)
    put(paper, COPY)
    counts = pipeline.progress()
    assert (counts["parsed"], counts["searchable"], counts["duplicate"]) == (1, 1, 1)
    assert not Document.objects.unindexed().exists()


@pytest.mark.parametrize(
    "other",
    [
        STORY.replace("Girvan", "Oban").replace("Hythe", "Deal").replace("Fowey", "Looe"),
        COPY + " It took $14 million.",
        COPY + " A share of 12 percent was sold.",
        "\n\n".join(reversed(STORY.split("\n\n"))).replace("timber, copper", "oil, wool"),
    ],
    ids=["too different", "an amount of its own", "a rate of its own", "other words"],
)
def test_what_is_another_text_is_indexed(wire, paper, alice, other) -> None:
    first, second = put(wire, STORY), put(paper, other)
    assert second.near_duplicate_of_id is None
    assert set(found(alice)) == {first.pk, second.pk}


@pytest.mark.parametrize(
    ("first", "second", "linked"),
    [
        ({"fiscal_year": 2023}, {"fiscal_year": 2024}, False),
        ({}, {"company": "Ferry Lines"}, False),
        ({"company": "Ferry Lines"}, {}, True),
        ({"kind": "news"}, {"kind": "research_note"}, False),
        ({"kind": "news", "fiscal_year": 2024}, {"kind": "news", "fiscal_year": 2024}, True),
    ],
)
def test_it_must_be_found_by_what_it_is(wire, paper, first, second, linked) -> None:
    original = put(wire, STORY, **first)
    row = put(paper, COPY, **second)
    assert (row.near_duplicate_of_id == original.pk) is linked


def test_each_audience_finds_its_own(wire, paper, alice, bob) -> None:
    desk = Group.objects.create(name="desk")
    bob.groups.add(desk)
    wire.groups.add(desk)
    hidden, second = put(wire, STORY), put(paper, COPY)
    # The earlier one is hidden from Alice: both are indexed.
    assert found(alice) == [second.pk]
    assert set(found(bob)) == {hidden.pk, second.pk}


def test_an_open_one_stands_for_a_hidden_one(wire, paper, alice, bob) -> None:
    desk = Group.objects.create(name="desk")
    bob.groups.add(desk)
    paper.groups.add(desk)
    first, second = put(wire, STORY), put(paper, COPY)
    assert second.near_duplicate_of_id == first.pk
    assert found(alice) == found(bob) == [first.pk]
    hits = search("ferry terminal", bob).documents
    # Only who may see the hidden one learns that it is there.
    assert as_known(hits, alice)[0].near == []
    assert [row.pk for row in as_known(hits, bob)[0].near] == [second.pk]


def test_a_source_that_closes_gives_the_others_their_own(wire, paper, alice) -> None:
    put(wire, STORY)
    second = put(paper, COPY)
    wire.groups.add(Group.objects.create(name="desk"))
    assert near_duplicates.release_stranded() == 1
    process()
    assert found(alice) == [second.pk]
    assert near_duplicates.release_stranded() == 0


def test_a_sighting_elsewhere_counts_as_audience(wire, paper, alice, bob) -> None:
    desk = Group.objects.create(name="desk")
    bob.groups.add(desk)
    for source in (wire, paper):
        source.groups.add(desk)
    put(wire, STORY)
    second = put(paper, COPY)
    assert second.near_duplicate_of_id
    blog = Source.objects.create(name="Blog", kind=Source.Kind.API)
    put(blog, COPY)
    near_duplicates.release_stranded()
    process()
    assert found(alice) == [second.pk]


def test_when_the_original_goes_the_other_takes_its_place(wire, paper, alice, olga) -> None:
    first, second = put(wire, STORY), put(paper, COPY)
    withdraw_for(first, olga)
    process()
    assert found(alice) == [second.pk]


def test_an_amendment_is_no_near_duplicate_of_what_it_amends(wire, alice) -> None:
    first = put(wire, STORY, "same.txt")
    second = put(wire, COPY, "same.txt")
    first.refresh_from_db()
    assert second.near_duplicate_of_id is None
    assert first.state == "superseded"
    assert found(alice) == [second.pk]
    assert revising.mend() == 0


def test_a_revision_that_is_nearly_another_text_retires_its_own_past(wire, paper, alice) -> None:
    first = put(wire, STORY, "story.txt")
    old = put(paper, "The ferry terminal and its cranes were planned.", "notice.txt")
    second = put(paper, COPY, "notice.txt")
    old.refresh_from_db()
    assert second.near_duplicate_of_id == first.pk
    assert old.state == "superseded"
    assert found(alice) == [first.pk]


def test_an_edit_that_sets_them_apart_indexes_both(wire, paper, alice, eve) -> None:
    first, second = put(wire, STORY), put(paper, COPY)
    edit(second, {"fiscal_year": 2021}, eve)
    process()
    assert set(found(alice)) == {first.pk, second.pk}


def test_short_texts_are_never_near(wire, paper) -> None:
    put(wire, "No change to our guidance for the year was made today.")
    assert put(paper, "No change to our guidance for the year was made.").near_duplicate_of is None
    assert not TextBand.objects.exists()


def test_documents_from_before_get_their_bands(wire, paper) -> None:
    first = put(wire, STORY)
    TextBand.objects.all().delete()
    Document.objects.update(shingle_count=None)
    assert near_duplicates.sketch_pending() == 1
    assert near_duplicates.sketch_pending() == 0
    assert put(paper, COPY).near_duplicate_of_id == first.pk


def test_bands_agree_on_what_is_alike() -> None:
    words = [f"word{n}" for n in range(2_000)]
    one = shingles(" ".join(words))
    near = shingles(" ".join([*words[:1_990], "other", *words[1_990:]]))
    far = shingles(" ".join(f"other{n}" for n in range(2_000)))
    assert jaccard(one, near) > 0.99
    assert set(band_keys(one)) & set(band_keys(near))
    assert not set(band_keys(one)) & set(band_keys(far))
    assert band_keys(one) == band_keys(one)
    assert all(-(2**63) <= key < 2**63 for key in band_keys(one))
