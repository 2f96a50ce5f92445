"""A backup before it is sealed: a gzipped tar of few files, with a manifest that names each hash.

Bytes in, bytes out. An ordinary `tar` opens it as well. docs/ref/backup.md says what is in it.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Mapping

import msgspec

from vonggac.errors import ConfigError
from vonggac_appliance.sockets import DECODE_ERRORS

__all__ = ["FORMAT", "MANIFEST", "NAMES", "AuditState", "Manifest", "pack", "unpack"]

FORMAT = 1
MANIFEST = "manifest.json"
CATALOG = "catalog/data.mdb"
AUDIT_TAIL = "audit/tail.age"
LEARNT = "learnt.msgpack"
NAMES = (
    CATALOG,
    "keys/record.key",
    "keys/receipt.key",
    "keys/backup.pub",
    "config.toml",
    AUDIT_TAIL,
    LEARNT,
)
"""All that is ever in one; whatever else an archive holds is not taken out of it."""
PLAIN_BYTES_MAX = 512 << 20
"""Unpacked: more than any home has, and less than memory."""
_MEMBERS_MAX = 64


class AuditState(msgspec.Struct, frozen=True):
    """How long the audit chain was."""

    lines: int
    head: str
    """Hash of the last line: with `lines` a checkpoint for `audit verify`."""
    tail_from: int
    """Number of the first line that is in the backup; lines + 1: none is."""


class Manifest(msgspec.Struct, frozen=True):
    """manifest.json."""

    format: int
    box: str
    """The box's id, in hex."""
    made_ns: int
    made: str
    """The same as ISO 8601."""
    program: str
    """Version of vonggac."""
    files: dict[str, str]
    """Name to SHA-256, in hex."""
    audit: AuditState | None = None
    """None: the audit chain did not answer."""


def pack(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """The archive. `manifest.files` is filled in here."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    whole = msgspec.structs.replace(manifest, files=hashes)
    first = msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=6) as tar:
        for name, data in ((MANIFEST, first), *files.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            member.mtime = manifest.made_ns // 1_000_000_000
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def unpack(archive: bytes) -> tuple[Manifest, dict[str, bytes]]:
    """Manifest and files, each with the hash that the manifest names. ConfigError."""
    try:
        members = _members(archive)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise ConfigError(f"the backup is damaged: {error}") from error
    raw = members.pop(MANIFEST, None)
    if raw is None:
        raise ConfigError("the backup has no manifest")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except DECODE_ERRORS as error:
        raise ConfigError(f"the manifest of the backup is damaged: {error}") from error
    if manifest.format > FORMAT:
        raise ConfigError(
            f"the backup has format {manifest.format}, and this program knows {FORMAT}: "
            "install the newer vonggac"
        )
    found = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    if found != {name: value for name, value in manifest.files.items() if name in NAMES}:
        raise ConfigError("the backup does not hold what its manifest says")
    return manifest, members


def _members(archive: bytes) -> dict[str, bytes]:
    """By name; only names that are known, whatever their paths would be."""
    members: dict[str, bytes] = {}
    left_bytes = PLAIN_BYTES_MAX
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for count, member in enumerate(tar):
            left_bytes -= member.size
            if count >= _MEMBERS_MAX or left_bytes < 0:
                raise ValueError("more than any backup holds")
            if not member.isreg() or member.name not in (MANIFEST, *NAMES):
                continue
            file = tar.extractfile(member)
            assert file is not None
            data = file.read()
            if len(data) != member.size:
                raise ValueError(f"{member.name} is cut off")
            members[member.name] = data
    return members
