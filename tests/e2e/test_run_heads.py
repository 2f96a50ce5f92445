"""Footage that is removed from a disk is missed, though the disk agrees with itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit_rig import vonggac
from box_rig import Box, Cameras
from vonggac_appliance.audit_reading import lists_of
from vonggac_appliance.ledger import heads_of


@pytest.fixture
def cameras() -> Iterator[Cameras]:
    served = Cameras(1)
    yield served
    served.stop()


def test_what_was_recorded_stands_in_the_ledger_and_is_missed_when_it_goes(
    tmp_path: Path, cameras: Cameras, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box(tmp_path / "home")
    box.add(cameras, "cam1")
    with box.running("run"):
        box.until_durable(3.0)
    heads = list(heads_of(box.home, lists_of(box.home)))
    assert len({head.stream for head in heads}) == 2
    assert all(head.sequence > 0 for head in heads)
    assert "OK" in box.run_here("audit", "verify")
    check = ("disk", "check", str(box.disk), "--deep", "--json")
    assert vonggac(box.home, *check) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []

    held = [path for path in sorted(box.disk.rglob("*.mp4")) if path.read_bytes()[4:8] == b"ftyp"]
    gone = held[0]
    gone.write_bytes(bytes(gone.stat().st_size))
    box.run_here("disk", "rebuild", str(box.disk))
    assert vonggac(box.home, *check) == 1
    (missing,) = json.loads(capsys.readouterr().out)["problems"]
    assert missing["promise"] == 1
    assert "the ledger names chunk" in missing["what"]
    assert "no tombstone tells why" in missing["what"]
    box.discard()
