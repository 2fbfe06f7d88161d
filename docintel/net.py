"""The only door to the outside: `fetch(url)` reads one public http or https address within limits,
`post(url, body)` tells one.

A name is resolved once per hop, every address it has is checked, and the connection goes to the
checked address itself; a second answer of the name server changes nothing. Trap: the body is a
temporary file that is gone when the `Fetched` is closed; use it as a context manager.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Self
from urllib.parse import urljoin, urlsplit

import certifi
from django.conf import settings

from docintel.net_addresses import Place, checked_place, looked_up
from docintel.net_limits import Blocked, Deadline, Failed, TooLarge, TooSlow
from docintel.net_streams import DeadlineSocket, connected, unpacked

__all__ = ["Blocked", "Failed", "Fetched", "TooLarge", "TooSlow", "fetch", "post"]

MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
READ_BYTES = 65_536
# Of what a posted body is answered with, which nobody reads.
MOST_ANSWERED = 1_048_576
MEMORY_BYTES = 1_048_576
# Sent to the host they were meant for and to no other.
PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
# How servers say that they are asked too often, or are down for a while.
LATER = frozenset({429, 503})


@dataclass(slots=True)
class Fetched:
    """One answer: 200 with its body, or 304 with none. `url` is where the last redirect led."""

    status: int
    url: str
    body: IO[bytes]
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    file_name: str = ""
    size: int = 0
    hops: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.body.close()

    def read(self) -> bytes:
        """The whole body from its start."""
        self.body.seek(0)
        return self.body.read()


def fetch(
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    headers: Mapping[str, str] | None = None,
    max_bytes: int,
    seconds: float,
) -> Fetched:
    """What `url` answers: at most `max_bytes`, packed and unpacked, within `seconds` in all.

    `etag` and `last_modified` are those of an earlier answer; 304 then means unchanged. Raises
    Blocked (an address nobody may fetch), TooLarge, TooSlow, and Failed for the rest, among them
    every status but 2xx and 304; each in words. No proxy of the environment is used.
    """
    deadline = Deadline(seconds)
    sent = _headers(etag, last_modified, headers or {})
    hops: list[str] = []
    while True:
        place = checked_place(url)
        if place.url in hops:
            raise Failed(f"{place.host} redirects in a circle.")
        if len(hops) > MOST_REDIRECTS:
            raise Failed(f"More than {MOST_REDIRECTS} redirects.")
        hops.append(place.url)
        answer, target = _one_hop(place, sent, max_bytes, deadline)
        if answer is not None:
            answer.hops = hops
            return answer
        url = urljoin(place.url, target)
        sent = _for_next_hop(place, url, sent)


def post(url: str, body: bytes, *, headers: Mapping[str, str], seconds: float) -> int:
    """Posts `body` and returns the status, 2xx; what else is answered is not read.

    A redirect is not followed: what was meant for one address is told to no other. Raises as
    `fetch` does.
    """
    deadline = Deadline(seconds)
    place = checked_place(url)
    sent = _headers("", "", headers)
    answer, target = _one_hop(place, sent, MOST_ANSWERED, deadline, body)
    if answer is None:
        raise Failed(f"{place.host} redirects to {target[:200]}, which is not followed.")
    with answer:
        return answer.status


def _headers(etag: str, last_modified: str, headers: Mapping[str, str]) -> dict[str, str]:
    sent = {
        "User-Agent": settings.FETCH_USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br",
        "Connection": "close",
        **headers,
    }
    if etag:
        sent["If-None-Match"] = etag
    if last_modified:
        sent["If-Modified-Since"] = last_modified
    # What a server once sent must not become a second header here.
    return {name: "".join(c for c in value if c.isprintable()) for name, value in sent.items()}


def _for_next_hop(place: Place, url: str, sent: dict[str, str]) -> dict[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Blocked(f"{place.host} redirects to no address: {error}.") from error
    if place.scheme == "https" and parts.scheme == "http":
        raise Blocked(f"{place.host} redirects from https to http, where anyone may change it.")
    if parts.hostname != urlsplit(place.url).hostname:
        return {name: v for name, v in sent.items() if name.lower() not in PRIVATE_HEADERS}
    return sent


def _one_hop(
    place: Place,
    sent: Mapping[str, str],
    max_bytes: int,
    deadline: Deadline,
    body: bytes | None = None,
) -> tuple[Fetched | None, str]:
    """The answer, or None and where it redirects to; with a body it is posted."""
    line: Any = _open(place, deadline)
    connection = http.client.HTTPConnection(place.host, place.port)
    connection.sock = line
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, place.target, body, {"Host": place.netloc, **sent})
        response = connection.getresponse()
        if response.status in REDIRECTS and (target := response.getheader("Location")):
            # http.client reads headers as Latin-1; addresses are sent as UTF-8.
            return None, target.encode("latin-1").decode("utf-8", "replace")
        return _answer(place, response, max_bytes, deadline), ""
    except TimeoutError as error:
        raise TooSlow(deadline.words(place.host)) from error
    except (http.client.HTTPException, OSError, ValueError) as error:
        deadline.check(place.host)
        raise Failed(f"{place.host} did not answer in HTTP: {_words(error)}.") from error
    finally:
        line.hang_up()


def _open(place: Place, deadline: Deadline) -> DeadlineSocket:
    """A line to one of the checked addresses; the name stays in TLS and in the request."""
    complaint = "it has no address"
    for address in looked_up(place, deadline):
        raw = None
        try:
            raw = connected(address, place.port, deadline)
            if place.scheme == "https":
                raw = _tls().wrap_socket(raw, server_hostname=place.host)
        except OSError as error:
            if raw is not None:
                raw.close()
            deadline.check(place.host)
            complaint = "it does not answer" if isinstance(error, TimeoutError) else _words(error)
            continue
        return DeadlineSocket(raw, deadline)
    raise Failed(f"{place.host} cannot be reached: {complaint}.")


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _answer(
    place: Place, response: http.client.HTTPResponse, max_bytes: int, deadline: Deadline
) -> Fetched:
    if response.status != 304 and not 200 <= response.status < 300:
        raise _refusal(place, response)
    body = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115 - Fetched closes it
    answer = Fetched(
        status=response.status,
        url=place.url,
        body=body,
        content_type=response.getheader("Content-Type", "")[:200],
        etag=response.getheader("ETag", "")[:300],
        last_modified=response.getheader("Last-Modified", "")[:100],
        file_name=response.msg.get_filename("")[:255],
    )
    if response.status == 304:
        return answer
    try:
        answer.size = _copy(place, response, body, max_bytes, deadline)
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return answer


def _copy(
    place: Place,
    response: http.client.HTTPResponse,
    body: IO[bytes],
    max_bytes: int,
    deadline: Deadline,
) -> int:
    stated = response.getheader("Content-Length", "")
    if stated.isdecimal() and len(stated) < 20 and int(stated) > max_bytes:
        raise TooLarge.than(place.host, max_bytes)
    encoding = response.getheader("Content-Encoding", "")
    size = 0
    for block in unpacked(_packed(place, response, max_bytes, deadline), encoding):
        size += len(block)
        if size > max_bytes:
            raise TooLarge.than(place.host, max_bytes)
        body.write(block)
        deadline.check(place.host)
    return size


def _packed(
    place: Place, response: http.client.HTTPResponse, max_bytes: int, deadline: Deadline
) -> Iterator[bytes]:
    size = 0
    while block := response.read1(READ_BYTES):
        deadline.check(place.host)
        size += len(block)
        if size > max_bytes:
            raise TooLarge.than(place.host, max_bytes)
        yield block
    if response.length:
        raise Failed(f"{place.host} broke off before the end.")


def _refusal(place: Place, response: http.client.HTTPResponse) -> Failed:
    status = response.status
    reason = http.client.responses.get(status, "")
    words = f"{place.host} answered {status} {reason}".strip() + "."
    return Failed(words, status=status, retry_after=_retry_after(response))


def _retry_after(response: http.client.HTTPResponse) -> float:
    """Seconds to wait, when the server says so; its dates are not read."""
    stated = response.getheader("Retry-After", "").strip()
    if response.status in LATER and stated.isdecimal() and len(stated) < 8:
        return float(stated)
    return 0.0


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [""])[0].rstrip(".") or type(error).__name__
