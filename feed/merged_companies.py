"""Two companies are one from now on: what people follow, asked, saved and are shown is kept."""

from __future__ import annotations

from django.db.models import F, Func, Value

from docintel.models import Activity
from feed import ranking
from feed.models import FeedItem, Follow, RankedDocument, SavedSearch

ROWS_AT_ONCE = 1_000


def carry_over(kept: int, gone: int) -> None:
    """Before the company `gone` is deleted; everybody's feed is ranked anew in turns."""
    _follows(kept, gone)
    for search in SavedSearch.objects.filter(scope__companies__contains=gone):
        search.scope["companies"] = _replaced(search.scope["companies"], kept, gone)
        search.save(update_fields=["scope"])
    asked = Activity.objects.filter(companies__contains=[gone])
    asked.update(companies=Func(F("companies"), Value(gone), Value(kept), function="array_replace"))
    rows = []
    for row in RankedDocument.objects.filter(facts__companies__contains=gone).defer("vector"):
        facts = dict(row.facts)
        facts["companies"] = sorted(_replaced(facts["companies"], kept, gone))
        facts["main"] = kept if facts["main"] == gone else facts["main"]
        row.facts = facts
        rows.append(row)
    RankedDocument.objects.bulk_update(rows, ["facts"], batch_size=ROWS_AT_ONCE)
    FeedItem.objects.filter(company_ref=gone).update(company_ref=kept)
    ranking.rerank_all()


def _follows(kept: int, gone: int) -> None:
    """Who said something of both keeps one word, and muting beats following."""
    of_gone = Follow.objects.filter(company=gone)
    both = Follow.objects.filter(company=kept, user__in=of_gone.values("user"))
    both.filter(user__in=of_gone.filter(muted=True).values("user")).update(muted=True)
    of_gone.exclude(user__in=list(both.values_list("user", flat=True))).update(company=kept)


def _replaced(ids: list[int], kept: int, gone: int) -> list[int]:
    return list(dict.fromkeys(kept if pk == gone else pk for pk in ids))
