"""Which documents an analyst has muted, and by what."""

from __future__ import annotations

from feed.ml.facts import Analyst, Documents

# From here on a document is about a topic.
SHOWN = 0.5


def hidden(documents: Documents, analyst: Analyst) -> list[str]:
    """For each document what it is hidden by, as "company:12", or ""; mute beats follow.

    A muted company hides its own documents, and those that name no other company.
    """
    muted = analyst.muted
    if not (
        muted.companies or muted.topics or muted.sources or muted.kinds or muted.phrases
    ):  # fmt: skip
        return [""] * len(documents)
    return [_by(documents, row, analyst) for row in range(len(documents))]


def _by(documents: Documents, row: int, analyst: Analyst) -> str:
    muted = analyst.muted
    main, named = int(documents.main[row]), documents.companies[row]
    if main in muted.companies:
        return f"company:{main}"
    if not main and named and named <= muted.companies:
        return f"company:{min(named)}"
    if int(documents.sources[row]) in muted.sources:
        return f"source:{int(documents.sources[row])}"
    if documents.kinds[row] in muted.kinds:
        return f"document_kind:{documents.kinds[row]}"
    for at, key in enumerate(documents.topic_keys):
        if key in muted.topics and documents.topics[row, at] >= SHOWN:
            return f"topic:{key}"
    found = next((p for p in muted.phrases if p in documents.opening[row]), "")
    return f"phrase:{found}" if found else ""
