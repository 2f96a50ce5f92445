"""Keys of the home, and camera passwords sealed so that only `record` opens them.

Sealing: an ephemeral X25519 key against `record`'s public key, HKDF-SHA256, AES-256-GCM. The
camera's id is bound in, so a sealed password cannot be moved to another camera's row.
docs/ref/catalog.md draws the bytes.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vonggac.errors import ConfigError, MediaError
from vonggac.evidence.receipt import KEY_BYTES
from vonggac.rtsp.url import Credentials
from vonggac_appliance.synced_files import sync_directory, write_all

__all__ = [
    "AUDIT_USER",
    "HOOKS_USER",
    "PUSH_USER",
    "RECORD_USER",
    "SERVE_USER",
    "ensure_record_key",
    "open_sealed",
    "parse_credentials",
    "receipt_key",
    "record_private_key",
    "record_public_key",
    "seal",
    "write_once",
]

RECORD_USER = "vonggac-record"
AUDIT_USER = "vonggac-audit"
SERVE_USER = "vonggac-serve"
PUSH_USER = "vonggac-push"
HOOKS_USER = "vonggac-hooks"
CREDENTIALS_BYTES_MAX = 1024

_VERSION = b"\x01"
_INFO = b"vonggac camera credentials 1"
_PUBLIC_BYTES = 32
_NONCE_BYTES = 12


def parse_credentials(text: str) -> Credentials:
    """`user:password` in one line, or the user and the password in two.

    Only the first colon separates, for passwords hold colons. Raises ConfigError, which never
    repeats what was read.
    """
    lines = text.removesuffix("\n").split("\n")
    if len(lines) == 1:
        user, colon, password = lines[0].rstrip("\r").partition(":")
        if not colon:
            raise ConfigError("the credentials are no `user:password` line")
    elif len(lines) == 2:
        user, password = (line.rstrip("\r") for line in lines)
    else:
        raise ConfigError("the credentials have more than two lines")
    if not user or len(text.encode("utf-8", "surrogateescape")) > CREDENTIALS_BYTES_MAX:
        raise ConfigError("the credentials name no user, or are too long")
    return Credentials(user, password)


def seal(public: X25519PublicKey, camera: bytes, credentials: Credentials) -> bytes:
    """What the catalog keeps: version, ephemeral public key, nonce, ciphertext with its tag."""
    ephemeral = X25519PrivateKey.generate()
    ephemeral_public = ephemeral.public_key().public_bytes_raw()
    key = _derive(ephemeral.exchange(public), ephemeral_public, public)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    try:
        user, password = credentials.user.encode(), credentials.password.encode()
    except UnicodeEncodeError:  # bytes that a terminal's locale let through
        raise ConfigError("the credentials are no UTF-8 text") from None
    plain = len(user).to_bytes(2, "big") + user + password
    return _VERSION + ephemeral_public + nonce + AESGCM(key).encrypt(nonce, plain, camera)


def open_sealed(private: X25519PrivateKey, camera: bytes, sealed: bytes) -> Credentials:
    """The credentials again. ConfigError when sealed to another key or for another camera."""
    public_end = 1 + _PUBLIC_BYTES
    if sealed[:1] != _VERSION or len(sealed) < public_end + _NONCE_BYTES + 16:
        raise MediaError("unsupported", "sealed credentials of another version", 0)
    ephemeral_public = sealed[1:public_end]
    nonce = sealed[public_end : public_end + _NONCE_BYTES]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral_public))
        key = _derive(shared, ephemeral_public, private.public_key())
        plain = AESGCM(key).decrypt(nonce, sealed[public_end + _NONCE_BYTES :], camera)
    except (InvalidTag, ValueError) as error:
        raise ConfigError(
            "a camera's password was sealed for another box: enter it again (vonggac camera add)"
        ) from error
    user_end = 2 + int.from_bytes(plain[:2], "big")
    return Credentials(plain[2:user_end].decode(), plain[user_end:].decode())


def ensure_record_key(home: Path) -> X25519PublicKey:
    """`record`'s public key; the pair is made when there is none."""
    public = home / "keys" / "record.pub"
    if not public.exists():
        private = X25519PrivateKey.generate()
        write_once(home, "record.key", private.private_bytes_raw(), 0o600, RECORD_USER)
        # Read back: another command may have been first.
        raw = _read_key(home / "keys" / "record.key")
        made = X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
        write_once(home, "record.pub", made, 0o644, RECORD_USER)
    return record_public_key(home)


def record_public_key(home: Path) -> X25519PublicKey:
    """The key that passwords are sealed to; anyone in the home may read it."""
    return X25519PublicKey.from_public_bytes(_read_key(home / "keys" / "record.pub"))


def record_private_key(home: Path) -> X25519PrivateKey:
    """Only `record` calls this. A credential of systemd comes before the file."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory is not None and (Path(directory) / "record.key").exists():
        return X25519PrivateKey.from_private_bytes(_read_key(Path(directory) / "record.key"))
    path = home / "keys" / "record.key"
    raw = _read_key(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path} may be read by others: chmod 600 {path}")
    return X25519PrivateKey.from_private_bytes(raw)


def receipt_key(home: Path) -> bytes:
    """The key of receipts, made when there is none; read by `audit run`, keepers and `record`."""
    path = home / "keys" / "receipt.key"
    if not path.exists():
        write_once(home, "receipt.key", secrets.token_bytes(KEY_BYTES), 0o640, AUDIT_USER)
    return _read_key(path)


def _derive(shared: bytes, ephemeral_public: bytes, public: X25519PublicKey) -> bytes:
    salt = ephemeral_public + public.public_bytes_raw()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=_INFO).derive(shared)


def _read_key(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing: camera passwords have to be entered again") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) != KEY_BYTES:
        raise ConfigError(f"{path} is no key of {KEY_BYTES} bytes")
    return raw


def write_once(
    home: Path, name: str, raw: bytes, mode: int, owner: str, folder: str = "keys"
) -> bool:
    """Make a key file whole or not at all. False: there is one, and it stays as it is."""
    directory = home / folder
    draft = directory / f".{name}.{os.getpid()}"
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(fd, raw)
            os.fchmod(fd, mode)
            _give_to(fd, owner)
            os.fsync(fd)
            try:
                os.link(draft, directory / name)
            except FileExistsError:
                return False
            sync_directory(directory)
            return True
        finally:
            os.close(fd)
            draft.unlink()
    except OSError as error:
        raise ConfigError(f"{directory / name} cannot be made: {error.strerror}") from error


def _give_to(fd: int, owner: str) -> None:
    """To the service user, where there is one and root makes the file."""
    if os.geteuid() != 0:
        return
    with contextlib.suppress(KeyError):
        entry = pwd.getpwnam(owner)
        # The group stays that of keys/, whose members read the key of receipts.
        os.fchown(fd, entry.pw_uid, -1)
