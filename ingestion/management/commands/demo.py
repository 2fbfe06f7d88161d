"""`manage.py demo`: the sample corpus, or one's own folder, served and ready to search."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connections
from rich.console import Console

from docintel.accounts import create_people
from docintel.serving_options import Serving
from docintel.starting import prepare
from docintel.supervising import Supervisor, in_one_line, running, stop_on_signals
from ingestion import loading
from ingestion.catalogue import load_default_once
from ingestion.fetching import open_folder
from ingestion.models import Source
from ingestion.pipeline import progress
from ingestion.receiving import Refused
from ingestion.showing_progress import Display, in_words, is_complete, is_searchable

SECONDS_BETWEEN_LOOKS = 0.5
EXAMPLES = 3


class Command(BaseCommand):
    help = "Load the sample corpus, or your own folder, and serve it on this machine."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        Serving.add_arguments(parser)
        parser.add_argument("--docs", default="", help="a folder of documents of your own")

    def handle(self, *_: Any, **options: Any) -> None:
        stop_on_signals()
        display = Display(Console())
        try:
            folder = loading.check_folder(options["docs"]) if options["docs"] else None
        except Refused as error:
            raise SystemExit(f"docintel: {error}") from error
        with (
            in_one_line(display.say, "Stopped; what was loaded is kept."),
            running(
                Serving.of(options), say=display.say, prepare=partial(prepare, display.say)
            ) as supervisor,
        ):
            show_people(display)
            load_default_once()
            sources = open_sources(folder, display)
            with display.bars():
                wait_until_searchable(supervisor, display, sources)
                display.say(welcome(supervisor.url, folder))
                wait_until_embedded(supervisor, display)
            serve_on(supervisor)


def show_people(display: Display) -> None:
    """Print the passwords of the accounts made just now: the only time they can be seen."""
    created = create_people()
    if not created:
        display.say("The accounts exist; `.venv/bin/python manage.py changepassword NAME` resets.")
        return
    display.say("Accounts (these passwords are shown once):")
    for name, password in created.items():
        display.say(f"  {name:<11} {password}")


def open_sources(folder: Path | None, display: Display) -> list[Source]:
    """Register what is to be loaded; the workers fetch it."""
    if folder is not None:
        display.say(f"Loading {folder}")
        return open_folder(folder)
    sample = settings.VAR_DIR / "sample"
    display.say(f"Loading the sample corpus (fictional companies) from {sample}")
    return loading.open_sample(sample)


def wait_until_searchable(supervisor: Supervisor, display: Display, sources: list[Source]) -> None:
    """Return when pages answer and every document that can be searched is searchable."""
    while True:
        supervisor.poll()
        with outlasting_the_database():
            counts = progress()
            display.update(counts)
            scanned = loading.are_scanned(sources)
            if scanned and (is_searchable(counts) or not counts["total"]) and supervisor.is_ready():
                return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def wait_until_embedded(supervisor: Supervisor, display: Display) -> None:
    """Return when every vector is made; keyword search does not wait for them."""
    while True:
        supervisor.poll()
        with outlasting_the_database():
            counts = progress()
            display.update(counts)
            if is_complete(counts) or not counts["total"]:
                break
        time.sleep(SECONDS_BETWEEN_LOOKS)
    display.say("All documents can be searched by keywords and by meaning.")


@contextmanager
def outlasting_the_database() -> Iterator[None]:
    """While the supervisor starts the server again, there is nothing to look at."""
    try:
        yield
    except (OperationalError, InterfaceError):
        connections.close_all()


def serve_on(supervisor: Supervisor) -> None:
    """Until somebody ends it."""
    while True:
        supervisor.poll()
        time.sleep(SECONDS_BETWEEN_LOOKS)


def welcome(url: str, folder: Path | None) -> str:
    """Where it is, what to try, and what is still being done."""
    counts = progress()
    lines = ["", f"Ready: {url}   (sign in as analyst; Ctrl-C stops everything, data is kept)"]
    if folder is None:
        lines += ["Try:"] + [f"  {question}" for question in loading.examples(EXAMPLES)]
    else:
        lines += ["Search in your own words, narrow by company, kind or year, and open a hit."]
    if not is_complete(counts):
        left = in_words(counts["seconds_left"])
        aside = f" ({left})" if left else ""
        lines.append(
            "Keyword search is complete. Vectors, which add search by meaning, are still being "
            f"made{aside}."
        )
    return "\n".join([*lines, ""])
