"""How often the relations of each rule were right, by verdicts; nothing is learned from them.

Rules are written by people: what is seen here is for whoever writes them. Trap: what was doubtful
says nothing of the rest; only what was drawn at random does.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, Q

from docintel.scoring import wilson
from extraction.models import Schema
from review.correction_tables import Correction
from review.item_tables import ReviewItem


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one rule: relations drawn at random and those that were doubtful, and how many are right.

    A relation is right where it was accepted as it stood, with both its ends.
    """

    rule: str
    relation: str
    drawn: int
    drawn_right: int
    doubtful: int
    doubtful_right: int

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share right among all that this rule makes; wide where few were drawn."""
        return wilson(self.drawn_right, self.drawn)


def judged_rules(schema: Schema, user: User) -> list[Judged]:
    """Of rules with verdicts that this person may see, the most judged first."""
    said = Correction.objects.final().visible_to(user)
    of_rules = said.filter(kind=ReviewItem.Kind.RELATION, schema=schema).exclude(item__rule="")
    right = Q(verdict=Correction.Verdict.ACCEPT)
    rows = (
        of_rules.order_by()
        .values("item__rule", "item__label")
        .annotate(
            n=Count("pk"),
            right=Count("pk", filter=right),
            drawn=Count("pk", filter=Q(audit=True)),
            drawn_right=Count("pk", filter=right & Q(audit=True)),
        )
    )
    return [
        Judged(
            row["item__rule"], row["item__label"], row["drawn"], row["drawn_right"],
            row["n"] - row["drawn"], row["right"] - row["drawn_right"],
        )
        for row in rows.order_by("-n", "item__rule")
    ]  # fmt: skip
