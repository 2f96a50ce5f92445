"""`vonggac serve`: where it listens, and what it refuses before anybody is asked who he is."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from box_rig import DEADLINE_S
from certificates import make_certificate
from serve_rig import START, Served
from vonggac.registry.catalog import Catalog


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for the tests that leave it as it was."""
    home = tmp_path_factory.mktemp("home")
    Catalog(home).close()
    made = Served(home)
    yield made
    made.stop(signal.SIGKILL)


def _run(home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", START, "--home", str(home), "serve", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(
            b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, id="line"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431, id="field"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 80 + b"\r\n", 431, id="fields"
        ),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no-host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400, id="foreign-host"),
        pytest.param(
            b"POST /language HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 9999999\r\n\r\n",
            413,
            id="body",
        ),
        pytest.param(
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400, id="tls-to-a-plain-port"
        ),
    ],
)
def test_what_is_too_big_or_wrong_is_refused(standing: Served, head: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", standing.port)) as raw:
        raw.sendall(head)
        raw.settimeout(DEADLINE_S)
        assert raw.recv(100).split()[1] == str(status).encode()
    assert standing.get() == 303


def test_nobody_in_front_is_believed(standing: Served) -> None:
    # Under TLS the cookie's name differs: a header must not change what we take for TLS.
    connection = HTTPConnection("127.0.0.1", standing.port, timeout=DEADLINE_S)
    with contextlib.closing(connection):
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4", "Script-Name": "/x"}
        connection.request("GET", "/", headers=headers)
        assert connection.getresponse().headers["Location"] == "/setup"


def test_with_a_certificate_it_speaks_tls(paged: Path) -> None:
    chain, _ = make_certificate(paged / "tls", ("localhost",))
    (paged / "config.toml").write_text(
        '[serve]\ncertificate = "tls/box.pem"\nkey = "tls/box.key"\n'
    )
    served = Served(paged)
    try:
        context = ssl.create_default_context(cafile=str(chain))
        with (
            socket.create_connection(("127.0.0.1", served.port)) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as secured,
        ):
            secured.sendall(b"GET /setup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert secured.recv(100).startswith(b"HTTP/1.1 200")
            assert secured.version() in ("TLSv1.2", "TLSv1.3")
    finally:
        assert served.stop() == 0


def test_a_renewed_certificate_is_shown_without_a_restart(paged: Path) -> None:
    chain, _ = make_certificate(paged / "tls", ("localhost",), days=10)
    (paged / "config.toml").write_text(
        '[serve]\ncertificate = "tls/box.pem"\nkey = "tls/box.key"\n'
    )
    served = Served(paged)
    try:
        address = "127.0.0.1", served.port
        first = chain.read_text()
        assert ssl.get_server_certificate(address).split() == first.split()
        make_certificate(paged / "tls", ("localhost",))
        until_s = time.monotonic() + 60.0
        while (shown := ssl.get_server_certificate(address)).split() == first.split():
            assert time.monotonic() < until_s, served.log.read_text()
            time.sleep(0.1)  # nothing tells when the files are looked at
        assert shown.split() == chain.read_text().split()
    finally:
        assert served.stop() == 0


def test_beyond_loopback_it_needs_tls(paged: Path) -> None:
    (paged / "config.toml").write_text('[serve]\naddress = "0.0.0.0"\n')
    done = _run(paged)

    assert done.returncode == 78
    assert "line 2: without TLS the page is served on loopback alone" in done.stderr


def test_a_catalog_of_a_newer_program_needs_a_person(paged: Path) -> None:
    # The services are opened in the child; what it finds is the parent's exit status.
    shutil.rmtree(paged / "catalog")
    (paged / "catalog").write_text("no directory")
    done = _run(paged, "--port", "0")

    assert done.returncode in (1, 78)
    assert "catalog" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said(paged: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = _run(paged, "--port", str(other.getsockname()[1]))

    assert done.returncode == 1
    assert "Address already in use" in done.stderr


def test_a_port_is_a_port(paged: Path) -> None:
    assert _run(paged, "--port", "70000").returncode == 2
