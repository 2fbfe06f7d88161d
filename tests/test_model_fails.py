"""Where nothing that a model wrote can be shown, the documents' own sentences stand in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from llm_server import LlmServer, Reply, serving
from small_corpus import document

from docintel.models import Measurement
from ingestion.models import Chunk
from qa.asking import ask
from qa.composing import INSTEAD, UNVERIFIED, UNWRITTEN, Composed, Judged, compose
from qa.health import citations
from qa.models import AnswerSentence, Ask, CachedAnswer, ModelCall
from qa.offering import Offered, offer
from qa.passages import Passage
from qa.recording_answers import record
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "What was the gross margin of Halden Motion in FY2024?"
MARGIN = (
    "Gross margin of Halden Motion decreased to 37.2% in fiscal 2024 from 38.6% a year earlier."
)
PASSAGES = ["Halden Motion reports for fiscal 2024.", MARGIN]
INVENTED = {"text": "Gross margin rose to 47.2%.",
            "citations": [{"passage": "p1", "quote": "Gross margin rose to 47.2%"}]}  # fmt: skip
# True, but nothing that is cited says so; the extractive answer says the same.
UNCITED = {"text": MARGIN, "citations": []}


@pytest.fixture
def server(settings: Any) -> Iterator[LlmServer]:
    with serving() as running:
        settings.OPENAI_BASE_URL = running.url
        yield running


@pytest.fixture
def offered(alice: User) -> list[Offered]:
    row = document(PASSAGES, company="Halden Motion", fiscal_year=2024, kind="annual_report")
    passages = [
        Passage(c.pk, row.pk, c.start, c.end, c.page, c.page, "", c.text, 1.0)
        for c in Chunk.objects.filter(document=row).order_by("ordinal")
    ]
    return offer(passages, alice)


def lines(*objects: object) -> list[str]:
    return [json.dumps(each) + "\n" for each in objects]


def composed(offered: list[Offered], **options: Any) -> Composed:
    return compose(QUESTION, None, offered, route="factual", **options)


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        (lines(INVENTED, UNCITED), UNVERIFIED),
        ([], UNWRITTEN),
        (["I am sorry, ", "but 37.2% it was."], UNWRITTEN),
        (["[]"], UNWRITTEN),
        (['{"sentences": []}'], UNWRITTEN),
        (['{"text": "Gross margin fell'], UNWRITTEN),
    ],
)
def test_the_documents_own_sentences_stand_in(
    server: LlmServer, offered: list[Offered], pieces: list[str], why: str
) -> None:
    server.script = lambda _: Reply(pieces)
    released: list[str] = []
    found = composed(offered, on_sentence=lambda sentence: released.append(sentence.text))
    assert (found.mode, found.notice) == ("extractive", why.removesuffix(".") + INSTEAD)
    assert released == [sentence.text for sentence in found.sentences]
    # What the model said without a citation is said by its document, though it was dropped before.
    assert any(MARGIN in text for text in released)
    ordinals = [each.ordinal for each in (*found.dropped, *found.sentences)]
    assert len(set(ordinals)) == len(ordinals)
    assert found.by_model == len(found.dropped)


def test_nothing_stands_in_where_the_passages_hold_no_answer(
    server: LlmServer, offered: list[Offered]
) -> None:
    server.script = lambda _: Reply(lines(INVENTED))
    found = composed(offered, judged=lambda: Judged(by_extracts=False))
    assert (found.found, found.notice, len(found.dropped)) == (False, UNVERIFIED, 1)
    server.script = lambda _: Reply(status=401)
    found = composed(offered, judged=lambda: Judged(by_extracts=False))
    assert (found.found, "did not answer" in found.notice) == (False, True)


def test_nothing_stands_in_for_who_went_away(server: LlmServer, offered: list[Offered]) -> None:
    gone = threading.Event()

    def script(_: dict[str, Any]) -> Reply:
        gone.set()
        return Reply(lines(INVENTED))

    server.script = script
    found = composed(offered, cancelled=gone.is_set)
    assert (found.cancelled, found.found) == (True, False)


def test_a_model_that_drips_is_cut_at_its_deadline(
    server: LlmServer, offered: list[Offered], settings: Any
) -> None:
    settings.LLM_SECONDS, settings.LLM_SILENCE_SECONDS = 1.0, 60.0
    server.script = lambda _: Reply([" "] * 10_000, pause=0.05)
    found = composed(offered)
    assert (found.mode, "too long" in found.notice) == ("extractive", True)
    assert any(MARGIN in sentence.text for sentence in found.sentences)
    assert server.disconnected.wait(ENOUGH_SECONDS)
    # It was left at its deadline, not when it had said all.
    assert server.sent < 10_000


def test_dropped_sentences_are_kept_for_review_and_count_against_the_model(
    server: LlmServer, offered: list[Offered], alice: User
) -> None:
    server.script = lambda _: Reply(lines(INVENTED, UNCITED))
    row = ask(QUESTION, alice)
    assert (row.state, row.mode) == ("answered", "extractive")
    assert row.notice == UNVERIFIED.removesuffix(".") + INSTEAD
    dropped = AnswerSentence.objects.filter(ask=row, state="dropped")
    assert [each.text for each in dropped] == [INVENTED["text"], MARGIN]
    assert all(each.reason for each in dropped)
    assert row.sentences.filter(state="kept", text__contains=MARGIN).exists()
    assert row.receipt["drafted_by_model"] == 2
    # The next asker may find the model well.
    assert not CachedAnswer.objects.exists()
    shares = Measurement.objects.filter(name="dropped_sentences", labels__mode="model")
    assert [(each.value, each.labels["drafted"]) for each in shares] == [(1.0, 2)]
    for _ in range(9):
        ask(QUESTION, alice, again=True)
    assert not citations().ok
    assert "20 of 20" in citations().message


def test_nothing_verified_anywhere_is_not_found(server: LlmServer, alice: User) -> None:
    server.script = lambda _: Reply(lines(INVENTED))
    row = Ask.objects.create(asker=alice, text="Why?")
    record(row, composed([], ask=row))
    assert Ask.objects.get(pk=row.pk).state == "not_found"
    assert not ModelCall.objects.exists()


def test_a_quote_without_words_of_its_own_is_the_sentence(
    server: LlmServer, offered: list[Offered]
) -> None:
    cited = {"passage": "p2", "quote": MARGIN}
    bare = {"text": " ", "citations": [cited]}
    two = {"text": "", "citations": [cited, {"passage": "p1", "quote": PASSAGES[0]}]}
    server.script = lambda _: Reply(lines(bare, two, {"text": "", "citations": []}))
    found = composed(offered)
    assert (found.mode, [sentence.text for sentence in found.sentences]) == ("model", [MARGIN])
    assert found.sentences[0].citations[0].quote == MARGIN
