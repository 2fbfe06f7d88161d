"""A verdict changes what readers see at once, is kept for good, and can be taken back."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from extraction_corpus import TEXT, go_live, kpis, put, tags_by
from review_items import UNSURE, found, item_of, no_lots, read_document, said, tags_with

from extraction import shown
from extraction.extracting import extract
from ingestion.models import Document
from review.correcting import Overtaken, correct, last_of, same_text, undo
from review.judging import BadVerdict, Given
from review.models import Correction, ReviewItem

pytestmark = pytest.mark.django_db
State = ReviewItem.State
TABLE = "Figures\nRevenue | 30.5 | 28.1\nNet income | 4.25 | 3.0\nThe end.\n"


@pytest.fixture(autouse=True)
def tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    go_live()
    tags_by(monkeypatch, tags_with({"30.5": UNSURE}))
    no_lots()


def exported(client: Client, document: Document) -> list[tuple[str, str, str]]:
    address = f"/documents/{document.public_id}/extracted/export/?schema=kpis&format=jsonl"
    lines = client.get(address).getvalue().decode().splitlines()
    rows = [json.loads(line) for line in lines]
    return [(row["label"], row["text"], row["origin"]) for row in rows if "label" in row]


def test_accepted_is_a_persons_word(eve) -> None:
    document = read_document()
    made = said(eve, item_of("30.5"), "accept", seconds=4.2).corrections[0]
    assert made.before == made.after == item_of("30.5").proposal
    assert (made.who, made.who_id, made.seconds) == ("eve", eve.pk, 4.2)
    assert made.text_sha256 == document.text_sha256
    assert (made.model_version.version, made.schema_version.number) == ("1", 1)
    item = item_of("30.5")
    assert item.state == State.DONE
    assert item.closed_at is not None
    assert shown.spans_of(document, kpis().pk).get(text="30.5").origin == "person"


def test_a_rejected_one_is_gone_from_page_export_and_api(eve, client) -> None:
    document = read_document()
    client.force_login(eve)
    assert ("cy", "30.5", "model") in exported(client, document)
    said(eve, item_of("30.5"), "reject")
    assert "30.5" not in str(exported(client, document))
    page = client.get(f"/documents/{document.public_id}/extracted/?schema=kpis")
    assert "30.5" not in page.content.decode()
    api = client.get("/api/v1/extractions/spans/", {"document": str(document.public_id)}).json()
    assert "30.5" not in [row["text"] for row in api["results"]]


def test_another_label_and_another_boundary(eve, client) -> None:
    document = read_document()
    client.force_login(eve)
    item = item_of("30.5")
    said(eve, item, "relabel", label="py")
    assert ("py", "30.5", "person") in exported(client, document)
    said(eve, item, "move", start=item.start - 2, end=item.end + 8)
    assert ("cy", "$ 30.5 million", "person") in exported(client, document)
    assert ("py", "30.5") not in found(document)
    assert Correction.objects.final().get().after["text"] == "$ 30.5 million"


def test_a_span_is_added_beside_the_item_that_goes_on_waiting(eve) -> None:
    document = read_document()
    start = TEXT.index("2024")
    said(eve, item_of("30.5"), "add", label="attr", start=start, end=start + 4)
    assert ("attr", "2024") in found(document)
    made = Correction.objects.get()
    assert (made.before, made.after["text"], made.confidence) == (None, "2024", None)
    assert item_of("30.5").state == State.OPEN
    undo(eve, made)
    assert ("attr", "2024") not in found(document)
    assert item_of("2024").state == State.GONE


def test_two_spans_are_linked_and_both_stand(eve) -> None:
    document = read_document()
    spans = {span.text: span.pk for span in shown.spans_of(document, kpis().pk)}
    ends = {"head": spans["30.5"], "tail": spans["Net income"]}
    said(eve, item_of("30.5"), "link", relation="value of", **ends)
    rows = shown.relations_of(document, kpis().pk)
    assert [(r.head.text, r.tail.text, r.rule) for r in rows if r.head.text == "30.5"] == [
        ("30.5", "Net income", "a person")
    ]
    assert shown.spans_of(document, kpis().pk).get(text="30.5").origin == "person"
    with pytest.raises(BadVerdict, match="no longer there"):
        said(eve, item_of("30.5", kind="span"), "link", relation="value of", head=1, tail=2)
    with pytest.raises(BadVerdict, match="no relation"):
        said(eve, item_of("30.5", kind="span"), "link", relation="friend of", **ends)


def test_undoing_brings_back_what_was_and_is_itself_kept(eve, adam) -> None:
    document = read_document()
    before = found(document)
    first = said(eve, item_of("30.5"), "reject").corrections[0]
    with pytest.raises(BadVerdict, match="nothing of yours"):
        undo(adam, first)
    undone = undo(eve, last_of(eve)).corrections[0]
    assert found(document) == before
    assert (undone.verdict, undone.undo_of) == ("undo", first)
    assert Correction.objects.count() == 2
    item = item_of("30.5")
    assert (item.state, item.leased_to) == (State.OPEN, eve), "it is looked at again at once"
    with pytest.raises(BadVerdict):
        undo(eve, first)
    assert last_of(eve) is None


def test_undoing_a_second_thought_leaves_the_first(eve) -> None:
    document = read_document()
    said(eve, item_of("30.5"), "relabel", label="py")
    second = said(eve, item_of("30.5"), "reject").corrections[0]
    undo(eve, second)
    assert ("py", "30.5") in found(document)
    assert item_of("30.5").state == State.DONE


def test_it_survives_another_version_of_the_model(eve) -> None:
    document = read_document()
    said(eve, item_of("30.5"), "relabel", label="py")
    go_live("2")
    extract(document, kpis())
    assert ("py", "30.5") in found(document)
    assert ("cy", "30.5") not in found(document)


def test_a_skip_needs_a_reason_and_teaches_nothing(eve) -> None:
    document = read_document()
    before = found(document)
    with pytest.raises(BadVerdict, match="Say why"):
        said(eve, item_of("30.5"), "skip", reason="  ")
    made = said(eve, item_of("30.5"), "skip", reason="the table is cut off")
    assert item_of("30.5").state == State.SKIPPED
    assert found(document) == before
    assert not Correction.objects.standing().exists()
    undo(eve, made.corrections[0])
    assert item_of("30.5").state == State.OPEN


def test_the_same_words_with_the_same_label_go_together(eve) -> None:
    documents = [read_document(TEXT + str(number)) for number in range(4)]
    item = item_of("30.5", document=documents[0])
    assert same_text(item, eve).count() == 3
    ReviewItem.objects.filter(document=documents[3]).update(wanted=2)
    made = said(eve, item, "reject", all=True)
    assert len(made.corrections) == 3
    assert len({one.batch for one in made.corrections}) == 1
    assert [("cy", "30.5") in found(one) for one in documents] == [False, False, False, True]
    undo(eve, made.corrections[0])
    assert all(("cy", "30.5") in found(one) for one in documents)
    assert ReviewItem.objects.waiting().count() == 4


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (0, 999, "outside the passage"),
        (5, 5, "outside the passage"),
        (TEXT.index(" in 2024"), TEXT.index("in 2024"), "no words"),
        (0, 7, "lies elsewhere"),
        (13, 19, "Nothing was changed"),
    ],
)
def test_a_boundary_that_cannot_be_is_refused_in_words(eve, start, end, why) -> None:
    read_document()
    item = item_of("30.5")
    if "changed" in why:
        start, end = item.start, item.end
    with pytest.raises(BadVerdict, match=why):
        said(eve, item, "move", start=start, end=end)
    assert item_of("30.5").state == State.OPEN
    assert not Correction.objects.exists()


def test_a_span_over_cells_of_a_table_is_refused(eve) -> None:
    start = TABLE.index("Revenue")
    end = TABLE.index("The end")
    rows = [(start, TABLE.index("Net income") - 1), (TABLE.index("Net income"), end - 1)]
    table = {"start": start, "end": end, "caption": "", "heads": "", "scale": "", "rows": rows}
    document = read_document(TABLE, tables=[table])
    item = item_of("30.5")
    with pytest.raises(BadVerdict, match="several cells"):
        said(eve, item, "move", start=start, end=item.end)
    with pytest.raises(BadVerdict, match="edge of a table"):
        said(eve, item, "add", label="kpi", start=0, end=TABLE.index(" |"))
    said(eve, item, "add", label="cy", start=TABLE.index("28.1"), end=TABLE.index("28.1") + 2)
    assert ("cy", "28") in found(document), "in one cell it may be"


def test_what_the_schema_lacks_is_refused(eve) -> None:
    read_document()
    for verdict, label in (("relabel", "price"), ("add", "price"), ("promote", "")):
        with pytest.raises(BadVerdict):
            said(eve, item_of("30.5"), verdict, label=label, start=0, end=7)


def test_a_verdict_on_an_amended_document_is_kept_and_proposed_anew(eve, monkeypatch) -> None:
    document = read_document()
    item = item_of("30.5")
    amended = put("As restated: " + TEXT, supersedes=document)
    Document.objects.filter(pk=document.pk).update(superseded_at=timezone.now())
    tags_by(monkeypatch, tags_with({}))
    extract(amended, kpis())
    made = said(eve, item, "move", start=item.start, end=item.end + 8)
    assert "amended meanwhile" in made.note
    assert ("cy", "30.5 million") in found(document)
    moved = ReviewItem.objects.get(document=amended, why="moved")
    assert moved.text == "30.5 million"
    assert moved.state == State.OPEN


def test_who_comes_second_learns_of_the_first_and_may_still_say_so(eve, adam) -> None:
    document = read_document()
    item = item_of("30.5")
    correct(eve, item.pk, Given("reject"))
    with pytest.raises(Overtaken, match="eve has judged it since you opened it: rejected") as told:
        correct(adam, item.pk, Given("relabel", label="py"))
    assert Correction.objects.count() == 1
    correct(adam, item.pk, Given("relabel", label="py", seen=told.value.seen))
    assert ("py", "30.5") in found(document)
    assert Correction.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_experts_at_the_same_moment(eve, adam) -> None:
    document = read_document()
    item = item_of("30.5")
    together = threading.Barrier(2)
    ended: list[str] = []

    def judge(user, verdict: str) -> None:
        together.wait()
        try:
            correct(user, item.pk, Given(verdict))
            ended.append("kept")
        except Overtaken:
            ended.append("overtaken")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=judge, args=pair) for pair in ((eve, "accept"), (adam, "reject"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["kept", "overtaken"]
    made = Correction.objects.get()
    assert (("cy", "30.5") in found(document)) == (made.verdict == "accept")
