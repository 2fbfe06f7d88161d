"""The feed's pages at size: server time one by one, and many analysts loading and scrolling.

A database of its own, filled by `benchmarks.simulated_readers` and dropped at the end or kept in a
folder, behind a real web process. Times are the client's on the same machine, so that nothing of
the server is left out; they hold the client's own work too.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.arrivals import _percentiles, _process
from benchmarks.ask import _answers, _wait_for
from benchmarks.filled_firm import filled_firm
from benchmarks.place import SETUP, said
from docintel.holding import HOST, free_port
from docintel.scoring import CannotScore, Score, bootstrap
from docintel.supervising import shares, uvicorn

RANK = SETUP + "from benchmarks.ranking_at_size import main; main()"
LEARN = SETUP + "from benchmarks.learned_ranker import main; main()"
MORE = re.compile(r'hx-get="(/feed/\?[^"]*cursor=[^"]+)"')
TOKEN = re.compile(r'data-csrf="(\w+)"')
# Pages that one analyst scrolls through, beside the first.
SCROLLS = 2
LONGEST = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--analysts", type=int, default=200)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--n", type=int, default=100, help="requests of each kind, one by one")
    parser.add_argument("--keep", type=Path, help="a folder that keeps what was filled")
    parser.add_argument("--web", type=int, default=1, help="processes of the pages, as of `serve`")


def run(
    documents: int = 500_000,
    analysts: int = 200,
    events: int = 5_000_000,
    n: int = 100,
    *,
    keep: Path | None = None,
    web: int = 1,
    **_: Any,
) -> Score:
    """The p95 of milliseconds of the feed's first page; the rest in `detail`."""
    if min(documents, analysts, events, n, web) < 1:
        raise CannotScore("there must be a document, an analyst, an event and a request at least")
    started, before = time.perf_counter(), os.getloadavg()[0]
    with ExitStack() as stack:
        firm = filled_firm((documents, analysts, events), keep)
        environment, told = stack.enter_context(firm)
        ranked = said(RANK, environment, "ranked", 20)
        port = free_port()
        command = [*uvicorn(port, web), "--no-access-log"]
        role = {**environment, **shares(web), "DOCINTEL_ROLE": "web"}
        pid = stack.enter_context(_process(command, role, quiet=True)).pid
        _wait_for(lambda: _answers(port, "/healthz"))
        sessions = told["sessions"]
        singly = _one_by_one(Asking(port, sessions, n, pid))
        crowd = _crowd(port, sessions)
        learned = said(LEARN, environment, "learned", "begin")
        try:
            by_learned = _by_a_learned_ranker(Asking(port, sessions, n, pid))
        finally:
            said(LEARN, environment, "learned", "end")
    first = singly["first page"].milliseconds
    return Score(
        headline="first page of the feed p95, milliseconds",
        value=_percentiles(first).get("p95", float("nan")),
        higher_is_better=False,
        n=len(first),
        interval=bootstrap(first, statistic=lambda values: sorted(values)[int(0.95 * len(first))]),
        seconds=time.perf_counter() - started,
        detail={
            "rows": told["rows"],
            "filled_in_s": told["filled_in_s"],
            "one_by_one_ms": {name: each.summed_up() for name, each in singly.items()},
            "by_a_learned_ranker_ms": {n: each.summed_up() for n, each in by_learned.items()},
            "learned": learned,
            "at_once": crowd,
            "web_processes": web,
            "ranking_a_document": ranked,
            "cores": os.cpu_count(),
            "load_average": {"before": before, "after": os.getloadavg()[0]},
        },
    )


@dataclass(slots=True)
class Taken:
    """Milliseconds of what was answered as it should be, and in words what was not.

    `processor` is of the web process alone, the mean of a request, where it was measured.
    """

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    processor: float | None = None

    def add(self, other: Taken) -> None:
        self.milliseconds += other.milliseconds
        self.errors += other.errors

    def summed_up(self) -> dict[str, Any]:
        return {
            **_percentiles(self.milliseconds),
            "web_processor": self.processor,
            "n_errors": len(self.errors),
            "errors": sorted(set(self.errors))[:5],
        }


class Reader:
    """One analyst's browser: a connection that stays open, and a session."""

    def __init__(self, port: int, session: str) -> None:
        self._line = http.client.HTTPConnection(HOST, port, timeout=LONGEST)
        self._cookie = f"sessionid={session}"
        self._token = ""
        self.more = ""

    def get(self, path: str, taken: Taken) -> str:
        return self._ask("GET", path, "", taken)

    def post(self, path: str, fields: dict[str, str], taken: Taken) -> str:
        return self._ask("POST", path, urlencode(fields), taken)

    def _ask(self, method: str, path: str, body: str, taken: Taken) -> str:
        headers = {"Cookie": f"{self._cookie}; csrftoken={self._token}"}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["X-CSRFToken"] = self._token
            headers["HX-Request"] = "true"
        began = time.perf_counter()
        try:
            self._line.request(method, path, body or None, headers)
            response = self._line.getresponse()
            page = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._line.close()
            taken.errors.append(f"{path.partition('?')[0]}: {type(error).__name__}")
            return ""
        spent = 1_000 * (time.perf_counter() - began)
        if response.status != 200:
            taken.errors.append(f"{path.partition('?')[0]}: {response.status}")
            return ""
        taken.milliseconds.append(spent)
        if TOKEN.search(page):
            cookie = response.getheader("Set-Cookie") or ""
            self._token = next(iter(re.findall(r"csrftoken=(\w+)", cookie)), self._token)
        more = MORE.search(page)
        self.more = more[1].replace("&amp;", "&") if more else ""
        return page

    def close(self) -> None:
        self._line.close()


@dataclass(frozen=True, slots=True)
class Asking:
    """Each request by the next analyst, nothing else asked at the time."""

    port: int
    sessions: Sequence[str]
    n: int
    pid: int  # of the web process

    def measure(self, ask: Callable[[Reader, Taken], Any], requests: int = 1) -> Taken:
        """`requests` are those of one `ask`, whatever of it is timed."""
        taken, worked = Taken(), 0.0
        for number in range(self.n + 3):
            if number == 3:
                # The first few load templates and fill the connections.
                worked, taken.milliseconds, taken.errors = _processor(self.pid), [], []
            reader = Reader(self.port, self.sessions[number % len(self.sessions)])
            ask(reader, taken)
            reader.close()
        taken.processor = 1_000 * (_processor(self.pid) - worked) / (self.n * requests)
        return taken


def _one_by_one(asking: Asking) -> dict[str, Taken]:
    measure, page = asking.measure, _getting
    return {
        "first page": measure(page("/feed/")),
        "first page and scrolled page": measure(_scroll, 2),
        "newest first": measure(page("/feed/?sort=time")),
        "one company": measure(page("/feed/?company=1001")),
        "one topic": measure(page("/feed/?topic=mergers")),
        "one source": measure(page("/feed/?source=1050")),
        "profile": measure(page("/feed/profile/")),
        "company page": measure(page("/companies/1001/")),
        "first page and follow": measure(_follow, 2),
        "first page after a follow": measure(_page_after_follow, 3),
    }


def _by_a_learned_ranker(asking: Asking) -> dict[str, Taken]:
    """Its contributions are what the cards' reasons come from."""
    return {
        "first page": asking.measure(_getting("/feed/")),
        "first page after a follow": asking.measure(_page_after_follow, 3),
    }


def _getting(path: str) -> Callable[[Reader, Taken], Any]:
    return lambda reader, taken: reader.get(path, taken)


def _processor(pid: int) -> float:
    """Seconds that the process and those that it started have worked so far."""
    place = Path(f"/proc/{pid}")
    stat = (place / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    started = (place / "task" / str(pid) / "children").read_text(encoding="utf-8").split()
    own = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_processor(int(child)) for child in started)


def _scroll(reader: Reader, taken: Taken) -> None:
    reader.get("/feed/", Taken())
    if reader.more:
        reader.get(reader.more, taken)


def _page_after_follow(reader: Reader, taken: Taken) -> None:
    _follow(reader, Taken())
    reader.get("/feed/", taken)


def _follow(reader: Reader, taken: Taken) -> None:
    reader.get("/feed/", Taken())
    fields = {"kind": "company", "value": "1500", "stance": "follow", "label": "x"}
    reader.post("/feed/follow/", fields, taken)


def _crowd(port: int, sessions: Sequence[str]) -> dict[str, Any]:
    """All analysts at once: the first page and what scrolling brings."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(sessions)) as pool:
        parts = list(pool.map(lambda session: _read_on(port, session), sessions))
    loaded, scrolled = Taken(), Taken()
    for first, rest in parts:
        loaded.add(first)
        scrolled.add(rest)
    return {
        "analysts": len(sessions),
        "seconds": time.perf_counter() - began,
        "loading_ms": loaded.summed_up(),
        "scrolling_ms": scrolled.summed_up(),
    }


def _read_on(port: int, session: str) -> tuple[Taken, Taken]:
    reader, loaded, scrolled = Reader(port, session), Taken(), Taken()
    reader.get("/feed/", loaded)
    for _ in range(SCROLLS):
        if reader.more:
            reader.get(reader.more, scrolled)
    reader.close()
    return loaded, scrolled
