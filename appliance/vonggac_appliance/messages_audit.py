"""What `audit run` is asked to write, and how far its chain goes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from vonggac_appliance.sockets import socket_path


def audit_path(home: Path) -> Path:
    """The socket on which events for the chain are taken."""
    return socket_path(home, "audit", "append.sock")


class AuditAppend(msgspec.Struct, frozen=True):
    """One event for the audit chain; who sent it is taken from SO_PEERCRED, never from here."""

    action: str
    """A word of `vonggac.evidence.chain`, such as `cut` or `live`."""
    object: str
    """What was acted upon, such as a camera's code."""
    purpose: tuple[str, str] | None
    """(code, text); None is written as such and shown red."""
    result: str = "allowed"
    person: str | None = None
    """Honoured only from the service user of `serve`, which has signed this person in; where no
    service user exists, from the writer's own user. So are `role`, and all from `address` on.
    """
    role: str | None = None
    permit: int = 0
    """`vonggac.evidence.receipt.Permit`; 0 when no picture is asked for: no receipt is made."""
    camera: bytes = b""
    streams: tuple[bytes, ...] = ()
    from_ns: int = 0
    to_ns: int = 0
    address: str = ""
    """The network address that a person came from."""
    device: str = ""
    """What his browser calls itself, at most 200 characters."""
    session: str = ""
    """The public id of his session; never the token."""
    about: int = 0
    """Number of the line of the look that this one ends or goes on with; 0 for none."""
    delivered_ms: int | None = None
    """Of recorded time that really was sent to the person; None where nothing was to be sent."""
    search: str = ""
    """What a search of the motion index asks, in words. With `Permit.SEARCH` the receipt binds it,
    `streams` are ids of cameras and `camera` is empty. Refused: the same, with no permit."""


class AuditReceipt(msgspec.Struct, frozen=True):
    """The line is written and synced."""

    line: int
    """Number in the chain, from 1."""
    receipt: bytes
    """Proof for keepers and loops (`vonggac.evidence.receipt`); empty when no permit was asked."""


class AskChain(msgspec.Struct, frozen=True):
    tail_bytes: int = 0
    """Of the log's last lines, for a backup; only the recorder's user gets them, sealed to the
    recovery key that people have."""


class Chain(msgspec.Struct, frozen=True):
    """How far the audit chain goes; its writer tells it, for nobody else may read the log."""

    lines: int
    head: str
    """Hash of the last line, 64 hex digits; empty while the log cannot be opened."""
    tail_from: int = 0
    """Number of the first line in the memfd that comes along; 0: none comes."""


class LedgerEntries(msgspec.Struct, frozen=True):
    """A list for HOME/ledger, all in one message; only the recorder's user may send it."""

    kind: str
    """A word of `vonggac.evidence.ledger.KINDS`."""
    lines: list[str]
    """Canonical JSON each (`ledger.canonical_text`), without newline."""


class LedgerWritten(msgspec.Struct, frozen=True):
    """The list is synced, and so is the line of the audit chain with its root."""

    root: str
    line: int
