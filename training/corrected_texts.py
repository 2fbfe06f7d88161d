"""Experts' verdicts on spans as passages to learn from, each with every span that is in it.

A passage goes out only when nothing in it still waits for a look: what nobody has judged must not
be learned as "nothing here". Trap: spans that the model delivered unseen are taken as they are now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from docintel.spans import Span
from extraction import shown
from extraction.layouts import layout_of_text
from extraction.models import Schema
from ingestion.models import Document
from review.models import Correction, ReviewItem

Row = dict[str, Any]
Labelled = tuple[int, int, str]
WAITS = (ReviewItem.State.OPEN, ReviewItem.State.ADJUDICATE, ReviewItem.State.SKIPPED)


@dataclass(slots=True)
class Reviewed:
    """One document with the verdicts on its spans, and what still waits for one."""

    document: Document
    verdicts: list[Correction] = field(default_factory=list)
    waiting: list[Span] = field(default_factory=list)


def rows_of(schema: Schema, at: datetime | None = None) -> tuple[list[Row], list[str]]:
    """Passages with final verdicts as of a time, by document and place, and what was left out.

    A row has "key" (names the document, whatever its revision), "text", "spans", and
    "corrections": who said what when, with "id" and "label".
    """
    left_out: Counter[str] = Counter()
    rows: list[Row] = []
    for reviewed in _reviewed(schema, at, left_out):
        rows += _passages(reviewed, schema, left_out)
    notes = [f"left out: {count} {what}" for what, count in sorted(left_out.items())]
    return rows, notes


def learnable(schema: Schema, at: datetime | None = None) -> Any:
    """The verdicts that can be learned from, as a query."""
    final = Correction.objects.final(at)
    return final.filter(kind=ReviewItem.Kind.SPAN, schema=schema, document__isnull=False)


def key_of(document: Document) -> str:
    """The id of its first revision: what is said twice stays on one side of a split."""
    seen = {document.pk}
    while document.supersedes_id is not None and document.supersedes_id not in seen:
        seen.add(document.supersedes_id)
        document = Document.objects.only("pk", "public_id", "supersedes_id").get(
            pk=document.supersedes_id
        )
    return str(document.public_id)


def _reviewed(schema: Schema, at: datetime | None, left_out: Counter[str]) -> Iterable[Reviewed]:
    """Document by document: texts may be long."""
    verdicts: dict[int, list[Correction]] = defaultdict(list)
    for correction in learnable(schema, at).order_by("pk"):
        verdicts[correction.document_id].append(correction)
    for pk in sorted(verdicts):
        document = Document.objects.only("pk", "public_id", "text", "text_sha256",
                                         "supersedes_id").get(pk=pk)  # fmt: skip
        mine = [c for c in verdicts[pk] if c.text_sha256 in ("", document.text_sha256)]
        left_out["verdicts on a text that was changed since"] += len(verdicts[pk]) - len(mine)
        if mine:
            items = ReviewItem.objects.filter(
                document=pk, schema=schema, kind=ReviewItem.Kind.SPAN, state__in=WAITS
            )
            settled = {correction.item_id for correction in mine}
            waiting = [
                Span(start, end)
                for item, start, end in items.values_list("pk", "start", "end")
                if item not in settled and start is not None and end is not None
            ]
            yield Reviewed(document, mine, waiting)
    for what in [what for what, count in left_out.items() if not count]:
        del left_out[what]


def _passages(reviewed: Reviewed, schema: Schema, left_out: Counter[str]) -> list[Row]:
    text = reviewed.document.text
    spans = _labelled(reviewed, schema)
    sentences = layout_of_text(text).sentences
    starts = [0, *(each.start for each in sentences if each.start), len(text)]
    ranges = _merged(
        [_range(starts, _place(each), spans) for each in reviewed.verdicts if _place(each)]
    )
    key = key_of(reviewed.document)
    rows = []
    for start, end in ranges:
        inside = [c for c in reviewed.verdicts if _within(_place(c), start, end)]
        if any(each.start < end and start < each.end for each in reviewed.waiting):
            left_out["verdicts beside spans that still wait for one"] += len(inside)
            continue
        rows.append(
            {
                "key": key,
                "text": text[start:end],
                "spans": [
                    {"start": s - start, "end": e - start, "label": label}
                    for s, e, label in sorted(spans)
                    if start <= s and e <= end
                ],
                "corrections": [_told(each) for each in inside],
            }
        )
    return rows


def _labelled(reviewed: Reviewed, schema: Schema) -> set[Labelled]:
    """What persons said, and what the model delivered where no person spoke."""
    said = {_span(c.after) for c in reviewed.verdicts if c.after}
    judged = {_span(c.before) for c in reviewed.verdicts if c.before}
    places = [Span(start, end) for start, end, _ in said]
    found = {
        (span.start, span.end, span.label)
        for span in shown.spans_of(reviewed.document, schema.pk)
        if not any(Span(span.start, span.end) == place for place in places)
    }
    return said | (found - judged)


def _span(proposal: dict[str, Any]) -> Labelled:
    return int(proposal["start"]), int(proposal["end"]), str(proposal["label"])


def _place(correction: Correction) -> Span | None:
    said = correction.after or correction.before
    return Span(int(said["start"]), int(said["end"])) if said else None


def _within(place: Span | None, start: int, end: int) -> bool:
    return place is not None and start <= place.start and place.end <= end


def _range(starts: Sequence[int], place: Span | None, spans: Iterable[Labelled]) -> tuple[int, int]:
    """The sentences of a verdict, and of every span that reaches into them."""
    assert place is not None
    start, end = place.start, place.end
    while True:
        first = starts[bisect_right(starts, start) - 1]
        last = starts[min(bisect_right(starts, end - 1), len(starts) - 1)]
        reaching = [s for s in spans if s[0] < last and first < s[1]]
        start, end = (
            min([first, *(s[0] for s in reaching)]), max([last, *(s[1] for s in reaching)])
        )  # fmt: skip
        if (start, end) == (first, last):
            return start, end


def _merged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that overlap as one; neighbours stay apart."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _told(correction: Correction) -> Row:
    said = correction.after or correction.before or {}
    return {
        "id": correction.pk,
        "who": correction.who,
        "day": f"{correction.at:%Y-%m-%d}",
        "label": str(said.get("label", "")),
        "verdict": correction.verdict,
    }
