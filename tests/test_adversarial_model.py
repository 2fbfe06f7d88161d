"""Over a thousand corrupted answers of a lying model, over real HTTP: none reaches the reader."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
from adversary import Case, cases, honest_cases
from django.contrib.auth.models import User
from llm_server import Reply, serving
from small_corpus import document
from verifier_pairs import TEXTS

from ingestion.models import Chunk, CompanyAlias, Document
from qa.composing import Composed, Judged, compose
from qa.offering import Offered, offer
from qa.passages import Passage

pytestmark = pytest.mark.django_db(transaction=True)

CASES = 1_400
PER_ANSWER = 20


def offered_to(user: User) -> list[Offered]:
    passages = []
    for header, text in TEXTS.values():
        row = document(
            [text], company=header.company, kind=header.kind, fiscal_year=header.fiscal_year,
            fiscal_quarter=header.fiscal_quarter,
        )  # fmt: skip
        for name in header.names:
            CompanyAlias.objects.create(company=row.company, name=name, key=name.lower())
        chunk = Chunk.objects.get(document=row)
        passages.append(
            Passage(chunk.pk, row.pk, chunk.start, chunk.end, 1, 1, "", chunk.text, 1.0)
        )
    return offer(passages, user)


def check_citations(found: Composed) -> int:
    """Every citation is plain text of its document at its offsets; how many there are."""
    texts = dict(Document.objects.values_list("pk", "text"))
    cited = [c for sentence in found.sentences for c in sentence.citations]
    assert all(sentence.citations for sentence in found.sentences)
    for each in cited:
        assert texts[each.document_id][each.start : each.end] == each.quote
        assert each.quote in texts[each.document_id]
    return len(cited)


def pieces(text: str, chance: random.Random) -> list[str]:
    cut, out = 0, []
    while cut < len(text):
        step = chance.randint(1, 400)
        out.append(text[cut : cut + step])
        cut += step
    return out


def test_no_corrupted_answer_reaches_the_reader(alice: User, settings: Any) -> None:
    chance = random.Random(7)
    offered = offered_to(alice)
    shown: list[str] = []
    leaked: list[Case] = []
    by_kind: Counter[str] = Counter()
    with serving() as server:
        settings.OPENAI_BASE_URL = server.url
        settings.LLM_DOLLARS_PER_DAY = "1000"
        lies = cases(20_240, CASES)
        for start in range(0, CASES, PER_ANSWER):
            batch = lies[start : start + PER_ANSWER]
            by_kind.update(case.kind for case in batch)
            answer = "".join(case.line for case in batch)
            server.script = lambda _, answer=answer: Reply(pieces(answer, chance))
            found = compose(
                "What happened?",
                None,
                offered,
                route="synthesis",
                judged=lambda: Judged(by_extracts=False),
            )
            check_citations(found)
            texts = {s.text for s in found.sentences}
            shown += texts
            leaked += [case for case in batch if " ".join(case.text.split()) in texts]
        assert len(by_kind) == 15
        assert [(case.kind, case.text, case.citations) for case in leaked] == []
        assert shown == []


def test_honest_sentences_come_through_the_same_path(alice: User, settings: Any) -> None:
    offered = offered_to(alice)
    kept, honest = 0, honest_cases()
    with serving() as server:
        settings.OPENAI_BASE_URL = server.url
        settings.LLM_DOLLARS_PER_DAY = "1000"
        for start in range(0, len(honest), PER_ANSWER):
            answer = [case.line for case in honest[start : start + PER_ANSWER]]
            server.script = lambda _, answer=answer: Reply(answer)
            found = compose("What happened?", None, offered, route="synthesis")
            kept += len(found.sentences)
            assert check_citations(found)
    assert kept >= 0.95 * len(honest)


@pytest.mark.parametrize(
    "way", ["torn", "mid_json", "nothing", "429", "500", "closed", "for_ever", "noise"]
)
def test_a_server_that_misbehaves_makes_nothing_up(alice: User, settings: Any, way: str) -> None:
    lie = cases(5, 1)[0].line
    replies = {
        "torn": Reply([lie, lie[:30]], torn=True),
        "mid_json": Reply([lie[: len(lie) // 2]]),
        "nothing": Reply([]),
        "429": Reply(status=429, headers={"Retry-After": "0"}),
        "500": Reply(status=500, headers={"Retry-After": "0"}),
        "closed": Reply(status=0),
        "for_ever": Reply([lie], for_ever=True),
        "noise": Reply(['\x00\ud83d{{[["\\', json.dumps({"text": 5}), "}" * 500]),
    }
    offered = offered_to(alice)
    with serving() as server:
        settings.OPENAI_BASE_URL = server.url
        server.script = lambda _: replies[way]
        found = compose("What was Halden's gross margin?", None, offered, route="factual")
    cited = check_citations(found)
    # The documents' own sentences stand in, whether it gives nothing or lies.
    assert cited
    assert (found.mode, bool(found.notice)) == ("extractive", True)
    assert cases(5, 1)[0].text not in {sentence.text for sentence in found.sentences}
