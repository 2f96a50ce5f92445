"""`vonggac serve` as a process: it listens, answers, watches itself, and ends in order."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
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
from urllib.parse import urlencode

import pytest

from audit_rig import audit_run, vonggac
from box_rig import DEADLINE_S, child_pids, wait_gone
from certificates import make_certificate
from vonggac.registry.catalog import Catalog
from vonggac_appliance.accounts import setup_code

PASSWORD = "trời mưa thì ướt sân 7"
START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


def start_with(**times_s: float) -> str:
    """The page with other times: `HANGS` for `serve._HANGS_S`."""
    others = "".join(f"serve._{name}_S = {seconds}; " for name, seconds in times_s.items())
    return f"from vonggac_appliance import serve; {others}{START}"


class Served:
    """The page of a home in a process of its own, with a supervisor that listens."""

    def __init__(self, home: Path, start: str = START) -> None:
        """`start`: the program, for a page whose times are others."""
        self.log = home / "serve.log"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = home / "notify"
        self.notify.bind(str(address))
        self.notify.settimeout(DEADLINE_S)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", start, "--home", str(home), "serve", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": str(address)},
            )
        try:
            self.port = self._until_ready()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def _until_ready(self) -> int:
        while True:
            heard = self.heard()
            if "READY=1" in heard:
                match = re.search(r"STATUS=https?://\S+:(\d+)/", heard)
                assert match is not None
                return int(match[1])

    def heard(self) -> str:
        """The next word to the supervisor."""
        until_s = time.monotonic() + DEADLINE_S
        while not select.select([self.notify], [], [], 0.1)[0]:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until_s, self.log.read_text()
        return self.notify.recv(4096).decode()

    @property
    def worker(self) -> int:
        (pid,) = child_pids(self.process.pid)
        return pid

    def get(self, path: str = "/sign-in") -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.notify.close()


@pytest.fixture
def paged(home: Path) -> Path:
    """A home with a catalog."""
    Catalog(home).close()
    return home


@pytest.fixture
def served(paged: Path) -> Iterator[Served]:
    made = Served(paged)
    yield made
    made.stop(signal.SIGKILL)


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


def test_it_is_ready_when_it_answers_and_ends_when_told(served: Served) -> None:
    assert served.get() == 303  # nobody is enrolled: to the setup
    assert served.get("/nothing") == 404
    children = [served.process.pid, served.worker]

    assert served.stop() == 0
    wait_gone(children)
    assert "Traceback" not in served.log.read_text()


def test_it_shows_signs_of_life_while_it_turns(served: Served) -> None:
    assert "WATCHDOG=1" in [served.heard(), served.heard()]


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced_and_no_sign_of_life_told_meanwhile(paged: Path) -> None:
    hangs_s = 6
    served = Served(paged, start_with(HANGS=hangs_s))
    try:
        first = served.worker
        os.kill(first, signal.SIGSTOP)
        while select.select([served.notify], [], [], 0)[0]:
            served.heard()  # of before
        fed = 0
        while "READY=1" not in (heard := served.heard()):
            fed += "WATCHDOG=1" in heard

        # The parent turns once a second, a busy machine's less often: so many turns are in it, and
        # one that was under way. To kill a worker takes it two more, and to start one.
        assert fed <= hangs_s + 1
        assert served.worker != first
        assert served.get() == 303
    finally:
        served.stop(signal.SIGKILL)


def test_a_worker_that_dies_is_replaced(served: Served) -> None:
    first = served.worker
    os.kill(first, signal.SIGKILL)
    wait_gone([first])
    while "READY=1" not in served.heard():
        pass

    assert served.worker != first
    assert served.get() == 303


def test_a_worker_without_its_parent_ends(served: Served) -> None:
    worker = served.worker
    assert served.stop(signal.SIGKILL) == -signal.SIGKILL

    wait_gone([worker])


def test_no_signal_makes_a_second_worker(served: Served) -> None:
    worker = served.worker
    for number in (signal.SIGHUP, signal.SIGTTIN, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTTOU):
        served.process.send_signal(number)
    while "WATCHDOG=1" not in served.heard():  # a turn with all of them behind it
        pass
    served.heard()

    assert served.worker == worker


def test_a_request_that_does_not_come_ends_and_frees_its_thread(paged: Path) -> None:
    head_s = 2.0
    served = Served(paged, start_with(HEAD=head_s))
    try:
        began_s = time.monotonic()
        with socket.create_connection(("127.0.0.1", served.port)) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: local")
            slow.settimeout(DEADLINE_S)
            assert slow.recv(100) == b""
        assert time.monotonic() - began_s >= head_s
        assert served.get() == 303
    finally:
        served.stop(signal.SIGKILL)


def test_browsers_that_do_not_close_keep_nobody_waiting(served: Served) -> None:
    """gunicorn alone would wait 2 s for each, one after the other: two minutes, and it would be
    taken for hanging."""
    left = []
    first = served.worker
    began_s = time.monotonic()
    for _ in range(60):
        left.append(socket.create_connection(("127.0.0.1", served.port)))
        left[-1].sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    for one in left:
        one.settimeout(DEADLINE_S)
        assert one.recv(100).startswith(b"HTTP/1.1 404")
    assert served.get() == 303
    took_s = time.monotonic() - began_s
    for one in left:
        one.close()

    assert took_s < 60
    assert served.worker == first


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


# What MemoryDenyWriteExecute= of the unit asks of the kernel (PR_SET_MDWE); it lasts through forks.
WITHOUT_EXECUTABLE_MEMORY = (
    "import ctypes, sys\n"
    "if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0) != 0: sys.exit(77)\n" + START
)


def test_signing_in_needs_no_executable_memory(paged: Path) -> None:
    probe = "import ctypes, sys; sys.exit(ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0)"
    if subprocess.run([sys.executable, "-c", probe], check=False).returncode:
        pytest.skip("this kernel does not know PR_SET_MDWE")
    with audit_run(paged):
        served = Served(paged, WITHOUT_EXECUTABLE_MEMORY)
        try:
            somebody = Signed(served, paged)  # hashes a password
            status, _ = somebody.ask("GET", "/status")
        finally:
            assert served.stop() == 0

    assert status == 200


# -- Looks at the end --


class Signed:
    """Somebody who signed in at a page, over plain HTTP."""

    def __init__(self, served: Served, home: Path) -> None:
        self._served = served
        self.cookie = ""
        form = {"code": setup_code(home), "name": "An", "password": PASSWORD, "again": PASSWORD}
        status, _ = self.ask("POST", "/setup", form)
        assert status == 303

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, body: object = None
    ) -> tuple[int, bytes]:
        headers = {"Sec-Fetch-Site": "same-origin", "Cookie": self.cookie}
        data = None
        if form is not None:
            data, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
            headers["Content-Type"] = kind
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        connection = HTTPConnection("127.0.0.1", self._served.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            if answer.headers["Set-Cookie"]:
                self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
            return answer.status, answer.read()

    def looks(self, home: Path) -> str:
        """Opens a live look at the one camera; gives its id."""
        with Catalog(home, is_readonly=True) as catalog:
            camera = catalog.cameras()[0].id.hex()
        purpose = {"code": "hình sự", "text": "12/2026"}
        ask = {"camera": camera, "kind": "live", "purpose": purpose}
        status, answer = self.ask("POST", "/api/v1/looks", body=ask)
        assert status == 201, answer
        return str(json.loads(answer)["look"])


def _lines(home: Path, action: str) -> list[dict[str, object]]:
    found = [
        json.loads(line)
        for path in sorted((home / "audit").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [line for line in found if line["action"] == action]


@pytest.fixture
def watched(paged: Path) -> Iterator[Path]:
    """A home with a camera, and the audit chain being written."""
    url = "rtsp://127.0.0.1:9/main"
    assert vonggac(paged, "camera", "add", "cam1", "--url", url, "--owner-kind", "state") == 0
    with audit_run(paged):
        yield paged


def test_when_it_ends_every_look_has_its_last_line(watched: Path) -> None:
    served = Served(watched)
    try:
        somebody = Signed(served, watched)
        somebody.looks(watched)
        assert _lines(watched, "look end") == []
    finally:
        assert served.stop() == 0

    (end,) = _lines(watched, "look end")
    assert end["result"] == "serve ended"


def test_an_open_page_does_not_keep_it_from_ending(watched: Path) -> None:
    served = Served(watched, start_with(GRACE=2 * int(DEADLINE_S)))
    try:
        somebody = Signed(served, watched)
        with socket.create_connection(("127.0.0.1", served.port)) as page:
            host = f"127.0.0.1:{served.port}"
            page.sendall(
                f"GET /api/v1/socket HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
                f"Cookie: {somebody.cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n".encode()
            )
            page.settimeout(DEADLINE_S)
            assert page.recv(100).startswith(b"HTTP/1.1 101")
            assert served.stop() == 0  # long before the time that requests are given
    finally:
        served.stop(signal.SIGKILL)


def test_what_a_killed_page_left_open_is_ended_by_the_next(watched: Path) -> None:
    served = Served(watched)
    try:
        somebody = Signed(served, watched)
        look = somebody.looks(watched)
        first = served.worker
        os.kill(first, signal.SIGKILL)
        wait_gone([first])
        while "READY=1" not in served.heard():
            pass
        until_s = time.monotonic() + 15
        while not (ends := _lines(watched, "look end")):
            assert time.monotonic() < until_s
            time.sleep(0.05)  # nothing tells of a line
        status, _ = somebody.ask("DELETE", f"/api/v1/looks/{look}")
    finally:
        served.stop()

    assert [end["result"] for end in ends] == ["serve ended"]
    assert status == 404  # still signed in, and nothing to end
