"""How far experts agree who judged the same items without seeing each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from review.correction_tables import Correction
from review.item_tables import ReviewItem

# The label of a span that is none.
NONE = "(no span)"
MOST_READ = 20_000
Role = Correction.Role


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one label or pair of experts over `items` items.

    `kappa` is Cohen's, None where both always said the same one thing, for which it has no value.
    `span_f1` is the share of spans with the same boundary and label, as F1 of one expert by the
    other; None where neither saw a span.
    """

    name: str
    items: int
    same: int
    kappa: float | None
    span_f1: float | None


@dataclass(frozen=True, slots=True)
class Opinions:
    """Two verdicts on one item: who gave the first and the second, and what was right by each."""

    label: str
    who: tuple[str, str]
    after: tuple[Any, Any]

    @property
    def labels(self) -> tuple[str, str]:
        first, second = (_label(one) for one in self.after)
        return first, second


def by_label(pairs: Sequence[Opinions], titles: Mapping[str, str]) -> list[Agreement]:
    """Of each proposed label by its title, the most judged first."""
    return _grouped((titles.get(pair.label, pair.label), pair) for pair in pairs)


def by_pair(pairs: Sequence[Opinions]) -> list[Agreement]:
    """Of each two experts, whoever was first."""
    return _grouped((" and ".join(sorted(pair.who)), pair) for pair in pairs)


def opinions(user: User) -> list[Opinions]:
    """The latest items judged by two, of those that this person may see."""
    said = Correction.objects.standing().visible_to(user).filter(kind=ReviewItem.Kind.SPAN)
    seconds = said.filter(role=Role.SECOND).select_related("item").order_by("-pk")[:MOST_READ]
    by_item = {one.item_id: one for one in seconds}
    firsts = said.filter(role=Role.FIRST, item__in=by_item)
    return [
        Opinions(second.item.label, (first.who, second.who), (first.after, second.after))
        for first in firsts
        if (second := by_item[first.item_id])
    ]


def _grouped(named: Iterable[tuple[str, Opinions]]) -> list[Agreement]:
    groups: dict[str, list[Opinions]] = defaultdict(list)
    for name, pair in named:
        groups[name].append(pair)
    found = [_agreement(name, pairs) for name, pairs in groups.items()]
    return sorted(found, key=lambda one: (-one.items, one.name))


def _agreement(name: str, pairs: Sequence[Opinions]) -> Agreement:
    same = sum(first == second for first, second in (pair.after for pair in pairs))
    return Agreement(name, len(pairs), same, kappa([pair.labels for pair in pairs]), span_f1(pairs))


def kappa(labels: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa (scikit-learn); None where there is only one label in all."""
    if len({label for pair in labels for label in pair}) < 2:
        return None
    # Takes a second to load, and pages of others never need it.
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415

    first, second = zip(*labels, strict=True)
    return float(cohen_kappa_score(first, second))


def span_f1(pairs: Sequence[Opinions]) -> float | None:
    """2 × spans that both gave alike, by all spans that either gave."""
    given = sum(after is not None for pair in pairs for after in pair.after)
    alike = sum(pair.after[0] is not None and pair.after[0] == pair.after[1] for pair in pairs)
    return 2 * alike / given if given else None


def _label(after: Any) -> str:
    return NONE if after is None else str(after.get("label", ""))
