"""`disk retire --lost`: a disk that is gone for ever, and what the box writes down of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from audit_rig import audit_run, vonggac
from look_rig import chain_of
from store.maker import make_disk
from vonggac.errors import Refused
from vonggac.evidence import ledger
from vonggac.evidence.ledger import Head
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.registry.locks import Lock, LockedStream, Unlock
from vonggac_appliance import audit_client, bus_control
from vonggac_appliance.clock import iso
from vonggac_appliance.disk_lost import check_gone

HOUR_NS = 3600 * 10**9
NOW_NS = time.time_ns() // 10**9 * 10**9
CAMERA = b"c" * 16
MAIN, SUB = b"m" * 16, b"s" * 16
WHY = ("--lost", "--reason", "ổ hỏng cơ, không đọc được")


@dataclass
class Gone:
    """A box of two disks, one of which held a camera's main stream until two hours ago."""

    home: Path
    path: Path
    row: DiskRow

    def retire(self, *words: str) -> int:
        return vonggac(self.home, "disk", "retire", str(self.path), *words)

    def disks(self) -> list[DiskRow]:
        with Catalog(self.home, is_readonly=True) as catalog:
            return catalog.disks()

    def locks(self) -> list[Lock]:
        with Catalog(self.home, is_readonly=True) as catalog:
            return catalog.locks()


def heads(disk: bytes, stream: bytes, from_hour: float, to_hour: float) -> list[str]:
    """Of a run, hours before now, one every quarter."""
    begin, end = (NOW_NS - int(hours * HOUR_NS) for hours in (from_hour, to_hour))
    times = [*range(begin + HOUR_NS // 4, end, HOUR_NS // 4), end]
    return [
        Head(disk, stream, begin // 1000, number, at, bytes(32)).to_text()
        for number, at in enumerate(times)
    ]


def lock_of(number: int, stream: bytes, from_hour: float, to_hour: float) -> Lock:
    span = NOW_NS - int(from_hour * HOUR_NS), NOW_NS - int(to_hour * HOUR_NS)
    name = "main" if stream == MAIN else "sub"
    return Lock(
        id=bytes([number]) * 16,
        number=number,
        camera=CAMERA,
        code="cam1",
        streams=(LockedStream(stream, name, *span),),
        from_ns=span[0],
        to_ns=span[1],
        case=f"2026/{number}",
        officer="An",
        reason="trộm",
        review_ns=NOW_NS + HOUR_NS,
        made_by="local:0",
        made_ns=NOW_NS,
    )


@pytest.fixture
def gone(home: Path, tmp_path: Path) -> Iterator[Gone]:
    rows = [
        DiskRow(os.urandom(16), str(tmp_path / name), 10, 16 << 20, number)
        for number, name in enumerate(("gone", "other"))
    ]
    streams = tuple(Stream(i, n, "rtsp://127.0.0.1/") for i, n in ((MAIN, "main"), (SUB, "sub")))
    with Catalog(home) as catalog:
        catalog.add_camera(Camera(CAMERA, "cam1", streams, 0, owner_kind=OwnerKind.STATE))
        for row in rows:
            catalog.enrol_disk(row)
    with audit_run(home):
        lost, other = (row.uuid for row in rows)
        texts = [*heads(lost, MAIN, 10, 6), *heads(lost, MAIN, 4, 2), *heads(other, SUB, 10, 0)]
        audit_client.send_list(home, ledger.HEADS, texts)
        yield Gone(home, tmp_path / "gone", rows[0])


def lines_of(home: Path, *actions: str) -> list[dict[str, Any]]:
    return [line for line in chain_of(home) if line["action"] in actions]


def told(home: Path) -> list[tuple[str, str]]:
    return [(x["object"], x["result"]) for x in lines_of(home, "disk lost")]


def span_words(from_hour: int, to_hour: int) -> str:
    return " to ".join(iso(NOW_NS - hours * HOUR_NS) for hours in (from_hour, to_hour))


def test_it_leaves_with_a_reason_and_the_chain_says_what_went_with_it(
    gone: Gone, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gone.retire(*WHY, "--json") == 0
    out, err = capsys.readouterr()
    facts = json.loads(out)
    assert facts["uuid"] == gone.row.uuid.hex()
    (lost,) = facts["lost"]
    assert (lost["camera"], lost["stream"], len(lost["ranges"])) == ("cam1", "main", 2)
    assert facts["locks"] == []
    assert "lost: cam1 main: " in err
    assert [Path(row.path).name for row in gone.disks()] == ["other"]

    line = chain_of(gone.home)[facts["audit_line"] - 1]
    assert line["action"] == "disk retire"
    assert line["object"] == f"disk {gone.row.uuid.hex()} at {gone.path}"
    assert (line["purpose"]["text"], line["result"]) == (WHY[2], "lost: 1 streams, 0 locks")
    ranges = f"{span_words(10, 6)}; {span_words(4, 2)}"
    assert told(gone.home) == [(f"disk {gone.row.uuid.hex()}: cam1 main: {ranges}", "lost")]


def test_locks_are_named_and_counted_and_none_is_freed(
    gone: Gone, capsys: pytest.CaptureFixture[str]
) -> None:
    removed = Unlock("x", "local:1", "local", 1, "local:2", 1)
    locks = [
        lock_of(1, MAIN, 9, 8),
        lock_of(2, SUB, 9, 8),  # on the other disk
        structs.replace(lock_of(3, MAIN, 9, 8), unlock=removed),
        lock_of(4, MAIN, 1.9, 1.8),  # behind the newest head, perhaps
        lock_of(5, b"x" * 16, 9, 8),  # nobody knows where it was
        lock_of(6, MAIN, 100, 90),
    ]
    with Catalog(gone.home) as catalog:
        for number, lock in enumerate(locks):
            assert catalog.add_lock(lock, number)
    for words in ((), ("--with-locks", "2"), ("--with-locks", "4")):
        assert gone.retire(*WHY, *words) == 1
        said = capsys.readouterr().err
        assert "3 locks may have stood on it" in said and "--with-locks 3" in said
        assert [n for n in range(1, 7) if f"lock {n} (cam1, case 2026/{n})" in said] == [1, 4, 5]
    assert len(gone.disks()) == 2 and not lines_of(gone.home, "disk retire", "disk lost")

    assert gone.retire(*WHY, "--with-locks", "3") == 0
    assert "hold as before" in capsys.readouterr().err
    assert gone.locks() == locks
    said_of_locks = [x for x in told(gone.home) if x[1] == "lost; the lock holds"]
    assert [text.split(": ")[1].split(" (")[0] for text, _ in said_of_locks] == [
        "lock 1",
        "lock 4",
        "lock 5",
    ]


def test_nothing_is_given_up_without_a_reason_or_for_locks_that_are_none(
    gone: Gone, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gone.retire("--lost") == 2
    assert gone.retire("--lost", "--reason", " . ") == 2
    assert gone.retire("--reason", "x") == 2
    assert gone.retire(*WHY, "--with-locks", "1") == 1
    assert "no lock is known" in capsys.readouterr().err
    assert len(gone.disks()) == 2


def test_a_disk_that_can_be_read_is_not_lost(
    gone: Gone, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = make_disk(gone.path)
    assert gone.retire(*WHY) == 0, "another disk is mounted there: ours is gone"
    capsys.readouterr()
    with Catalog(gone.home) as catalog:
        row = structs.replace(gone.row, uuid=identity.disk)
        catalog.enrol_disk(row)
    assert gone.retire(*WHY) == 1
    assert "can be read, so it is not lost" in capsys.readouterr().err
    (gone.path / "vonggac-disk.json").write_text("{")
    assert gone.retire(*WHY) == 1, "a damaged identity is no lost disk"
    (gone.path / "vonggac-disk.json").unlink()
    assert gone.retire(*WHY) == 1, "its segments are there"
    (gone.path / "vonggac-disk.json").mkdir()  # there, and no read of it works
    segment = gone.path / "segments" / "0000" / "00000002.mp4"
    segment.write_bytes(b"ftyp")
    assert gone.retire(*WHY) == 1, "a segment of it can be read"
    assert len(gone.disks()) == 2
    segment.write_bytes(bytes(4096))
    assert gone.retire(*WHY) == 0, "what was never written is no sign of a disk"


def test_what_lies_in_the_folder_of_the_command_is_not_run(
    gone: Gone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "vonggac_appliance"
    other.mkdir()
    (other / "__init__.py").write_text("")
    (other / "disk_probe.py").write_text("import sys\n\nsys.exit(3)\n")
    monkeypatch.chdir(tmp_path)
    check_gone(gone.row, None)


@pytest.mark.parametrize(
    ("state", "says"),
    [("recording", "is recording"), ("full", "is full"), ("hung", "pull it or switch it off")],
)
def test_a_disk_that_a_recorder_has_or_waits_for_is_not_lost(
    gone: Gone, state: str, says: str
) -> None:
    known = bus_control.DiskStatus(gone.row.uuid.hex(), str(gone.path), state)
    with pytest.raises(Refused, match=says):
        check_gone(gone.row, known)
    check_gone(gone.row, structs.replace(known, state="failed"))


def test_a_disk_that_nobody_here_may_look_at_is_not_known_to_be_lost(gone: Gone) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may look at everything")
    gone.path.mkdir(0o000)
    try:
        with pytest.raises(Refused, match="could not be looked at"):
            check_gone(gone.row, None)
    finally:
        gone.path.chmod(0o755)


def test_the_last_disk_stays_until_there_is_another_one(
    gone: Gone, capsys: pytest.CaptureFixture[str]
) -> None:
    with Catalog(gone.home) as catalog:
        other = catalog.disks()[1]
        catalog.enrol_disk(structs.replace(other, is_draining=True))
    assert gone.retire(*WHY) == 1
    assert "only disk that is recorded on" in capsys.readouterr().err


def test_without_the_audit_chain_it_stays(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Catalog(home) as catalog:
        for number in range(2):
            path = str(tmp_path / f"disk{number}")
            catalog.enrol_disk(DiskRow(os.urandom(16), path, 10, 16 << 20, number))
    assert vonggac(home, "disk", "retire", str(tmp_path / "disk0"), *WHY) == 1
    assert "vonggac audit run" in capsys.readouterr().err
    with Catalog(home, is_readonly=True) as catalog:
        assert len(catalog.disks()) == 2
