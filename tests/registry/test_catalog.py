"""The catalog on a real LMDB."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import lmdb
import msgspec
import pytest

from vonggac.errors import ConfigError, Refused, StorageError
from vonggac.registry.camera import (
    AdminState,
    Basis,
    Camera,
    Hours,
    Identity,
    Mode,
    OwnerKind,
    Stream,
    Uplink,
)
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.registry.locks import Lock, LockedStream, Unlock
from vonggac.registry.people import Account, Role

FULL = Camera(
    id=bytes(range(16)),
    code="cam1",
    streams=(Stream(bytes(16), "main", "rtsp://10.0.0.9/1"),),
    created_ns=1,
    point="ngã ba chợ",
    area="tổ 3",
    owner_kind=OwnerKind.HOUSEHOLD,
    uplink=Uplink.HOUSEHOLD_WIFI,
    admin_state=AdminState.PAUSED,
    admin_state_by="local:0",
    admin_state_ns=2,
    purpose="an ninh trật tự",
    basis=Basis(Mode.RECORDED, 3, 4, (Hours(60, 120),), 420, 7, True, "12/TT"),
    identity=Identity(bytes(32), 5, "SN1"),
)
PLAIN = Camera(id=b"p" * 16, code="a", streams=(), created_ns=0)


def test_a_row_comes_back_as_it_was_written(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(FULL, b"sealed")
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.camera("cam1") == catalog.camera_by_id(FULL.id) == FULL
        assert [catalog.camera_by_id(no_id) for no_id in (b"", b"x", bytes(600))] == [None] * 3
        assert catalog.sealed_credentials(FULL.id) == b"sealed"


def test_cameras_are_listed_by_code(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(FULL)
        catalog.add_camera(PLAIN)
        assert [row.code for row in catalog.cameras()] == ["a", "cam1"]


def test_a_code_is_taken_once_and_a_refusal_changes_nothing(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(FULL)
        before = catalog.changes
        with pytest.raises(Refused, match="cam1 exists"):
            catalog.add_camera(msgspec.structs.replace(FULL, id=b"x" * 16), b"secret")
        with pytest.raises(Refused, match="id exists"):
            catalog.add_camera(msgspec.structs.replace(FULL, code="other"))
        assert catalog.camera("other") is None
        assert catalog.sealed_credentials(b"x" * 16) is None
        assert catalog.changes == before


def test_every_write_is_seen_in_the_counter(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(PLAIN)
        first = catalog.changes
        catalog.change_camera(msgspec.structs.replace(PLAIN, point="cổng trường"))
        assert catalog.changes == first + 1
        assert catalog.camera("a") == msgspec.structs.replace(PLAIN, point="cổng trường")


def test_removing_a_camera_forgets_its_password(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(FULL, b"sealed")
        assert catalog.remove_camera("cam1") == FULL
        assert catalog.cameras() == []
        assert catalog.sealed_credentials(FULL.id) is None
        with pytest.raises(Refused, match="no camera"):
            catalog.remove_camera("cam1")


def test_a_camera_that_is_not_there_cannot_be_changed(home: Path) -> None:
    with Catalog(home) as catalog, pytest.raises(Refused):
        catalog.change_camera(FULL)


def test_the_box_keeps_its_id(home: Path) -> None:
    with Catalog(home) as catalog:
        box_id = catalog.box_id
    with Catalog(home) as catalog:
        assert catalog.box_id == box_id
    assert len(box_id) == 16


def test_a_disk_is_enrolled_once_and_may_move(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.enrol_disk(DiskRow(b"u" * 16, "/a", 10, 1 << 25, 1))
        catalog.enrol_disk(DiskRow(b"u" * 16, "/b", 10, 1 << 25, 1))
        assert [disk.path for disk in catalog.disks()] == ["/b"]
        catalog.forget_disk(b"u" * 16)
        assert catalog.disks() == []


AN = Account(b"n" * 16, "Nguyễn Văn An", Role.COMMANDER, "$argon2id$", 1)
BINH = Account(b"b" * 16, "Bình", Role.AREA_OFFICER, "$argon2id$", 2, ("tổ 3",))


def test_people_come_back_as_they_were_written_by_name(home: Path) -> None:
    with Catalog(home) as catalog:
        assert not catalog.has_people()
        catalog.add_account(AN)
        catalog.add_account(BINH)
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.has_people()
        assert catalog.people() == [BINH, AN]
        assert catalog.account(BINH.id) == catalog.account_named(" BÌNH ") == BINH
        assert catalog.account(b"x" * 16) is catalog.account_named("Chi") is None


def test_a_persons_name_is_taken_once_and_a_refusal_changes_nothing(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_account(AN)
        before = catalog.changes
        for row in (
            msgspec.structs.replace(BINH, name="NGUYỄN VĂN AN"),
            msgspec.structs.replace(BINH, id=AN.id),
        ):
            with pytest.raises(Refused):
                catalog.add_account(row)
        with pytest.raises(Refused, match="first person"):
            catalog.add_account(BINH, is_first=True)
        assert catalog.people() == [AN]
        assert catalog.changes == before


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_catalog_is_for_its_owner_to_write(home: Path) -> None:
    Catalog(home).close()
    assert mode_of(home / "catalog" / "data.mdb") & 0o037 == 0
    assert mode_of(home / "catalog" / "lock.mdb") == 0o660


def test_a_catalog_in_a_directory_of_its_group_is_for_the_group_to_write(home: Path) -> None:
    """The page writes what root has made: both directories and group come from tmpfiles.d."""
    group, page = 54_321, 54_322
    directory = home / "catalog"
    directory.mkdir()
    if os.geteuid() != 0:
        directory.chmod(0o2770)
        Catalog(home).close()
        assert mode_of(directory / "data.mdb") == 0o660
        return
    home.chmod(0o755)
    os.chown(directory, 0, group)
    directory.chmod(0o2770)
    with Catalog(home) as catalog:
        catalog.add_account(AN)
    assert mode_of(directory / "data.mdb") == 0o660
    child = os.fork()
    if child == 0:  # as a member of the group, and nobody else
        with contextlib.suppress(BaseException):
            os.chdir(home)  # the directories above are root's own
            os.setgroups([group])
            os.setgid(page)
            os.setuid(page)
            with Catalog(Path(".")) as catalog:
                catalog.add_account(BINH)
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.people() == [BINH, AN]


def test_a_missing_catalog_is_said_to_be_missing(home: Path) -> None:
    with pytest.raises(ConfigError, match="no catalog"):
        Catalog(home, is_readonly=True)
    assert not (home / "catalog").exists()


@pytest.mark.parametrize("is_readonly", [False, True])
def test_a_newer_format_is_refused(home: Path, is_readonly: bool) -> None:
    Catalog(home).close()
    env = lmdb.open(str(home / "catalog"), max_dbs=8)
    with env.begin(write=True) as txn:
        txn.put(b"format", (2).to_bytes(2, "big"), db=env.open_db(b"meta", txn=txn))
    env.close()
    with pytest.raises(ConfigError, match="format 2"):
        Catalog(home, is_readonly=is_readonly)


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        pytest.param(b"\x00\x02\x80", ConfigError, "version 2", id="newer"),
        pytest.param(b"\x00\x01\x80", StorageError, "damaged", id="fields-missing"),
        pytest.param(b"", StorageError, "damaged", id="empty"),
    ],
)
def test_a_row_that_cannot_be_read_is_an_error(
    home: Path, raw: bytes, error: type[Exception], words: str
) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(FULL)
    env = lmdb.open(str(home / "catalog"), max_dbs=8)
    with env.begin(write=True) as txn:
        txn.put(FULL.id, raw, db=env.open_db(b"cameras", txn=txn))
    env.close()
    with Catalog(home) as catalog, pytest.raises(error, match=words):
        catalog.cameras()


def test_two_processes_write_in_turn(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from vonggac.registry.catalog import Catalog\n"
        "from vonggac.registry.camera import Camera\n"
        "with Catalog(Path(sys.argv[1])) as c:\n"
        "    for n in range(20):\n"
        "        name = f'{sys.argv[2]}{n}'\n"
        "        key = name.encode().ljust(16)\n"
        "        c.add_camera(Camera(id=key, code=name, streams=(), created_ns=0))"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(home), name], env=os.environ)
        for name in "xy"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with Catalog(home, is_readonly=True) as catalog:
        assert len(catalog.cameras()) == 40


def test_a_home_without_room_is_said_and_kills_nobody(tmp_path: Path) -> None:
    """LMDB maps its lock file: on a full file system that was a SIGBUS."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    home = tmp_path / "home"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(home)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        with contextlib.suppress(OSError):
            (home / "full").write_bytes(bytes(1 << 20))
        code = (
            "import sys; from pathlib import Path; from vonggac.errors import StorageError\n"
            "from vonggac.registry.catalog import Catalog\n"
            "try: Catalog(Path(sys.argv[1]))\n"
            "except StorageError as error: print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "No space left" in done.stdout
    finally:
        subprocess.run(["umount", str(home)], check=True)


LOCK = Lock(
    id=b"l" * 16,
    number=1,
    camera=FULL.id,
    code="cam1",
    streams=(LockedStream(bytes(16), "main", 10, 20),),
    from_ns=11,
    to_ns=19,
    case="2026/17",
    officer="An",
    reason="trộm",
    review_ns=99,
    made_by="local:0",
    made_ns=5,
    unlock=Unlock("closed", "local:0", "local", 6),
)


def test_a_lock_comes_back_as_it_was_written_and_outlives_its_camera(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(FULL)
        assert catalog.add_lock(LOCK, 0)
        catalog.remove_camera("cam1")
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.locks() == [LOCK]
        assert catalog.lock(1) == LOCK
        assert catalog.lock(2) is None


def test_two_who_counted_against_the_same_quota_are_not_both_taken(home: Path) -> None:
    with Catalog(home) as catalog:
        assert catalog.add_lock(LOCK, 0)
        before = catalog.changes
        assert not catalog.add_lock(msgspec.structs.replace(LOCK, number=2, id=b"2" * 16), 0)
        assert not catalog.add_lock(LOCK, 1)
        assert [lock.number for lock in catalog.locks()] == [1]
        assert catalog.add_lock(msgspec.structs.replace(LOCK, number=2, id=b"2" * 16), 1)
        assert catalog.changes > before


def test_a_lock_that_somebody_else_changed_is_not_changed_blindly(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_lock(LOCK, 0)
        put_off = msgspec.structs.replace(LOCK, review_ns=200)
        catalog.change_lock(LOCK, put_off)
        with pytest.raises(Refused, match="changed meanwhile"):
            catalog.change_lock(LOCK, msgspec.structs.replace(LOCK, unlock=None))
        assert catalog.lock(1) == put_off


def test_locks_are_as_many_as_a_journal_has_room_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.registry.catalog.HELD_MAX", 1)
    with Catalog(home) as catalog:
        catalog.add_lock(LOCK, 0)
        with pytest.raises(Refused, match="may not be more"):
            catalog.add_lock(msgspec.structs.replace(LOCK, number=2), 1)
