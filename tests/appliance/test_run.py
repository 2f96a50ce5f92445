"""`vonggac run`: everything under one supervisor, ended in order, started again when it dies."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from box_rig import Box, Cameras, child_pids, free_port, is_gone, wait_gone
from certificates import make_certificate
from vonggac_appliance import run


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "home", "320M")
    yield made
    made.discard()


@pytest.fixture
def cameras() -> Iterator[list[Cameras]]:
    """Those that a test starts; stopped after it."""
    started: list[Cameras] = []
    yield started
    for one in started:
        one.stop()


def _services(box: Box) -> dict[str, int]:
    """The words of each child's command line, without options, and its pid."""
    assert box.process is not None
    found = {}
    for pid in child_pids(box.process.pid):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        words = words[words.index("--home") + 2 :]
        found[" ".join(itertools.takewhile(lambda w: not w.startswith("-"), words)).strip()] = pid
    return found


def _all(services: dict[str, int]) -> list[int]:
    """The services' processes and their children."""
    return [*services.values(), *(c for pid in services.values() for c in child_pids(pid))]


def test_chain_recorder_and_page_run_and_end_together(box: Box) -> None:
    with box.running("run"):
        services = _services(box)
        children = _all(services)

    assert set(services) == {"audit run", "record", "serve", "motion run"}
    wait_gone(children)


def test_a_page_that_cannot_be_served_keeps_nobody_from_recording(box: Box) -> None:
    (box.home / "config.toml").write_text('[serve]\naddress = "0.0.0.0"\n')
    with box.running("run"):
        box.until_logged("serve needs a person (exit 78); the others go on without it")
        services = _services(box)

    assert set(services) == {"audit run", "record", "motion run"}
    assert "config.toml, line 2: without TLS the page is served on loopback" in box.log.read_text()


def test_the_door_for_cameras_that_call_runs_where_a_port_is_set(box: Box, tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path / "tls")
    (box.home / "config.toml").write_text(
        f'[push]\naddress = "127.0.0.1"\nport = {free_port()}\n'
        f'certificate = "{chain}"\nkey = "{key}"\n'
    )
    with box.running("run"):
        box.until(lambda now: now.push is not None and now.push.is_open)
        services = _services(box)
        children = _all(services)

    assert set(services) == {"audit run", "record", "serve", "motion run", "push run"}
    wait_gone(children)


def test_programs_are_served_where_an_address_is_set(box: Box) -> None:
    (box.home / "config.toml").write_text('[hooks]\naddress = "127.0.0.1"\n')
    with box.running("run"):
        box.until_logged("hooks runs")
        services = _services(box)

    assert "hooks run" in services


@pytest.mark.slow
def test_a_service_that_dies_is_started_again_and_the_others_stay(
    box: Box, cameras: list[Cameras]
) -> None:
    cameras.append(Cameras(1))
    box.add(cameras[0], "cam1")
    with box.running("run"):
        box.until_durable(1.0)
        before = _services(box)
        os.kill(before["record"], signal.SIGKILL)
        wait_gone([before["record"]])
        box.until_answered()
        box.until_durable(1.0)
        after = _services(box)

    assert after["audit run"] == before["audit run"]
    assert after["record"] != before["record"]


@pytest.mark.slow
def test_a_killed_supervisor_takes_its_services_along(box: Box) -> None:
    box.start("run")
    services = _services(box)
    children = _all(services)
    box.stop(signal.SIGKILL)

    assert set(services) == {"audit run", "record", "serve", "motion run"}
    wait_gone(children)
    assert all(is_gone(pid) for pid in children)


def test_what_only_a_person_can_fix_ends_it_with_78(box: Box) -> None:
    (box.home / "config.toml").write_text("[record]\nloops = 3\n")

    assert "config.toml, line 2" in box.run("run", status=78)


def test_the_audit_chain_starts_before_the_recorder() -> None:
    assert [service.name for service in run.SERVICES] == ["audit", "record", "serve", "motion"]
