"""`vonggac serve`: how looks end with the page, or with the next one."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_rig import audit_run, vonggac
from box_rig import DEADLINE_S, wait_gone
from serve_rig import START, Served, Signed, start_with


def _lines(home: Path, action: str) -> list[dict[str, object]]:
    found = [
        json.loads(line)
        for path in sorted((home / "audit").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [line for line in found if line["action"] == action]


def _until_ended(home: Path) -> list[dict[str, object]]:
    """The lines of ends, once there is one."""
    until_s = time.monotonic() + DEADLINE_S
    while not (ends := _lines(home, "look end")):
        assert time.monotonic() < until_s
        time.sleep(0.05)  # nothing tells of a line
    return ends


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
        ends = _until_ended(watched)
        status, _ = somebody.ask("DELETE", f"/api/v1/looks/{look}")
    finally:
        served.stop()

    assert [end["result"] for end in ends] == ["serve ended"]
    assert status == 404  # still signed in, and nothing to end


# A look's line is written, and whoever had it written knows nothing of that.
DIES_BEHIND_THE_LINE = (
    "import os, signal; from vonggac_appliance import audit_client\n"
    "append = audit_client.append\n"
    "def die(home, event, *rest):\n"
    "    answer = append(home, event, *rest)\n"
    "    if event.permit: os.kill(os.getpid(), signal.SIGKILL)\n"
    "    return answer\n"
    "audit_client.append = die\n" + START
)


def test_a_look_whose_page_was_killed_behind_its_line_is_ended_by_the_next(watched: Path) -> None:
    served = Served(watched, DIES_BEHIND_THE_LINE)
    try:
        somebody = Signed(served, watched)
        with pytest.raises(ConnectionError):
            somebody.looks(watched)
        ends = _until_ended(watched)
    finally:
        served.stop()

    (line,) = _lines(watched, "live")
    (end,) = ends
    assert (end["object"], end["session"]) == (line["object"], line["session"])
    assert (end["result"], end["delivered_ms"]) == ("ended by a restart", 0)
