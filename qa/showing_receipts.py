"""How an answer came about, in words; and the answer as plain text with its sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qa.answer_tables import Ask
from qa.reading_answers import Cite, ReadAnswer

STAGES = {
    "understand": "Understand",
    "route": "Choose the route",
    "cache": "Look for a kept answer",
    "search": "Search",
    "gather": "Gather passages",
    "rerank": "Rerank",
    "answerable": "Judge whether it can be answered",
    "offer": "Read the passages",
    "compose": "Write and verify",
    "first_sentence": "Until the first sentence",
    "total": "In all",
}
TIERS = {"lookup": "list of documents", "factual": "one fact", "synthesis": "synthesis"}


def steps(ask: Ask, n_sentences: int) -> list[str]:
    """What was done, a few words each, in order."""
    receipt = ask.receipt
    said = [f"Searched {_searched(receipt)}"] if _searched(receipt) else []
    if "candidates" in receipt:
        said.append(f"{_many(receipt['candidates'], 'passage')} in "
                    f"{_many(receipt.get('documents', 0), 'document')}")  # fmt: skip
    if n_sentences:
        said.append(f"{_many(n_sentences, 'sentence')} verified")
    total = _seconds(receipt).get("total")
    if isinstance(total, int | float):
        said.append(f"{total:.1f} s")
    return said


def receipt_lines(ask: Ask) -> list[tuple[str, str]]:
    """(label, value) of all that is known; only what is there."""
    return [(label, value) for label, value in _lines(ask) if value]


def _lines(ask: Ask) -> Iterator[tuple[str, str]]:
    receipt = ask.receipt
    if ask.route:
        sure = f", {ask.confidence:.0%} sure" if ask.confidence is not None else ""
        yield "Route", TIERS.get(ask.route, ask.route) + sure
    yield "Searched", _searched(receipt)
    looks = _of(receipt, "searched").get("looks")
    for look in looks if isinstance(looks, list) and len(looks) > 1 else ():
        yield (
            f"Look: {look.get('label')}",
            f"{look.get('scope')}, {_many(look['found'], 'passage')}",
        )
    if "candidates" in receipt:
        found = _many(receipt["candidates"], "passage")
        yield "Candidates", f"{found} in {_many(receipt.get('documents', 0), 'document')}"
    yield "Not answered from", _left_out(_of(receipt, "left_out"))
    reranker = _of(receipt, "reranker")
    stand_in = " (stand-in)" if reranker.get("stand_in") else ""
    yield "Reranker", f"{reranker['name']}{stand_in}" if reranker.get("name") else ""
    yield "Model", str(receipt.get("model") or "")
    if receipt.get("tokens_in") or receipt.get("tokens_out"):
        yield (
            "Tokens", f"{receipt.get('tokens_in', 0):,} in, {receipt.get('tokens_out', 0):,} out"
        )  # fmt: skip
        yield "Cost", f"${float(receipt.get('cost') or 0):.4f}"
    if receipt.get("dropped"):
        yield "Left out", f"{_many(receipt['dropped'], 'drafted sentence')} that failed the checks"
    cache = _of(receipt, "cache")
    if cache.get("hit"):
        yield "Kept answer", f"{int(cache.get('age_seconds') or 0):,} s old when it was repeated"
    seconds = _seconds(receipt)
    # The database keeps the names in an order of its own.
    for name in [*STAGES, *(other for other in seconds if other not in STAGES)]:
        value = seconds.get(name)
        if isinstance(value, int | float):
            yield STAGES.get(name, name.replace("_", " ").capitalize()), f"{value:.2f} s"


def _left_out(told: dict[str, Any]) -> str:
    if not told.get("passages"):
        return ""
    names = " or ".join(map(str, told.get("companies", ())))
    return f"{_many(told['passages'], 'passage')} of others that do not name {names}"


def _searched(receipt: dict[str, Any]) -> str:
    return str(_of(receipt, "searched").get("scope") or "")


def _seconds(receipt: dict[str, Any]) -> dict[str, Any]:
    return _of(receipt, "seconds")


def _of(receipt: dict[str, Any], name: str) -> dict[str, Any]:
    found = receipt.get(name)
    return found if isinstance(found, dict) else {}


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def as_text(answer: ReadAnswer, base: str) -> str:
    """The answer with numbers in brackets and its numbered sources, to be pasted elsewhere.

    `base` is the address of the site, with its last slash.
    """
    lines = [answer.ask.text, ""]
    for group in answer.groups:
        lines += [group.label] if group.label else []
        for sentence in group.sentences:
            numbers = "".join(f"[{n}]" for n in dict.fromkeys(c.number for c in sentence.citations))
            lines.append(f"{' '.join(sentence.text.split())} {numbers}")
        lines.append("")
    lines += ["Sources"] if answer.sources else []
    for source in answer.sources:
        lines.append(f"[{source.number}] {_named(source.first)}")
        lines += [f"    “{' '.join(each.quote.split())}”" for each in source.quotes]
        lines.append(f"    {base.rstrip('/')}{source.first.url}")
    return "\n".join(lines).strip() + "\n"


def _named(cite: Cite) -> str:
    day = cite.published_on.isoformat() if cite.published_on else ""
    page = f"page {cite.page}" if cite.is_paged else ""
    return ", ".join(part for part in (cite.title, cite.company, cite.kind, day, page) if part)
