"""Server time of the review desk: from item to item, and the queue's page, over a simulated queue.

Everything is made in one transaction, measured in it through the real pages, and rolled back. On a
busy machine the milliseconds of the clock say little; those of this process are given beside them.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from benchmarks.simulated_texts import sentences
from docintel.models import ModelVersion
from docintel.scoring import Score
from extraction.models import ExtractedSpan, ExtractionRun, Schema
from ingestion.freezing import text_digest
from ingestion.models import Document, Source
from review.models import ReviewItem
from review.proposals import a_span

PER_DOCUMENT = 200
ROWS_AT_ONCE = 5_000
DESK = "/admin/review/reviewitem/"
WORDS_IN_A_SPAN = 2
Taken = tuple[float, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--n", type=int, default=50, help="items judged")
    parser.add_argument("--seed", type=int, default=0)


def run(items: int = 100_000, n: int = 50, seed: int = 0, **_: Any) -> Score:
    """Milliseconds of fetching the next item, of a verdict, and of the queue's page."""
    started = time.perf_counter()
    with transaction.atomic():
        client = _fill(items, random.Random(seed))
        timings = _judge(client, n)
        client.get(DESK)
        timings["queue"] = [_timed(partial(client.get, DESK))[0] for _ in range(10)]
        filtered = f"{DESK}?label=kpi&band=50-70"
        timings["filtered_queue"] = [_timed(partial(client.get, filtered))[0] for _ in range(10)]
        transaction.set_rollback(True)
    details = {
        f"{name}_{which}{q}_ms": float(np.percentile([pair[n] for pair in values], p))
        for name, values in timings.items()
        for n, which in enumerate(("", "cpu_"))
        for q, p in (("median", 50), ("p95", 95))
    }
    return Score(
        headline="next item p95, milliseconds",
        value=details["next_p95_ms"],
        higher_is_better=False,
        n=n,
        interval=None,
        seconds=time.perf_counter() - started,
        detail={**details, "items": items},
    )


def _fill(count: int, generator: random.Random) -> Client:
    """The queue, and an expert signed in to it."""
    user = User.objects.create_user(f"bench-{uuid4()}", is_staff=True)
    user.groups.add(Group.objects.get(name="expert"))
    source = Source.objects.create(name=f"Bench {uuid4()}", kind=Source.Kind.FOLDER)
    schema = Schema.objects.get(name="kpis")
    tagger = ModelVersion.objects.create(name="tagger:bench", version="1", digest=str(uuid4())[:32])
    made: list[ReviewItem] = []
    spans: list[ExtractedSpan] = []
    for number in range(max(1, count // PER_DOCUMENT)):
        run = _document(source, schema, tagger, generator.randrange(2**31) + number)
        for span in _spans(run, min(PER_DOCUMENT, count), generator):
            spans.append(span)
            made.append(_item(span))
    ExtractedSpan.objects.bulk_create(spans, batch_size=ROWS_AT_ONCE)
    ReviewItem.objects.bulk_create(made, batch_size=ROWS_AT_ONCE, ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE review_reviewitem, extraction_extractedspan, ingestion_document")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def _document(source: Source, schema: Schema, tagger: ModelVersion, seed: int) -> ExtractionRun:
    text = " ".join(sentences(seed, 40))
    now = timezone.now()
    document = Document.objects.create(
        source=source, title=f"Bench {seed}", text=text, text_sha256=text_digest(text),
        file_sha256=str(seed), media_type="text/plain", pages=[0], parsed_at=now,
        searchable_at=now, embedded_at=now,
    )  # fmt: skip
    return ExtractionRun.objects.create(
        document=document, schema=schema, schema_version=schema.current, model_version=tagger,
        state=ExtractionRun.State.FINISHED, shown=True, ended_at=now,
    )  # fmt: skip


def _spans(run: ExtractionRun, count: int, generator: random.Random) -> list[ExtractedSpan]:
    text, labels = run.document.text, ("kpi", "cy", "py", "thereof")
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == " ")]
    made = []
    for place in sorted(generator.sample(range(len(starts) - WORDS_IN_A_SPAN), count)):
        start, end = starts[place], starts[place + 1] - 1
        if start < end:
            made.append(
                ExtractedSpan(
                    run=run,
                    document=run.document,
                    schema=run.schema,
                    label=generator.choice(labels),
                    start=start,
                    end=end,
                    text=text[start:end],
                    confidence=generator.uniform(0.5, 0.9),
                )
            )
    return made


def _item(span: ExtractedSpan) -> ReviewItem:
    return ReviewItem(
        kind=ReviewItem.Kind.SPAN, document=span.document, schema=span.schema,
        schema_version=span.run.schema_version, model_version=span.run.model_version,
        label=span.label, start=span.start, end=span.end, text=span.text,
        proposal=a_span(span.label, span.start, span.end, span.text), confidence=span.confidence,
        why=ReviewItem.Why.UNSURE, value=4 * span.confidence * (1 - span.confidence),
    ).keyed()  # fmt: skip


def _judge(client: Client, n: int) -> dict[str, list[Taken]]:
    """As the page does it: the next one is fetched beside the one that is judged."""
    timings: dict[str, list[Taken]] = {"next": [], "verdict": []}
    client.get(f"{DESK}desk/")
    held = list(ReviewItem.objects.filter(leased_until__isnull=False).values_list("pk", flat=True))
    now = held[0]
    for number in range(n + 1):
        seconds, response = _timed(partial(client.get, f"{DESK}desk/next/?besides={now}"))
        after = int(response.content.decode().partition('data-item="')[2].partition('"')[0])
        body = json.dumps({"verdict": ("accept", "reject")[number % 2], "seen": 0, "seconds": 1})
        address = f"{DESK}desk/verdict/{now}/"
        post = partial(client.post, address, body, content_type="application/json")
        took, told = _timed(post)
        if told.status_code != 200:
            raise RuntimeError(told.content.decode()[:300])
        # The first also loads templates and code.
        if number:
            timings["next"].append(seconds)
            timings["verdict"].append(took)
        now = after
    return timings


def _timed(call: Callable[[], Any]) -> tuple[Taken, Any]:
    """Milliseconds by the clock and of this process, and what was returned."""
    start, worked = time.perf_counter(), time.process_time()
    response = call()
    passed = time.perf_counter() - start
    return (passed * 1000, (time.process_time() - worked) * 1000), response
