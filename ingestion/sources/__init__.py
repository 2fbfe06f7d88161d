"""What is new at a source, by its kind. A folder is looked through by `ingestion.fetching`."""

from __future__ import annotations

from collections.abc import Callable

from ingestion.models import Source
from ingestion.sources import edgar, mailbox, page, rss
from ingestion.sources.items import Item, Known, Listing, Unusable

__all__ = ["POLLED", "Item", "Known", "Listing", "Unusable", "fetch_headers", "list_new"]

_LISTS: dict[str, Callable[[Source, Known], Listing]] = {
    Source.Kind.RSS: rss.list_new,
    Source.Kind.PAGE: page.list_new,
    Source.Kind.MAILBOX: mailbox.list_new,
    Source.Kind.EDGAR: edgar.list_new,
}
POLLED = tuple(_LISTS)


def list_new(source: Source, known: Known) -> Listing:
    """What the source offers; items that are `known` may be left out, others never are.

    Raises Unusable and the exceptions of `docintel.net`, all in words for the operator.
    """
    return _LISTS[source.kind](source, known)


def fetch_headers(source: Source) -> dict[str, str]:
    """The headers to fetch an item of this source with, once it is this source's turn."""
    if source.kind == Source.Kind.EDGAR:
        edgar.wait_for_turn()
        return edgar.headers()
    return {}
