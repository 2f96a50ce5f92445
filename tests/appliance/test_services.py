"""The services as systemd starts them: notification and watchdog, over a socket of our own."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

VONGGAC = [
    sys.executable,
    "-c",
    "import sys; from vonggac_appliance.cli import main; sys.exit(main())",
]


class Service:
    """A service's process and what it told its supervisor."""

    def __init__(self, home: Path, command: list[str], watchdog_us: int) -> None:
        address = f"@vonggac-test-{os.getpid()}-{home.parent.name}-{command[0]}"
        self.ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ears.bind("\0" + address[1:])
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": address,
            "WATCHDOG_USEC": str(watchdog_us),
        }
        self.log = home / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*VONGGAC, "--home", str(home), *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.pidfd = os.pidfd_open(self.process.pid)

    def heard(self, name: str) -> str:
        """Waits for the next message that holds `name`, and gives its value."""
        while True:
            ready, _, _ = select.select([self.ears, self.pidfd], [], [], 20)
            if self.ears not in ready:
                pytest.fail(f"it ended, or {name} never came:\n{self.log.read_text()}")
            lines = dict(line.split("=", 1) for line in self.ears.recv(4096).decode().split("\n"))
            if name in lines:
                return lines[name]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.pidfd)
        self.ears.close()


@pytest.fixture(params=["audit run", "record"])
def service(request: pytest.FixtureRequest, home: Path) -> Iterator[Service]:
    if request.param == "record":
        disk = home.parent / "disk"
        disk.mkdir()
        format_disk = ["--home", str(home), "disk", "format", str(disk), "--size", "512M"]
        subprocess.run([*VONGGAC, *format_disk], check=True, timeout=60, stdout=subprocess.DEVNULL)
    started = Service(home, request.param.split(), watchdog_us=2_000_000)
    yield started
    started.close()


def test_a_service_says_ready_lives_and_says_that_it_stops(service: Service) -> None:
    assert service.heard("READY") == "1"
    assert service.heard("WATCHDOG") == "1"
    assert service.heard("WATCHDOG") == "1"
    service.process.send_signal(signal.SIGTERM)
    assert service.heard("STOPPING") == "1"

    assert service.process.wait(60) == 0, service.log.read_text()


def test_a_wrong_configuration_exits_78_and_says_why(home: Path) -> None:
    (home / "config.toml").write_text("[cameras]\nstal = '5 s'\n")
    done = subprocess.run(
        [*VONGGAC, "--home", str(home), "record"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 78, done.stderr
    assert "stal" in done.stderr
    assert "config.toml" in done.stderr
    assert "Traceback" not in done.stderr
