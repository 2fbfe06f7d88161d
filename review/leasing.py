"""Who looks at what: one item for one person at a time, until its lease ends."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from review.choosing_items import Filters
from review.correction_tables import Correction
from review.desk_tables import DeskSettings
from review.item_tables import ItemQuerySet, ReviewItem

State = ReviewItem.State
LEASED = (State.OPEN, State.ADJUDICATE)
FREE: dict[str, None] = {"leased_to": None, "leased_until": None}


@transaction.atomic
def next_item(
    user: User, filters: Filters | None = None, besides: Collection[int] = ()
) -> ReviewItem | None:
    """The most valuable item that this person may see and nobody else holds, leased to them.

    What they hold already comes first, but for the ids in `besides`; None where nothing is left.
    Nobody gets an item that they gave an opinion on. `filters` may ask for disagreements.
    """
    filters = filters or Filters()
    if filters.state not in LEASED:
        return None
    seen = filters.of(ReviewItem.objects.visible_to(user).listed())
    open_to_me = seen.exclude(pk__in=list(besides))
    held = held_by(open_to_me, user).order_by("-value", "pk").first()
    return held or _take(_free_for(open_to_me, user), user)


def held_by(items: ItemQuerySet, user: User) -> ItemQuerySet:
    """Those whose lease this person has."""
    return items.filter(state__in=LEASED, leased_to=user, leased_until__gt=timezone.now())


def take(item: ReviewItem, user: User) -> bool:
    """Lease this very item to them unless somebody else holds it; a reviewed one needs no lease."""
    if item.state not in LEASED:
        return True
    now = timezone.now()
    unheld = Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_to=user)
    until = now + timedelta(minutes=DeskSettings.current().lease_minutes)
    free = ReviewItem.objects.filter(unheld, pk=item.pk)
    return bool(free.update(leased_to=user, leased_until=until))


def release(user: User) -> int:
    """Give back all that they hold; how many items."""
    return held_by(ReviewItem.objects.all(), user).order_by().update(**FREE)


def _free_for(items: ItemQuerySet, user: User) -> ItemQuerySet:
    mine = Correction.objects.standing().filter(item=OuterRef("pk"), who_id=user.pk)
    assigned = Q(assigned_to=None) | Q(assigned_to=user)
    once = Q(wanted=1) | ~Exists(mine)
    return items.unheld().filter(assigned, once).order_by("-value", "pk")


def _take(items: ItemQuerySet, user: User) -> ReviewItem | None:
    # Two people at once lock two items: neither waits for the other.
    row = items.select_for_update(skip_locked=True, of=("self",)).first()
    if row is None:
        return None
    row.leased_to = user
    row.leased_until = timezone.now() + timedelta(minutes=DeskSettings.current().lease_minutes)
    row.save(update_fields=["leased_to", "leased_until"])
    return row
