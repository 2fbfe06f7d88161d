"""Questions whose route experts have judged, and which of them no router may learn from."""

from __future__ import annotations

from dataclasses import dataclass

from extraction.ml import splitting
from review.models import Correction, ReviewItem


@dataclass(frozen=True, slots=True)
class Routed:
    """A question with the route that an expert gave it."""

    question: str
    route: str

    @property
    def mark(self) -> str:
        """The same for a question asked in other letters or with more space."""
        return splitting.mark(_plain(self.question))

    @property
    def is_held_out(self) -> bool:
        """By a hash of its words, so for good."""
        return splitting.tenth(_plain(self.question)) in splitting.TESTED


def judged_routes() -> list[Routed]:
    """Final verdicts of the review desk, each question once, by its latest."""
    rows = Correction.objects.final().filter(kind=ReviewItem.Kind.ROUTER, after__isnull=False)
    found = {
        _plain(after["question"]): Routed(str(after["question"]), str(after["route"]))
        for after in rows.order_by("pk").values_list("after", flat=True)
        if after
    }
    return list(found.values())


def _plain(question: str) -> str:
    return " ".join(question.casefold().split())
