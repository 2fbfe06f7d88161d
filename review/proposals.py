"""The shapes in which items and corrections hold spans and relations: plain JSON values."""

from __future__ import annotations

import hashlib
from typing import Any

from extraction.models import ExtractedRelation, ExtractedSpan
from extraction.settling import Key, Word

Proposal = dict[str, Any]


def of_span(span: ExtractedSpan) -> Proposal:
    return a_span(span.label, span.start, span.end, span.text)


def a_span(label: str, start: int, end: int, text: str) -> Proposal:
    return {"label": label, "start": start, "end": end, "text": text}


def of_relation(relation: ExtractedRelation) -> Proposal:
    return a_relation(relation.relation, of_span(relation.head), of_span(relation.tail))


def a_relation(name: str, head: Proposal, tail: Proposal | None) -> Proposal:
    """Without a tail: the head lacks one."""
    return {"relation": name, "head": head, "tail": tail}


def key_of_span(span: Proposal) -> Key:
    """As `extraction.settling` names a span."""
    return span["start"], span["end"], span["label"]


def is_drawn(key: str, share: float, lottery: str) -> bool:
    """Whether a draw takes this: of many keys about this share, of one key always the same."""
    digest = hashlib.sha256(f"{lottery}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def words_of(before: Proposal | None, after: Proposal | None) -> list[Word]:
    """What a verdict says of spans and relations: what was is wrong unless it still is.

    Of a relation that is right, both ends are; of one that is wrong, nothing is said of them.
    """
    said = [] if before is None or before == after else _about(before, right=False)
    return said if after is None else said + _about(after, right=True)


def _about(proposal: Proposal, *, right: bool) -> list[Word]:
    if "relation" not in proposal:
        return [Word(right, key_of_span(proposal))]
    if proposal["tail"] is None:
        return []
    head, tail = key_of_span(proposal["head"]), key_of_span(proposal["tail"])
    related = Word(right, head, proposal["relation"], tail)
    return [Word(True, head), Word(True, tail), related] if right else [related]
