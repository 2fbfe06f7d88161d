"""Which addresses may be fetched: public ones by http or https, and hosts an operator allowed.

Trap: a name is only checked together with the addresses it has now; connect to those.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.conf import settings

from docintel.net_limits import Blocked, Deadline, Failed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"http": 80, "https": 443}
LONGEST_URL = 4_000
# Public by number, but answered by the cloud a machine runs in.
METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
# IPv6 networks that carry an IPv4 address, and the bit its last one stands at.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.ip_network("::/96")
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")
# Global in Python's tables, though no host on the internet has such an address.
_NOT_GLOBAL = (
    _NAT64_LOCAL,
    _COMPATIBLE,
    ipaddress.ip_network("fec0::/10"),
    ipaddress.ip_network("192.88.99.0/24"),
)
# As quote() is to leave them: what is already escaped, and what has a meaning in an address.
_KEPT = "%/:=&?~#+!$,;'@()*[]|"


@dataclass(frozen=True, slots=True)
class Place:
    """A checked URL in its parts; `target` is what stands in the request line."""

    url: str
    scheme: str
    host: str
    port: int
    target: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def allowed(self) -> bool:
        """Whether an operator allowed this host, wherever it is."""
        wanted = {entry.lower() for entry in settings.ALLOWED_FETCH_HOSTS}
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host in wanted or f"{host}:{self.port}" in wanted


def checked_place(url: str) -> Place:
    """The URL in its parts, without its fragment; Blocked in words if it is none to fetch."""
    if len(url) > LONGEST_URL:
        raise Blocked("The address is too long.")
    url = url.strip()
    if not url.replace(" ", "").isprintable() or "\\" in url:
        raise Blocked("The address holds characters that no address has.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Blocked(f"{url[:200]} is no address: {error}.") from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise Blocked(f"Only http and https are fetched, not {scheme or 'a bare name'}.")
    if parts.username is not None or parts.password is not None:
        raise Blocked("An address must not hold a user name or a password.")
    host = _host(parts.hostname or "")
    if port == 0:
        raise Blocked("The address has no valid port.")
    target = quote(parts.path or "/", safe=_KEPT)
    if not target.startswith("/"):
        target = f"/{target}"
    if parts.query:
        target = f"{target}?{quote(parts.query, safe=_KEPT)}"
    place = Place("", scheme, host, port or PORTS[scheme], target)
    return Place(f"{scheme}://{place.netloc}{target}", scheme, host, place.port, target)


def _host(name: str) -> str:
    name = name.rstrip(".").lower()
    if not name or "%" in name:
        raise Blocked("The address names no host.")
    if ":" in name:
        return name
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise Blocked(f"{name[:200]} is no name of a host.") from error


def looked_up(place: Place, deadline: Deadline) -> list[str]:
    """The addresses of the place, each checked; Blocked if one of them is not public.

    One private address among public ones is how a name leads inside, so it refuses them all.
    """
    found = _resolved(place, deadline)
    if not place.allowed:
        for text in found:
            if (reason := why_private(ipaddress.ip_address(text))) != "":
                raise Blocked(f"{place.host} leads to {text}, which is {reason}.")
    return found


def _resolved(place: Place, deadline: Deadline) -> list[str]:
    # getaddrinfo knows no time limit; a thread that hangs is left behind.
    answers: queue.Queue[list[str] | OSError | UnicodeError] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(resolve(place.host, place.port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        answer = TimeoutError()
    if isinstance(answer, TimeoutError):
        raise Failed(f"The name server did not answer for {place.host}.")
    if isinstance(answer, Exception):
        raise Failed(f"There is no host {place.host}.") from answer
    return answer


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, in the order to try them, without its zone."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]).split("%")[0] for row in rows))


def why_private(address: Address) -> str:
    """Why this address is not for fetching, in words; empty for a public one."""
    carried = _carried(address)
    for inner in carried:
        if reason := why_private(inner):
            return f"{inner} in another spelling, {reason}"
    if carried and (address in _NAT64 or address in _MAPPED):
        return ""  # It is that public address and nothing else.
    reasons = (
        (address.is_loopback, "this machine itself"),
        (address.is_link_local, "link-local, where clouds keep their keys"),
        (address in METADATA, "a cloud's own service"),
        (address.is_multicast, "multicast"),
        (address.is_unspecified, "no address at all"),
        (any(address in network for network in _NOT_GLOBAL), "of a private network"),
        (address.is_private or not address.is_global, "of a private network"),
        (address.is_reserved, "reserved"),
    )
    return next((words for true, words in reasons if true), "")


def _carried(address: Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]
