"""Alarms on a real LMDB: kept over a restart, counted, bounded, never in the recorder's way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vonggac.errors import StorageError
from vonggac.registry import alarms
from vonggac_appliance.alarm_store import AlarmStore, read_stopped

S = 1_000_000_000


def test_alarms_outlive_the_recorder(home: Path) -> None:
    store = AlarmStore(home)
    store.note("disk-slow", "/srv/a", "slow", 10 * S)
    store.note("disk-slow", "/srv/a", "slower", 12 * S)
    store.note("flood", "cam1/main", "30 Mbit/s", 11 * S)
    store.acknowledge(2, "An", "set to 4 Mbit/s", 13 * S)
    store.close()

    again = AlarmStore(home)
    slow, flood = again.newest(10)
    again.close()

    assert (slow.kind, slow.count, slow.what, slow.is_open) == ("disk-slow", 2, "slower", True)
    assert (flood.kind, flood.acknowledged_by, flood.note) == ("flood", "An", "set to 4 Mbit/s")
    assert sorted(read_stopped(home), key=lambda row: row.number) == [slow, flood]


def test_what_comes_after_it_was_acknowledged_is_a_new_alarm(home: Path) -> None:
    store = AlarmStore(home)
    first = store.note("disk-failed", "/srv/a", "EIO", 1 * S)
    store.acknowledge(first.number, "An", "", 2 * S)
    second = store.note("disk-failed", "/srv/a", "EIO", 3 * S)
    store.close()

    assert second.number > first.number
    assert second.count == 1


def test_a_number_is_never_given_twice_over_a_restart(home: Path) -> None:
    store = AlarmStore(home)
    first = store.note("flood", "cam1/main", "", 1)
    store.close()
    again = AlarmStore(home)
    second = again.note("flood", "cam2/main", "", 2)
    again.close()

    assert (first.number, second.number) == (1, 2)


def test_the_oldest_go_when_there_are_too_many(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms.surplus, "__defaults__", (3,))
    store = AlarmStore(home)
    for number in range(5):
        store.note("flood", f"cam{number}", "", number)
    store.close()

    assert sorted(row.subject for row in read_stopped(home)) == ["cam2", "cam3", "cam4"]


def test_a_killed_recorder_leaves_what_was_written(home: Path) -> None:
    code = (
        "import signal, sys, pathlib, vonggac_appliance.alarm_store as a\n"
        "s = a.AlarmStore(pathlib.Path(sys.argv[1]))\n"
        "s.note('flood', 'cam1/main', 'x', 1)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, home]) as recorder:
        until_s = time.monotonic() + 60.0
        while not read_stopped(home) and time.monotonic() < until_s:
            time.sleep(0.02)  # another process writes it, and tells nobody
        recorder.kill()

    assert [row.subject for row in read_stopped(home)] == ["cam1/main"]


def test_a_home_that_cannot_hold_alarms_stops_nothing(home: Path) -> None:
    (home / "alarms").write_text("in the way")
    store = AlarmStore(home)
    row = store.note("flood", "cam1/main", "", 1)

    assert store.newest(10) == [row]
    store.close()


def test_a_damaged_file_is_told_and_a_damaged_row_is_left_out(home: Path) -> None:
    assert read_stopped(home) == []
    store = AlarmStore(home)
    store.note("flood", "cam1/main", "", 1)
    store.close()
    os.truncate(home / "alarms" / "data.mdb", 100)

    with pytest.raises(StorageError, match="alarms"):
        read_stopped(home)
