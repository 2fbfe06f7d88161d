"""A real HTTP server on 127.0.0.1 that speaks the OpenAI chat API, as a test scripts it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """`pieces` are streamed, `pause` seconds apart, after `first` seconds; then it may hang."""

    pieces: list[str] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    first: float = 0.0
    pause: float = 0.0
    hangs: bool = False
    torn: bool = False
    usage: bool = True
    for_ever: bool = False


Script = Callable[[dict[str, Any]], Reply]


def drafts(body: dict[str, Any], quotes: Iterable[str]) -> list[str]:
    """Each quote as a sentence, citing whichever passage of the request holds it."""
    message = body["messages"][1]["content"]
    found = []
    for quote in quotes:
        before = message.partition(quote)[0]
        if before != message:
            reference = before.rpartition(" | ")[0].rpartition(" ")[2]
            found.append({"text": quote, "citations": [{"passage": reference, "quote": quote}]})
    return [json.dumps(each) + "\n" for each in found]


class LlmServer:
    """`script` answers each request's body; `requests` are the bodies, in order."""

    def __init__(self) -> None:
        self.script: Script = lambda _: Reply()
        self.requests: list[dict[str, Any]] = []
        self.sent = 0
        self.disconnected = threading.Event()
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body)
                try:
                    outer._answer(self, outer.script(body))
                except (BrokenPipeError, ConnectionResetError):
                    outer.disconnected.set()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def _answer(self, request: BaseHTTPRequestHandler, reply: Reply) -> None:
        request.close_connection = True
        if reply.status == 0:
            request.connection.close()
            return
        request.send_response(reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        request.send_header("Connection", "close")
        if reply.status != 200:
            request.send_header("Content-Type", "application/json")
            request.end_headers()
            request.wfile.write(b'{"error": {"message": "scripted", "type": "server_error"}}')
            return
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        self.closing.wait(reply.first)
        while True:
            for piece in reply.pieces:
                self._send(request, {"choices": [{"index": 0, "delta": {"content": piece}}]})
                if reply.pause:
                    self.closing.wait(reply.pause)
            if not reply.for_ever or self.closing.is_set():
                break
        while reply.hangs and not self.closing.wait(0.05):
            request.wfile.write(b": still here\n\n")
            request.wfile.flush()
        if reply.torn:
            request.wfile.write(b'data: {"choices": [{"del')
            return
        if reply.usage:
            usage = {"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 980}
            self._send(request, {"choices": [], "usage": usage})
        request.wfile.write(b"data: [DONE]\n\n")

    def _send(self, request: BaseHTTPRequestHandler, chunk: dict[str, Any]) -> None:
        whole = {"id": "x", "object": "chat.completion.chunk", "created": int(time.time()),
                 "model": "scripted", **chunk}  # fmt: skip
        request.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
        request.wfile.flush()
        self.sent += 1


@contextmanager
def serving() -> Iterator[LlmServer]:
    server = LlmServer()
    thread = threading.Thread(target=server.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.server.shutdown()
        server.server.server_close()
        thread.join()
