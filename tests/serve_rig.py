"""`vonggac serve` in a process of its own, and somebody who signed in there."""

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
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from box_rig import DEADLINE_S, child_pids
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
