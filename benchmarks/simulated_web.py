"""A web of feeds whose articles and PDFs appear over time, served on 127.0.0.1 by its own process.

Run as `python -m benchmarks.simulated_web`: the plan comes as one line of JSON on standard input,
the port goes out as the first line, and `/start` starts the clock. `/asked` says when each feed was
asked. Trap: nothing is published before `/start`, so a feed asked earlier is empty.
"""

from __future__ import annotations

import html
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from benchmarks.simulated_texts import article, pdf

# A feed shows its newest entries, as real ones do; a huge one shows all.
SHOWN = 30


@dataclass(slots=True)
class Wire:
    """What is served: each source's behaviour and entries, and the seconds at which each was asked.

    Behaviours: "" (well), "slow" (`delay` seconds before every answer), "failing" (always 500),
    "renaming" (every id and address new after `renames_every` seconds), "huge" (all entries).
    """

    plan: dict[str, Any]
    started: float | None = None
    asked: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, etag: str) -> tuple[int, str, bytes, str]:
        """Status, media type, body and ETag of a path."""
        if path == "/start":
            self.started = self.started or time.time()
            return 200, "application/json", json.dumps(self.started).encode(), ""
        if path == "/asked":
            return 200, "application/json", json.dumps(self.asked).encode(), ""
        parts = path.strip("/").split("/")
        source = self.plan["sources"].get(parts[0])
        if source is None or len(parts) not in (2, 3):
            return 404, "text/plain", b"", ""
        if parts[1] == "feed":
            with self.lock:
                self.asked.setdefault(parts[0], []).append(time.time())
        if source["behaviour"] == "slow":
            time.sleep(self.plan["delay"])
        if source["behaviour"] == "failing":
            return 500, "text/plain", b"", ""
        if parts[1] == "feed":
            return self._feed(parts[0], source, etag)
        return self._item(source, parts[-1])

    def _feed(self, name: str, source: dict[str, Any], etag: str) -> tuple[int, str, bytes, str]:
        now = time.time() - (self.started or float("inf"))
        visible = [entry for entry in source["entries"] if entry["at"] <= now]
        age = ""
        if source["behaviour"] == "renaming" and self.started:
            age = f"{int(now // self.plan['renames_every'])}"
        mark = f'"{len(visible)}-{age}"'
        if etag == mark:
            return 304, "", b"", mark
        shown = visible if source["behaviour"] == "huge" else visible[-SHOWN:]
        items = "".join(_entry(name, entry, age) for entry in reversed(shown))
        channel = f"<channel><title>{html.escape(name)}</title>{items}</channel>"
        return 200, "application/rss+xml", f'<rss version="2.0">{channel}</rss>'.encode(), mark

    def _item(self, source: dict[str, Any], file: str) -> tuple[int, str, bytes, str]:
        stem, _, suffix = file.partition(".")
        if not stem.isdigit():
            return 404, "text/plain", b"", ""
        del source
        if suffix == "pdf":
            return 200, "application/pdf", pdf(int(stem)), ""
        return 200, "text/html; charset=utf-8", article(int(stem)), ""


def _entry(name: str, entry: dict[str, Any], age: str) -> str:
    folder = f"/{name}/{age}" if age else f"/{name}"
    folder = folder if age else f"/{name}/items"
    link = f"{folder}/{entry['seed']}.{entry['suffix']}"
    identifier = f"{entry['id']}-{age}" if age else entry["id"]
    return (
        f"<item><guid isPermaLink='false'>{identifier}</guid><title>{entry['title']}</title>"
        f"<link>{link}</link></item>"
    )


def serve(plan: dict[str, Any]) -> None:
    """Until standard input closes."""
    wire = Wire(plan)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("If-None-Match", "")
            status, media, body, etag = wire.answer(urlsplit(self.path).path, wanted)
            try:
                self.send_response(status)
                if media:
                    self.send_header("Content-Type", media)
                if etag:
                    self.send_header("ETag", etag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Nothing: what was asked is kept by the wire."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    serve(json.loads(sys.stdin.readline()))
