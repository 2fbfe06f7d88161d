"""What a document mentions, as its page, the API and the list of documents show it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ingestion import health, linking, pipeline, rerunning
from ingestion.companies import company_named
from ingestion.mentioned import mentioned, mentioning
from ingestion.models import Company, CompanyAlias, Document, Mention, Source
from tests.small_corpus import document as searchable
from tests.small_corpus import source as library

pytestmark = pytest.mark.django_db(transaction=True)

FILING = (
    "Halden Freight Systems, Inc. (the “Company” or “Halden”) reports the second quarter of "
    "fiscal 2024. Revenue rose 4.5% to $1.2 billion, said Dave Kimbell, chief executive officer. "
    "The Company sold its stake in Marriott International, Inc. to Quillon Media Inc. on "
    "June 30, 2024. Revenue of Halden <b>fell</b>."
)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, settings: LazySettings) -> None:
    settings.MEDIA_ROOT = tmp_path
    linking._latest.clear()


@pytest.fixture
def marriott() -> Company:
    return Company.objects.create(
        name="Marriott International", key="marriottinternational", ticker="MAR"
    )


@pytest.fixture
def filing(marriott: Company) -> Document:
    row = searchable([FILING], kind="annual_report")
    row.company = company_named("Halden Freight Systems")
    row.save()
    assert pipeline.recognise_pending() == 1
    return Document.objects.get(pk=row.pk)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(row: Document) -> str:
    return reverse("ingestion_api:mentions", args=[row.public_id])


def test_in_brief(filing: Document) -> None:
    said = mentioned(filing)
    assert [(one.name, one.count) for one in said.companies] == [
        ("Halden Freight Systems", 4), ("Marriott International", 1),
    ]  # fmt: skip
    assert [one.name for one in said.unlinked] == ["Quillon Media Inc."]
    assert [(one.name, one.role) for one in said.people] == [
        ("Dave Kimbell", "Chief Executive Officer")
    ]
    assert [(one.name, one.count) for one in said.metrics] == [("revenue", 2)]
    assert [one.name for one in said.periods] == ["Q2 FY2024"]
    assert said.n_figures == 2
    first = said.metrics[0].first
    assert filing.text[first:].startswith("Revenue rose")


def test_the_page_shows_them_with_links(filing: Document, alice: User) -> None:
    page = as_(alice).get(filing.get_absolute_url()).content.decode()
    assert "?mentions=Marriott%20International" in page
    assert "Chief Executive Officer" in page
    assert "Quillon Media Inc." in page
    waiting = searchable(["Nothing read yet."])
    page = as_(alice).get(waiting.get_absolute_url()).content.decode()
    assert "Not read for names and figures yet." in page


def test_the_api_lists_them_exactly(filing: Document, alice: User) -> None:
    client = as_(alice)
    whole = client.get(url(filing)).json()["results"]
    assert [row["start"] for row in whole] == sorted(row["start"] for row in whole)
    assert all(row["text"] == filing.text[row["start"] : row["end"]] for row in whole)
    assert len(whole) == Mention.objects.filter(document=filing).count()
    [linked] = [row for row in whole if row["text"] == "Marriott International, Inc."]
    assert (linked["company"], linked["ticker"]) == ("Marriott International", "MAR")
    some = client.get(url(filing), {"kind": ["money", "percent"]}).json()["results"]
    assert [row["text"] for row in some] == ["4.5%", "$1.2 billion"]
    assert some[1]["value"] == {"amount": "1200000000", "currency": "USD"}


def test_the_api_pages_through_them(filing: Document, alice: User) -> None:
    client, seen, address = as_(alice), [], url(filing) + "?page_size=3"
    while address:
        body = client.get(address).json()
        assert len(body["results"]) <= 3
        seen += [row["start"] for row in body["results"]]
        address = body["next"]
    assert seen == list(filing.mentions.values_list("start", flat=True))


@pytest.mark.parametrize(
    "query", ["kind=shoe", "cursor=cD1hYmM=", "page_size=0", "other=1", "kind=%00"]
)
def test_what_the_api_refuses(filing: Document, alice: User, query: str) -> None:
    answer = as_(alice).get(f"{url(filing)}?{query}")
    assert answer.status_code == 400


def test_documents_that_mention_a_company(filing: Document, marriott: Company, alice: User) -> None:
    other = searchable(["Nobody is named here."])
    CompanyAlias.objects.create(company=marriott, name="Courtyard", key="courtyard")
    everything = Document.objects.all()
    for name in ("Marriott International", "MARRIOTT INTERNATIONAL, INC.", "mar", "Courtyard"):
        assert list(mentioning(everything, [name])) == [filing], name
    assert list(mentioning(everything, ["Unheard Of"])) == []
    listed = as_(alice).get(reverse("ingestion_api:documents"), {"mentions": "MAR"}).json()
    assert [row["id"] for row in listed["results"]] == [str(filing.public_id)]
    page = as_(alice).get(reverse("ingestion:documents"), {"mentions": "MAR"}).content.decode()
    assert filing.get_absolute_url() in page
    assert other.get_absolute_url() not in page


def test_a_duplicate_mentions_what_its_original_does(filing: Document, alice: User) -> None:
    again = Document.objects.create(
        source=filing.source, file_name="again.txt", file_sha256="0" * 64,
        duplicate_of=filing, parsed_at=timezone.now(),
    )  # fmt: skip
    assert set(mentioning(Document.objects.all(), ["MAR"])) == {filing, again}
    assert as_(alice).get(url(again)).json()["results"][0]["company"] == "Halden Freight Systems"


def test_nothing_of_a_hidden_document(marriott: Company, alice: User) -> None:
    Group.objects.get_or_create(name="deal team")
    hidden = searchable([FILING], origin=library("Vault", "deal team"))
    pipeline.recognise_pending()
    assert mentioning(Document.objects.all(), ["MAR"]).count() == 1
    client = as_(alice)
    assert client.get(url(hidden)).status_code == 404
    assert (
        client.get(reverse("ingestion_api:documents"), {"mentions": "MAR"}).json()["results"] == []
    )


def test_health_says_what_waits(filing: Document) -> None:
    def line() -> str:
        return next(f.message for f in health.findings() if f.name == "Mentions")

    assert line() == "nothing waits"
    searchable(["Another."])
    assert line().startswith("1 document waiting, the oldest for")
    assert pipeline.progress()["recognised"] == 1


def test_read_again_each_mention_spells_its_text(filing: Document) -> None:
    before = list(filing.mentions.values_list("start", "end", "kind"))
    said = rerunning.rerun_document(filing, Document.Stage.RECOGNISE)
    assert "names and figures" in said
    assert mentioned(Document.objects.get(pk=filing.pk)).waiting
    assert pipeline.recognise_pending() == 1
    again = Document.objects.get(pk=filing.pk)
    assert list(again.mentions.values_list("start", "end", "kind")) == before
    for row in again.mentions.filter(kind="company").exclude(value__has_key="reference"):
        assert " ".join(again.text[row.start : row.end].split()) == row.name


def test_odd_texts_keep_their_offsets() -> None:
    odd = (
        "🙂 é́ Halden Freight Systems,\u00a0Inc.\u2028paid €3.4m 中 on\r\n"
        "June 30,\n2024 \u200bto Quillon Corp."
    )
    row = searchable([odd])
    assert Source.objects.count() == 1
    pipeline.recognise_pending()
    row = Document.objects.get(pk=row.pk)
    found = {row.text[m.start : m.end] for m in row.mentions.all()}
    assert {"€3.4m", "June 30,\n2024", "Quillon Corp."} <= found
