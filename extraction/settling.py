"""Make the results that readers see agree with what people said.

Results follow from the tagger's rows and from the words (`PersonsWord`) alone, so a new run, a
roll-back and a withdrawn word all end in the same few lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from docintel.locking import one_at_a_time
from docintel.spans import Span
from extraction import layouts, relating, shown
from extraction.ml.spans import FoundSpan
from extraction.pairing import ONE_PER_HEAD
from extraction.relating import FoundRelation
from extraction.result_rows import ROWS_AT_ONCE, relation_row, span_row
from extraction.result_tables import ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.schema import SchemaSpec
from extraction.word_tables import PersonsWord
from ingestion.models import Document

# In the place of a rule's name.
BY_A_PERSON = "a person"
Key = tuple[int, int, str]
Ends = tuple[str, Key, Key]
Origin = ExtractedSpan.Origin


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to say: a span is right or wrong, or with `relation` that it belongs to `tail`.

    Spans are (start, end, label).
    """

    right: bool
    span: Key
    relation: str = ""
    tail: Key | None = None


def lock(document_id: int, schema_id: int) -> None:
    """Within a transaction: nobody else changes what is shown of these two until its end."""
    one_at_a_time(f"shown extraction {document_id} {schema_id}")


def say(document_id: int, schema_id: int, ref: int, words: Iterable[Word]) -> None:
    """Within a transaction: all that is said under `ref`, in place of what was; then `settle`."""
    lock(document_id, schema_id)
    PersonsWord.objects.filter(ref=ref).delete()
    PersonsWord.objects.bulk_create(_row(document_id, schema_id, ref, word) for word in words)


def settle(document_id: int, schema_id: int) -> None:
    """Within a transaction: spans and relations of the shown run are as people said.

    A model's span that they refused, or that overlaps one of theirs of its group, counts no more;
    theirs are rows of the shown run; relations are made anew by the rules, then theirs.
    """
    lock(document_id, schema_id)
    runs = ExtractionRun.objects.filter(document=document_id, schema=schema_id).shown()
    run = runs.select_related("schema_version").first()
    if run is None:
        return
    words = list(PersonsWord.objects.filter(document=document_id, schema=schema_id))
    spec = run.schema_version.read()
    document = Document.objects.get(pk=document_id)
    said = {_key(word): word.right for word in words if not word.relation}
    _put_persons_spans(run, document, {key for key, right in said.items() if right})
    _overrule(run, said, spec)
    spans = list(shown.spans_of(document, schema_id))
    related = _related(document, spans, words, spec)
    run.relations.all().delete()
    rows = [relation_row(run, document, one, spans) for one in related]
    ExtractedRelation.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    counts = {"span_count": len(spans), "relation_count": len(rows)}
    ExtractionRun.objects.filter(pk=run.pk).update(**counts)


def is_needed(run: ExtractionRun) -> bool:
    """Whether people said anything about this document, now or while the run was shown before."""
    words = PersonsWord.objects.filter(document=run.document_id, schema=run.schema_id)
    return words.exists() or run.spans.exclude(superseded_at=None).exists()


def _row(document_id: int, schema_id: int, ref: int, word: Word) -> PersonsWord:
    start, end, label = word.span
    tail_start, tail_end, tail_label = word.tail or (None, None, "")
    return PersonsWord(
        document_id=document_id,
        schema_id=schema_id,
        ref=ref,
        right=word.right,
        label=label,
        start=start,
        end=end,
        relation=word.relation,
        tail_label=tail_label,
        tail_start=tail_start,
        tail_end=tail_end,
    )


def _key(row: PersonsWord | ExtractedSpan) -> Key:
    return row.start, row.end, row.label


def _put_persons_spans(run: ExtractionRun, document: Document, wanted: set[Key]) -> None:
    theirs = ExtractedSpan.objects.filter(
        document=document, schema=run.schema_id, origin=Origin.PERSON
    )
    there = {_key(row): row.pk for row in theirs}
    theirs.filter(pk__in=[pk for key, pk in there.items() if key not in wanted]).delete()
    # Those of an earlier run come along, so that it can be tidied away.
    theirs.exclude(run=run).update(run=run)
    new = [span_row(run, document, FoundSpan(*key, 1.0)) for key in sorted(wanted - there.keys())]
    for row in new:
        row.origin = Origin.PERSON
    ExtractedSpan.objects.bulk_create(new)


def _overrule(run: ExtractionRun, said: dict[Key, bool], spec: SchemaSpec) -> None:
    group = {label.name: label.group for label in spec.labels}
    rights = [(Span(*key[:2]), group.get(key[2])) for key, right in said.items() if right]
    rows = run.spans.filter(origin=Origin.MODEL)
    against = [
        row.pk
        for row in rows
        if _key(row) in said
        or any(
            theirs.overlaps(Span(row.start, row.end)) and of == group.get(row.label)
            for theirs, of in rights
        )
    ]
    rows.filter(pk__in=against, superseded_at=None).update(superseded_at=timezone.now())
    rows.exclude(pk__in=against).exclude(superseded_at=None).update(superseded_at=None)


def _related(
    document: Document,
    spans: Sequence[ExtractedSpan],
    words: Sequence[PersonsWord],
    spec: SchemaSpec,
) -> list[FoundRelation]:
    """By the rules, less what people refused, and what they said."""
    said: dict[Ends, bool] = {_ends(word): word.right for word in words if word.relation}
    found = [FoundSpan(row.start, row.end, row.label, row.confidence) for row in spans]
    keys = [_key(row) for row in spans]
    place = {key: number for number, key in enumerate(keys)}
    theirs = [ends for ends, right in said.items() if right and place.keys() >= {*ends[1:]}]
    single = {rule.relation for rule in spec.rules if rule.arity in ONE_PER_HEAD}
    taken = {(name, head) for name, head, _ in theirs if name in single}
    layout = layouts.layout_of(document)
    by_rule = [
        one
        for one in relating.relate(document.text, found, layout, spec)
        if (one.relation, keys[one.head], keys[one.tail]) not in said
        and (one.relation, keys[one.head]) not in taken
    ]
    return by_rule + [_by_a_person(ends, place) for ends in theirs]


def _ends(word: PersonsWord) -> Ends:
    return word.relation, _key(word), (word.tail_start or 0, word.tail_end or 0, word.tail_label)


def _by_a_person(ends: Ends, place: dict[Key, int]) -> FoundRelation:
    name, head, tail = ends
    evidence = Span(min(head[0], tail[0]), max(head[1], tail[1]))
    return FoundRelation(name, place[head], place[tail], BY_A_PERSON, evidence, 1.0)
