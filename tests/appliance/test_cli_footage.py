"""`timeline`, `cut` and `disk` on footage that a real keeper has written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from audit_rig import audit_run, chain_of, vonggac
from crash.keeper_peer import Arena, KeeperPeer
from store.maker import SECOND_NS, FakeStream, make_disk
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac_appliance import cli_footage
from vonggac_appliance.clock import iso, parse_time
from vonggac_appliance.messages_keeper import GapOpen

SECONDS = 6


@dataclass(frozen=True, slots=True)
class Recorded:
    """A camera `cam1` with six seconds in two runs, 30 s apart, and nobody recording any more."""

    home: Path
    disk: Path
    stream: FakeStream


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Written once by a real keeper; each test leaves it as it was."""
    folder = tmp_path_factory.mktemp("recorded")
    home, disk = folder / "home", folder / "disk"
    home.mkdir()
    identity = make_disk(disk)
    stream = FakeStream(1, wall_ns=time.time_ns() - 600 * SECOND_NS)
    enrol(home, disk, identity.disk, stream)
    with contextlib.closing(Arena.make()) as arena:
        peer = KeeperPeer(disk, home, arena)
        peer.ready()
        peer.expect(1)
        peer.connect()
        stream.begin(1)
        _feed(peer, stream)
        gap = (stream.wall_ns, int(GapReason.NETWORK))
        peer.gap(GapOpen(stream.camera, stream.stream, *gap))
        stream.begin(2, stream.wall_ns + 30 * SECOND_NS, gap)
        _feed(peer, stream)
        assert peer.quit()[0] == 0
    return Recorded(home, disk, stream)


@pytest.fixture
def home(recorded: Recorded) -> Path:
    return recorded.home


def _feed(peer: KeeperPeer, stream: FakeStream) -> None:
    for _ in range(SECONDS // 2):
        peer.tick([stream.chunk()])
        peer.wait_for(len(stream.sent))


def enrol(home: Path, path: Path, disk: bytes, stream: FakeStream) -> None:
    camera = Camera(
        id=stream.camera,
        code="cam1",
        streams=(Stream(stream.stream, "main", "rtsp://127.0.0.1/"),),
        created_ns=0,
        owner_kind=OwnerKind.STATE,
    )
    with Catalog(home) as catalog:
        catalog.add_camera(camera)
        catalog.enrol_disk(DiskRow(disk, str(path), 10, 16 << 20, 1))


def test_the_timeline_prints_what_the_contract_says(
    home: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vonggac(home, "timeline", "cam1", "--from", "-1h", "--to", "now", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["camera"], facts["stream"]) == ("cam1", "main")
    assert [r["frames"] for r in facts["ranges"]] == [30, 30]
    assert "network" in [gap["reason"] for gap in facts["gaps"]]
    assert all(r["bytes"] > 0 for r in facts["ranges"])
    assert facts["durable_until"] == iso(recorded.stream.wall_ns)
    for span in facts["ranges"] + facts["gaps"]:
        assert parse_time(span["from"], 0) < parse_time(span["to"], 0)
    assert vonggac(home, "timeline", "cam1", "--from", "-1h", "--to", "now") == 0
    assert "30 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["cam1", "--from", "now", "--to", "-1m"], 2, "not after"),
        (["cam1", "--from", "early", "--to", "now"], 2, "no time"),
        (["cam9", "--from", "-1m", "--to", "now"], 1, "no camera cam9"),
        (["cam1", "--from", "-1m", "--to", "now", "--stream", "sub"], 1, "no sub stream"),
        (["cam1", "--from", "-1m"], 2, "--to"),
    ],
    ids=["order", "time", "camera", "stream", "range"],
)
def test_a_wrong_question_is_told(
    home: Path,
    recorded: Recorded,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    says: str,
) -> None:
    assert vonggac(home, "timeline", *words) == code
    assert says in capsys.readouterr().err


def test_a_cut_is_written_once_it_stands_in_the_chain(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "cam1.mp4"
    out.parent.mkdir()
    words = ("cut", "cam1", "--from", "-1h", "--to", "now", "-o", str(out), "--json")
    with audit_run(home):
        assert vonggac(home, *words, "--purpose", "vụ việc 2026/17") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["files"][0]["path"] == str(out)
    assert facts["files"][0]["bytes"] == out.stat().st_size > 0
    assert facts["broken_chunks"] == 0
    line = chain_of(home)[facts["audit_line"] - 1]
    assert (line["action"], line["object"]) == ("cut", "cam1/main")
    assert line["purpose"] == {"code": "khác", "text": "vụ việc 2026/17"}
    assert line["camera"] == recorded.stream.camera.hex()
    assert line["streams"] == [recorded.stream.stream.hex()]
    assert "red" not in line
    assert [path.name for path in out.parent.iterdir()] == ["cam1.mp4"]


def test_without_audit_run_not_a_byte_is_cut(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cam1.mp4"
    words = ("cut", "cam1", "--from", "-1h", "--to", "now", "-o", str(out), "--purpose", "x")
    assert vonggac(home, *words) == 1
    assert "start `vonggac audit run`" in capsys.readouterr().err
    assert not out.exists()


def test_without_a_purpose_the_line_is_red(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("cut", "cam1", "--from", "-1h", "--to", "now", "-o", str(tmp_path / "c.mp4"))
    with audit_run(home):
        assert vonggac(home, *words) == 0
    assert "red" in capsys.readouterr().err
    line = chain_of(home)[-1]
    assert line["purpose"] is None
    assert line["red"] is True


def test_a_refused_look_stands_in_the_chain_too(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    with Catalog(home) as catalog:
        camera = catalog.camera("cam1")
        assert camera is not None
        catalog.change_camera(msgspec.structs.replace(camera, owner_kind=OwnerKind.HOUSEHOLD))
    out = tmp_path / "c.mp4"
    words = ("cut", "cam1", "--from", "-1h", "--to", "now", "-o", str(out), "--purpose", "x")
    with audit_run(home):
        assert vonggac(home, *words) == 1
    with Catalog(home) as catalog:
        catalog.change_camera(camera)
    assert "agreement" in capsys.readouterr().err
    assert not out.exists()
    line = chain_of(home)[-1]
    assert str(line["result"]).startswith("refused: ")
    assert "permit" not in line


def test_a_cut_overwrites_nothing_and_leaves_nothing_half_done(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "old.mp4").write_text("old")
    words = ("cut", "cam1", "--purpose", "x", "--from", "-1h")
    with audit_run(home):
        assert vonggac(home, *words, "--to", "now", "-o", str(folder / "old.mp4")) == 2
        assert vonggac(home, *words, "--to", "now", "-o", str(folder / "none" / "c.mp4")) == 2
        assert vonggac(home, *words, "--to", "-50m", "-o", str(folder / "c.mp4")) == 1
    assert "nothing is recorded" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["old.mp4"]
    assert (folder / "old.mp4").read_text() == "old"


def test_a_cut_gets_its_name_where_there_are_no_links_and_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:  # as link(2) does on FAT
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    draft, target = tmp_path / "draft", tmp_path / "cut.mp4"
    draft.write_text("first")
    cli_footage._give_name(draft, target)
    draft.write_text("second")
    with pytest.raises(FileExistsError):
        cli_footage._give_name(draft, target)
    assert target.read_text() == "first"


def test_disks_are_listed_whether_they_are_there_or_not(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    with Catalog(home) as catalog:
        catalog.enrol_disk(DiskRow(b"g" * 16, str(tmp_path / "gone"), 10, 16 << 20, 2))
    assert vonggac(home, "disk", "list", "--json") == 0
    here, gone = json.loads(capsys.readouterr().out)["disks"]
    assert here["path"] == str(recorded.disk)
    assert here["state"] == "stopped"
    assert here["used_bytes"] == 16 << 20
    assert parse_time(here["oldest"], 0) > 0
    assert gone["state"] == "unavailable"
    assert gone["used_bytes"] is None
    assert vonggac(home, "disk", "list") == 0
    with Catalog(home) as catalog:
        catalog.forget_disk(b"g" * 16)
    assert "is not there" in capsys.readouterr().out


def test_a_check_tells_a_clean_disk_from_a_damaged_one(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = recorded.disk
    assert vonggac(home, "disk", "check", str(disk), "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["ok"], facts["problems"]) == (True, [])
    assert facts["fragments"] > 0
    (segment,) = (p for p in disk.glob("segments/*/*.mp4") if p.read_bytes()[4:8] == b"ftyp")
    found = segment.read_bytes().find(b"moof", 5000)
    _overwrite(segment, found, b"noof")
    assert vonggac(home, "disk", "check", str(disk), "--json") == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["ok"] is False
    assert set(facts["problems"][0]) == {"segment", "offset", "promise", "what"}
    assert vonggac(home, "disk", "check", str(disk)) == 1
    assert "promise" in capsys.readouterr().out
    _overwrite(segment, found, b"moof")


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY)
    os.pwrite(fd, data, offset)
    os.close(fd)


def test_a_rebuild_is_for_a_disk_of_this_box(
    home: Path, tmp_path: Path, recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vonggac(home, "disk", "rebuild", str(recorded.disk)) == 78
    assert "another box" in capsys.readouterr().err
    own, other = str(tmp_path / "own"), tmp_path / "other-home"
    assert vonggac(other, "disk", "format", own, "--size=160M", "--segment-size=16M") == 0
    capsys.readouterr()
    assert vonggac(other, "disk", "rebuild", own, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["free"] == facts["segments"]
    assert vonggac(other, "disk", "check", own) == 0
