"""Limits reach the keepers, and tombstones the ledger, in a real box."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from box_rig import DEADLINE_S, Box, Cameras
from vonggac.media.chunk import Row
from vonggac.registry.catalog import Catalog
from vonggac.store import tombstone
from vonggac.store.start import start
from vonggac_appliance.graves import graves_of

STREAM = b"s" * 16
COUNT = 1000
"""So many are sent at once; fewer wait for the hour."""


def leave_tombstones(box: Box) -> None:
    """As a keeper that was killed leaves them: in the index, committed, not in the ledger."""
    with Catalog(box.home, is_readonly=True) as catalog:
        box_id = catalog.box_id
    ring = start(box.disk, box_id).ring
    index = ring.archive.index
    rows = [
        Row(4096 * (n + 1), 4096, 100, 50, 10 * n + 1, 10 * n + 9, 1, 1, 0, 1, 1, 2 * n)
        for n in range(COUNT)
    ]
    tombstone.bury(index, (3, 77), (b"c" * 16, STREAM), rows, tombstone.RECYCLED, 5)
    frozen = ring.freeze()
    index.commit(frozen)
    ring.committed(frozen)
    ring.close()
    index.close()
    ring.disk.close()


def pending(box: Box) -> list[str]:
    with Catalog(box.home, is_readonly=True) as catalog:
        box_id = catalog.box_id
    ring = start(box.disk, box_id).ring
    try:
        return tombstone.pending(ring.archive.index, 10)[1]
    finally:
        ring.close()
        ring.archive.index.close()
        ring.disk.close()


def until(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.1)  # nothing tells of a file


def test_limits_reach_the_disks_and_tombstones_the_ledger(box: Box) -> None:
    leave_tombstones(box)
    cameras = Cameras(1)
    try:
        box.add(cameras, "cam1", "--basis-mode", "C", "--basis-retention-days", "5")
        with box.running("run"):
            until(lambda: len(graves_of(box.home, {STREAM}, 0, 1 << 62)) == COUNT)
            until(lambda: len(shown(box)["disks"]) == 1)
            (disk,) = shown(box)["disks"]
            assert "synchronised for an hour" in str(disk["held"])
            (camera,) = shown(box)["cameras"]
            assert (camera["days_max"], camera["max_by"]) == (5, "agreement")
            assert "24 hours" in box.run_here("retention", "confirm")
            box.until(lambda now: now.cameras[0].state == "recording")
    finally:
        cameras.stop()
    assert pending(box) == []
    verified = json.loads(box.run_here("audit", "verify", "--json"))
    assert verified["ok"], verified


def shown(box: Box) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(
        box.run_here("retention", "show", "--json")
    )
    return found
