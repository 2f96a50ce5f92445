"""Notifications, over sockets of the test's own."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vonggac_appliance.notify import Notifier


class Supervisor:
    """What systemd is to a service: a datagram socket, and the environment that names it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(60)

    def notifier(self, **environment: str) -> Notifier:
        return Notifier.from_environment({"NOTIFY_SOCKET": self.address, **environment})

    def heard(self) -> dict[str, str]:
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Supervisor]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@vonggac-{os.getpid()}"
    listening = Supervisor(address)
    yield listening
    listening.socket.close()


def test_ready_comes_with_its_status_on_one_line(supervisor: Supervisor) -> None:
    assert supervisor.notifier().ready("64 cameras,\n2 disks")

    assert supervisor.heard() == {"READY": "1", "STATUS": "64 cameras, 2 disks"}


def test_a_sign_of_life_is_the_watchdog_line_alone(supervisor: Supervisor) -> None:
    assert supervisor.notifier().watchdog()

    assert supervisor.heard() == {"WATCHDOG": "1"}


def test_a_reload_says_since_when(supervisor: Supervisor) -> None:
    before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert supervisor.notifier().reloading()
    after_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    heard = supervisor.heard()
    assert heard["RELOADING"] == "1"
    assert before_us <= int(heard["MONOTONIC_USEC"]) <= after_us


def test_stopping_and_status_are_told(supervisor: Supervisor) -> None:
    notifier = supervisor.notifier()
    assert notifier.stopping()
    assert notifier.status("waiting for the disk")

    assert supervisor.heard() == {"STOPPING": "1"}
    assert supervisor.heard() == {"STATUS": "waiting for the disk"}


def test_without_a_supervisor_nothing_is_told_and_nothing_fails() -> None:
    notifier = Notifier.from_environment({})

    assert not notifier.ready()
    assert not notifier.watchdog()
    assert notifier.watchdog_interval_s is None


def test_a_supervisor_that_went_away_stops_nobody(tmp_path: Path) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": str(tmp_path / "gone")})

    assert not notifier.watchdog()


def test_a_busy_supervisor_blocks_nobody(tmp_path: Path) -> None:
    supervisor = Supervisor(str(tmp_path / "notify"))
    notifier = supervisor.notifier()
    with supervisor.socket:
        told = [notifier.watchdog() for _ in range(1000)]

    assert told[0]
    assert not told[-1]


@pytest.mark.parametrize(
    ("environment", "interval_s"),
    [
        pytest.param({"WATCHDOG_USEC": "30000000"}, 15.0, id="half_of_the_limit"),
        pytest.param({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 15.0, id="for_us"),
        pytest.param({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None, id="for_another"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="off"),
        pytest.param({"WATCHDOG_USEC": "soon"}, None, id="no_number"),
        pytest.param({}, None, id="absent"),
    ],
)
def test_the_watchdog_wants_to_hear_twice_within_its_limit(
    environment: dict[str, str], interval_s: float | None
) -> None:
    assert Notifier.from_environment(environment, pid=7).watchdog_interval_s == interval_s


def test_other_kinds_of_sockets_are_not_for_us() -> None:
    assert Notifier.from_environment({"NOTIFY_SOCKET": "vsock:2:1234"}).address is None
