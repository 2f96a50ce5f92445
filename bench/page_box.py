"""A box for benches, its processes apart (audit, recorder, page), and programs beside it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import procs
from box import Box
from visitor import Visitor

from vonggac.registry.catalog import Catalog

HERE = Path(__file__).resolve().parent
NOWHERE = "rtsp://127.0.0.1:9/none"
"""A camera that is never there: its footage was written before."""
_COMMAND = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"
_CODE = re.compile(rb"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b")
_START_S = 60.0


class PageBox(Box):
    """`start` starts the recorder; `page` runs audit and serve for a block."""

    def __init__(self, room: Path, size: str, port: int, *, tls: bool = False) -> None:
        super().__init__(room, size)
        self.tls = tls
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        lines = ["[serve]", f"port = {port}"]
        if tls:
            certificate(self.home)
            lines += ['certificate = "page.pem"', 'key = "page-key.pem"']
        (self.home / "config.toml").write_text("\n".join(lines) + "\n")
        self.serve_pid = 0
        self.visitor: Visitor | None = None
        """The first person, once signed in."""

    @contextlib.contextmanager
    def page(self) -> Iterator[Visitor]:
        """The audit chain and the page; gives somebody who is signed in."""
        with self._running("audit", "run"), self.serving():
            if self.visitor is None:
                self.visitor = Visitor(self.origin)
                self.visitor.set_up(self._code())
            yield self.visitor

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """`vonggac serve` for a block; gives its pid."""
        with self._running("serve") as process:
            self.serve_pid = process.pid
            asker, until_s = Visitor(self.origin), time.monotonic() + _START_S
            while process.poll() is None and time.monotonic() < until_s:
                with contextlib.suppress(OSError):
                    asker.ask("GET", "/healthz")
                    break
                asker.close()
                time.sleep(0.05)
            else:
                raise RuntimeError(f"the page does not answer: see {self.log}")
            asker.close()
            yield process.pid

    @contextlib.contextmanager
    def _running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, "--home", str(self.home), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
            process.wait()

    def _code(self) -> str:
        """Of `setup-code`, which speaks to terminals only."""
        ours, theirs = os.openpty()
        command = [sys.executable, "-c", _COMMAND, "--home", str(self.home), "setup-code"]
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            said, until_s = b"", time.monotonic() + _START_S
            while not _CODE.search(said) and time.monotonic() < until_s:
                if select.select([ours], [], [], 0.2)[0]:
                    said += os.read(ours, 4096)
            found = _CODE.search(said)
        os.close(ours)
        if process.returncode or found is None:
            raise RuntimeError(f"no code: {said!r}")
        return found[0].decode()

    def camera_id(self, code: str) -> str:
        """In hex, as addresses of the page have it."""
        with Catalog(self.home, is_readonly=True) as catalog:
            camera = catalog.camera(code)
        assert camera is not None
        return camera.id.hex()

    def serve_cost(self) -> procs.Cost:
        """Of the page's processes."""
        return procs.cost(procs.tree(self.serve_pid))


def certificate(home: Path) -> None:
    """A certificate of this minute for 127.0.0.1, as page.pem and page-key.pem."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(home / "page-key.pem"), "-out", str(home / "page.pem")),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def helper(name: str, *arguments: str, lines: str = "") -> dict[str, float]:
    """Runs a program beside this one to its end; gives the object on its last line."""
    done = subprocess.run(
        [sys.executable, str(HERE / name), *arguments],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
