"""Keys of the home and sealed passwords."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import ConfigError, MediaError, VonggacError
from vonggac.rtsp.url import Credentials
from vonggac_appliance import secrets

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
CAMERA = b"c" * 16
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


@given(user=TEXT, password=TEXT)
def test_what_was_sealed_is_opened(user: str, password: str) -> None:
    credentials = Credentials(user, password)
    sealed = secrets.seal(KEY.public_key(), CAMERA, credentials)
    assert secrets.open_sealed(KEY, CAMERA, sealed) == credentials


def test_the_sealed_form_shows_neither_user_nor_password() -> None:
    sealed = secrets.seal(KEY.public_key(), CAMERA, Credentials("quanly", "Bi-mat#2026"))
    assert b"quanly" not in sealed
    assert b"Bi-mat" not in sealed


def test_the_same_password_is_sealed_differently_each_time() -> None:
    credentials = Credentials("a", "b")
    once = secrets.seal(KEY.public_key(), CAMERA, credentials)
    assert once != secrets.seal(KEY.public_key(), CAMERA, credentials)


def test_a_sealed_password_belongs_to_its_camera_and_its_box() -> None:
    sealed = secrets.seal(KEY.public_key(), CAMERA, Credentials("a", "b"))
    with pytest.raises(ConfigError, match="another box"):
        secrets.open_sealed(KEY, b"d" * 16, sealed)
    with pytest.raises(ConfigError, match="another box"):
        secrets.open_sealed(X25519PrivateKey.generate(), CAMERA, sealed)


@given(st.binary(max_size=200))
def test_any_bytes_are_opened_or_refused(raw: bytes) -> None:
    with pytest.raises(VonggacError):
        secrets.open_sealed(KEY, CAMERA, raw)


def test_a_newer_sealed_form_is_refused() -> None:
    sealed = secrets.seal(KEY.public_key(), CAMERA, Credentials("a", "b"))
    with pytest.raises(MediaError):
        secrets.open_sealed(KEY, CAMERA, b"\x02" + sealed[1:])


def test_a_repr_hides_the_password() -> None:
    assert "geheim" not in repr(Credentials("u", "geheim"))


@pytest.mark.parametrize(
    ("text", "user", "password"),
    [
        pytest.param("u:p", "u", "p", id="one-line"),
        pytest.param("u:p:q\n", "u", "p:q", id="colon-in-password"),
        pytest.param("u\np:q\n", "u", "p:q", id="two-lines"),
        pytest.param("u\r\np\r\n", "u", "p", id="carriage-returns"),
        pytest.param("u:", "u", "", id="empty-password"),
        pytest.param("u: p \n", "u", " p ", id="spaces-are-kept"),
    ],
)
def test_credentials_are_read(text: str, user: str, password: str) -> None:
    assert secrets.parse_credentials(text) == Credentials(user, password)


@pytest.mark.parametrize(
    "text", ["", "secretword", ":secretword", "a\nb\nsecretword", "a:" + "x" * 2000]
)
def test_wrong_credentials_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        secrets.parse_credentials(text)
    assert "secretword" not in str(caught.value)
    assert "xxx" not in str(caught.value)


def test_the_first_command_makes_the_keys_and_later_ones_keep_them(home: Path) -> None:
    public = secrets.ensure_record_key(home).public_bytes_raw()
    assert secrets.ensure_record_key(home).public_bytes_raw() == public
    assert secrets.record_private_key(home).public_key().public_bytes_raw() == public
    assert secrets.receipt_key(home) == secrets.receipt_key(home)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home / "keys").iterdir()}
    assert modes == {"record.key": 0o600, "record.pub": 0o644, "receipt.key": 0o640}


def test_a_private_key_that_others_may_read_is_refused(home: Path) -> None:
    secrets.ensure_record_key(home)
    (home / "keys" / "record.key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        secrets.record_private_key(home)


def test_a_credential_of_systemd_comes_first(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.ensure_record_key(home)
    (tmp_path / "record.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert secrets.record_private_key(home).private_bytes_raw() == bytes(range(32))


def test_a_missing_or_short_key_is_named(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"record\.key is missing"):
        secrets.record_private_key(home)
    (home / "keys").mkdir()
    (home / "keys" / "record.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match="32 bytes"):
        secrets.record_private_key(home)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_home_that_cannot_be_written_is_named(home: Path) -> None:
    home.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot be made"):
        secrets.ensure_record_key(home)
