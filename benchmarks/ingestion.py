"""Pages a second from stored bytes to searchable, over a folder of PDFs.

Parsing, chunking and both lexical forms, by the same tasks and as many worker processes as serve
it, in a database of its own that is dropped at the end. A bare pypdfium2 loop over the same files,
before and after, gives the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2

from benchmarks.place import ROOT, fresh_place
from docintel.scoring import CannotScore, Score, bootstrap

BARE_SECONDS = 10.0
START = """
import sys
import django
django.setup()
from docintel import encoders
from ingestion import pipeline, receiving
from ingestion.models import Document, Source
"""
PREPARE = """
import io, json
from pathlib import Path
from django.core.management import call_command
call_command("migrate", verbosity=0)
encoders.tokenizer()
source = Source.objects.create(name="Benchmark", kind="folder")
for path in json.loads(sys.stdin.readline()):
    with open(path, "rb") as file:
        receiving.take_in(source, Path(path).name, file)
"""
WORK = """
encoders.tokenizer()
Document.objects.exists()
print("ready", flush=True)
sys.stdin.readline()
while pipeline.parse_pending(3600) + pipeline.index_pending(3600):
    pass
print("done", flush=True)
"""
REPORT = """
import json
from docintel.models import Measurement
rows = Measurement.objects.filter(name__in=["parse_seconds", "index_seconds"])
failed = Document.objects.quarantined().values_list("file_name", "failed_reason")
print(json.dumps({
    "stages": list(rows.values_list("name", "value", "labels")),
    "quarantined": list(failed),
    "searchable": Document.objects.searchable().count(),
    "duplicate": Document.objects.filter(duplicate_of__isnull=False).count(),
    "waiting": Document.objects.unparsed().count() + Document.objects.unindexed().count(),
}))
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a folder of PDFs")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--limit", type=int, default=0, help="only so many files; 0: all")


def run(folder: Path, workers: int = 2, limit: int = 0, **_: Any) -> Score:
    """The rate by the clock; the interval resamples documents."""
    started = time.perf_counter()
    files = sorted(path for path in folder.expanduser().rglob("*.pdf") if path.is_file())
    if not files:
        raise CannotScore(f"there is no PDF in {folder}")
    # Spread over the folder: neighbours are one company's filings.
    files = files[:: max(1, len(files) // limit)][:limit] if limit else files
    before = _bare_rate(files)
    with fresh_place() as environment:
        _call(PREPARE, environment, json.dumps([str(path) for path in files]))
        seconds = _work(environment, workers)
        report = json.loads(_call(REPORT, environment))
    after = _bare_rate(files)
    parse, index = (_stage(report, name) for name in ("parse_seconds", "index_seconds"))
    pages = int(sum(row["pages"] for row in parse))
    rate, bare = pages / seconds, (before + after) / 2
    return Score(
        headline="pages a second to searchable",
        value=rate,
        higher_is_better=True,
        n=pages,
        interval=_interval(rate, parse, index),
        seconds=time.perf_counter() - started,
        detail={
            "documents": len(files),
            "workers": workers,
            "seconds_to_searchable": seconds,
            "pages_per_second_of_a_bare_loop": bare,
            "ratio_to_bare_loop": rate / bare,
            "parse_pages_per_worker_second": pages / sum(row["seconds"] for row in parse),
            "index_pages_per_worker_second": sum(row["pages"] for row in index)
            / max(1e-9, sum(row["seconds"] for row in index)),
            "chunks": sum(row["chunks"] for row in index),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            **{name: report[name] for name in ("searchable", "duplicate", "waiting")},
            "quarantined": report["quarantined"],
        },
    )


def _bare_rate(files: list[Path]) -> float:
    """Pages a second of a loop that only takes the text out, in one process, for ten seconds."""
    start, pages = time.perf_counter(), 0
    for path in files:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            continue
        for page in document:
            page.get_textpage().get_text_bounded()
            pages += 1
        document.close()
        if time.perf_counter() - start > BARE_SECONDS:
            break
    return pages / (time.perf_counter() - start)


def _call(code: str, environment: dict[str, str], given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", START + code],
        cwd=ROOT,
        env=environment,
        input=given + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def _work(environment: dict[str, str], workers: int) -> float:
    """Seconds that all workers together took, their start not counted."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START + WORK],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(workers)
    ]
    try:
        _each_says(processes, "ready")
        start = time.perf_counter()
        for process in processes:
            if process.stdin:
                process.stdin.write("go\n")
                process.stdin.flush()
        _each_says(processes, "done")
        return time.perf_counter() - start
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _each_says(processes: list[subprocess.Popen[str]], word: str) -> None:
    for process in processes:
        line = process.stdout.readline() if process.stdout else ""
        if line.strip() != word:
            raise CannotScore(f"a worker ended early: {line.strip() or 'see its output above'}")


def _stage(report: dict[str, Any], wanted: str) -> list[dict[str, float]]:
    return [
        {**labels, "seconds": value} for name, value, labels in report["stages"] if name == wanted
    ]


def _interval(
    rate: float, parse: list[dict[str, float]], index: list[dict[str, float]]
) -> tuple[float, float]:
    """Documents resampled by their parsing; indexing costs each page the same."""
    pages = np.array([row["pages"] for row in parse])
    index_cost = sum(row["seconds"] for row in index) / max(1, pages.sum())
    busy = np.array([row["seconds"] for row in parse]) + index_cost * pages
    overall = pages.sum() / busy.sum()

    def resampled(picked: Any) -> float:
        chosen = picked.astype(int)
        return float(rate * pages[chosen].sum() / busy[chosen].sum() / overall)

    return bootstrap(range(len(pages)), statistic=resampled)
