"""What a backup is packed in and sealed with."""

from __future__ import annotations

import fcntl
import gzip
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from vonggac.errors import ConfigError, Refused
from vonggac_appliance import backup_archive, backup_seal
from vonggac_appliance.backup_archive import AuditState, Manifest

MANIFEST = Manifest(
    format=1,
    box="00" * 16,
    made_ns=1_790_000_000_000_000_000,
    made="2026-09-21T20:13:20.000+07:00",
    program="0.1.0",
    files={},
    audit=AuditState(7, "ab" * 32, 3),
)
FILES = {"catalog/data.mdb": os.urandom(9000), "config.toml": b"[locks]\n"}


def test_only_the_recovery_key_opens_what_is_sealed(home: Path) -> None:
    private, public = backup_seal.new_key()
    assert backup_seal.keep_public(home, public, replaces=False)
    kept = backup_seal.public_of(home)
    assert kept == public
    sealed = backup_seal.seal(b"nobody reads this", backup_seal.recipient(kept))
    assert backup_seal.is_sealed(sealed) and b"nobody" not in sealed
    assert backup_seal.unseal(sealed, backup_seal.key_of(private)) == b"nobody reads this"
    other, _ = backup_seal.new_key()
    with pytest.raises(Refused, match="does not open this backup"):
        backup_seal.unseal(sealed, backup_seal.key_of(other))
    held = [path.read_bytes() for path in (home / "keys").iterdir()]
    assert not any(private.encode() in data for data in held), "the box keeps no private half"


def test_a_key_is_typed_in_any_case_and_with_any_spaces() -> None:
    private, public = backup_seal.new_key()
    typed = f"  {private[:20].lower()} {private[20:]}\n"
    assert str(backup_seal.key_of(typed).to_public()) == public


@pytest.mark.parametrize("text", ["", "AGE-SECRET-KEY-1", "a password", "\ufffd" * 74])
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Refused, match="this is no recovery key") as caught:
        backup_seal.key_of(text)
    assert not text.strip() or text not in str(caught.value).replace("AGE-SECRET-KEY-1 and", "")


def test_a_key_with_a_wrong_letter_is_noticed_before_anything_is_opened() -> None:
    private, _ = backup_seal.new_key()
    wrong = private[:30] + ("Q" if private[30] != "Q" else "P") + private[31:]
    with pytest.raises(Refused, match="this is no recovery key"):
        backup_seal.key_of(wrong)


def test_a_flipped_bit_of_what_is_sealed_opens_nothing() -> None:
    private, public = backup_seal.new_key()
    sealed = bytearray(backup_seal.seal(bytes(200_000), backup_seal.recipient(public)))
    sealed[-70_000] ^= 1
    with pytest.raises(Refused, match="or it is damaged"):
        backup_seal.unseal(bytes(sealed), backup_seal.key_of(private))


def test_a_key_is_replaced_only_on_purpose(home: Path) -> None:
    (_, first), (_, second) = backup_seal.new_key(), backup_seal.new_key()
    assert backup_seal.keep_public(home, first, replaces=False)
    assert not backup_seal.keep_public(home, second, replaces=False)
    assert backup_seal.public_of(home) == first
    assert backup_seal.keep_public(home, second, replaces=True)
    assert backup_seal.public_of(home) == second


def test_a_damaged_public_half_is_a_persons_business(home: Path) -> None:
    assert backup_seal.public_of(home) is None
    (home / "keys").mkdir()
    (home / "keys" / "backup.pub").write_bytes(b"age1\xff\n")
    public = backup_seal.public_of(home)
    assert public is not None
    with pytest.raises(ConfigError, match="vonggac backup key --replace"):
        backup_seal.recipient(public)


def test_what_lies_in_memory_cannot_be_changed_any_more() -> None:
    fd = backup_seal.in_memory(b"sealed")
    assert os.pread(fd, 100, 0) == b"sealed"
    with pytest.raises(PermissionError):
        os.pwrite(fd, b"x", 0)
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 0)
    with pytest.raises(PermissionError):
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    os.close(fd)


def test_an_archive_comes_back_with_its_manifest() -> None:
    manifest, files = backup_archive.unpack(backup_archive.pack(MANIFEST, FILES))
    assert files == FILES
    assert msgspec.structs.replace(manifest, files={}) == MANIFEST
    assert manifest.files.keys() == FILES.keys()


def test_any_tar_reads_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(backup_archive.pack(MANIFEST, FILES))) as tar:
        assert tar.getnames() == ["manifest.json", *FILES]
        file = tar.extractfile("config.toml")
        assert file is not None and file.read() == b"[locks]\n"


def altered(change: Callable[[dict[str, bytes]], None]) -> bytes:
    """An archive whose members were changed behind the manifest's back."""
    packed = backup_archive.pack(MANIFEST, FILES)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        members = {m.name: getattr(tar.extractfile(m), "read")() for m in tar}  # noqa: B009
    change(members)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda m: m.pop("manifest.json"), "no manifest", id="no-manifest"),
        pytest.param(lambda m: m.pop("config.toml"), "does not hold", id="missing"),
        pytest.param(lambda m: m.update({"config.toml": b"x"}), "does not hold", id="changed"),
        pytest.param(lambda m: m.update({"keys/record.key": b"x"}), "does not hold", id="more"),
        pytest.param(lambda m: m.update({"manifest.json": b"{}"}), "damaged", id="empty"),
        pytest.param(lambda m: m.update({"manifest.json": b"\xff"}), "damaged", id="no-text"),
        pytest.param(
            lambda m: m.update(
                {"manifest.json": m["manifest.json"].replace(b'"format": 1', b'"format": 2')}
            ),
            "install the newer vonggac",
            id="newer",
        ),
    ],
)
def test_an_archive_that_is_not_what_its_manifest_says_is_refused(
    change: Callable[[dict[str, bytes]], None], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        backup_archive.unpack(altered(change))


def test_names_that_nobody_knows_are_not_taken_out() -> None:
    packed = altered(lambda m: m.update({"../../etc/passwd": b"x", "/root/x": b"y"}))
    assert backup_archive.unpack(packed)[1] == FILES


@pytest.mark.parametrize("cut", [0, 10, 500, 5000])
def test_an_archive_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ConfigError):
        backup_archive.unpack(backup_archive.pack(MANIFEST, FILES)[:cut])


def test_an_archive_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_archive, "PLAIN_BYTES_MAX", 1 << 20)
    packed = backup_archive.pack(MANIFEST, {"config.toml": bytes(2 << 20)})
    assert len(packed) < 10_000
    with pytest.raises(ConfigError, match="more than any backup holds"):
        backup_archive.unpack(packed)


def test_the_age_program_opens_it_as_well(program: Callable[[str], str], tmp_path: Path) -> None:
    age = program("age")
    private, public = backup_seal.new_key()
    (tmp_path / "key").write_text(private + "\n")
    packed = gzip.compress(b"line\n" * 100_000)
    (tmp_path / "tail.age").write_bytes(backup_seal.seal(packed, backup_seal.recipient(public)))
    opened = subprocess.run(
        [age, "-d", "-i", str(tmp_path / "key"), str(tmp_path / "tail.age")],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert opened.stdout == packed
