"""A language model's stand-in: an HTTP server in OpenAI's shape that answers at a set speed.

It writes no prose of its own: of the passages in the prompt it copies the sentences that share most
words with the question, the shortest of them first, each as a quote without words of its own, as
the prompts ask for; or, where it `restates`, with the sentence written twice. So what it measures
is the way to and from a model, never how good one is. Run as a process: the first line of standard
input is its plan as JSON, its first line of output the port.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHARACTERS_PER_TOKEN = 4
TOKENS_A_PIECE = 4
MOST_SENTENCES = 4
_PASSAGE = re.compile(
    r"<<(?P<mark>\w+) (?P<id>p\d+) \|[^\n]*>>\n(?P<text>.*?)\n<<(?P=mark) end>>", re.S
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n+")
_WORD = re.compile(r"[a-z]{4,}")


@dataclass(slots=True)
class Plan:
    """Speed as hosted models have it; `silent` takes requests and says nothing."""

    first_seconds: float = 0.3
    tokens_a_second: float = 80.0
    silent: bool = False
    restates: bool = False


def answer(prompt: str, *, restates: bool = False) -> Iterator[str]:
    """Lines of JSON, one per sentence, from the passages that stand in the prompt."""
    question, _, rest = prompt.partition("\n")
    asked = set(_WORD.findall(question.lower()))
    found = []
    for rank, match in enumerate(_PASSAGE.finditer(rest)):
        for sentence in _SENTENCE.split(match["text"]):
            said = sentence.strip()
            if (
                40 <= len(said) <= 300
                and said[0].isupper()
                and said.endswith(".")
                and "|" not in said
            ):
                shared = len(asked & set(_WORD.findall(said.lower())))
                found.append((-shared, rank, match["id"], said))
    best = sorted(found)[:MOST_SENTENCES]
    if best and not restates:
        first = min(best, key=lambda each: len(each[3]))
        best.sort(key=lambda each: each is not first)
    for _, _, passage, said in best:
        cited = [{"passage": passage, "quote": said}]
        text = said if restates else ""
        yield json.dumps({"text": text, "citations": cited}, ensure_ascii=False) + "\n"


def serve(plan: Plan) -> None:
    """Until standard input closes; each further line of it is a new plan."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.close_connection = True
            # Who asked may go away.
            with suppress(OSError):
                self._stream(body)

        def _stream(self, body: Mapping[str, Any]) -> None:
            began = time.monotonic()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            text = "".join(answer(body["messages"][-1]["content"], restates=plan.restates))
            while plan.silent:
                self.wfile.write(b": waiting\n\n")
                self.wfile.flush()
                time.sleep(0.5)
            size = CHARACTERS_PER_TOKEN * TOKENS_A_PIECE
            for number, at in enumerate(range(0, len(text), size)):
                due = plan.first_seconds + number * TOKENS_A_PIECE / plan.tokens_a_second
                time.sleep(max(0.0, began + due - time.monotonic()))
                self._send({"choices": [{"index": 0, "delta": {"content": text[at : at + size]}}]})
            n_in = sum(len(m["content"]) for m in body["messages"]) // CHARACTERS_PER_TOKEN
            n_out = len(text) // CHARACTERS_PER_TOKEN
            usage = {
                "prompt_tokens": n_in,
                "completion_tokens": n_out,
                "total_tokens": n_in + n_out,
            }
            self._send({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, chunk: Mapping[str, Any]) -> None:
            whole = {"id": "simulated", "object": "chat.completion.chunk", "created": 0,
                     "model": "simulated", **chunk}  # fmt: skip
            self.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(server.server_address[1], flush=True)
    for line in sys.stdin:
        for name, value in json.loads(line).items():
            setattr(plan, name, value)
        print("ready", flush=True)
    server.shutdown()


if __name__ == "__main__":
    serve(Plan(**json.loads(sys.stdin.readline())))
