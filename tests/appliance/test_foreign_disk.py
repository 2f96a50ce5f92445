"""A disk of another box: read as it lies there, logged here, and not a byte of it changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit_rig import audit_run, vonggac
from look_rig import chain_of
from store.maker import BOX, SECOND_NS, START_NS, Bench, FakeStream, make_disk
from vonggac._native import segment as native
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.store import disk as disks
from vonggac.store.journal import Lock
from vonggac_appliance.clock import iso

LOCK = b"l" * 16
SECONDS = 10
GAP_SECONDS = 30
SPAN = ("--from", iso(START_NS), "--to", iso(START_NS + 60 * SECOND_NS))


@dataclass
class Found:
    """A disk as it was taken out of another box that lost power: nothing is sealed."""

    path: Path
    uuid: bytes
    one: FakeStream
    two: FakeStream
    """Of another camera."""

    @property
    def words(self) -> str:
        return f"disk {self.uuid.hex()} of box {BOX.hex()}"


@pytest.fixture
def found(tmp_path: Path) -> Found:
    path = tmp_path / "disk"
    identity = make_disk(path)
    one, two = FakeStream(1), FakeStream(2)
    one.begin(1)
    two.begin(1)
    bench = Bench.open(path)
    bench.prime(2)
    for _ in range(SECONDS):
        bench.tick([one.chunk(), two.chunk()])
    bench.commit()
    one.begin(2, one.wall_ns + GAP_SECONDS * SECOND_NS, (one.wall_ns, int(GapReason.NETWORK)))
    locked = Lock(LOCK, one.stream, START_NS + 2 * SECOND_NS, START_NS + 4 * SECOND_NS)
    bench.ring.locks = (locked,)
    bench.ring.is_journal_dirty = True
    for _ in range(SECONDS):
        bench.tick([one.chunk()])  # not in the index any more
    bench.crash()
    return Found(path, identity.disk, one, two)


State = dict[str, tuple[int, int, str]]


def state_of(path: Path) -> State:
    """Everything there is: names, times, and what stands in each file."""
    state: State = {}
    for folder, _, names in os.walk(path):
        for where in (Path(folder), *(Path(folder, name) for name in names)):
            is_file = where.is_file()
            digest = hashlib.sha256(where.read_bytes()).hexdigest() if is_file else ""
            seen = where.stat()
            state[str(where.relative_to(path))] = seen.st_mtime_ns, seen.st_ctime_ns, digest
    return state


@pytest.fixture
def asks(
    home: Path, found: Found, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Any]]:
    """Asks for JSON while the chain is written; the disk is the same afterwards."""
    before = state_of(found.path)

    def ask(*words: str) -> Any:
        assert vonggac(home, *words, "--json") == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    with audit_run(home):
        yield ask
    assert state_of(found.path) == before


def test_what_lies_on_it_is_told_by_camera_and_stream(
    home: Path, found: Found, asks: Callable[..., Any]
) -> None:
    facts = asks("disk", "mount-readonly", str(found.path), "--purpose", "vụ việc 2026/17")
    assert (facts["uuid"], facts["box"]) == (found.uuid.hex(), BOX.hex())
    assert (facts["own_box"], facts["index_problem"]) == (False, None)
    first, second = facts["cameras"]
    assert (first["id"], first["code"]) == (found.one.camera.hex(), None)
    (stream,) = first["streams"]
    assert stream["id"] == found.one.stream.hex()
    assert stream["codec"].startswith("avc1.") and stream["width"] > 0 < stream["height"]
    begins = [START_NS, START_NS + (SECONDS + GAP_SECONDS) * SECOND_NS]
    assert [(r["from"], r["to"], r["frames"]) for r in stream["ranges"]] == [
        (iso(begin), iso(begin + SECONDS * SECOND_NS), 10 * SECONDS) for begin in begins
    ]
    assert stream["bytes"] == sum(r["bytes"] for r in stream["ranges"]) > 2 * SECONDS * 40_000
    held = {
        "lock": LOCK.hex(),
        "from": iso(START_NS + 2 * SECOND_NS),
        "to": iso(START_NS + 4 * SECOND_NS),
    }
    assert stream["locked"] == [held]
    assert facts["locks"] == [held | {"stream": found.one.stream.hex()}]
    assert second["streams"][0]["locked"] == []

    line = chain_of(home)[facts["audit_line"] - 1]
    assert line["action"] == "disk mount-readonly"
    assert line["object"] == f"{found.words} at {found.path}"
    assert line["purpose"]["text"] == "vụ việc 2026/17"
    assert line["actor"] == f"local:{os.getuid()}"


def test_the_timeline_is_asked_for_by_the_start_of_an_id(
    home: Path, found: Found, asks: Callable[..., Any]
) -> None:
    camera = found.one.camera.hex()
    facts = asks("timeline", camera, "--disk", str(found.path), *SPAN)
    assert (facts["camera"], facts["stream"]) == (camera, found.one.stream.hex())
    assert [r["frames"] for r in facts["ranges"]] == [10 * SECONDS] * 2
    # What the recorder wrote down is a reason; that its box stopped is none of this disk's.
    assert [gap["reason"] for gap in facts["gaps"]] == ["network", "unknown"]
    assert [held["lock"] for held in facts["locked"]] == [LOCK.hex()]
    line = chain_of(home)[facts["audit_line"] - 1]
    assert line["object"] == f"{camera}/{found.one.stream.hex()} on {found.words}"
    assert line["purpose"] is None


def test_a_cut_is_bit_exact_and_logged_with_both_ids(
    home: Path, found: Found, tmp_path: Path, asks: Callable[..., Any]
) -> None:
    camera, stream = found.one.camera.hex(), found.one.stream.hex()
    out = tmp_path / "cut.mp4"
    words = ("--disk", str(found.path), "--stream", stream[:-1], "-o", str(out))
    facts = asks("cut", camera, *SPAN, *words, "--purpose", "vụ việc 2026/17")
    (file,) = facts["files"]
    data = out.read_bytes()
    assert (file["bytes"], facts["broken_chunks"]) == (len(data), 0)
    hashes, at = [], data.find(b"prft") - 4
    while at >= 0:
        view = native.chunk_parse(data, at)
        assert view is not None
        start = at + view.payload_offset
        hashes.append(native.sha256(data[start : start + view.claim.video_bytes]))
        at = data.find(b"prft", start + view.claim.video_bytes) - 4
    assert hashes == [sha256 for _, _, sha256 in found.one.sent]

    line = chain_of(home)[facts["audit_line"] - 1]
    assert (line["action"], line["object"]) == ("cut", f"{camera}/{stream} on {found.words}")
    assert (line["camera"], line["streams"]) == (camera, [stream])
    assert "red" not in line


def test_a_cut_is_not_written_to_the_disk_that_is_read(
    home: Path, found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(found.path)
    (tmp_path / "aside").symlink_to(found.path / "segments")
    with audit_run(home):
        for out in (found.path / "cut.mp4", tmp_path / "aside" / "cut.mp4"):
            words = ("--disk", str(found.path), "-o", str(out), "--purpose", "x")
            assert vonggac(home, "cut", found.two.camera.hex(), *SPAN, *words) == 1
            assert "choose another place" in capsys.readouterr().err
    assert state_of(found.path) == before


def test_without_a_purpose_a_cut_is_red(
    home: Path, found: Found, tmp_path: Path, asks: Callable[..., Any]
) -> None:
    words = ("--disk", str(found.path), "-o", str(tmp_path / "cut.mp4"))
    facts = asks("cut", found.two.camera.hex(), *SPAN, *words)
    assert chain_of(home)[facts["audit_line"] - 1]["red"] is True


def test_without_the_audit_chain_nothing_is_told(
    home: Path, found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(found.path)
    disk, out = str(found.path), tmp_path / "cut.mp4"
    camera = found.one.camera.hex()
    for words in (
        ("disk", "mount-readonly", disk, "--purpose", "x"),
        ("timeline", camera, "--disk", disk, *SPAN, "--purpose", "x"),
        ("cut", camera, "--disk", disk, *SPAN, "--purpose", "x", "-o", str(out)),
    ):
        assert vonggac(home, *words) == 1
        told = capsys.readouterr()
        assert told.out == "" and "start `vonggac audit run`" in told.err
    assert not out.exists()
    assert state_of(found.path) == before


def test_an_index_that_cannot_be_used_is_made_again_in_memory_alone(
    home: Path, found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    data = found.path / "index" / "data.mdb"
    data.write_bytes(bytes(data.stat().st_size))
    before = state_of(found.path)
    with audit_run(home):
        assert vonggac(home, "disk", "mount-readonly", str(found.path), "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert "cannot be read" in facts["index_problem"]
    (stream,) = facts["cameras"][0]["streams"]
    assert [r["frames"] for r in stream["ranges"]] == [10 * SECONDS] * 2
    assert stream["locked"]
    assert state_of(found.path) == before


@pytest.mark.parametrize("what", ["journal", "option"])
def test_without_a_journal_or_an_index_it_is_read_from_its_segments(
    home: Path, found: Found, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if what == "journal":
        (found.path / "journal").write_bytes(bytes(2 << 20))
    before = state_of(found.path)
    option = () if what == "journal" else ("--without-index",)
    with audit_run(home):
        assert vonggac(home, "disk", "mount-readonly", str(found.path), *option, "--json") == 0
    told = capsys.readouterr()
    facts = json.loads(told.out)
    frames = [
        [r["frames"] for r in stream["ranges"]]
        for camera in facts["cameras"]
        for stream in camera["streams"]
    ]
    assert frames == [[10 * SECONDS] * 2, [10 * SECONDS]]
    assert facts["index_problem"]
    assert (facts["journal_problem"] is None) == (what == "option")
    assert bool(facts["locks"]) == (what == "option")
    assert ("what is locked on it is not known" in told.err) == (what == "journal")
    assert state_of(found.path) == before


def test_a_disk_that_nobody_may_write_to_is_read(
    home: Path, found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.geteuid() == 0:
        mount = ["mount", "-o", "bind,ro", found.path, found.path]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nobody may mount here: {done.stderr}")
    else:
        for where in (found.path, *found.path.rglob("*")):
            where.chmod(0o555 if where.is_dir() else 0o444)
    try:
        before = state_of(found.path)
        with audit_run(home):
            assert vonggac(home, "disk", "mount-readonly", str(found.path)) == 0
        told = capsys.readouterr()
        assert state_of(found.path) == before
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", found.path], check=True)
        else:
            found.path.chmod(0o755)
    assert found.one.camera.hex() in told.out
    # Who may write nothing is not told that Linux might.
    assert ("mounted writable" in told.err) == (os.geteuid() != 0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("timeline", "ff", *SPAN), "no camera ff lies on that disk"),
        (("timeline", "", *SPAN), "2 cameras on that disk are called so"),
        (("timeline", "63", "--stream", "00", *SPAN), "2 cameras on that disk"),
    ],
    ids=["none", "which", "several"],
)
def test_what_is_not_one_camera_is_told(
    home: Path,
    found: Found,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    says: str,
) -> None:
    with audit_run(home):
        assert vonggac(home, *words, "--disk", str(found.path)) == 1
    assert says in capsys.readouterr().err
    line = chain_of(home)[-1]
    assert (line["action"], line["object"]) == ("disk mount-readonly", found.words)
    assert line["result"] == "refused: no stream was named"

    assert vonggac(home, *words, "--disk", str(found.path)) == 1
    told = capsys.readouterr().err
    assert says not in told and "start `vonggac audit run`" in told


@pytest.mark.parametrize("name", ["vonggac-disk.json", "index/data.mdb", "segments/0000"])
def test_a_name_that_leads_to_another_place_is_not_followed(
    home: Path, found: Found, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (found.path / name).rename(elsewhere)
    (found.path / name).symlink_to(elsewhere)
    with audit_run(home):
        assert vonggac(home, "disk", "mount-readonly", str(found.path)) == 1
    told = capsys.readouterr()
    assert told.out == "" and f"{name} is a symbolic link" in told.err


def test_a_segment_that_leads_to_another_place_is_not_read(
    home: Path, found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (found.path / "segments" / "0000").iterdir():
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    words = ("--disk", str(found.path), "--purpose", "x", "-o", str(tmp_path / "cut.mp4"))
    with audit_run(home):
        assert vonggac(home, "cut", found.two.camera.hex(), *SPAN, *words) == 1
    assert not list(tmp_path.glob("cut*"))
    assert "cannot be opened" in capsys.readouterr().err


def enrol(home: Path, found: Found) -> None:
    with Catalog(home) as catalog:
        catalog.enrol_disk(DiskRow(found.uuid, str(found.path), 10, 16 << 20, 1))


def test_a_disk_of_this_box_or_of_a_running_recorder_is_refused(
    home: Path, found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(found.path)
    command = ("disk", "mount-readonly", str(found.path))
    with audit_run(home):
        with disks.open_disk(found.path, BOX, exclusive=True):
            assert vonggac(home, *command) == 1
        assert "in use by another recorder" in capsys.readouterr().err
        enrol(home, found)
        assert vonggac(home, *command) == 1
        assert "is a disk of this box" in capsys.readouterr().err
        assert vonggac(home, "disk", "mount-readonly", str(tmp_path)) == 78
        assert "is no vonggac disk" in capsys.readouterr().err
    assert [line["action"] for line in chain_of(home)] == ["audit start"]
    assert state_of(found.path) == before


def test_a_camera_that_this_box_knows_keeps_its_name_and_its_owners_word(
    home: Path, found: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    streams = (Stream(found.one.stream, "sub", "rtsp://127.0.0.1/"),)
    with Catalog(home) as catalog:
        row = Camera(found.one.camera, "ngo45", streams, 0, owner_kind=OwnerKind.HOUSEHOLD)
        catalog.add_camera(row)
    for _ in ("enrolled", "removed"):
        with audit_run(home):
            assert vonggac(home, "disk", "mount-readonly", str(found.path), "--json") == 0
            facts = json.loads(capsys.readouterr().out)
            first = facts["cameras"][0]
            assert (first["code"], first["streams"][0]["name"]) == ("ngo45", "sub")
            out = ("-o", str(tmp_path / "cut.mp4"), "--purpose", "x")
            camera = found.one.camera.hex()
            assert vonggac(home, "cut", camera, "--disk", str(found.path), *SPAN, *out) == 1
        assert "without an agreement is not shown" in capsys.readouterr().err
        assert str(chain_of(home)[-1]["result"]).startswith("refused: ")
        if catalog_has(home, "ngo45"):
            with Catalog(home) as catalog:
                catalog.remove_camera("ngo45")


def catalog_has(home: Path, code: str) -> bool:
    with Catalog(home, is_readonly=True) as catalog:
        return catalog.camera(code) is not None


def test_a_purpose_of_dots_is_none_and_one_of_pages_is_not_taken(
    home: Path, found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("disk", "mount-readonly", str(found.path), "--purpose")
    with audit_run(home):
        assert vonggac(home, *command, " . ") == 0
        assert "no purpose was given" in capsys.readouterr().err
        assert vonggac(home, *command, "x" * 501) == 2
    told = capsys.readouterr()
    assert told.out == "" and "at most 500 characters" in told.err


def test_a_purpose_goes_with_a_disk(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vonggac(home, "timeline", "cam1", *SPAN, "--purpose", "x") == 2
    assert "--disk" in capsys.readouterr().err
    assert vonggac(home, "timeline", "cam1", *SPAN, "--stream", "third") != 0
