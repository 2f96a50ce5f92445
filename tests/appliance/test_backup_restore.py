"""A home made from a backup: what is written, what is refused, what the audit chain says of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_rig import audit_run, chain_of, vonggac
from vonggac.errors import ConfigError, Refused, StorageError, Unavailable
from vonggac.evidence import chain
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.rtsp.url import Credentials
from vonggac.store import backup_slot
from vonggac_appliance import (
    audit_client,
    audit_reading,
    backup_archive,
    backup_make,
    backup_restore,
    kept_rows,
    learnt_store,
    secrets,
)
from vonggac_appliance import backup_seal as seals
from vonggac_appliance.backup_make import BackupSources
from vonggac_appliance.messages_audit import AuditAppend

NOW_NS = 1_790_000_000_000_000_000
ROOM_BYTES = 4 << 20
CAMERA = bytes(range(16))


@dataclass(frozen=True, slots=True)
class Old:
    """A home that a backup was made of, and the backup."""

    home: Path
    box: bytes
    key: str
    sealed_password: bytes
    opened: backup_restore.Opened
    first: backup_restore.Found
    """What `opened` was opened from; with the log, whose writer has ended since."""

    @property
    def sealed(self) -> backup_restore.Found:
        return make(self.home, self.key)


def make(home: Path, key: str, room_bytes: int = ROOM_BYTES) -> backup_restore.Found:
    with Catalog(home) as catalog:
        sources = BackupSources(home, catalog.box_id, catalog.copy_to)
        return backup_restore.Found(backup_make.make(sources, room_bytes, NOW_NS), NOW_NS)


@pytest.fixture
def old(tmp_path: Path) -> Old:
    home = tmp_path / "old"
    home.mkdir()
    key, public = seals.new_key()
    seals.keep_public(home, public, replaces=False)
    password = secrets.seal(secrets.ensure_record_key(home), CAMERA, Credentials("admin", "bí mật"))
    (home / "config.toml").write_text("[locks]\nquota_percent = 10\n")
    with audit_run(home), Catalog(home) as catalog:
        box = catalog.box_id
        for number in range(5):
            audit_client.append(home, AuditAppend("clock confirm", f"line {number}", None, "done"))
        audit_client.send_list(home, "tombstones", ['{"disk":"00"}'])
        sources = BackupSources(home, box, catalog.copy_to)
        sealed = backup_make.make(sources, ROOM_BYTES, NOW_NS)
    found = backup_restore.Found(sealed, NOW_NS)
    return Old(home, box, key, password, backup_restore.unlock(found, seals.key_of(key)), found)


def test_keys_configuration_and_box_are_those_of_before(old: Old, tmp_path: Path) -> None:
    new = tmp_path / "new"
    done = backup_restore.restore(new, old.opened, NOW_NS)
    assert (done.cameras, done.people, done.disks, done.notes) == (0, 0, (), ())
    with Catalog(new) as catalog:
        assert catalog.box_id == old.box
    for name in ("keys/record.key", "keys/record.pub", "keys/receipt.key", "keys/backup.pub"):
        before, after = old.home / name, new / name
        assert after.read_bytes() == before.read_bytes(), name
        assert after.stat().st_mode == before.stat().st_mode, name
    private = secrets.record_private_key(new)
    assert secrets.open_sealed(private, CAMERA, old.sealed_password).password == "bí mật"
    assert (new / "config.toml").read_text() == (old.home / "config.toml").read_text()


def test_what_is_no_business_of_a_backup_is_not_in_it(old: Old) -> None:
    (old.home / "serve").mkdir()
    (old.home / "serve" / "data.mdb").write_text("sessions")
    opened = backup_restore.unlock(old.sealed, seals.key_of(old.key))
    assert opened.files.keys() == old.opened.files.keys()
    assert old.opened.files.keys() == {
        "catalog/data.mdb",
        "keys/record.key",
        "keys/receipt.key",
        "keys/backup.pub",
        "config.toml",
    }


def with_learnt(old: Old, packed: bytes) -> backup_restore.Opened:
    return replace(old.opened, files={**old.opened.files, backup_archive.LEARNT: packed})


def test_what_was_learnt_about_cameras_is_in_a_backup_and_comes_back(
    old: Old, tmp_path: Path
) -> None:
    row = learnt_store.LearntRow(login="Digest MD5", certificate=b"c" * 32)
    store = learnt_store.LearntStore(old.home)
    store.written[CAMERA] = row
    with Catalog(old.home) as catalog:
        sources = BackupSources(old.home, old.box, catalog.copy_to, store.packed)
        sealed = backup_make.make(sources, ROOM_BYTES, NOW_NS)
    store.close()
    found = backup_restore.Found(sealed, NOW_NS)
    opened = backup_restore.unlock(found, seals.key_of(old.key))
    new = tmp_path / "new"
    assert backup_restore.restore(new, opened, NOW_NS).notes == (
        "the audit chain was not in the backup: it begins anew",
    )
    assert learnt_store.read_stopped(new) == {CAMERA: row}


def test_what_was_learnt_since_the_backup_is_kept(old: Old) -> None:
    newer, older = learnt_store.LearntRow(login="Digest SHA-256"), learnt_store.LearntRow()
    for row in (older, newer):
        kept_rows.write_rows(old.home / "learnt", {CAMERA: learnt_store.encode(row)})
    (old.home / "catalog" / "data.mdb").rename(old.home / "damaged")
    packed = msgspec.msgpack.encode({CAMERA: learnt_store.encode(older)})
    backup_restore.restore(old.home, with_learnt(old, packed), NOW_NS)
    assert learnt_store.read_stopped(old.home) == {CAMERA: newer}


def test_a_box_comes_back_without_what_was_learnt_where_that_is_damaged(
    old: Old, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    done = backup_restore.restore(new, with_learnt(old, b"\xff"), NOW_NS)
    assert [note for note in done.notes if "learnt anew" in note]


def test_the_chain_goes_on_with_a_line_that_says_what_happened(old: Old, tmp_path: Path) -> None:
    new = tmp_path / "new"
    backup_restore.restore(new, old.opened, NOW_NS)
    log = (old.home / "audit" / "log.jsonl").read_bytes()
    assert (new / "audit" / "log.jsonl").read_bytes().startswith(log), "byte for byte"
    line = chain_of(new)[-1]
    assert (line["action"], line["n"], line["first"]) == ("restore", log.count(b"\n") + 1, 1)
    with audit_run(new):
        audit_client.append(new, AuditAppend("clock confirm", "clock", None, "done"))
    found = audit_reading.verify_home(new)
    assert [problem.line for problem in found.problems] == [line["n"]]
    assert "1 lists of the ledger" in found.problems[0].what


def test_a_log_that_outlived_the_catalog_keeps_its_lines(old: Old) -> None:
    """Written after the backup, by the same box."""
    with audit_run(old.home):
        audit_client.append(old.home, AuditAppend("clock confirm", "after", None, "done"))
    before = chain_of(old.home)
    (old.home / "catalog" / "data.mdb").rename(old.home / "damaged")
    backup_restore.restore(old.home, old.opened, NOW_NS)
    *lines, last = chain_of(old.home)
    assert lines == before and (last["n"], last["first"]) == (len(before) + 1, 1)
    (problem,) = audit_reading.verify_home(old.home).problems
    assert "the log went on, and 0 lists of the ledger" in problem.what


def test_what_is_altered_after_a_restore_is_found_as_before(old: Old, tmp_path: Path) -> None:
    new = tmp_path / "new"
    backup_restore.restore(new, old.opened, NOW_NS)
    log = new / "audit" / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"line 3", b"line 9"))
    assert len(audit_reading.verify_home(new).problems) > 1


def test_lines_that_did_not_fit_are_told(old: Old, tmp_path: Path) -> None:
    with audit_run(old.home):
        for number in range(200):
            text = f"{number}{os.urandom(200).hex()}"
            audit_client.append(old.home, AuditAppend("clock confirm", text, None, "done"))
        found = make(old.home, old.key, room_bytes=48 << 10)
    assert len(found.sealed) <= 48 << 10
    opened = backup_restore.unlock(found, seals.key_of(old.key))
    state = opened.manifest.audit
    assert state is not None and 1 < state.tail_from <= state.lines
    new = tmp_path / "new"
    backup_restore.restore(new, opened, NOW_NS)
    problems = audit_reading.verify_home(new).problems
    assert f"lines 1 to {state.tail_from - 1} were dropped" in problems[0].what
    assert "restored from a backup" in problems[-1].what
    point = chain.Checkpoint(state.lines - state.tail_from + 1, state.head)
    assert len(audit_reading.verify_home(new, [point]).problems) == len(problems)


def test_without_the_chain_it_begins_anew_and_says_so(old: Old, tmp_path: Path) -> None:
    opened = backup_restore.unlock(old.sealed, seals.key_of(old.key))
    assert opened.manifest.audit is None, "`audit run` was down"
    new = tmp_path / "new"
    done = backup_restore.restore(new, opened, NOW_NS)
    assert "the audit chain was not in the backup" in done.notes[0]
    (line,) = chain_of(new)
    assert (line["n"], line["known"]) == (1, False)


def contents_of(home: Path) -> dict[Path, bytes]:
    """Without LMDB's lock file: to look at a catalog leaves a trace in it."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "lock.mdb")
    return {path: path.read_bytes() for path in files}


def test_a_home_with_a_catalog_is_left_alone(old: Old) -> None:
    with Catalog(old.home) as catalog:
        catalog.enrol_disk(DiskRow(bytes(16), "/srv/vonggac/disk1", 10, 16 << 20, NOW_NS))
    before = contents_of(old.home)
    with pytest.raises(Refused, match=r"nothing was changed.*move .*data\.mdb away"):
        backup_restore.restore(old.home, old.opened, NOW_NS)
    assert contents_of(old.home) == before


def test_what_is_in_the_way_is_kept_beside(old: Old, home: Path) -> None:
    (home / "config.toml").write_text("# mine\n")
    with audit_run(home):
        audit_client.append(home, AuditAppend("clock confirm", "clock", None, "done"))
    done = backup_restore.restore(home, old.opened, NOW_NS)
    assert (home / "config.toml.before-restore").read_text() == "# mine\n"
    assert (home / "audit" / "log.jsonl.before-restore").exists()
    assert (home / "keys" / "receipt.key.before-restore").exists()
    assert any("config.toml was there before" in note for note in done.notes)


def test_a_catalog_that_knows_nothing_gives_way(old: Old, home: Path) -> None:
    """The page makes one when a box was installed anew and its services ran."""
    with Catalog(home) as catalog:
        fresh = catalog.box_id
    done = backup_restore.restore(home, old.opened, NOW_NS)
    assert [note for note in done.notes if "data.mdb.before-restore" in note]
    with Catalog(home) as catalog:
        assert catalog.box_id == old.box != fresh


def test_a_catalog_that_is_damaged_is_left_to_a_person(old: Old, home: Path) -> None:
    (home / "catalog").mkdir()
    (home / "catalog" / "data.mdb").write_bytes(b"nonsense" * 1000)
    with pytest.raises(Refused, match="nothing was changed"):
        backup_restore.restore(home, old.opened, NOW_NS)
    assert not (home / "keys").exists()


def test_a_catalog_that_a_program_has_open_is_not_replaced(old: Old, home: Path) -> None:
    code = "import sys; from pathlib import Path; from vonggac.registry.catalog import Catalog\n"
    code += "with Catalog(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    page = subprocess.Popen(
        [sys.executable, "-c", code, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert page.stdout is not None and page.stdout.readline() == "open\n"
    with pytest.raises(Unavailable, match="the page or another command"):
        backup_restore.restore(home, old.opened, NOW_NS)
    assert not (home / "keys").exists()
    page.communicate(timeout=60)
    backup_restore.restore(home, old.opened, NOW_NS)


def test_an_interrupted_restore_is_done_again(old: Old, home: Path) -> None:
    backup_restore.restore(home, old.opened, NOW_NS)
    (home / "catalog" / "data.mdb").unlink()  # it comes last
    (home / "catalog" / ".data.mdb.restore").write_bytes(b"half")
    backup_restore.restore(home, old.opened, NOW_NS + 60_000_000_000)
    assert [line["kept"] for line in chain_of(home) if line["action"] == "restore"] == [False, True]
    assert len(audit_reading.verify_home(home).problems) == 2, "one for each"
    assert not list(home.rglob("*.restore"))


def test_a_log_that_is_sealed_to_another_key_keeps_nobody_from_the_rest(
    old: Old, tmp_path: Path
) -> None:
    """The key was replaced between the two seals."""
    manifest, files = backup_archive.unpack(seals.unseal(old.first.sealed, seals.key_of(old.key)))
    files[backup_archive.AUDIT_TAIL] = seals.seal(b"", seals.recipient(seals.new_key()[1]))
    mixed = seals.seal(
        backup_archive.pack(manifest, files),
        seals.recipient(str(seals.key_of(old.key).to_public())),
    )
    opened = backup_restore.unlock(backup_restore.Found(mixed, None), seals.key_of(old.key))
    done = backup_restore.restore(tmp_path / "new", opened, NOW_NS)
    assert "the log in the backup cannot be opened" in done.notes[0]
    state = opened.manifest.audit
    assert state is not None
    (line,) = chain_of(tmp_path / "new")
    assert (line["n"], line["first"]) == (state.lines + 1, state.lines + 1)


def test_a_disk_whose_identity_is_damaged_gives_its_backup(
    old: Old, home: Path, tmp_path: Path
) -> None:
    place = tmp_path / "disk"
    assert vonggac(home, "disk", "format", str(place), "--size=160M", "--segment-size=16M") == 0
    fd = seals.in_memory(old.first.sealed)
    with (place / "backup").open("r+b") as file:
        backup_slot.write(file.fileno(), bytes(16), old.box, NOW_NS, fd, lambda _size: None)
    os.close(fd)
    (place / "vonggac-disk.json").write_text("{")
    assert backup_restore.find(place).sealed == old.first.sealed


def test_a_home_in_use_is_refused(old: Old, home: Path) -> None:
    with audit_run(home), pytest.raises(Unavailable, match="audit run` runs in"):
        backup_restore.restore(home, old.opened, NOW_NS)
    assert not (home / "catalog").exists()


def test_a_catalog_of_another_box_makes_no_home(old: Old, tmp_path: Path) -> None:
    with Catalog(tmp_path / "third") as other:
        fd = os.memfd_create("catalog")
        other.copy_to(fd)
        files = dict(old.opened.files) | {"catalog/data.mdb": os.pread(fd, 1 << 20, 0)}
        os.close(fd)
    wrong = backup_restore.Opened(old.opened.manifest, files, old.opened.lines)
    with pytest.raises(ConfigError, match="another box's"):
        backup_restore.restore(tmp_path / "new", wrong, NOW_NS)
    assert not (tmp_path / "new" / "catalog" / "data.mdb").exists()


def test_a_catalog_that_is_none_makes_no_home(old: Old, tmp_path: Path) -> None:
    files = dict(old.opened.files) | {"catalog/data.mdb": b"nonsense" * 1000}
    wrong = backup_restore.Opened(old.opened.manifest, files, old.opened.lines)
    with pytest.raises((ConfigError, StorageError)):
        backup_restore.restore(tmp_path / "new", wrong, NOW_NS)
    assert not (tmp_path / "new" / "catalog" / "data.mdb").exists()


def test_a_log_that_does_not_end_where_it_says_is_told(old: Old, tmp_path: Path) -> None:
    """The home's own disk had lost a bit of it: the rest comes back, and `audit verify` says so."""
    lines = old.opened.lines.replace(b"line 4", b"line 5")
    assert lines != old.opened.lines
    wrong = backup_restore.Opened(old.opened.manifest, old.opened.files, lines)
    whole = backup_restore.restore(tmp_path / "whole", old.opened, NOW_NS)
    done = backup_restore.restore(tmp_path / "new", wrong, NOW_NS)
    assert (done.cameras, whole.notes) == (whole.cameras, ())
    before = len(audit_reading.verify_home(tmp_path / "whole").problems)
    assert len(audit_reading.verify_home(tmp_path / "new").problems) > before


def test_the_key_of_a_camera_password_that_cannot_be_read_stops_the_backup(old: Old) -> None:
    (old.home / "keys" / "record.key").write_bytes(
        X25519PrivateKey.generate().private_bytes_raw()[:-1]
    )
    with pytest.raises(ConfigError, match=r"record.key is no key"):
        make(old.home, old.key)
