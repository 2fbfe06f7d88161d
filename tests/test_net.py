"""Nothing but public addresses is fetched, and nothing without end; allowed hosts are served."""

from __future__ import annotations

import gzip
import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import brotli
import pytest
from django.conf import LazySettings
from web_server import Web, web

from docintel import net, net_addresses
from docintel.net import Blocked, Failed, Fetched, TooLarge, TooSlow, fetch
from docintel.net_addresses import why_private
from tests.waiting import ENOUGH_SECONDS


@pytest.fixture
def server(settings: LazySettings) -> Iterator[Web]:
    with web() as served:
        settings.ALLOWED_FETCH_HOSTS = [f"127.0.0.1:{served.port}"]
        yield served


def get(
    url: str, *, max_bytes: int = 1_000_000, seconds: float = ENOUGH_SECONDS, **more: str
) -> Fetched:
    return fetch(url, max_bytes=max_bytes, seconds=seconds, **more)


def test_an_allowed_host_is_read(server: Web) -> None:
    server.says("/a", "hello", ETag='"1"', Content_Type="text/plain")
    with get(server.url("/a#part")) as answer:
        assert (answer.status, answer.read(), answer.size) == (200, b"hello", 5)
        assert (answer.etag, answer.content_type) == ('"1"', "text/plain")
    assert server.asked[0][1]["Host"] == f"127.0.0.1:{server.port}"


def test_unchanged_is_304_without_a_body(server: Web) -> None:
    server.says("/a", "hello", ETag='"1"')
    with get(server.url("/a"), etag='"1"') as answer:
        assert (answer.status, answer.read()) == (304, b"")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "168.63.129.16",
        "224.0.0.1",
        "[ff02::1]",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
    ],
)
def test_an_address_inside_is_refused_however_it_is_spelled(server: Web, host: str) -> None:
    with pytest.raises(Blocked, match="leads to"):
        get(f"http://{host}:9/")
    assert server.asked == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_not(address: str) -> None:
    assert why_private(ipaddress.ip_address(address)) == ""


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "example.com",
        "//example.com",
        "http://",
        "http://user:secret@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://exa\nmple.com/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://127.0.0.1%2f/",
        "http://" + "a" * 70 + ".com/",
        "http://example.com/" + "a" * 5000,
    ],
)
def test_what_is_no_public_web_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(Blocked) as caught:
        get(url)
    assert str(caught.value).endswith(".")


def test_a_request_cannot_be_split(server: Web) -> None:
    server.says("/a%20b%0D%0AX:1", "fine")
    with get(server.url("/a b%0D%0AX:1"), etag='"1"\r\nX-Evil: 1') as answer:
        assert answer.read() == b"fine"
    assert "X-Evil" not in server.asked[0][1]


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://[::ffff:10.0.0.1]/",
        "//192.168.0.1/",
        "file:///etc/passwd",
        "http://user@127.0.0.1/",
    ],
)
def test_a_redirect_inside_is_refused(server: Web, target: str) -> None:
    server.redirects("/a", target)
    with pytest.raises(Blocked):
        get(server.url("/a"))


def test_redirects_are_followed_to_their_end_and_no_further(server: Web) -> None:
    for number in range(8):
        server.redirects(f"/{number}", f"/{number + 1}")
    server.says("/8", "end")
    with get(server.url("/3")) as answer:
        assert (answer.read(), answer.url) == (b"end", server.url("/8"))
    with pytest.raises(Failed, match="More than 5 redirects"):
        get(server.url("/0"))


def test_a_circle_of_redirects_ends(server: Web) -> None:
    server.redirects("/a", "/b")
    server.redirects("/b", "/a")
    with pytest.raises(Failed, match="circle"):
        get(server.url("/a"))
    assert server.paths() == ["/a", "/b"]


def test_a_secret_header_stays_with_its_host(server: Web, settings: LazySettings) -> None:
    settings.ALLOWED_FETCH_HOSTS = ["127.0.0.1", "localhost"]
    server.redirects("/a", "/b")
    server.redirects("/b", f"http://localhost:{server.port}/c")
    server.says("/c", "end")
    fetch(
        server.url("/a"), headers={"Authorization": "x"}, max_bytes=100, seconds=ENOUGH_SECONDS
    ).body.close()
    assert ["Authorization" in headers for _, headers in server.asked] == [True, True, False]


def test_https_is_not_left_for_http() -> None:
    place = net_addresses.checked_place("https://example.com/")
    with pytest.raises(Blocked, match="from https to http"):
        net._for_next_hop(place, "http://example.com/", {})


def test_a_second_answer_of_the_name_server_changes_nothing(
    server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    monkeypatch.setattr(net_addresses, "resolve", lambda *_: next(answers))
    tried: list[str] = []

    def connected(address: str, *_: object) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(net, "connected", connected)
    with pytest.raises(Failed, match="Connection refused"):
        get(f"http://rebinding.example:{server.port}/")
    assert tried == ["93.184.215.14"]
    with pytest.raises(Blocked, match="this machine itself"):
        get(f"http://rebinding.example:{server.port}/")
    assert (tried, server.asked) == (["93.184.215.14"], [])


def test_one_private_address_among_public_ones_refuses_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(net_addresses, "resolve", lambda *_: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(Blocked, match=r"10\.0\.0\.1"):
        get("http://mixed.example/")


def test_no_proxy_of_the_environment_is_asked(server: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    server.says("/a", "direct")
    with get(server.url("/a")) as answer:
        assert answer.read() == b"direct"


def test_more_than_the_limit_is_refused_stated_or_not(server: Web) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 65_536)

    server.answers["/endless"] = endless
    server.says("/stated", b"x" * 2000)
    for path in ("/endless", "/stated"):
        with pytest.raises(TooLarge, match="more than 1,000 bytes"):
            get(server.url(path), max_bytes=1000)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": _raw_deflate,
    "br": brotli.compress,
}


@pytest.mark.parametrize("encoding", PACKERS)
def test_packed_answers_are_unpacked_and_bombs_are_not(server: Web, encoding: str) -> None:
    text = bytes(range(256)) * 3000
    server.says("/text", PACKERS[encoding](text), Content_Encoding=encoding)
    with get(server.url("/text")) as answer:
        assert answer.read() == text
    bomb = PACKERS[encoding](bytes(80_000_000))
    assert len(bomb) < 100_000
    server.says("/bomb", bomb, Content_Encoding=encoding)
    with pytest.raises(TooLarge):
        get(server.url("/bomb"), max_bytes=2_000_000)
    server.says("/cut", PACKERS[encoding](text)[:200], Content_Encoding=encoding)
    with pytest.raises(Failed, match="broke off"):
        get(server.url("/cut"))


def test_gzip_files_one_after_another_are_one(server: Web) -> None:
    server.says("/a", gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="gzip")
    with get(server.url("/a")) as answer:
        assert answer.read() == b"one two"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "zstd", "gzip"])
def test_a_wrong_packing_is_said_in_words(server: Web, encoding: str) -> None:
    server.says("/a", b"not packed at all", Content_Encoding=encoding)
    with pytest.raises(Failed, match="packed"):
        get(server.url("/a"))


@pytest.mark.parametrize("part", ["status", "headers", "body"])
def test_a_server_that_drips_is_left(server: Web, part: str) -> None:
    left = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        head = {"status": b"", "headers": b"HTTP/1.1 200 OK\r\n"}
        request.wfile.write(head.get(part, b"HTTP/1.1 200 OK\r\n\r\n"))
        while not left.wait(0.05):
            request.wfile.write(b"H")

    server.answers["/slow"] = drip
    try:
        with pytest.raises(TooSlow, match=r"longer than 0\.5 seconds"):
            get(server.url("/slow"), seconds=0.5)
    finally:
        left.set()


def test_a_status_is_named_with_how_long_to_wait(server: Web) -> None:
    server.says("/a", "", 503, Retry_After="120")
    with pytest.raises(Failed, match="503 Service Unavailable") as caught:
        get(server.url("/a"))
    assert (caught.value.status, caught.value.retry_after) == (503, 120.0)


def test_a_body_that_breaks_off_is_not_taken_for_whole(server: Web) -> None:
    def broken(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(b"half")

    server.answers["/a"] = broken
    with pytest.raises(Failed, match="broke off"):
        get(server.url("/a"))


def test_a_server_that_speaks_no_http_or_is_not_there(server: Web, settings: LazySettings) -> None:
    server.answers["/a"] = lambda request: (request.wfile.write(b"SSH-2.0\r\n"), None)[1]
    with pytest.raises(Failed, match="did not answer in HTTP"):
        get(server.url("/a"))
    settings.ALLOWED_FETCH_HOSTS = ["127.0.0.1"]
    with pytest.raises(Failed, match="cannot be reached"):
        get("http://127.0.0.1:1/")
    with pytest.raises(Failed, match="cannot be reached"):
        get(f"https://127.0.0.1:{server.port}/")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_tls_is_for_the_name_though_the_connection_is_to_the_address(
    tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=secure.example",
         "-addext", "subjectAltName=DNS:secure.example"],
        check=True, capture_output=True,
    )  # fmt: skip
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _, name, __: asked.append(name)  # type: ignore[assignment]
    trusted = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(net_addresses, "resolve", lambda *_: ["127.0.0.1"])
    with web(context) as server:
        settings.ALLOWED_FETCH_HOSTS = ["secure.example", "other.example"]
        server.says("/a", "private")
        url = f"https://secure.example:{server.port}/a"
        with pytest.raises(Failed, match="certificate is not valid"):
            get(url)
        monkeypatch.setattr(net, "_tls", lambda: trusted)
        with get(url) as answer:
            assert answer.read() == b"private"
        assert server.asked[0][1]["Host"] == f"secure.example:{server.port}"
        assert asked == ["secure.example", "secure.example"]
        with pytest.raises(Failed, match="certificate is not valid"):
            get(f"https://other.example:{server.port}/a")
