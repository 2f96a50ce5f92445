"""What a backup is sealed with: a recovery key that people have, and of which the box keeps the
public half.

The form is that of age (age-encryption.org/v1), so that a box which is gone can be read with the
`age` program alone. docs/ref/backup.md says how.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

import pyrage

from vonggac.errors import ConfigError, Refused
from vonggac_appliance.secrets import write_once
from vonggac_appliance.synced_files import write_all

__all__ = [
    "KEY_FILE",
    "Recovery",
    "in_memory",
    "is_sealed",
    "key_of",
    "keep_public",
    "new_key",
    "public_of",
    "recipient",
    "seal",
    "unseal",
]

KEY_FILE = "backup.pub"
"""Below HOME/keys: the public half, one line of text."""
_MAGIC = b"age-encryption.org/v1\n"
_LINE_BYTES_MAX = 256

Recovery = pyrage.x25519.Identity
"""A recovery key."""


def new_key() -> tuple[str, str]:
    """A recovery key as people write it down, and its public half. Nobody keeps the first."""
    made = Recovery.generate()
    return str(made), str(made.to_public())


def key_of(text: str) -> pyrage.x25519.Identity:
    """The key that a person typed, in any case and with any spaces. Refused, and never repeated."""
    try:
        return Recovery.from_str("".join(text.split()).upper())
    except pyrage.IdentityError:
        raise Refused(
            "this is no recovery key: it begins with AGE-SECRET-KEY-1 and has 74 characters"
        ) from None


def keep_public(home: Path, public: str, *, replaces: bool) -> bool:
    """Notes the public half in the home. False: there is one, and it is not to be replaced."""
    path = home / "keys" / KEY_FILE
    if replaces:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    # Root's: whoever could exchange it would read the backups that follow.
    return write_once(home, KEY_FILE, public.encode() + b"\n", 0o644, "root")


def public_of(home: Path) -> str | None:
    """The public half; None: no person has made a recovery key yet. ConfigError."""
    path = home / "keys" / KEY_FILE
    try:
        with path.open("rb") as file:
            line = file.read(_LINE_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return line.decode("ascii", "replace").strip()


def recipient(public: str) -> pyrage.x25519.Recipient:
    """Whom to seal to. ConfigError for what is no key."""
    try:
        return pyrage.x25519.Recipient.from_str(public)
    except pyrage.RecipientError:
        raise ConfigError(
            f"keys/{KEY_FILE} is no recovery key's public half: vonggac backup key --replace"
        ) from None


def seal(plain: bytes, to: pyrage.x25519.Recipient) -> bytes:
    """`plain`, for whoever has the recovery key and for nobody else."""
    sealed: bytes = pyrage.encrypt(plain, [to])
    return sealed


def is_sealed(data: bytes) -> bool:
    """Whether it has the form of something sealed."""
    return data.startswith(_MAGIC)


def in_memory(data: bytes) -> int:
    """A memfd that holds `data` and that nobody can change any more; the caller closes it."""
    fd = os.memfd_create("vonggac-backup", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        write_all(fd, data)
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    except BaseException:
        os.close(fd)
        raise
    return fd


def unseal(sealed: bytes, key: pyrage.x25519.Identity) -> bytes:
    """What was sealed; every piece of it is authentic. Refused for another key, or damage."""
    try:
        plain: bytes = pyrage.decrypt(sealed, [key])
    except pyrage.DecryptError:
        raise Refused("the recovery key does not open this backup, or it is damaged") from None
    return plain
