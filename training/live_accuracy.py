"""How right a version is on real documents: by experts' verdicts on its audit sample alone.

All other corrections are on what a model doubted; their share of errors says nothing of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from docintel.scoring import wilson
from extraction.models import Schema
from review.models import Correction, ReviewItem


@dataclass(frozen=True, slots=True)
class LiveAccuracy:
    """Of `n` spans that were delivered without review and drawn at random, `right` were accepted.

    `interval` is the 95 % one by Wilson's score (1927), which also holds for few.
    """

    number: int
    version: str
    n: int
    right: int

    @property
    def share(self) -> float:
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.n)


def live_accuracy(schema: Schema) -> list[LiveAccuracy]:
    """For each version with audited spans, the newest first."""
    said = Correction.objects.final().filter(
        kind=ReviewItem.Kind.SPAN, schema=schema, audit=True, model_version__isnull=False
    )
    rows = said.values("model_version__number", "model_version__version").annotate(
        n=Count("pk"), right=Count("pk", filter=Q(verdict=Correction.Verdict.ACCEPT))
    )
    return [
        LiveAccuracy(
            row["model_version__number"], row["model_version__version"], row["n"], row["right"]
        )
        for row in rows.order_by("-model_version__number")
    ]
