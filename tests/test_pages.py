"""Each page shows what it should to whom it should, and no bad input is a server error."""

from __future__ import annotations

import html
import re
from io import BytesIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from docintel import encoders
from ingestion.models import Document, Source
from tests.reading_corpus import library, pdf, process, vault

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meaning is not what these tests are about, and a model takes seconds to load."""

    def unavailable() -> None:
        raise encoders.EncoderUnavailable("no model in this test")

    monkeypatch.setattr(encoders, "live_embedder", unavailable)


@pytest.fixture
def source() -> Source:
    return library()


@pytest.fixture
def filing(source: Source) -> Document:
    return Document.objects.get(title="Tidewater 10-K")


@pytest.fixture
def note(source: Source) -> Document:
    return Document.objects.get(title="Freight note")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(response) -> str:
    return html.unescape(response.content.decode())


def test_everything_but_signing_in_needs_an_account(filing: Document) -> None:
    for address in ("/", "/documents/", "/upload/", filing.get_absolute_url(), "/quarantine/"):
        assert Client().get(address).headers["Location"].startswith("/sign-in/"), address


def test_signing_in_and_being_locked_out(alice: User) -> None:
    client = Client()
    assert 'autocomplete="current-password"' in shown(client.get("/sign-in/"))
    wrong = {"username": "alice", "password": "wrong"}
    assert "do not match" in shown(client.post("/sign-in/", wrong))
    for _ in range(10):
        response = client.post("/sign-in/", wrong)
    assert response.status_code == 429
    assert "too many attempts" in shown(response)


def test_no_page_carries_inline_script_or_style(eve: User, filing: Document) -> None:
    client = as_(eve)
    address = filing.get_absolute_url()
    pages = ["/", "/?q=freight", "/documents/", "/upload/", address, f"{address}?view=text"]
    pages += [f"{address}edit/", f"{address}?q=freight&start=10&end=40"]
    for page in pages:
        text = client.get(page).content.decode()
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\bsrc=)", text), page


def test_an_empty_search_offers_what_exists(alice: User, source: Source) -> None:
    text = shown(as_(alice).get("/"))
    assert "What are the main risks that Tidewater Foods names in FY2024?" in text
    assert "Freight note" in text


def test_results_lead_to_their_passage(alice: User, filing: Document) -> None:
    client = as_(alice)
    text = shown(client.get("/?q=canal+closed"))
    assert "<mark>canal</mark>" in text
    assert "Meaning search is unavailable" in text
    address = re.search(
        rf'href="({filing.get_absolute_url()}\?q=[^"#]*start=\d+[^"#]*)#passage"', text
    )
    assert address
    opened = shown(client.get(address[1] + "&view=text"))
    assert re.search(r'<mark class="focus"[^>]*>[^<]*canal', opened)
    assert opened.count('id="passage"') == 1


def test_htmx_gets_the_outcome_alone_and_a_clean_address(alice: User, filing: Document) -> None:
    address = f"/?q=freight&from=&company={filing.company_id}"
    response = as_(alice).get(address, headers={"HX-Request": "true"})
    assert "<html" not in shown(response)
    assert response.headers["HX-Push-Url"] == f"?q=freight&company={filing.company_id}"
    assert "HX-Request" in response.headers["Vary"]


def test_scope_is_shown_as_chips_and_can_be_widened(alice: User, filing: Document) -> None:
    text = shown(as_(alice).get(f"/?q=canal&company={filing.company_id}&year=2024&from=2030-01-01"))
    assert "Nothing found" in text
    assert "Without From 2030-01-01" in text
    assert "Search everything" in text


def test_bad_questions_get_an_answer(alice: User, source: Source) -> None:
    client = as_(alice)
    for query in (
        "q=a%00b",
        "q=%22%22",
        "q=%F0%9F%92%A5+%D8%A7%D9%84%D9%82%D9%86%D8%A7%D8%A9",
        "q=freight&year=abc&company=999999&kind=evil&source=-1&quarter=9&from=x&to=2024-99-99",
        "q=freight&company=" + "9" * 400 + "&kind=a%00b",
        "year=" + "&year=".join(map(str, range(3000))),
    ):
        response = client.get(f"/?{query}")
        assert response.status_code in (200, 400), query
        assert "<h1" in shown(response)


def test_a_long_question_says_how_long_it_may_be(alice: User) -> None:
    response = as_(alice).get("/?q=" + "x" * 10_000)
    assert response.status_code == 400
    assert "at most 2,000" in shown(response)


def test_unknown_scope_is_named(alice: User, source: Source) -> None:
    text = shown(as_(alice).get("/?q=freight&kind=evil"))
    assert "Kind “evil”" in text


def test_a_document_shows_itself_with_who_said_so(alice: User, filing: Document) -> None:
    text = shown(as_(alice).get(filing.get_absolute_url()))
    for wanted in ("Tidewater 10-K", "Annual report", "FY2024", "said by the sender", "Library"):
        assert wanted in text
    assert "Edit details" not in text


def test_text_is_shown_whole_and_by_windows(
    alice: User, note: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.reading.WINDOW", 60)
    client = as_(alice)
    text = shown(client.get(note.get_absolute_url()))
    read = ""
    for _ in range(20):
        read += _prose(text)
        following = re.search(r'hx-get="([^"]*way=next[^"]*)"', text)
        if not following:
            break
        text = shown(client.get(following[1]))
    assert read == note.text
    assert "forty million" in read


def _prose(text: str) -> str:
    blocks = re.findall(
        r'<(?:div class="text"|h2 class="heading)[^>]*>(.*?)</(?:div|h2)>', text, re.S
    )
    return "".join(re.sub(r"<[^>]+>", "", block) for block in blocks)


def test_a_passage_over_two_pages_is_asked_for_on_both(alice: User, filing: Document) -> None:
    start, end = filing.pages[1] + 5, filing.pages[2] + 20
    text = shown(as_(alice).get(f"{filing.get_absolute_url()}?start={start}&end={end}"))
    marked = re.findall(r'class="marks-wait" hx-get="[^"]*/pages/(\d+)/', text)
    assert marked == ["2", "3"]


def test_rectangles_lie_on_the_words(alice: User, filing: Document) -> None:
    start = filing.text.index("canal closed")
    address = reverse("ingestion:page", args=[filing.public_id, 2])
    text = shown(as_(alice).get(f"{address}?start={start}&end={start + 12}"))
    boxes = re.findall(r'<rect class="focus" x="([\d.]+)%" y="([\d.]+)%" width="([\d.]+)%"', text)
    assert len(boxes) == 1
    x, y, width = map(float, boxes[0])
    # The first line of print stands 92 of 792 points from the top, after 72 of 612 from the left.
    assert 10 < y < 12
    assert 30 < x < 60
    assert 8 < width < 16


def test_page_images_are_kept_and_named(alice: User, filing: Document) -> None:
    client = as_(alice)
    address = reverse("ingestion:page_image", args=[filing.public_id, 1])
    first = client.get(f"{address}?width=640")
    assert first.content.startswith(b"\x89PNG")
    assert "private" in first.headers["Cache-Control"]
    again = client.get(f"{address}?width=640", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_pages_that_are_not_there_are_404(alice: User, filing: Document, note: Document) -> None:
    client = as_(alice)
    for document, number in ((filing, 0), (filing, 4), (filing, 10**9), (note, 1)):
        for name in ("page", "page_image"):
            address = reverse(f"ingestion:{name}", args=[document.public_id, number])
            assert client.get(address).status_code == 404, address


def test_odd_addresses_still_open_the_document(alice: User, filing: Document) -> None:
    client = as_(alice)
    address = filing.get_absolute_url()
    for query in (
        *("page=0", "page=99999999999", "page=x", "at=-1", "at=99999999", "start=9&end=2"),
        *("view=evil", "start=1&end=99999999", "start=99999990&end=99999999", "q=a%00b"),
        *("start=%D9%A1&end=%D9%A2", "way=evil", "start=0&end=30&from=90&to=95"),
    ):
        for view in ("page", "text"):
            assert client.get(f"{address}?view={view}&{query}").status_code == 200, query
        for part in ("text/", "pages/", "hits/"):
            assert client.get(f"{address}{part}?{query}").status_code == 200, (part, query)


def test_hits_in_a_document_come_in_reading_order(alice: User, filing: Document) -> None:
    address = reverse("qa:hits", args=[filing.public_id])
    text = shown(as_(alice).get(f"{address}?q=freight"))
    assert 'rel="next"' in text
    offsets = [int(found) for found in re.findall(r"start=(\d+)", text.split("hit-list")[1])]
    assert offsets == sorted(offsets)


def test_the_file_is_an_attachment(alice: User, filing: Document, note: Document) -> None:
    client = as_(alice)
    types = {filing: "application/pdf", note: "application/octet-stream"}
    for document, media_type in types.items():
        response = client.get(reverse("ingestion:file", args=[document.public_id]))
        assert response.headers["Content-Type"] == media_type
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert b"".join(response.streaming_content)


def test_what_is_hidden_is_as_if_it_were_not_there(alice: User, bob: User) -> None:
    library()
    secret = vault(alice)
    names = ("document", "text", "pages", "file")
    addresses = [reverse(f"ingestion:{name}", args=[secret.public_id]) for name in names]
    addresses += [reverse("qa:hits", args=[secret.public_id])]
    addresses += [
        reverse(f"ingestion:{n}", args=[secret.public_id, 1]) for n in ("page", "page_image")
    ]
    for address in addresses:
        assert as_(alice).get(address).status_code == 200, address
        missing = as_(bob).get(address.replace(str(secret.public_id), str(uuid4())))
        hidden = as_(bob).get(address)
        assert hidden.status_code == missing.status_code == 404, address
    assert "Secret freight memo" in shown(as_(alice).get("/?q=freight"))
    for page in ("/", "/?q=freight", "/documents/", f"/?q=freight&company={secret.company_id}"):
        text = shown(as_(bob).get(page))
        assert "Secret" not in text
        assert "Hidden Holdings" not in text
        assert "Vault" not in text


def test_another_s_source_is_not_named_by_a_shared_text(alice: User, bob: User) -> None:
    vault(alice)
    open_source = Source.objects.create(name="Open shelf", kind=Source.Kind.FOLDER)
    from ingestion.receiving import take_in

    take_in(open_source, "memo-copy.pdf", pdf([["Freight costs, in secret."]]))
    process()
    text = shown(as_(bob).get("/?q=freight"))
    assert "Open shelf" in text
    assert "Vault" not in text


def test_only_who_may_edits(alice: User, eve: User, filing: Document) -> None:
    address = reverse("ingestion:edit", args=[filing.public_id])
    assert as_(alice).get(address).status_code == 403
    changed = {"title": "Tidewater annual report", "kind": "annual_report", "fiscal_year": "2023"}
    changed |= {"company": "Tidewater Foods", "fiscal_quarter": "", "published_on": ""}
    assert as_(eve).post(address, changed).status_code == 302
    filing.refresh_from_db()
    assert (filing.title, filing.fiscal_year) == ("Tidewater annual report", 2023)
    assert filing.provenance["title"] == "edited"
    assert filing.provenance["company"] == "push"
    bad = as_(eve).post(address, {**changed, "fiscal_year": "12", "title": ""})
    assert bad.status_code == 422


def test_the_list_filters_sorts_and_shows_states(alice: User, source: Source) -> None:
    client = as_(alice)
    everything = shown(client.get("/documents/"))
    assert "quarantined" in everything
    assert "searchable" in everything
    only = shown(client.get("/documents/?kind=annual_report&order=title"))
    assert "Tidewater 10-K" in only
    assert "Freight note" not in only
    assert "No document matches" in shown(client.get("/documents/?name=nothing-like-this"))
    for query in ("page=0", "page=abc", "page=9999999", "kind=evil", "year=x", "order=evil",
                  "state=evil", "name=a%00b", "name=" + "x" * 5000):  # fmt: skip
        assert client.get(f"/documents/?{query}").status_code == 200, query


def test_states_are_asked_for_until_they_are_final(alice: User, filing: Document) -> None:
    address = f"{reverse('ingestion:status')}?d={filing.public_id}&d=nonsense"
    assert "every 2s" in shown(as_(alice).get(address))
    Document.objects.update(embedded_at=filing.searchable_at)
    assert "every 2s" not in shown(as_(alice).get(address))


def test_upload_takes_each_file_by_itself(alice: User) -> None:
    client = as_(alice)
    files = [
        SimpleUploadedFile("../../escape.txt", b"Freight costs rose." * 20),
        SimpleUploadedFile("empty.txt", b""),
        SimpleUploadedFile("torn.pdf", b"%PDF-1.4 torn"),
    ]
    data = {"file": files, "kind": "news", "fiscal_year": "2024"}
    response = client.post("/upload/", data, headers={"HX-Request": "true"})
    text = shown(response)
    assert "escape.txt" in text
    assert "../" not in text
    process()
    page = shown(client.get("/upload/"))
    assert "quarantined" in page
    assert "data format" in page
    taken = Document.objects.get(file_name="escape.txt")
    assert (taken.kind, taken.fiscal_year, taken.uploaded_by) == ("news", 2024, alice)
    again = SimpleUploadedFile("copy.txt", b"Freight costs rose." * 20)
    response = client.post("/upload/", {"file": again}, headers={"HX-Request": "true"})
    assert "had already been uploaded" in shown(response)


def test_upload_without_javascript_and_with_mistakes(alice: User, charlie: User) -> None:
    assert as_(charlie).get("/upload/").status_code == 403
    client = as_(alice)
    assert client.post("/upload/", {}).status_code == 422
    wrong = {"file": BytesIO(b"text"), "fiscal_quarter": "2"}
    assert "needs its fiscal year" in shown(client.post("/upload/", wrong))
    right = {"file": SimpleUploadedFile("a.txt", b"Some words.")}
    response = client.post("/upload/", right, follow=True)
    assert "a.txt" in shown(response)


def test_quarantine_is_for_operators(alice: User, olga: User, source: Source) -> None:
    torn = Document.objects.get(file_name="torn.pdf")
    retry = reverse("ingestion:retry", args=[torn.public_id])
    assert as_(alice).get("/quarantine/").status_code == 403
    assert as_(alice).post(retry).status_code == 403
    client = as_(olga)
    text = shown(client.get("/quarantine/"))
    assert "torn.pdf" in text
    assert "damaged" in text
    assert "being tried again" in shown(client.post(retry, follow=True))
    torn.refresh_from_db()
    assert torn.quarantined_at is None
    assert client.post(retry).status_code == 404
    process()
    client.post(reverse("ingestion:drop", args=[torn.public_id]))
    torn.refresh_from_db()
    assert torn.state == "dropped"
    assert client.post(reverse("ingestion:drop", args=[uuid4()])).status_code == 404


def test_errors_look_like_the_product(alice: User, charlie: User) -> None:
    assert "Nothing here" in shown(as_(alice).get("/nothing/"))
    refused = as_(charlie).get("/")
    assert refused.status_code == 403
    assert "not open to you" in shown(refused)
    strict = Client(enforce_csrf_checks=True)
    assert "form has expired" in shown(strict.post("/sign-in/", {"username": "a"}))


def test_a_fault_is_a_page_too(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("qa.views.read_scope", broken)
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    response = client.get("/")
    assert response.status_code == 500
    assert "went wrong on our side" in shown(response)


def test_every_css_file_is_short() -> None:
    from docintel.settings import BASE_DIR

    for path in (BASE_DIR / "static").rglob("*.[cj]ss*"):
        assert len(path.read_text().splitlines()) < 400, path
