"""Locks as commands make and remove them: over a real catalog, a real disk, a real audit chain."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from account_rig import CHEAP
from audit_rig import audit_run, chain_of, vonggac
from store.maker import BOX, SECOND_NS, Bench, FakeStream
from vonggac.errors import Refused, Unavailable
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.registry.people import Account, Role, local_person
from vonggac.store import journal
from vonggac.store.formatting import format_disk
from vonggac_appliance.locking import Locking

SEGMENT_BYTES = 16 << 20
SECONDS = 40
"""Recorded of the camera; seven fill a segment."""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FakeStream, DiskRow]:
    """A disk of 27 segments, six of which hold footage of the last forty seconds."""
    path = tmp_path_factory.mktemp("footage") / "disk"
    identity = format_disk(path, 450 << 20, BOX, SEGMENT_BYTES)
    stream = FakeStream(1, time.time_ns() // SECOND_NS * SECOND_NS - SECONDS * SECOND_NS)
    stream.begin(1)
    bench = Bench.open(path)
    bench.prime(1)
    for _ in range(SECONDS):
        waiting = [stream.chunk(2_000_000)]
        while waiting:
            waiting = list(bench.tick(waiting)[0].waiting)
    bench.commit()
    bench.crash()
    return path, stream, DiskRow(identity.disk, str(path), identity.segments, SEGMENT_BYTES, 1)


@pytest.fixture
def box(home: Path, footage: tuple[Path, FakeStream, DiskRow]) -> FakeStream:
    """The camera and the disk stand in the catalog of `home`."""
    _, stream, row = footage
    camera = Camera(
        id=stream.camera,
        code="cam1",
        streams=(Stream(stream.stream, "main", "rtsp://127.0.0.1/1"),),
        created_ns=1,
        owner_kind=OwnerKind.STATE,
    )
    with Catalog(home) as catalog:
        catalog.add_camera(camera)
        catalog.enrol_disk(row)
    return stream


def at(stream: FakeStream, second: int) -> str:
    """An instant of what is recorded, from its first second on."""
    start_ns = stream.wall_ns - SECONDS * SECOND_NS
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=(start_ns + second * SECOND_NS) // 1000
    )
    return moment.isoformat()


def review(days: int = 30) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


WORDS = (
    *("--from", "-1m", "--to", "now", "--case", "1", "--officer", "An", "--reason", "why"),
    *("--review", review()),
)


def lock(home: Path, stream: FakeStream, first: int, last: int, *more: str) -> int:
    span = ("--from", at(stream, first), "--to", at(stream, last))
    texts = ("--case", "2026/17", "--officer", "Nguyễn Văn An", "--reason", "trộm ở hẻm 45")
    return vonggac(home, "lock", "add", "cam1", *span, *texts, "--review", review(), *more)


def lines(home: Path) -> list[tuple[str, str, str]]:
    """Action, object and result of what the audit chain says of locks."""
    events = [event for event in chain_of(home) if event["action"].startswith("lock")]
    return [(event["action"], event["object"], event["result"]) for event in events]


def test_a_lock_holds_whole_fragments_and_says_how_much(
    home: Path, box: FakeStream, capsys: pytest.CaptureFixture[str]
) -> None:
    # Every second chunk is a key frame: second 15 cannot be shown without 14, which ends a segment.
    assert lock(home, box, 15, 17, "--json") == 0
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert "does not stand in the audit chain" in told.err
    with Catalog(home, is_readonly=True) as catalog:
        (row,) = catalog.locks()
    start_ns = box.wall_ns - SECONDS * SECOND_NS
    (held,) = row.streams
    assert [(ns - start_ns) // SECOND_NS for ns in (held.from_ns, held.to_ns)] == [14, 18]
    assert (facts["lock"], facts["recorder"], facts["durable_on"]) == (1, False, [])

    assert vonggac(home, "lock", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    (one,), (disk,) = listed["locks"], listed["disks"]
    assert one["bytes"] == facts["segments"] * SEGMENT_BYTES
    assert disk["pinned_segments"] == facts["segments"] in (1, 2)
    assert (one["state"], one["overdue"], one["officer"]) == ("held", False, "Nguyễn Văn An")
    assert disk["quota_segments"] == disk["segments"] * 20 // 100


def test_what_goes_beyond_the_quota_is_refused_and_nothing_is_locked(
    home: Path, box: FakeStream, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.toml").write_text("[locks]\nquota_percent = 10\n")
    with audit_run(home):
        assert lock(home, box, 0, 5) == 0
        assert lock(home, box, 0, SECONDS) == 1
        assert "recording goes on" in capsys.readouterr().err
        # What lies in segments that are held already costs nothing.
        assert lock(home, box, 1, 4) == 0
    with Catalog(home, is_readonly=True) as catalog:
        assert [row.number for row in catalog.locks()] == [1, 2]
    assert [result for _, _, result in lines(home)] == [
        "done",
        "refused: beyond the quota",
        "done",
    ]


def test_what_is_still_to_come_counts_at_the_present_rate(home: Path, box: FakeStream) -> None:
    # An hour at 2 MB/s are 430 segments, and the disk has 26.
    span = ("--from", "-10s", "--to", (datetime.now(UTC) + timedelta(minutes=59)).isoformat())
    assert vonggac(home, "lock", "add", "cam1", *WORDS[4:], *span) == 1
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.locks() == []


def test_a_disk_that_is_away_does_not_keep_the_others_from_being_locked(
    home: Path, box: FakeStream, capsys: pytest.CaptureFixture[str]
) -> None:
    with Catalog(home) as catalog:
        catalog.enrol_disk(DiskRow(b"u" * 16, str(home / "unmounted"), 100, SEGMENT_BYTES, 2))
    assert lock(home, box, 0, 5) == 0
    told = capsys.readouterr()
    assert "unmounted could not be asked" in told.err
    assert "holds 1 segments" in told.out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(["add", "cam9"], 2, "--from", id="words-missing"),
        pytest.param(["remove", "1", "--reason", "x"], 1, "no lock 1", id="no-lock"),
        pytest.param(["confirm", "-1"], 1, "no lock -1", id="negative"),
        pytest.param(["confirm", "x"], 2, "LOCK", id="no-number"),
        pytest.param(["review", "1", "--until", "soon"], 2, "time", id="no-time"),
    ],
)
def test_what_is_no_lock_command_says_why(
    home: Path,
    box: FakeStream,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    says: str,
) -> None:
    assert vonggac(home, "lock", *words) == code
    told = capsys.readouterr().err
    assert says in told and "Traceback" not in told


def test_a_shell_asks_and_another_users_shell_confirms_each_with_its_line(
    home: Path, box: FakeStream, capsys: pytest.CaptureFixture[str]
) -> None:
    with audit_run(home):
        assert lock(home, box, 0, 5) == 0
        assert vonggac(home, "lock", "remove", "1", "--reason", "vụ án đã đóng") == 0
        assert vonggac(home, "lock", "confirm", "1") == 1
        assert "two people" in capsys.readouterr().err
        with Catalog(home) as catalog:
            locking = Locking(home, catalog, 20)
            other = local_person(os.getuid() + 1)
            gone, later = locking.confirm_unlock(1, other)
            assert (gone.is_held, later) == (False, [])
    me = f"local:{os.getuid()}"
    assert [(action, result) for action, _, result in lines(home)] == [
        ("lock add", "done"),
        ("lock remove", f"asked by {me}: vụ án đã đóng"),
        (
            "lock confirm",
            "refused: whoever asked cannot confirm: a lock is removed by two people",
        ),
        ("lock confirm", f"asked by {me}, confirmed by {other.name}"),
    ]
    assert all(target.startswith("lock 1: cam1 main, ") for _, target, _ in lines(home))
    assert vonggac(home, "lock", "list", "--all") == 0
    assert f"removed by {me} and {other.name}" in capsys.readouterr().out


def test_nothing_is_unlocked_unlogged(
    home: Path, box: FakeStream, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock(home, box, 0, 5) == 0
    assert vonggac(home, "lock", "remove", "1", "--reason", "x") == 1
    assert "audit run" in capsys.readouterr().err
    with audit_run(home):
        assert vonggac(home, "lock", "remove", "1", "--reason", "x") == 0
    with Catalog(home) as catalog:
        with pytest.raises(Unavailable, match="unlogged"):
            Locking(home, catalog, 20).confirm_unlock(1, local_person(os.getuid() + 1))
        with pytest.raises(Unavailable, match="unlogged"):
            Locking(home, catalog, 20).review(1, time.time_ns() + SECOND_NS, local_person(1))
        (row,) = catalog.locks()
    assert row.is_held


def enrol(home: Path, name: str, role: Role, password: str) -> Account:
    row = Account(name.encode().ljust(16, b"."), name, role, CHEAP.hash(password), 1)
    with Catalog(home) as catalog:
        catalog.add_account(row)
    return row


def test_where_people_are_enrolled_both_give_their_own_password(
    home: Path, box: FakeStream, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    login = tmp_path / "login"

    def as_(name: str, password: str, *words: str) -> int:
        login.write_text(f"{name}\n{password}\n")
        return vonggac(home, "lock", *words, "--credentials-file", str(login))

    an = enrol(home, "Nguyễn Văn An", Role.COMMANDER, "con ngựa đúng")
    binh = enrol(home, "Bình", Role.DETECTIVE, "cái bàn là xanh")
    remove = ("remove", "1", "--reason", "x")
    with audit_run(home):
        assert lock(home, box, 0, 5) == 0
        assert vonggac(home, "lock", *remove) == 2  # no terminal, no file
        assert as_("Bình", "con ngựa đúng", *remove) == 1
        assert as_("nobody", "con ngựa đúng", *remove) == 1
        told = capsys.readouterr().err
        assert "wrong" in told and "ngựa" not in told
        assert as_("bình", "cái bàn là xanh", *remove) == 0
        assert as_("Bình", "cái bàn là xanh", "confirm", "1") == 1
        assert as_("Nguyễn Văn An", "con ngựa đúng", "confirm", "1") == 0
    results = [result for _, _, result in lines(home)]
    assert results[1:4] == [
        "refused: wrong password",
        "refused: unknown name",
        f"asked by {binh.id.hex()}: x",
    ]
    assert results[-1] == f"asked by {binh.id.hex()}, confirmed by {an.id.hex()}"
    assert "ngựa" not in (home / "audit" / "log.jsonl").read_text()


def test_a_review_is_put_off_with_a_line(home: Path, box: FakeStream) -> None:
    with audit_run(home):
        assert lock(home, box, 0, 5) == 0
        assert vonggac(home, "lock", "review", "1", "--until", review(60)) == 0
        assert vonggac(home, "lock", "review", "1", "--until", review(91)) == 2
    assert [action for action, _, _ in lines(home)] == ["lock add", "lock review"]


def test_a_lock_outlives_its_camera_and_is_removed_without_it(home: Path, box: FakeStream) -> None:
    with audit_run(home):
        assert lock(home, box, 0, 5) == 0
        assert vonggac(home, "camera", "remove", "cam1") == 0
        assert vonggac(home, "lock", "remove", "1", "--reason", "x") == 0
    with Catalog(home, is_readonly=True) as catalog:
        (row,) = catalog.locks()
    assert (row.code, row.is_held) == ("cam1", True)


def test_footage_of_a_camera_that_was_removed_can_still_be_locked(
    home: Path, box: FakeStream, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vonggac(home, "camera", "remove", "cam1") == 0
    assert vonggac(home, "camera", "add", "cam1", "--url", "rtsp://127.0.0.1/new") == 0
    capsys.readouterr()
    assert lock(home, box, 0, 5, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["segments"] == 1
    assert [stream["name"] for stream in facts["streams"]] == ["main", "main"]
    with Catalog(home, is_readonly=True) as catalog:
        (row,) = catalog.locks()
        camera = catalog.camera("cam1")
    assert camera is not None
    assert [stream.id for stream in row.streams] == [camera.streams[0].id, box.stream]
    assert vonggac(home, "lock", "add", "cam7", *WORDS) == 1
    assert "no camera cam7" in capsys.readouterr().err


def test_a_lock_that_only_a_disk_knows_is_adopted_and_can_be_removed(
    home: Path,
    box: FakeStream,
    footage: tuple[Path, FakeStream, DiskRow],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "disk"
    identity = format_disk(path, 200 << 20, BOX, SEGMENT_BYTES)
    start_ns = box.wall_ns - 10 * SECOND_NS
    held = journal.Lock(b"u" * 16, box.stream, start_ns, start_ns + SECOND_NS)
    bench = Bench.open(path)
    bench.ring.hold((held, journal.Lock(b"v" * 16, b"gone" * 4, 5, 6)))
    bench.tick()
    bench.crash()
    with Catalog(home) as catalog:
        catalog.enrol_disk(DiskRow(identity.disk, str(path), identity.segments, SEGMENT_BYTES, 2))
    with audit_run(home):
        assert vonggac(home, "lock", "adopt") == 0
        assert "cam1 main" in capsys.readouterr().out
        assert vonggac(home, "lock", "adopt") == 0
        assert "knows every lock" in capsys.readouterr().out
        assert vonggac(home, "lock", "remove", "1", "--reason", "x") == 0
    with Catalog(home, is_readonly=True) as catalog:
        rows = catalog.locks()
    assert [(row.number, row.id, row.code) for row in rows] == [
        (1, b"u" * 16, "cam1"),
        (2, b"v" * 16, "unknown"),
    ]
    assert (rows[0].from_ns, rows[0].to_ns) == (held.from_ns, held.to_ns)
    assert [action for action, _, _ in lines(home)] == ["lock adopt", "lock adopt", "lock remove"]


def test_a_disk_with_locked_footage_is_not_formatted_anew(
    home: Path, footage: tuple[Path, FakeStream, DiskRow], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(footage[0])
    assert vonggac(home, "disk", "format", path, "--size", "450M") == 78
    assert "nothing was changed" in capsys.readouterr().err


def test_who_asked_for_nothing_cannot_be_confirmed(home: Path, box: FakeStream) -> None:
    with audit_run(home):
        assert lock(home, box, 0, 5) == 0
        with Catalog(home) as catalog, pytest.raises(Refused, match="nobody has asked"):
            Locking(home, catalog, 20).confirm_unlock(1, local_person(7))
