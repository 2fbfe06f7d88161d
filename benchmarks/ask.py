"""Seconds from a question to its first verified sentence and to the whole answer, as served.

Real web and inference processes over a database of their own, holding the sample corpus, and a
stand-in for the language model that streams at a hosted model's speed. Lookups, many askers at
once, and a model that is away or silent are measured on the same processes.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np

from benchmarks.arrivals import _expect, _process, _tell, _told
from benchmarks.asking_client import Answered, put
from benchmarks.place import ROOT, fresh_place
from docintel.holding import HOST, free_port
from docintel.scoring import CannotScore, Score, bootstrap

SILENCE_SECONDS = 3.0
START_SECONDS = 120.0
PREPARE = """
import json, sys
from pathlib import Path
import django
django.setup()
from django.contrib.auth.models import Group, User
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
from docintel.models import ApiToken
from ingestion import fetching, lexical, pipeline
from ingestion.models import Company
from ingestion.sample.generate import write_corpus
folder, most, askers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
write_corpus(folder)
filings = sorted((folder / "filings").iterdir())
if most:
    kept = set(filings[:most])
    for path in folder.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
for source in fetching.open_folder(folder):
    fetching.scan_folder(source)
while pipeline.parse_pending(60): pass
while pipeline.index_pending(60): pass
lexical.refresh_statistics()
while pipeline.embed_pending(60): pass
companies = Company.objects.filter(documents__searchable_at__isnull=False,
                                   documents__fiscal_year__isnull=False)
found = companies.order_by("name").values_list("name", "documents__fiscal_year").distinct()
tokens = []
analysts = Group.objects.get(name="analyst")
for number in range(askers):
    user = User.objects.create_user(f"asker{number}")
    user.groups.add(analysts)
    tokens.append(ApiToken.issue(user, "bench")[1])
print("prepared " + json.dumps({"companies": sorted(set(found)), "tokens": tokens}), flush=True)
"""
ASKS = (
    "What was {c}'s revenue in fiscal {y}?",
    "Why did {c}'s gross margin change in {y}?",
    "What does {c} say about competition in its {y} annual report?",
    "How much cash did {c} hold at the end of fiscal {y}?",
    "Summarise what {c} says about its risks in {y}",
)
LOOKUPS = (
    "Find documents about {c} inventories",
    "Show me filings of {c} that mention supply",
    "Find passages on prices at {c}",
)
Question = tuple[str, str]  # text, company


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--questions", type=int, default=40, help="one after the other")
    parser.add_argument("--lookups", type=int, default=40)
    parser.add_argument("--askers", type=int, default=50, help="at once")
    parser.add_argument("--rounds", type=int, default=3, help="questions of each asker")
    parser.add_argument("--filings", type=int, default=0, help="only the first; 0: whole sample")
    parser.add_argument("--tokens-a-second", type=float, default=80.0)
    parser.add_argument("--first-seconds", type=float, default=0.3)
    parser.add_argument("--restate", action="store_true", help="the model writes quotes twice")


def run(  # noqa: PLR0917
    questions: int = 40,
    lookups: int = 40,
    askers: int = 50,
    rounds: int = 3,
    filings: int = 0,
    tokens_a_second: float = 80.0,
    first_seconds: float = 0.3,
    restate: bool = False,
    **_: Any,
) -> Score:
    """The p95 of seconds to the complete answer, one asker at a time; the rest in `detail`."""
    if min(questions, lookups, askers, rounds) < 1:
        raise CannotScore("there must be a question, a lookup, an asker and a round at least")
    started = time.perf_counter()
    before = os.getloadavg()[0]
    plan = {
        "first_seconds": first_seconds, "tokens_a_second": tokens_a_second, "restates": restate,
    }  # fmt: skip
    with fresh_place() as environment, ExitStack() as stack:
        told = _prepared(environment, filings, askers)
        model = stack.enter_context(
            _process([sys.executable, "-m", "benchmarks.simulated_llm"], environment)
        )
        _tell(model, json.dumps(plan))
        served = {**environment, **_model_settings(int(_told(model)))}
        port, web = stack.enter_context(_serving(served))
        bench = _Bench(port, told["tokens"], [tuple(each) for each in told["companies"]])
        for text, company in bench.questions(ASKS, 3):
            bench.ask(text, company)
        singly = [bench.ask(*each) for each in bench.questions(ASKS, questions)]
        looked = [bench.ask(*each) for each in bench.questions(LOOKUPS, lookups)]
        crowd = _crowd(bench, web, rounds)
        away = _away(bench, model)
    whole = [each.done for each in singly if each.done is not None]
    if not whole:
        raise CannotScore(f"nothing was answered: {singly[0].error}")
    return Score(
        headline="question to complete answer p95, seconds",
        value=float(np.percentile(whole, 95)),
        higher_is_better=False,
        n=len(whole),
        interval=bootstrap(whole, statistic=lambda values: np.percentile(values, 95)),
        seconds=time.perf_counter() - started,
        detail={
            "first_sentence_p95_s": _p95([each.first_sentence for each in singly]),
            "complete_p95_s": _p95([each.done for each in singly]),
            "lookup_p95_s": _p95([each.done for each in looked if each.state == "lookup"]),
            "singly": _summed_up(singly),
            "lookups": _summed_up(looked),
            "concurrent": crowd,
            "model_away": away,
            "stand_in": plan,
            "cores": os.cpu_count(),
            "load_average": {"before": before, "after": os.getloadavg()[0]},
        },
    )


class _Bench:
    """Asks each question as the next asker, so that nobody asks too often."""

    def __init__(self, port: int, tokens: list[str], companies: list[tuple[str, int]]) -> None:
        if not companies:
            raise CannotScore("no document of the corpus became searchable")
        self.port = port
        self.tokens = tokens
        self.companies = companies
        self._number = count()

    def questions(self, asks: Sequence[str], n: int) -> list[Question]:
        """No two alike, so that no cache answers."""
        found = []
        for _ in range(n):
            number = next(self._number)
            company, year = self.companies[number % len(self.companies)]
            ask = asks[(number // len(self.companies) + number) % len(asks)]
            found.append((f"{ask.format(c=company, y=year)} ({number})", company))
        return found

    def ask(self, text: str, company: str, asker: int | None = None) -> Answered:
        number = next(self._number) if asker is None else asker
        return put(self.port, self.tokens[number % len(self.tokens)], text, company)


def _prepared(environment: dict[str, str], filings: int, askers: int) -> dict[str, Any]:
    folder = Path(environment["MEDIA_ROOT"]) / "corpus"
    command = [sys.executable, "-c", PREPARE, str(folder), str(filings), str(askers)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    line = next(each for each in done.stdout.splitlines() if each.startswith("prepared "))
    found: dict[str, Any] = json.loads(line.removeprefix("prepared "))
    return found


def _model_settings(port: int) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"http://{HOST}:{port}/v1",
        "OPENAI_API_KEY": "none",
        "LLM_SILENCE_SECONDS": str(SILENCE_SECONDS),
        "LLM_DOLLARS_PER_DAY": "100000",
        "ASK_RATE": "100000",
        "ASK_EXPERIMENT_SHARE": "0",
    }


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The port and the process of a running web role, with an inference role behind it."""
    inside, port = free_port(), free_port()
    environment |= {
        "INFERENCE_URL": f"http://{HOST}:{inside}",
        "INFERENCE_TOKEN": secrets.token_urlsafe(32),
    }
    uvicorn = [sys.executable, "-m", "uvicorn", "docintel.asgi:application", "--host", HOST]
    options = ["--no-access-log", "--lifespan", "off", "--port"]
    inference, pages = [*uvicorn, *options, str(inside)], [*uvicorn, *options, str(port)]
    with (
        _process(inference, {**environment, "DOCINTEL_ROLE": "inference"}, quiet=True),
        _process(pages, {**environment, "DOCINTEL_ROLE": "web"}, quiet=True) as web,
    ):
        _wait_for(lambda: _answers(inside, "/health"))
        _wait_for(lambda: _answers(port, "/healthz"))
        yield port, web


def _wait_for(there: Callable[[], bool]) -> None:
    until = time.monotonic() + START_SECONDS
    while not there():
        if time.monotonic() > until:
            raise CannotScore("a process of the measurement did not start; see its output above")
        time.sleep(0.2)


def _answers(port: int, path: str) -> bool:
    try:
        with urlopen(f"http://{HOST}:{port}{path}", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _crowd(bench: _Bench, web: subprocess.Popen[str], rounds: int) -> dict[str, Any]:
    """All askers at once, each with its own token, several times over."""
    n = len(bench.tokens)
    resident = [_resident(web.pid)]
    answers: list[Answered] = []
    with ThreadPoolExecutor(n) as pool:
        for _ in range(rounds):
            asked = bench.questions(ASKS, n)
            futures = [pool.submit(bench.ask, *each, i) for i, each in enumerate(asked)]
            answers += [future.result() for future in futures]
            resident.append(_resident(web.pid))
    crossed = [each for each in answers if each.is_crossed]
    return {
        "askers": n,
        "rounds": rounds,
        **_summed_up(answers),
        "cross_talk": len(crossed),
        "crossed": [f"{e.question} cites {sorted(e.cited)}" for e in crossed[:5]],
        "web_resident_mib": [round(value, 1) for value in resident],
    }


def _away(bench: _Bench, model: subprocess.Popen[str]) -> dict[str, Any]:
    """Seconds until the extractive answer where the model says nothing, and where it is gone."""
    _tell(model, json.dumps({"silent": True}))
    _expect(model)
    silent = [bench.ask(*each) for each in bench.questions(ASKS, 2)]
    model.terminate()
    model.wait()
    gone = [bench.ask(*each) for each in bench.questions(ASKS, 3)]
    return {
        "silence_seconds": SILENCE_SECONDS,
        "silent": _summed_up(silent),
        "notice_after_silence_s": [_less(each.first_notice, SILENCE_SECONDS) for each in silent],
        "complete_after_silence_s": [_less(each.done, SILENCE_SECONDS) for each in silent],
        "gone": _summed_up(gone),
        "notices": sorted({text for each in (*silent, *gone) for text in each.notices}),
    }


def _less(value: float | None, by: float) -> float | None:
    return None if value is None else value - by


def _resident(pid: int) -> float:
    """MiB that the process holds."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _summed_up(answers: Sequence[Answered]) -> dict[str, Any]:
    stages = sorted({name for each in answers for name in each.seconds})
    states = [each.state or "error" for each in answers]
    modes = [each.mode for each in answers if each.mode]
    return {
        "n": len(answers),
        "errors": [each.error for each in answers if each.error][:5],
        "n_errors": sum(bool(each.error) for each in answers),
        "states": {name: states.count(name) for name in sorted(set(states))},
        "modes": {name: modes.count(name) for name in sorted(set(modes))},
        "first_sentence_s": _percentiles([each.first_sentence for each in answers]),
        "complete_s": _percentiles([each.done for each in answers]),
        "stages_s": {
            name: _percentiles([each.seconds.get(name) for each in answers]) for name in stages
        },
    }


def _percentiles(values: Sequence[float | None]) -> dict[str, float]:
    known = [value for value in values if value is not None]
    if not known:
        return {}
    p50, p95, most = np.percentile(known, [50, 95, 100])
    return {"p50": float(p50), "p95": float(p95), "max": float(most), "n": len(known)}


def _p95(values: Sequence[float | None]) -> float | None:
    return _percentiles(values).get("p95")
