"""Kept answers: the same numbers everywhere, for nobody who may not see what they cite."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from docintel import encoders
from ingestion.models import Document
from qa.models import Ask, ShownPassage
from tests.kept_answers import cited, keep
from tests.reading_corpus import library, vault

pytestmark = pytest.mark.django_db

FREIGHT = "Freight costs rose by eleven percent after the canal closed in March."
PRICES = "We raised prices in two steps and kept our volumes."
MARGIN = "Gross margin narrowed to 31.2 percent from 33.9 percent."
EASE = "Freight costs should ease in the second half as the canal reopens."
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&amp; [x](http://evil.test)"


@pytest.fixture(autouse=True)
def words_only(monkeypatch: pytest.MonkeyPatch, settings, tmp_path) -> None:
    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def filing() -> Document:
    library()
    return Document.objects.get(title="Tidewater 10-K")


@pytest.fixture
def note(filing: Document) -> Document:
    return Document.objects.get(title="Freight note")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(ask: Ask) -> str:
    return reverse("qa:answer", args=[ask.public_id])


def numbers(page: str) -> list[str]:
    return re.findall(r'class="cite"[^>]*data-n="(\d+)"', page)


def test_one_passage_has_one_number_inline_and_in_the_panel(
    filing: Document, note: Document, alice: User
) -> None:
    ask = keep(
        alice,
        ("Freight rose by eleven percent.", cited(filing, FREIGHT)),
        ("It should ease.", cited(note, EASE)),
        ("Prices were raised.", cited(filing, PRICES)),
    )
    page = as_(alice).get(address(ask)).content.decode()
    # The first and the third stand in one passage of the filing.
    assert numbers(page) == ["1", "2", "1"]
    assert re.findall(r'id="source-(\d+)"', page) == ["1", "2"]
    assert page.count("<blockquote><a href") == 3
    start = filing.text.index(FREIGHT)
    assert f"start={start}&amp;end={start + len(FREIGHT)}#passage" in page
    api = as_(alice).get(reverse("qa_api:answer", args=[ask.public_id])).json()
    said = [str(each["n"]) for s in api["sentences"] for each in s["citations"]]
    assert said == numbers(page)


def test_a_citation_opens_the_passage(filing: Document, alice: User) -> None:
    ask = keep(alice, ("Freight rose.", cited(filing, FREIGHT)))
    page = html.unescape(as_(alice).get(address(ask)).content.decode())
    link = re.search(r'class="cite" href="([^"#]+)', page)
    assert link
    opened = html.unescape(as_(alice).get(f"{link[1]}&view=text").content.decode())
    marked = re.findall(r"<mark[^>]*>(.*?)</mark>", opened, re.DOTALL)
    assert " ".join(marked).split() == FREIGHT.split()


def test_others_read_it_only_if_they_may_see_everything_cited(
    filing: Document, alice: User, bob: User
) -> None:
    secret = vault(alice)
    open_one = keep(alice, ("Freight rose.", cited(filing, FREIGHT)))
    mixed = keep(
        alice,
        ("Freight rose.", cited(filing, FREIGHT)),
        ("In secret too.", cited(secret, "Freight costs, in secret.")),
    )
    assert as_(bob).get(address(open_one)).status_code == 200
    assert as_(alice).get(address(mixed)).status_code == 200
    missing = as_(bob).get("/answers/00000000-0000-4000-8000-000000000000/")
    refused = as_(bob).get(address(mixed))
    assert (refused.status_code, missing.status_code) == (404, 404)
    assert refused.content == missing.content
    told = as_(bob).post(reverse("qa:feedback", args=[mixed.public_id]), {"verdict": "up"})
    assert told.status_code == 404


def test_what_cites_nothing_is_the_askers_own(filing: Document, alice: User, bob: User) -> None:
    ask = Ask.objects.create(
        asker=alice, text="What of Falcon?", state=Ask.State.NOT_FOUND,
        understood={"nothing": {
            "searched": "all documents", "documents": 2, "first": "2024-03-01",
            "last": "2024-05-01", "warnings": ["1 filing is not yet in the vector index."],
        }},
    )  # fmt: skip
    start = filing.text.index(MARGIN)
    ShownPassage.objects.create(
        ask=ask, ordinal=1, document=filing, start=start, end=start + len(MARGIN)
    )
    page = as_(alice).get(address(ask)).content.decode()
    for words in (
        "Not found in the documents", "1 Mar 2024 to 1 May 2024", "not yet in the vector index",
        "Nearest passages, which do not answer it", "narrowed to 31.2",
    ):  # fmt: skip
        assert words in page, words
    assert numbers(page) == []
    assert as_(bob).get(address(ask)).status_code == 404


def test_sentences_about_what_one_may_no_longer_see_are_left_out(
    filing: Document, alice: User
) -> None:
    secret = vault(alice)
    ask = keep(
        alice,
        ("Freight rose.", cited(filing, FREIGHT)),
        ("In secret too.", cited(secret, "Freight costs, in secret.")),
    )
    alice.groups.clear()
    alice.groups.add(Group.objects.get(name="analyst"))
    page = as_(alice).get(address(ask)).content.decode()
    assert "Freight rose." in page
    assert "1 sentence cites documents that are no longer open to you" in page
    for words in ("In secret too", "in secret.", "Secret freight memo", str(secret.public_id)):
        assert words not in page, words


def test_what_a_model_or_a_title_says_is_text(filing: Document, alice: User) -> None:
    Document.objects.filter(pk=filing.pk).update(title=HOSTILE)
    filing.refresh_from_db()
    ask = keep(alice, (HOSTILE, cited(filing, FREIGHT), HOSTILE), text=f"Why {HOSTILE}?")
    for page in (address(ask), "/answers/", "/ask/"):
        content = as_(alice).get(page).content.decode()
        assert "onerror" in content, page
        for markup in ("<img", "<script>alert", 'href="http://evil'):
            assert markup not in content, (page, markup)


def test_figures_by_company_read_as_a_table(filing: Document, note: Document, alice: User) -> None:
    figures = keep(
        alice,
        ("Gross margin was 31.2 percent.", cited(filing, MARGIN), "Tidewater Foods"),
        ("It would cost $40 million.", cited(note, "A second closure"), "Others"),
    )
    words = keep(
        alice,
        ("Prices were raised.", cited(filing, PRICES), "Tidewater Foods"),
        ("It should ease.", cited(note, EASE), "Others"),
    )
    table = as_(alice).get(address(figures)).content.decode()
    assert table.count('<th scope="row">') == 2
    for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL):
        assert 'class="cite"' in row
    headed = as_(alice).get(address(words)).content.decode()
    assert "<h2>Tidewater Foods</h2>" in headed
    assert 'scope="row"' not in headed


def test_the_history_is_ones_own_and_can_be_searched(
    filing: Document, alice: User, bob: User
) -> None:
    for number in range(32):
        keep(alice, ("Freight rose.", cited(filing, FREIGHT)), text=f"Question {number} of Alice?")
    keep(bob, ("Freight rose.", cited(filing, FREIGHT)), text="What did Bob ask?")
    first = as_(alice).get("/answers/").content.decode()
    assert first.count("data-hit") == 30
    assert "Question 31 of Alice?" in first
    assert "Bob" not in first
    second = as_(alice).get("/answers/?page=2").content.decode()
    assert second.count("data-hit") == 2
    found = as_(alice).get("/answers/?q=alice+17").content.decode()
    assert found.count("data-hit") == 1
    assert "Answered, 1 sentence" in found


@pytest.mark.django_db(transaction=True)
def test_without_scripts_asking_leads_to_the_answer(filing: Document, alice: User) -> None:
    client = as_(alice)
    asked = client.post("/ask/", {"q": "Why did freight costs rise at Tidewater Foods?"})
    ask = Ask.objects.get()
    assert asked.headers["Location"] == address(ask)
    page = client.get(address(ask)).content.decode()
    assert "the documents’ own sentences" in page
    assert "eleven percent" in page
    assert 'name="removed" value="company:' in page
    key = f"company:{filing.company_id}"
    client.post("/ask/", {"q": ask.text, "asked": ask.text, "removed": [key]})
    again = Ask.objects.first()
    assert again
    assert key in again.understood["removed"]
    assert f'value="{key}"' in client.get(address(again)).content.decode()
    # Of another question nothing was removed yet.
    client.post("/ask/", {"q": "Did Tidewater margins fall?", "asked": ask.text, "removed": [key]})
    assert Ask.objects.first().understood["removed"] == []  # type: ignore[union-attr]


@pytest.mark.parametrize("question", ["", "?!", "x" * 2_001])
def test_what_cannot_be_asked_is_said(filing: Document, alice: User, question: str) -> None:
    answer = as_(alice).post("/ask/", {"q": question})
    assert answer.status_code == 400
    assert b'role="alert" data-error>' in answer.content
    assert not Ask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_filters_of_the_question_stay_with_the_answer(filing: Document, alice: User) -> None:
    client = as_(alice)
    client.post("/ask/", {"q": "Why did freight costs rise?", "year": "2024"})
    page = client.get(address(Ask.objects.get())).content.decode()
    assert 'name="year" value="2024" checked' in page
    assert "/ask/?q=Why+did+freight+costs+rise%3F" in page


def test_the_receipt_is_told_in_words(filing: Document, alice: User) -> None:
    receipt = {
        "candidates": 71, "documents": 15,
        "searched": {"scope": "Tidewater Foods", "looks": [
            {"label": label, "scope": "all", "found": 1} for label in ("FY2023", "FY2024")]},
        "reranker": {"name": "fusion", "stand_in": True}, "model": "gpt-4o", "tokens_in": 1_200,
        "tokens_out": 80, "cost": 0.0123, "cache": {"hit": True, "age_seconds": 90},
        "seconds": {"total": 2.0, "understand": 0.25, "brand_new": 1},
    }  # fmt: skip
    ask = keep(alice, ("Freight rose.", cited(filing, FREIGHT)), confidence=0.86)
    Ask.objects.filter(pk=ask.pk).update(receipt=receipt | {"dropped": 2})
    page = as_(alice).get(address(ask)).content.decode()
    said = dict(re.findall(r"<dt>([^<]+)</dt><dd class=\"number\">([^<]+)</dd>", page))
    assert said == {
        "Route": "synthesis, 86% sure", "Searched": "Tidewater Foods",
        "Look: FY2023": "all, 1 passage", "Look: FY2024": "all, 1 passage",
        "Candidates": "71 passages in 15 documents", "Reranker": "fusion (stand-in)",
        "Model": "gpt-4o", "Tokens": "1,200 in, 80 out", "Cost": "$0.0123",
        "Left out": "2 drafted sentences that failed the checks",
        "Kept answer": "90 s old when it was repeated", "Understand": "0.25 s",
        "In all": "2.00 s", "Brand new": "1.00 s",
    }  # fmt: skip
    assert list(said)[-3:] == ["Understand", "In all", "Brand new"]
