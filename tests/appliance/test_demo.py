"""`vonggac demo`: what its table says, and that it ends by itself with a clean disk."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vonggac_appliance import demo_table
from vonggac_appliance.bus_control import CameraStatus, StatusReply, StreamStatus

S = 1_000_000_000
START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


def _status(at_s: int, stream: StreamStatus) -> StatusReply:
    return StatusReply([CameraStatus("cam1", stream.state, [stream])], [], [], at_s * S)


def _recording(run: int, samples: int, size: int, durable_s: int = 0) -> StreamStatus:
    return StreamStatus(
        name="main",
        state="recording",
        codec="h264",
        width=1280,
        height=720,
        run=run,
        samples=samples,
        bytes=size,
        durable_until_ns=durable_s * S,
        recorded_ns=7 * S,
    )


def test_rates_are_measured_between_two_answers() -> None:
    before = _status(100, _recording(5, 1000, 1_000_000))
    now = _status(102, _recording(5, 1050, 2_000_000, durable_s=101))

    assert demo_table.rows_of(now, before) == [
        ("cam1", "main", "recording", "h264", "1280x720", "25.0", "4.00", "7 s", "1.0 s ago", "")
    ]


def test_another_run_has_no_rate_yet() -> None:
    before = _status(100, _recording(5, 1000, 1_000_000))
    now = _status(102, _recording(6, 10, 1000))

    assert demo_table.rows_of(now, before)[0][5:7] == ("-", "-")
    assert demo_table.rows_of(now, None)[0][5:7] == ("-", "-")


def test_a_stream_that_waits_says_why() -> None:
    waiting = StreamStatus(name="main", state="waiting", gap_reason="network")

    head, row = demo_table.table(_status(100, waiting), None)

    assert head.split()[-1] == "gap"
    assert row.split() == ["cam1", "main", "waiting", "-", "-", "-", "-", "0", "s", "-", "network"]
    assert demo_table.plain(_status(100, waiting), None) == "cam1 main waiting 0 s network"


@pytest.mark.slow
def test_the_demo_records_and_ends_by_itself_with_a_clean_disk(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "home").mkdir()
        (tmp_path / "home/config.toml").write_text(f"[serve]\nport = {port}\n")
        command = [sys.executable, "-c", START, "--home", str(tmp_path / "home")]
        done = subprocess.run(
            [*command, "demo", "--seconds", "10"],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    shutil.rmtree(tmp_path / "home/disk", ignore_errors=True)  # pytest keeps three runs
    assert done.returncode == 0, done.stderr
    assert "disk check: ok" in done.stdout
    (page,) = re.findall(r"the page: http://127\.0\.0\.1:(\d+)/", done.stdout)
    assert int(page) != port  # somebody had that one
    assert re.search(r"one-time code for the first person: [2-9A-Z]{4}-[2-9A-Z]{4} ", done.stdout)
    for number in range(1, 5):
        assert f"cam{number} main: 0 frames" not in done.stdout
    password = (tmp_path / "home/log/camera-password").read_text().strip()
    assert password not in done.stdout + done.stderr
    assert password not in (tmp_path / "home/log/run.log").read_text()


def test_the_cameras_can_be_served_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, "--home", str(tmp_path / "home")]
    done = subprocess.run(
        [*command, "demo", "--cameras-only", "--seconds", "0.5"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("rtsp://127.0.0.1:") == 8
