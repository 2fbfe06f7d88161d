"""Seconds from arrival to searchable while many sources publish, amend and withdraw.

A simulated web in a process of its own publishes articles and PDFs over time; the real workers and
the real inference role take them in, in a database of its own that is dropped at the end. An hour
is compressed: intervals and times of publication are divided, processing is not, so the limits on
seconds hold as they are and the load is that many times the hour's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.request import urlopen

import numpy as np

from benchmarks.place import ROOT, fresh_place
from docintel.holding import HOST, free_port
from docintel.scoring import CannotScore, Score, bootstrap

INTERVAL_MINUTES = (1, 2, 3)  # Compressed; no source can be asked more often than each minute.
BEHAVIOURS = ("slow", "failing", "renaming", "huge")
SLOW_SECONDS = 5.0
RENAMES_EVERY = 60.0
PDF_SHARE = 0.15
DRAIN_SECONDS = 120.0
PREPARE = """
import django
django.setup()
from django.core.management import call_command
from docintel.scheduling import start_all, sync_schedule
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
sync_schedule()
start_all()
"""
PROBE = """
import sys
import django
django.setup()
from benchmarks.stale_passages import main
main(int(sys.argv[1]), float(sys.argv[2]))
"""
# The first line of input brings the sources; each further one is answered by every item so far.
REPORT = """
import json, sys
import django
django.setup()
from docintel.scheduling import enqueue
from ingestion.models import Document, Source, SourceItem
print("ready", flush=True)
Source.objects.bulk_create(
    Source(kind=Source.Kind.RSS, **each) for each in json.loads(sys.stdin.readline())
)
enqueue("ingestion.tasks.poll_sources")
names = ("source__name", "external_id", "listed_at", "fetched_at", "document__received_at",
         "document__searchable_at", "document__duplicate_of__searchable_at",
         "document__near_duplicate_of__searchable_at", "document__quarantined_at",
         "gave_up_at", "failed_reason")
for line in sys.stdin:
    rows = SourceItem.objects.values_list(*names)
    items = [[each.timestamp() if hasattr(each, "timestamp") else each for each in row]
             for row in rows]
    failed = Document.objects.quarantined().values_list("file_name", "failed_reason")
    embedded = Document.objects.filter(embedded_at__isnull=False).count()
    print(json.dumps({"items": items, "quarantined": list(failed), "embedded": embedded}),
          flush=True)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--documents", type=int, default=1_000, help="published in the time")
    parser.add_argument("--sources", type=int, default=300, help="four of them misbehave")
    parser.add_argument("--seconds", type=float, default=300, help="the compressed hour")
    parser.add_argument("--changes", type=int, default=40, help="amended and withdrawn documents")
    parser.add_argument("--workers", type=int, default=2, help="processes of the queue")
    parser.add_argument("--seed", type=int, default=0)


def run(  # noqa: PLR0917
    documents: int = 1_000,
    sources: int = 300,
    seconds: float = 300,
    changes: int = 40,
    workers: int = 2,
    seed: int = 0,
    **_: Any,
) -> Score:
    """The p95 of seconds from arrival to searchable; `detail` holds the rest of what was seen."""
    if sources <= len(BEHAVIOURS):
        raise CannotScore(f"there must be more than {len(BEHAVIOURS)} sources")
    started = time.perf_counter()
    plan = planned(documents, sources, seconds, seed)
    before = os.getloadavg()[0]
    with fresh_place() as environment, ExitStack() as stack:
        port, web = stack.enter_context(simulated_web(plan))
        environment["ALLOWED_FETCH_HOSTS"] = f"{HOST}:{port}"
        _call(PREPARE, environment)
        stack.enter_context(_running_roles(environment, workers))
        prober = stack.enter_context(_prober(environment, changes, seconds))
        report = stack.enter_context(_process([sys.executable, "-c", REPORT], environment))
        _expect(report)
        clock = float(_get(port, "/start"))
        _tell(report, json.dumps(_rows(plan, port)))
        _tell(prober, "go")
        seen = _wait(report, plan, clock, seconds)
        asked: dict[str, list[float]] = json.loads(_get(port, "/asked"))
        ended = time.time()
        stale = json.loads(_told(prober))
        del web
    lags, missing = _lags(plan, seen, clock, ended)
    arrival = lags["arrival_to_searchable"]
    if not arrival:
        raise CannotScore("nothing became searchable")
    return Score(
        headline="arrival to searchable p95, seconds",
        value=float(np.percentile(arrival, 95)),
        higher_is_better=False,
        n=len(arrival),
        interval=bootstrap(arrival, statistic=lambda values: np.percentile(values, 95)),
        seconds=time.perf_counter() - started,
        detail={
            "documents": documents,
            "sources": sources,
            "seconds_of_publication": seconds,
            "compression_of_an_hour": 3_600 / seconds if seconds else None,
            "workers": workers,
            "cores": os.cpu_count(),
            "load_average": {"before": before, "after": os.getloadavg()[0]},
            "seconds": {name: _percentiles(values) for name, values in lags.items()},
            "not_searchable_at_the_end": missing,
            "polls": _punctuality(plan, asked, clock, ended),
            "of_the_odd_ones": _odd(plan, seen),
            "changes": _staleness(stale),
            "quarantined": seen["quarantined"],
            "embedded": seen["embedded"],
        },
    )


def planned(documents: int, sources: int, seconds: float, seed: int) -> dict[str, Any]:
    """What each source publishes and when: entries by source, `at` in seconds from the start."""
    draw = random.Random(seed)
    behaviours = [*BEHAVIOURS, *[""] * (sources - len(BEHAVIOURS))]
    found: dict[str, dict[str, Any]] = {
        f"wire{number:03d}": {
            "behaviour": behaviour,
            "minutes": INTERVAL_MINUTES[number % len(INTERVAL_MINUTES)],
            "entries": [],
        }
        for number, behaviour in enumerate(behaviours)
    }
    well = [name for name, each in found.items() if each["behaviour"] in ("", "slow")]
    for number in range(documents):
        each = found[draw.choice(well)]
        each["entries"].append(_entry(number + 1, draw.uniform(0, seconds), draw))
    for each in found.values():
        extra = {"renaming": 10, "huge": documents}.get(each["behaviour"], 0)
        base = 10_000_000 if each["behaviour"] == "huge" else 20_000_000
        each["entries"] += [_entry(base + number, 0.0, draw) for number in range(extra)]
        each["entries"].sort(key=lambda entry: entry["at"])
    return {"sources": found, "delay": SLOW_SECONDS, "renames_every": RENAMES_EVERY}


def _entry(seed: int, at: float, draw: random.Random) -> dict[str, Any]:
    suffix = "pdf" if draw.random() < PDF_SHARE else "html"
    return {"id": f"story-{seed}", "title": "", "seed": seed, "at": at, "suffix": suffix}


def _rows(plan: Mapping[str, Any], port: int) -> list[dict[str, Any]]:
    url = f"http://{HOST}:{port}"
    return [
        {"name": name, "location": f"{url}/{name}/feed", "poll_minutes": each["minutes"]}
        for name, each in plan["sources"].items()
    ]


@contextmanager
def simulated_web(plan: Mapping[str, Any]) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The port of a running simulated web, and its process."""
    command = [sys.executable, "-m", "benchmarks.simulated_web"]
    with _process(command, dict(os.environ)) as process:
        _tell(process, json.dumps(plan))
        yield int(_told(process)), process


@contextmanager
def _running_roles(environment: dict[str, str], workers: int) -> Iterator[None]:
    """The inference role and the queue's workers, as `manage.py serve` starts them."""
    port = free_port()
    environment |= {
        "INFERENCE_URL": f"http://{HOST}:{port}",
        "INFERENCE_TOKEN": secrets.token_urlsafe(32),
        "WORKERS": str(workers),
    }
    uvicorn = [sys.executable, "-m", "uvicorn", "docintel.asgi:application", "--host", HOST]
    inference = [*uvicorn, "--port", str(port), "--no-access-log", "--lifespan", "off"]
    queue = ["nice", "-n", "5", sys.executable, str(ROOT / "manage.py"), "qcluster"]
    with (
        _process(inference, {**environment, "DOCINTEL_ROLE": "inference"}, quiet=True),
        _process(queue, {**environment, "DOCINTEL_ROLE": "worker"}, quiet=True),
    ):
        yield


@contextmanager
def _prober(
    environment: dict[str, str], changes: int, seconds: float
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROBE, str(changes), str(seconds)]
    with _process(command, environment) as process:
        _expect(process)
        yield process


@contextmanager
def _process(
    command: list[str], environment: Mapping[str, str], *, quiet: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Started in a group of its own; the whole group is gone afterwards."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=3)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _call(code: str, environment: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise CannotScore("a process of the measurement ended early; see its output above")
    return line


def _expect(process: subprocess.Popen[str]) -> None:
    if (line := _told(process)) != "ready":
        raise CannotScore(f"a process of the measurement ended early: {line}")


def _get(port: int, path: str) -> str:
    with urlopen(f"http://{HOST}:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def _wait(
    report: subprocess.Popen[str], plan: Mapping[str, Any], clock: float, seconds: float
) -> dict[str, Any]:
    """What the tables say once all that was planned is searchable, or the time is up."""
    until = clock + seconds + max(INTERVAL_MINUTES) * 60 + DRAIN_SECONDS
    time.sleep(max(0.0, clock + seconds - time.time()))
    while True:
        _tell(report, "now")
        seen: dict[str, Any] = json.loads(_told(report))
        _, missing = _lags(plan, seen, clock, time.time())
        if not missing or time.time() > until:
            return seen
        time.sleep(2.0)


def _lags(
    plan: Mapping[str, Any], seen: Mapping[str, Any], clock: float, ended: float
) -> tuple[dict[str, list[float]], int]:
    """Seconds by part of the way, of what well-behaved and slow sources published.

    What is not searchable yet counts as searchable at `ended`, so that it cannot flatter.
    """
    rows = {(row[0], row[1]): row for row in seen["items"]}
    names = ("arrival_to_searchable", "listed_to_searchable", "published_to_searchable")
    lags: dict[str, list[float]] = {name: [] for name in names}
    missing = 0
    for name, each in plan["sources"].items():
        if each["behaviour"] not in ("", "slow"):
            continue
        for entry in each["entries"]:
            row = rows.get((name, entry["id"]))
            searchable = next(filter(None, row[5:9]), None) if row else None
            missing += searchable is None
            until = searchable or ended
            lags["published_to_searchable"].append(until - clock - entry["at"])
            if row:
                lags["listed_to_searchable"].append(until - row[2])
            if row and row[4]:
                lags["arrival_to_searchable"].append(until - row[4])
    return lags, missing


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p95, most = np.percentile(values, [50, 95, 100])
    return {"p50": float(p50), "p95": float(p95), "max": float(most), "n": len(values)}


def _punctuality(
    plan: Mapping[str, Any], asked: Mapping[str, list[float]], clock: float, ended: float
) -> dict[str, Any]:
    """How long sources had to wait between two polls, in their intervals; from the start on."""
    worst: dict[str, float] = {}
    for name, each in plan["sources"].items():
        moments = [clock, *sorted(at for at in asked.get(name, []) if at > clock), ended]
        gaps = np.diff(moments) / (60 * each["minutes"])
        worst[name] = float(gaps.max())
    counted = {n: w for n, w in worst.items() if plan["sources"][n]["behaviour"] != "failing"}
    return {
        "polls": sum(map(len, asked.values())),
        "longest_gap_in_intervals": _percentiles(list(counted.values())),
        "later_than_twice_the_interval": sum(gap > 2 for gap in counted.values()),
    }


def _odd(plan: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """Items of the odd sources: listed and fetched."""
    found = {}
    for name, each in plan["sources"].items():
        if each["behaviour"]:
            rows = [row for row in seen["items"] if row[0] == name]
            found[each["behaviour"]] = {
                "published": len(each["entries"]),
                "listed": len(rows),
                "fetched": sum(row[3] is not None for row in rows),
                "given_up": sum(row[9] is not None for row in rows),
            }
    return found


def _staleness(stale: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds in which a search still answered from what was amended or withdrawn."""
    found: dict[str, Any] = {
        "search_seconds": _percentiles(stale["search_seconds"]),
        "errors": stale["errors"],
    }
    for how in ("amended", "withdrawn"):
        rows = [row for row in stale["changes"] if row["how"] == how]
        found[how] = {
            "not_done": sum(not row["done"] for row in rows),
            "searches": sum(row["searches"] for row in rows),
            **{
                name: _percentiles([row[name] for row in rows if row[name] is not None])
                for name in ("seconds_to_switch", "stale_after_asked", "stale_after_switch")
            },
        }
    return found
