"""What became of a model's corrections: snapshot, run, scores, verdict, and since when live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Avg, Count, ExpressionWrapper, F, FloatField, Q, QuerySet
from django.utils.safestring import SafeString

from docintel.models import ModelFlip, ModelVersion
from docintel.scoring import CannotScore
from extraction.models import Schema
from review.models import ReviewItem
from training import datasets, learning_if_due
from training.drawing_curves import Bar, Dot, bars, curve
from training.live_accuracy import LiveAccuracy, live_accuracy
from training.models import FlywheelSettings, GateVerdict, Snapshot, TrainingRun

TURNS_SHOWN = 20
VERSIONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Turn:
    """One run with what it learned from and what was said of what it left."""

    run: TrainingRun
    snapshot: Snapshot | None
    verdict: GateVerdict | None
    chart: SafeString | str
    live_since: datetime | None
    live_until: datetime | None
    dollars: float | None

    @property
    def outcome(self) -> str:
        """In a word, for its colour: promoted, rejected, asked, or how the run stands."""
        return self.verdict.outcome if self.verdict else str(self.run.state)


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Of one version: spans flagged for review, in how many documents, and how doubtful."""

    number: int
    documents: int
    flagged: int
    doubt: float

    @property
    def per_document(self) -> float:
        return self.flagged / self.documents


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the page shows of one name."""

    name: str
    live: ModelVersion | None
    live_since: datetime | None
    settings: FlywheelSettings
    new_corrections: int | None
    snapshot: Snapshot | None
    turns: list[Turn]
    audited: list[LiveAccuracy] = field(default_factory=list)
    reviewing: list[Reviewing] = field(default_factory=list)
    charts: list[tuple[str, str, SafeString]] = field(default_factory=list)


def names() -> list[str]:
    """Models that have been trained, judged or corrected here, in order."""
    found = set(TrainingRun.objects.values_list("name", flat=True).distinct())
    found |= set(ModelVersion.objects.filter(kind="tagger").values_list("name", flat=True))
    found |= set(GateVerdict.objects.values_list("candidate__name", flat=True).distinct())
    return sorted(found)


def tell(name: str) -> Story:
    """The story of one name; of a name without any, an empty one."""
    live = ModelVersion.objects.filter(name=name, state="live").defer("metadata").first()
    schema = _schema_of(name)
    judged = list(
        GateVerdict.objects.filter(candidate__name=name).select_related("candidate", "live")
    )
    reviewing = _reviewing(schema) if schema else []
    newest = datasets.newest(name)
    return Story(
        name=name,
        live=live,
        live_since=_since(live)[0] if live else None,
        settings=FlywheelSettings.current(),
        new_corrections=_new(name) if schema else None,
        snapshot=newest,
        turns=_turns(name, judged),
        audited=live_accuracy(schema) if schema else [],
        reviewing=reviewing,
        charts=[*_score_curve(judged), *_review_curves(reviewing)],
    )


def _schema_of(name: str) -> Schema | None:
    try:
        return datasets.schema_of(name)
    except CannotScore:
        return None


def _new(name: str) -> int:
    return learning_if_due.new_corrections(name, learning_if_due.last_trained(name))


def _turns(name: str, judged: Sequence[GateVerdict]) -> list[Turn]:
    """The newest runs first."""
    runs: QuerySet[TrainingRun] = TrainingRun.objects.filter(name=name)
    by_version = {verdict.candidate_id: verdict for verdict in reversed(judged)}
    snapshots = {row.digest: row for row in Snapshot.objects.filter(name=name)}
    price = float(FlywheelSettings.current().dollars_per_hour)
    found = []
    for run in runs.select_related("version").defer("log", "args")[:TURNS_SHOWN]:
        verdict = by_version.get(run.version_id) if run.version_id else None
        since, until = _since(run.version) if run.version else (None, None)
        dollars = run.seconds * price / 3600 if run.seconds is not None and price else None
        chart = _chart(verdict) if verdict else ""
        snapshot = snapshots.get(run.snapshot_hash)
        found.append(Turn(run, snapshot, verdict, chart, since, until, dollars))
    return found


def _since(version: ModelVersion) -> tuple[datetime | None, datetime | None]:
    """When it last went live, and when it no longer was."""
    flips = ModelFlip.objects.filter(name=version.name)
    went = flips.filter(to_version=version).exclude(from_version=version).order_by("-pk").first()
    if went is None:
        return None, None
    left = flips.filter(pk__gt=went.pk, from_version=version).exclude(to_version=version)
    gone = left.order_by("pk").first()
    return went.at, gone.at if gone else None


def _chart(verdict: GateVerdict) -> SafeString:
    """The primary measure with its intervals, then each label that counts, the fallen first."""
    rows = []
    for check in verdict.report.get("checks", ()):
        if check["name"] == "primary" and check["candidate"] is not None:
            rows += _pair("all", check)
    for label in [row for row in verdict.report.get("labels", ()) if row["counts"]][:8]:
        rows += _pair(f"{label['label']} ({label['n']})", label)
    return bars(rows, f"{verdict.candidate} beside what was live")


def _pair(name: str, row: dict[str, Any]) -> list[Bar]:
    found = [Bar(name, "candidate", row["candidate"], _interval(row.get("candidate_interval")))]
    if row.get("live") is not None:
        found.append(Bar("", "live", row["live"], _interval(row.get("live_interval"))))
    return found


def _interval(given: Any) -> tuple[float, float] | None:
    if not given or given[0] is None or given[1] is None:
        return None
    return float(given[0]), float(given[1])


def _score_curve(judged: Sequence[GateVerdict]) -> list[tuple[str, str, SafeString]]:
    dots = {}
    for verdict in reversed(judged):
        checks = {check["name"]: check for check in verdict.report.get("checks", ())}
        primary = checks.get("primary")
        if primary and primary["candidate"] is not None:
            strong = verdict.outcome == GateVerdict.Outcome.PROMOTED
            interval = _interval(primary.get("candidate_interval"))
            number = verdict.candidate.number
            dots[number] = Dot(f"v{number}", primary["candidate"], interval, strong)
    if not dots:
        return []
    measure = str(judged[0].report.get("measure", "Score"))
    chosen = [dots[number] for number in sorted(dots)][-VERSIONS_SHOWN:]
    note = "On the test part as it was then; hollow: not promoted."
    return [(f"{measure} by version", note, curve(chosen, measure))]


def _review_curves(rows: Sequence[Reviewing]) -> list[tuple[str, str, SafeString]]:
    if not rows:
        return []
    volume = [Dot(f"v{row.number}", row.per_document) for row in rows]
    doubts = [Dot(f"v{row.number}", row.doubt) for row in rows]
    title = "Flagged spans of a document"
    return [
        (title, "Mean over documents with any.", curve(volume, title)),
        (
            "Uncertainty of what was flagged",
            "1 is even odds, 0 is certain.",
            curve(doubts, "Mean uncertainty of flagged spans"),
        ),
    ]


def _reviewing(schema: Schema) -> list[Reviewing]:
    """By version, the oldest first."""
    unsure = Q(why=ReviewItem.Why.UNSURE)
    # As `review.valuing.uncertainty` has it.
    doubt = ExpressionWrapper(
        4 * F("confidence") * (1 - F("confidence")), output_field=FloatField()
    )
    items = ReviewItem.objects.filter(
        unsure, schema=schema, kind=ReviewItem.Kind.SPAN, model_version__isnull=False
    )
    rows = items.values("model_version__number").annotate(
        n=Count("pk"), documents=Count("document", distinct=True), doubt=Avg(doubt)
    )
    newest = rows.order_by("-model_version__number")[:VERSIONS_SHOWN]
    return [
        Reviewing(row["model_version__number"], max(1, row["documents"]), row["n"], row["doubt"])
        for row in reversed(newest)
    ]
