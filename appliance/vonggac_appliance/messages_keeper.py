"""What a parent and its keeper tell each other, over the socket that the keeper inherits."""

from __future__ import annotations

import msgspec


class Loop(msgspec.Struct, frozen=True):
    """A loop's socket (SCM_RIGHTS): its HELLO comes there."""

    loop: int
    incarnation: int


class Expect(msgspec.Struct, frozen=True):
    """How many streams will be written here, so that enough spare segments stand ready."""

    streams: int


class GapOpen(msgspec.Struct, frozen=True):
    """A stream stopped; journalled until its next run names the gap in its first claim."""

    camera: bytes
    stream: bytes
    start_ns: int
    reason: int


class StreamEnd(msgspec.Struct, frozen=True):
    """How far a stream is recorded."""

    camera: bytes
    stream: bytes
    run: int
    sequence: int
    wall_end_ns: int
    open_gap: tuple[int, int] | None = None
    """(start_ns, reason) of a gap that no run has closed yet."""
    is_inband: bool = False
    claim_sha256: bytes = b""
    """Of the claim of `sequence`; empty where the keeper has not written to this run itself."""


class KeeperReady(msgspec.Struct, frozen=True):
    """The disk is recovered and writable. `streams` holds every stream known to it."""

    disk: bytes
    path: str
    segments: int
    segment_bytes: int
    last_run: int
    streams: list[StreamEnd]
    suspect: bool = False


class Durable(msgspec.Struct, frozen=True):
    """One a tick: what a completed sync covers. Only streams that moved."""

    disk: bytes
    tick_ms: float
    """From the first write to the end of syncfs."""
    bytes_written: int
    streams: list[StreamEnd]


class Sealed(msgspec.Struct, frozen=True):
    disk: bytes
    segment: int
    stream: bytes
    wall_start_ns: int
    wall_end_ns: int


class DiskState(msgspec.Struct, frozen=True):
    """`state`: recording, slow, failed, full (nothing can be reused)."""

    disk: bytes
    state: str
    what: str
    errno: int = 0


class KeeperAlarm(msgspec.Struct, frozen=True):
    """Something a person has to look at; the parent publishes it as `alarm`."""

    kind: str
    subject: str
    what: str


class Writing(msgspec.Struct, frozen=True):
    """A keeper begins to write, sync or commit (`busy`), or has nothing more of that to do. What
    takes longer than 2 s is a disk that hangs.
    """

    busy: bool


class LockRange(msgspec.Struct, frozen=True):
    """[from_ns, to_ns) of a stream that must stay; a lock has one for each of its streams."""

    lock: bytes
    stream: bytes
    from_ns: int
    to_ns: int


class Locks(msgspec.Struct, frozen=True):
    """What the catalog holds locked, of every camera; joins what the disk's journal holds. Until
    the last of these has come, a keeper gives up no footage.
    """

    ranges: list[LockRange]
    more: bool = False
    """Another message goes on with it."""


class Unlock(msgspec.Struct, frozen=True):
    """Locks that two people have removed; nothing else takes one out of a journal."""

    locks: list[bytes]


class LocksDurable(msgspec.Struct, frozen=True):
    """Which locks stand in the disk's journal, synced: after LOCKS, after UNLOCK."""

    disk: bytes
    locks: list[bytes]


class Rot(msgspec.Struct, frozen=True):
    """Footage that is no longer as it was written; told once for each place."""

    camera: bytes
    stream: bytes
    from_ns: int
    to_ns: int
    segment: int
    offset: int
    """Of the chunk in its segment; 0: head or table, or all of it."""
    what: str


class Scrubbed(msgspec.Struct, frozen=True):
    """How far the scrub of a disk has come, and what it found since it was told last."""

    disk: bytes
    read_bytes: int
    """Since the keeper began."""
    faults: int
    """Since the keeper began."""
    began_ns: int
    """Of this round."""
    next_segment: int
    segments: int
    found: list[Rot]
    """At most 32 a message; `faults` counts all."""


class KeptDays(msgspec.Struct, frozen=True):
    """How long footage of a camera is kept."""

    days_min: int
    days_max: int | None
    """None: until the ring needs the room."""
    priority: int
    by: str
    """Who set days_max: agreement, camera, class, default."""


class Retention(msgspec.Struct, frozen=True):
    """All limits, whenever one has changed. A keeper that was told none erases nothing by time."""

    cameras: dict[bytes, KeptDays]
    names: dict[bytes, str]
    """Codes of cameras, for alarms."""
    others: KeptDays
    """Of footage whose camera nobody knows."""
    is_confirmed: bool = False
    """A person has said that more than half of all footage may go at once."""
    more: bool = False
    """More cameras follow in the next message."""


class ClockTold(msgspec.Struct, frozen=True):
    """What the recorder knows of the box's clock; told every few seconds, old after a minute."""

    synced_for_ns: int
    is_stepped: bool
    """It was set by more than a minute, and nobody has confirmed it."""


class TombstonesKept(msgspec.Struct, frozen=True):
    """The home's ledger has all tombstones up to this number."""

    upto: int


class Tombstones(msgspec.Struct, frozen=True):
    """What was given up or erased, until the ledger has it; sent again when no answer comes."""

    disk: bytes
    upto: int
    lines: list[str]


class StreamKept(msgspec.Struct, frozen=True):
    """What a disk holds of a stream, in sealed segments."""

    stream: bytes
    camera: bytes
    segments: int
    oldest_ns: int
    newest_ns: int
    bytes_a_day: int | None
    """At the rate of the last day; None where it was recorded for less than an hour."""


class RetentionTold(msgspec.Struct, frozen=True):
    """After each look at all segments of a disk."""

    disk: bytes
    capacity_bytes: int
    held_bytes: int
    pinned_bytes: int
    """Of segments that a lock reaches into."""
    due_bytes: int
    """Of those that have expired as a whole and are not erased yet."""
    held: str
    """Why nothing is erased by time; empty: nothing forbids it."""
    is_guarded: bool
    """A person has to confirm it: too much is due at once."""
    holds_days: float | None
    """How far back the disk reaches at the present rate."""
    needed_bytes: int
    """To keep every promise."""
    room_bytes: int
    broken: list[bytes]
    """Cameras whose promise will not be kept."""
    streams: list[StreamKept]


class Backup(msgspec.Struct, frozen=True):
    """Comes with a sealed memfd: a backup of the home, written to the disk beside recording."""

    made_ns: int


class BackupTold(msgspec.Struct, frozen=True):
    """What backup a disk holds: when its keeper begins, and after each `Backup`."""

    disk: bytes
    room_bytes: int
    """The largest that it takes; 0: the disk was formatted without a place for backups."""
    made_ns: int | None
    """Of the newest that is whole; None: there is none."""
    length: int = 0
    """Its bytes."""
    generation: int = 0
    what: str = ""
    """Why the last one was not written; empty: nothing failed."""
