"""This process's Django behind a real uvicorn on 127.0.0.1, with the test's own database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.db import connections

from docintel.serving_pages import get_page_application


@contextmanager
def served() -> Iterator[str]:
    """The address of the server."""
    kept = connections.settings["default"]["CONN_MAX_AGE"]
    # Every request has a thread of its own here; none is to leave a connection behind.
    connections.settings["default"]["CONN_MAX_AGE"] = 0
    config = uvicorn.Config(
        ASGIStaticFilesHandler(get_page_application()),
        host="127.0.0.1",
        port=0,
        log_level="warning",
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(20)
        connections.settings["default"]["CONN_MAX_AGE"] = kept


def events_of(response: httpx.Response) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(id, event, data) as they come; comments are left out."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if not line:
            if fields:
                yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
