"""Reading from a socket against one clock, and unpacking what was read block by block.

Trap: a socket's own timeout begins anew with every byte; here it is what is left of the whole.
"""

from __future__ import annotations

import io
import socket
import zlib
from collections.abc import Iterator
from typing import Any

import brotli

from docintel.net_limits import Deadline, Failed

UNPACKED_BLOCK = 262_144
# An address that does not answer leaves time for the next one.
CONNECT_SECONDS = 10.0


def connected(address: str, port: int, deadline: Deadline) -> socket.socket:
    """A socket to exactly this address; its timeout is set for a TLS greeting to follow."""
    raw = socket.create_connection((address, port), timeout=min(deadline.left(), CONNECT_SECONDS))
    raw.settimeout(min(deadline.left(), CONNECT_SECONDS))
    return raw


class _DeadlineReader(io.RawIOBase):
    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self._raw, self._deadline = raw, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._raw.settimeout(self._deadline.left())
        return self._raw.recv_into(buffer)


class DeadlineSocket:
    """What http.client needs of a socket; each wait is as long as the deadline leaves."""

    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self._raw, self._deadline = raw, deadline

    def sendall(self, data: bytes) -> None:
        self._raw.settimeout(self._deadline.left())
        self._raw.sendall(data)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._raw, self._deadline))

    def close(self) -> None:
        """Nothing: http.client closes its socket before it has read the answer."""

    def hang_up(self) -> None:
        self._raw.close()


def unpacked(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The content in blocks of at most 256 KiB, however much a packed byte stands for.

    Raises Failed for a packing that is not known, wrong, or put on twice.
    """
    names = [name.strip().lower() for name in encoding.split(",") if name.strip()]
    names = [name for name in names if name != "identity"]
    if not names:
        return blocks
    if len(names) > 1:
        raise Failed("The answer is packed more than once.")
    if names[0] in ("gzip", "x-gzip"):
        return _inflated(blocks, wbits=47)
    if names[0] == "deflate":
        return _deflated(blocks)
    if names[0] == "br":
        return _unbrotlied(blocks)
    raise Failed(f"The answer is packed as {names[0][:40]}, which is not known.")


def _deflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """With or without zlib's header: servers do both."""
    first = next(blocks, b"")
    header = len(first) > 1 and first[0] & 0x0F == 8 and (first[0] * 256 + first[1]) % 31 == 0

    def again() -> Iterator[bytes]:
        yield first
        yield from blocks

    return _inflated(again(), wbits=15 if header else -15)


def _inflated(blocks: Iterator[bytes], wbits: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits)
    started = False
    try:
        for block in blocks:
            started, rest = True, block
            while rest:
                if unpacker.eof:
                    if not rest.startswith(b"\x1f\x8b"):
                        break
                    # Several gzip files one after another are one.
                    unpacker = zlib.decompressobj(wbits)
                if data := unpacker.decompress(rest, UNPACKED_BLOCK):
                    yield data
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        # At most what one call was still holding back.
        if tail := unpacker.flush():
            yield tail
    except zlib.error as error:
        raise Failed("The answer is packed wrongly.") from error
    if started and not unpacker.eof:
        raise Failed("The answer is packed and broke off before its end.")


def _unbrotlied(blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = brotli.Decompressor()
    try:
        for block in blocks:
            data = unpacker.process(block, output_buffer_limit=UNPACKED_BLOCK)
            while data or not unpacker.can_accept_more_data():
                yield data
                if unpacker.is_finished():
                    break
                data = unpacker.process(b"", output_buffer_limit=UNPACKED_BLOCK)
            if unpacker.is_finished():
                return
    except brotli.error as error:
        raise Failed("The answer is packed wrongly.") from error
    if not unpacker.is_finished():
        raise Failed("The answer is packed and broke off before its end.")
