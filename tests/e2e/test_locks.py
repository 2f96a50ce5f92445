"""A person locks what a real recorder records."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import zmq

from audit_rig import audit_run
from box_rig import DEADLINE_S, Box, Cameras, wait_gone
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import local_person
from vonggac.store import journal
from vonggac_appliance import bus_control, bus_events, control
from vonggac_appliance.locking import Locking
from vonggac_appliance.sockets import ipc_path

REVIEW = (datetime.now(UTC) + timedelta(days=30)).isoformat()
WHY = ("--case", "2026/17", "--officer", "An", "--reason", "trộm", "--review", REVIEW)


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    made = Cameras(1)
    yield made
    made.stop()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "home")
    yield made
    made.discard()


def journal_of(box: Box) -> set[bytes]:
    """The locks that stand in the disk's journal."""
    snapshot = journal.newest((box.disk / "journal").read_bytes())
    return {lock.lock for lock in snapshot.locks}


def test_a_lock_is_durable_when_the_command_says_so(box: Box, cameras: Cameras) -> None:
    box.start()
    box.add(cameras, "cam1")
    box.until_durable(2.0)
    said = json.loads(
        box.run_here("lock", "add", "cam1", "--from", "-1m", "--to", "now", *WHY, "--json")
    )
    children = box.children()
    box.stop(signal.SIGKILL)
    wait_gone(children)  # a keeper that is just dying answers nobody

    assert (said["recorder"], said["durable_on"]) == (True, [str(box.disk)])
    assert said["later_on"] == said["not_confirmed_on"] == []
    assert journal_of(box) == {bytes.fromhex(said["id"])}
    (told,) = json.loads(box.run_here("disk", "list", "--json"))["disks"]
    assert told["pinned_segments"] == 2

    # A camera that is removed takes nothing along; the next recorder holds it as before.
    box.run_here("camera", "remove", "cam1")
    with box.running():
        listed = json.loads(box.run_here("lock", "list", "--json"))
        (lock,), (disk,) = listed["locks"], listed["disks"]
        assert lock["bytes"] == 2 * (16 << 20)  # main and sub
        assert disk["pinned_segments"] == 2
        (told,) = json.loads(box.run_here("disk", "list", "--json"))["disks"]
        assert told["pinned_segments"] == 2
        box.run_here("lock", "remove", "1", "--reason", "x", status=1)  # nobody writes the chain
        with Catalog(box.home) as catalog:
            (row,) = catalog.locks()
            catalog.change_lock(row, msgspec.structs.replace(row, review_ns=time.time_ns()))
        box.until_logged("its review was due")  # an alarm, and no unlock
        assert journal_of(box) == {row.id}

    # Two people remove it while no recorder runs: the next one takes it out of the journal.
    with audit_run(box.home), Catalog(box.home) as catalog:
        locking = Locking(box.home, catalog, 20)
        locking.ask_unlock(1, local_person(1), "vụ án đã đóng")
        assert not locking.confirm_unlock(1, local_person(2))[0].is_held
    assert journal_of(box) == {row.id}
    with box.running():
        box.until(lambda _: not journal_of(box))


def test_what_two_people_remove_leaves_the_disk_and_a_third_lock_is_beyond_the_quota(
    box: Box, cameras: Cameras
) -> None:
    with box.running("run"):
        box.add(cameras, "cam1")
        box.until_durable(2.0)
        span = ("--from", "-1m", "--to", "now")
        said = json.loads(box.run_here("lock", "add", "cam1", *span, *WHY, "--json"))
        other = json.loads(box.run_here("lock", "add", "cam1", *span, *WHY, "--json"))
        assert journal_of(box) == {bytes.fromhex(said["id"]), bytes.fromhex(other["id"])}

        box.run_here("lock", "remove", str(said["lock"]), "--reason", "vụ án đã đóng")
        with Catalog(box.home) as catalog:
            _, later = Locking(box.home, catalog, 20).confirm_unlock(
                said["lock"], local_person(os.getuid() + 1)
            )
        assert later == []
        assert journal_of(box) == {bytes.fromhex(other["id"])}

        (box.home / "config.toml").write_text("[locks]\nquota_percent = 1\n")
        far = ("--from", "-1m", "--to", (datetime.now(UTC) + timedelta(minutes=55)).isoformat())
        with (
            zmq.Context() as context,
            context.socket(zmq.SUB) as alarms,
            ipc_path(bus_events.events_endpoint(box.home, "record")) as address,
        ):
            alarms.subscribe(b"alarm")
            alarms.connect(address)
            until_s = time.monotonic() + DEADLINE_S
            while not alarms.poll(300):  # a subscription is not told when it holds
                assert time.monotonic() < until_s
                assert "recording goes on" in box.run_here(
                    "lock", "add", "cam1", *far, *WHY, status=1
                )
            alarm = bus_events.decode_event(alarms.recv_multipart())
        assert isinstance(alarm, bus_events.Alarm)
        assert (alarm.kind, alarm.subject) == ("lock-refused", "cam1")
        reply = control.ask(box.home, bus_control.AskLocks())
        assert isinstance(reply, bus_control.LocksReply)
        assert [disk.locks for disk in reply.disks] == [[bytes.fromhex(other["id"])]]

        (box.home / "config.toml").unlink()
        (questions,) = (box.home / "run" / "view").glob("index-*.sock")
        questions.unlink()
        said = box.run_here("lock", "add", "cam1", *span, *WHY, status=1)
        assert "does not say what locks hold" in said
