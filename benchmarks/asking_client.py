"""One asker over the API's event stream, with the seconds at which things came; no Django."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from docintel.holding import HOST

LONGEST = 120.0


@dataclass(slots=True)
class Answered:
    """What came of one question; seconds from the request on, None for what never came."""

    question: str
    company: str
    first_sentence: float | None = None
    first_notice: float | None = None
    done: float | None = None
    understood: str = ""
    state: str = ""
    mode: str = ""
    notices: list[str] = field(default_factory=list)
    cited: set[str] = field(default_factory=set)  # companies of the cited documents
    seconds: dict[str, float] = field(default_factory=dict)  # per stage, of the receipt
    error: str = ""

    @property
    def is_crossed(self) -> bool:
        """Whether anything of another question or company came back."""
        other_question = bool(self.understood) and self.understood != self.question
        return other_question or bool(self.cited - {self.company})


def put(port: int, token: str, question: str, company: str) -> Answered:
    """Ask and read to the end; never raises for what the server does."""
    found = Answered(question, company)
    began = time.perf_counter()
    try:
        for name, data in events(port, token, question):
            _take(found, name, data, time.perf_counter() - began)
        if found.done is None and not found.error:
            found.error = "the stream ended before the answer"
    except (OSError, http.client.HTTPException, ValueError) as error:
        found.error = f"{type(error).__name__}: {error}"
    return found


def events(port: int, token: str, question: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and data of each event. Raises OSError or HTTPException."""
    connection = http.client.HTTPConnection(HOST, port, timeout=LONGEST)
    try:
        body = json.dumps({"question": question})
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
        }
        connection.request("POST", "/api/v1/ask/", body, headers)
        response = connection.getresponse()
        if response.status != 200:
            raise http.client.HTTPException(f"{response.status} {response.read(300)!r}")
        name = ""
        for line in response:
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield name, json.loads(line[6:])
    finally:
        connection.close()


def _take(found: Answered, name: str, data: dict[str, Any], at: float) -> None:
    if name == "understood":
        found.understood = data.get("question", "")
    elif name == "sentence":
        found.first_sentence = found.first_sentence or at
        found.cited |= {cited["company"] for cited in data["citations"]}
    elif name == "notice":
        found.first_notice = found.first_notice or at
        found.notices.append(data["text"])
    elif name == "done":
        found.done, found.state, found.mode = at, data["state"], data.get("mode", "")
        found.seconds = dict(data.get("receipt", {}).get("seconds", {}))
    elif name == "error":
        found.error = data.get("text", "error")
