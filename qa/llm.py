"""One streamed call to a language model over the OpenAI API, within budget, deadline and breaker.

Each call is a row, written before anything is sent. Trap: never call it inside a transaction, which
it would hold open for seconds; it refuses.
"""

from __future__ import annotations

import hashlib
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openai
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from docintel.locking import one_at_a_time
from qa.answer_tables import Ask, ModelCall
from qa.shaping_replies import Reply, sentences

PROMPTS = Path(__file__).with_name("prompts")
ATTEMPTS = 3
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 4.0
CONNECT_SECONDS = 3.0
# No tokenizer of a language model makes more tokens of English or of figures than this.
CHARACTERS_PER_TOKEN = 3
FAILURES_TO_OPEN = 5
OPEN_FOR = timedelta(seconds=30)
COUNTED_WITHIN = timedelta(minutes=10)
POLL = 0.05
_RETRIED = (408, 409, 429)
WRITES = "writes"
CHOOSES = "chooses"


class Unavailable(RuntimeError):
    """No answer comes from the model; `reason` says why in words fit for the asker."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


class Cancelled(RuntimeError):
    """The asker went away."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model's name with its prices in US dollars per million tokens.

    `role`: it writes answers, or only chooses which of the documents' sentences comes first.
    """

    name: str
    price_in: Decimal
    price_out: Decimal
    role: str = WRITES

    def cost(self, tokens_in: int, tokens_out: int) -> Decimal:
        return (self.price_in * tokens_in + self.price_out * tokens_out) / 1_000_000


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    text: str
    sha256: str


def is_configured() -> bool:
    return bool(settings.OPENAI_BASE_URL)


def plays(role: str, route: str) -> bool:
    """Whether there is a model for such questions, and this is what it is good for."""
    return is_configured() and model_for(route).role == role


def model_for(route: str) -> Model:
    """The small model for a factual question, the large one for all others."""
    small = route == "factual"
    prices = settings.LLM_SMALL_PRICES if small else settings.LLM_LARGE_PRICES
    name = settings.LLM_SMALL if small else settings.LLM_LARGE
    role = settings.LLM_SMALL_ROLE if small else settings.LLM_LARGE_ROLE
    return Model(name, Decimal(prices[0]), Decimal(prices[1]), role)


@cache
def prompt(name: str) -> Prompt:
    text = (PROMPTS / f"{name}.md").read_text(encoding="utf-8")
    return Prompt(name, text, hashlib.sha256(text.encode()).hexdigest())


def estimated_tokens(text: str) -> int:
    """An upper bound, in tokens."""
    return len(text) // CHARACTERS_PER_TOKEN + 16


def most_cost(model: Model, characters: int, reply: Reply) -> Decimal:
    """What a call with so many characters may cost at most."""
    return model.cost(characters // CHARACTERS_PER_TOKEN + 32, reply.most_tokens)


def stream(
    system: Prompt,
    question: str,
    model: Model,
    *,
    ask: Ask | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    meanwhile: Callable[[], None] = lambda: None,
    reply: Reply | None = None,
) -> Iterator[str]:
    """Pieces of the answer as they come; `reply` is of sentences unless it is said to be another.

    Raises `Unavailable` or `Cancelled`.

    Closing the iterator stops the request. Nothing is retried once a piece has come. `meanwhile` is
    called once, as soon as the request is on its way; a `Cancelled` that it raises ends the call.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a model call within a transaction would hold it open for seconds")
    reply = reply or sentences()
    row = _admit(system, question, model, ask, reply)
    call = _Call(row, model, estimated_tokens(system.text + question), meanwhile, reply)
    try:
        yield from call.run(_messages(system, question), cancelled)
    except (Unavailable, Cancelled) as error:
        status = ModelCall.Status.CANCELLED if isinstance(error, Cancelled) else "failed"
        call.finish(status, str(error))
        raise
    except GeneratorExit:
        call.finish(ModelCall.Status.CANCELLED, "no more was needed")
        raise
    except BaseException as error:
        call.finish(ModelCall.Status.FAILED, f"{type(error).__name__}: {error}")
        raise
    else:
        call.finish(ModelCall.Status.OK, "")


def _messages(system: Prompt, question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system.text}, {"role": "user", "content": question}]


def _admit(system: Prompt, question: str, model: Model, ask: Ask | None, reply: Reply) -> ModelCall:
    """The call's row, once budget and breaker allow it; one at a time over all processes."""
    reserved = most_cost(model, len(system.text) + len(question), reply)
    if reserved > Decimal(settings.LLM_DOLLARS_PER_QUESTION):
        raise Unavailable("The question would cost more than its budget.")
    now = timezone.now()
    with transaction.atomic():
        one_at_a_time("llm-budget")
        if spent_today() + reserved > Decimal(settings.LLM_DOLLARS_PER_DAY):
            raise Unavailable("Today's budget for language models is used up.")
        if is_open():
            raise Unavailable("The language model has failed repeatedly and is left alone a while.")
        return ModelCall.objects.create(
            ask=ask, prompt=system.name, prompt_sha256=system.sha256, model=model.name,
            cost=reserved, created_at=now,
        )  # fmt: skip


def spent_on(ask: Ask) -> dict[str, Any]:
    """`model`, `tokens_in`, `tokens_out` and `cost` in US dollars of this ask's calls."""
    calls = ModelCall.objects.filter(ask=ask)
    total = calls.order_by().aggregate(
        tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out"), cost=Sum("cost")
    )
    last = calls.first()
    return {
        "model": last.model if last else "",
        "tokens_in": total["tokens_in"] or 0,
        "tokens_out": total["tokens_out"] or 0,
        "cost": float(total["cost"] or 0),
    }


def spent_today() -> Decimal:
    """US dollars since midnight UTC, with what running calls may cost at most."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    spent = ModelCall.objects.filter(created_at__gte=midnight).aggregate(all=Sum("cost"))["all"]
    return Decimal(spent or 0)


def is_open() -> bool:
    """Whether the last calls all failed just now; after a pause one call at a time may try."""
    now = timezone.now()
    recent = ModelCall.objects.filter(created_at__gte=now - COUNTED_WITHIN)
    ended = recent.filter(status__in=["ok", "failed"]).order_by("-created_at", "-id")
    last = list(ended.values_list("status", "created_at", "seconds")[:FAILURES_TO_OPEN])
    if len(last) < FAILURES_TO_OPEN or any(status == "ok" for status, *_ in last):
        return False
    failed_at = max(at + timedelta(seconds=seconds) for _, at, seconds in last)
    if now - failed_at < OPEN_FOR:
        return True
    return recent.filter(status="running", created_at__gte=failed_at).exists()


@cache
def _client(base_url: str, key: str) -> openai.OpenAI:
    # The environment's proxies are not asked: the address is the operator's own setting.
    client = openai.DefaultHttpxClient(follow_redirects=False, trust_env=False)
    return openai.OpenAI(
        base_url=base_url, api_key=key or "none", max_retries=0, http_client=client
    )


class _Call:
    """One request with its retries; the stream is read in a thread, so that silence can be cut."""

    def __init__(
        self, row: ModelCall, model: Model, tokens_in: int, meanwhile: Callable[[], None],
        reply: Reply,
    ) -> None:  # fmt: skip
        self.row = row
        self.reply = reply
        self.meanwhile = meanwhile
        self.model = model
        self.tokens_in = tokens_in
        self.tokens_out = 0
        self.characters = 0
        self.began = time.monotonic()
        self.deadline = self.began + settings.LLM_SECONDS
        self.stopped = threading.Event()
        self.response: Any = None

    def run(self, messages: list[dict[str, str]], cancelled: Callable[[], bool]) -> Iterator[str]:
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            self.row.attempts = attempt
            try:
                yield from self._attempt(messages, cancelled)
            except openai.OpenAIError as error:
                wait = _wait(error, pause)
                if self.characters or wait is None or attempt == ATTEMPTS:
                    raise Unavailable("The language model did not answer.", _said(error)) from error
                if time.monotonic() + wait > self.deadline:
                    raise Unavailable("The language model is busy.", _said(error)) from error
                self._pause(wait, cancelled)
                pause *= 2
            else:
                return

    def _attempt(
        self, messages: list[dict[str, str]], cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
        reader = threading.Thread(
            target=self._read, args=(messages, pieces), name="llm-stream", daemon=True
        )
        reader.start()
        try:
            if self.row.attempts == 1:
                self.meanwhile()
            heard = time.monotonic()
            while True:
                if cancelled():
                    raise Cancelled("the asker cancelled")
                now = time.monotonic()
                if now > self.deadline or now - heard > settings.LLM_SILENCE_SECONDS:
                    raise Unavailable("The language model took too long.", "time-out")
                try:
                    piece = pieces.get(timeout=POLL)
                except queue.Empty:
                    continue
                if piece is None:
                    return
                if isinstance(piece, BaseException):
                    raise piece
                heard = time.monotonic()
                yield from self._take(piece)
        finally:
            self._stop()

    def _take(self, chunk: Any) -> Iterator[str]:
        if getattr(chunk, "usage", None):
            self.tokens_in = chunk.usage.prompt_tokens or self.tokens_in
            self.tokens_out = chunk.usage.completion_tokens or 0
        content = chunk.choices[0].delta.content if chunk.choices else None
        if content:
            if not self.characters:
                self.row.first_token_seconds = time.monotonic() - self.began
            self.characters += len(content)
            yield content

    def _read(self, messages: list[dict[str, str]], pieces: queue.SimpleQueue[Any]) -> None:
        """In its own thread; touches no database."""
        try:
            left = max(0.1, self.deadline - time.monotonic())
            timeout = openai.Timeout(
                min(left, settings.LLM_SILENCE_SECONDS), connect=min(left, CONNECT_SECONDS)
            )
            client = _client(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY)
            with client.chat.completions.create(
                model=self.model.name, messages=messages, stream=True,  # type: ignore[call-overload]
                temperature=0,
                max_tokens=self.reply.most_tokens, timeout=timeout,
                stream_options={"include_usage": True}, **self.reply.response_format,
            ) as chunks:  # fmt: skip
                self.response = chunks.response
                if self.stopped.is_set():
                    return
                for chunk in chunks:
                    if self.stopped.is_set():
                        return
                    pieces.put(chunk)
            pieces.put(None)
        except openai.OpenAIError as error:
            pieces.put(error)
        except Exception as error:  # noqa: BLE001 - whatever a server sends must not hang the asker
            pieces.put(openai.OpenAIError(f"{type(error).__name__}: {error}"))

    def _stop(self) -> None:
        """Ends the request at once: a blocked read wakes up, and the server sees the end."""
        self.stopped.set()
        response, self.response = self.response, None
        if response is None or response.is_closed:
            return
        network = response.extensions.get("network_stream")
        with suppress(Exception):
            network.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _pause(self, seconds: float, cancelled: Callable[[], bool]) -> None:
        self.stopped = threading.Event()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if cancelled():
                raise Cancelled("the asker cancelled")
            self.stopped.wait(POLL)

    def finish(self, status: str, error: str) -> None:
        """The row's outcome, with what it really cost; without usage, by the characters seen."""
        row = self.row
        row.status = status
        row.error = error[:2_000]
        row.seconds = time.monotonic() - self.began
        answered = self.characters or self.tokens_out
        row.tokens_in = self.tokens_in if answered or status == "cancelled" else 0
        row.tokens_out = self.tokens_out or -(-self.characters // CHARACTERS_PER_TOKEN)
        row.cost = self.model.cost(row.tokens_in, row.tokens_out).quantize(Decimal("0.000001"))
        row.save()


def _wait(error: openai.OpenAIError, pause: float) -> float | None:
    """Seconds until it is worth another try, as the server says or with back-off; None: never."""
    if isinstance(error, openai.APITimeoutError):
        return None
    if isinstance(error, openai.APIStatusError):
        if error.status_code not in _RETRIED and error.status_code < 500:
            return None
        with suppress(ValueError):
            said = float(error.response.headers.get("retry-after", ""))
            return said if 0 <= said <= LONGEST_PAUSE else None
    elif not isinstance(error, openai.APIConnectionError):
        return None
    return min(LONGEST_PAUSE, pause) * (0.5 + random.random() / 2)  # noqa: S311 - spreads tries


def _said(error: openai.OpenAIError) -> str:
    code = getattr(error, "status_code", "")
    return f"{code} {type(error).__name__}: {str(error)[:300]}".strip()
