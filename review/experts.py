"""What an expert has done: how much, how quickly, how far others agreed, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db.models import Count, FloatField
from django.db.models.aggregates import Aggregate
from django.db.models.functions import TruncDate
from django.utils import timezone

from docintel.models import ModelVersion
from review.agreement import Agreement, by_pair, opinions
from review.correction_tables import Correction, CorrectionQuerySet
from review.titles import label_titles

DAYS = 30
Verdict = Correction.Verdict


class Median(Aggregate):
    """The middle of a column, as Postgres interpolates it."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Rise:
    """The F1 of a label in the version that a correction was made on, and in the live one."""

    model: str
    label: str
    corrections: int
    before: float
    after: float


@dataclass(slots=True)
class Work:
    """Of one person in the last 30 days; `seconds` is the median of a verdict."""

    verdicts: int = 0
    changed: int = 0
    seconds: float | None = None
    by_verdict: list[tuple[str, int]] = field(default_factory=list)
    by_day: list[tuple[date, int]] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    rises: list[Rise] = field(default_factory=list)


def work_of(user: User) -> Work:
    """What this person did, and how their verdicts compare; what was undone does not count."""
    since = timezone.now() - timedelta(days=DAYS)
    mine = Correction.objects.filter(who_id=user.pk)
    lately = mine.standing().filter(at__gte=since).order_by()
    counts = Counter(dict(lately.values_list("verdict").annotate(n=Count("pk"))))
    titles = dict(Verdict.choices)
    found = Work(
        verdicts=counts.total(),
        changed=counts.total() - counts[Verdict.ACCEPT],
        seconds=lately.filter(seconds__gt=0).aggregate(median=Median("seconds"))["median"],
    )
    found.by_verdict = [(titles[verdict], n) for verdict, n in counts.most_common()]
    days = lately.annotate(day=TruncDate("at")).values("day").annotate(n=Count("pk"))
    found.by_day = list(days.order_by("-day").values_list("day", "n"))
    with_me = [pair for pair in opinions(user) if user.get_username() in pair.who]
    found.agreements = by_pair(with_me)
    found.rises = _rises(mine)
    return found


def _rises(mine: CorrectionQuerySet) -> list[Rise]:
    """Labels whose F1 rose between the version that erred and the live one, by their metrics.

    A version says its F1 of each label as `metrics["labels"][label]["f1"]`.
    """
    rows = mine.standing().filter(model_version__isnull=False).order_by()
    counted = rows.values_list("model_version", "item__label").annotate(n=Count("pk"))
    versions = ModelVersion.objects.defer("metadata").in_bulk([row[0] for row in counted])
    names = {version.name for version in versions.values()}
    live = ModelVersion.objects.filter(name__in=names, state=ModelVersion.State.LIVE)
    now = {version.name: version for version in live.defer("metadata")}
    found, titles = [], label_titles()
    for pk, label, n in counted:
        version = versions[pk]
        before, after = f1_of(version, label), f1_of(now.get(version.name), label)
        if before is not None and after is not None and after > before:
            found.append(Rise(version.name, titles.get(label, label), n, before, after))
    return sorted(found, key=lambda rise: rise.before - rise.after)


def f1_of(version: ModelVersion | None, label: str) -> float | None:
    """Of a label on the documents that the version was evaluated on; None where it does not say."""
    labels = version.metrics.get("labels") if version else None
    said = labels.get(label) if isinstance(labels, dict) else None
    value = said.get("f1") if isinstance(said, dict) else None
    return float(value) if isinstance(value, int | float) else None
