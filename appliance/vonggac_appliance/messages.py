"""Messages between Python processes on Unix SEQPACKET sockets.

Every message starts with the 12-byte header of `vg/wire.h` (version, kind, request, part, last),
then one of the structs below in MessagePack; parts of a long answer are joined before decoding.
Kinds 1 to 199 belong to `vg/wire.h`, where loops take part; these start at 200.
"""

from __future__ import annotations

import enum

import msgspec


class Kind(enum.IntEnum):
    """What a message is; the struct of the same name is its body."""

    # parent -> keeper
    LOOP = 200
    EXPECT = 201
    GAP_OPEN = 202
    QUIT = 203
    LOCKS = 204
    RETENTION = 205
    CLOCK_TOLD = 206
    TOMBSTONES_KEPT = 207
    UNLOCK = 208
    # keeper -> parent
    KEEPER_READY = 220
    DURABLE = 221
    SEALED = 222
    DISK_STATE = 223
    DRAINED = 224
    KEEPER_ALARM = 225
    RETENTION_TOLD = 226
    TOMBSTONES = 227
    SCRUBBED = 232
    LOCKS_DURABLE = 228
    WRITING = 230
    # anyone -> keeper's index socket, and its answers
    ASK_ROWS = 240
    ROWS = 241
    ASK_RUNS = 242
    RUNS = 243
    ASK_LEASE = 244
    LEASE = 245
    RENEW = 246
    ASK_DISK = 247
    DISK = 248
    REFUSED = 249
    ASK_HEADS = 252
    HEADS = 253
    # anyone -> the parent's live socket; on success the loop answers, LIVE first
    ASK_LIVE = 250
    LIVE = 251
    # anyone who may look -> `audit run`, and its answer (REFUSED where it cannot write)
    AUDIT_APPEND = 260
    AUDIT_RECEIPT = 261
    # anyone of class audit -> `audit run`: how long the chain is
    ASK_CHAIN = 262
    CHAIN = 263
    # `record` -> `audit run`: a list for the ledger, and its answer (REFUSED where it cannot write)
    LEDGER_ENTRIES = 264
    LEDGER_WRITTEN = 265


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


class AskRows(msgspec.Struct, frozen=True):
    """Rows of a stream that overlap [from_ns, to_ns), oldest first, at most `limit` (≤ 50,000)."""

    stream: bytes
    from_ns: int
    to_ns: int
    limit: int = 50_000


class Rows(msgspec.Struct, frozen=True):
    """`packed`: values as in the index (vg_rows_pack), each a minute; unpack natively and clip."""

    packed: list[bytes]
    more: bool
    """True when `limit` cut the answer; ask again from the last row's end."""
    durable_until_ns: int | None


class AskRuns(msgspec.Struct, frozen=True):
    stream: bytes
    from_ns: int
    to_ns: int


class Run(msgspec.Struct, frozen=True):
    """A run, and the gap before it."""

    run: int
    wall_start_ns: int
    predecessor: int
    gap_reason: int
    gap_start_ns: int
    wall_end_ns: int = 0
    """As far as it is recorded; 0 from a keeper that does not tell."""


class Runs(msgspec.Struct, frozen=True):
    runs: list[Run]
    open_gap: tuple[int, int] | None


class AskHeads(msgspec.Struct, frozen=True):
    """What a player needs before the first picture of each of these segments (≤ 4096)."""

    stream: bytes
    segments: list[int]


class Heads(msgspec.Struct, frozen=True):
    """`entries`: of each segment its epoch and its head's place in `heads`; -1: not known, or
    another stream's. A head is `ftyp` and `moov` with its padding.
    """

    entries: list[tuple[int, int]]
    heads: list[bytes]


class AskLease(msgspec.Struct, frozen=True):
    """A read-only descriptor of a segment in a given epoch, for 60 s, by an audit receipt."""

    stream: bytes
    segment: int
    epoch: int
    receipt: bytes


class Lease(msgspec.Struct, frozen=True):
    """Comes with the descriptor. Read a piece, RENEW (it checks the epoch), then use the piece."""

    lease: int
    expires_in_ms: int


class Renew(msgspec.Struct, frozen=True):
    lease: int


class AskDisk(msgspec.Struct, frozen=True):
    pass


class Disk(msgspec.Struct, frozen=True):
    disk: bytes
    path: str
    state: str
    segments: int
    segment_bytes: int
    used_bytes: int
    oldest_ns: int | None
    tick_ms: float
    loss_bound_ms: float
    pinned_segments: int | None = None
    """Held by locks; null while they are being counted."""


class Refused(msgspec.Struct, frozen=True):
    """`code`: gone (segment reused), receipt, range, limit, malformed, stopping."""

    code: str
    what: str


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


class AuditReceipt(msgspec.Struct, frozen=True):
    """The line is written and synced."""

    line: int
    """Number in the chain, from 1."""
    receipt: bytes
    """Proof for keepers and loops (`vonggac.evidence.receipt`); empty when no permit was asked."""


class AskChain(msgspec.Struct, frozen=True):
    pass


class Chain(msgspec.Struct, frozen=True):
    """How far the audit chain goes; its writer tells it, for nobody else may read the log."""

    lines: int
    head: str
    """Hash of the last line, 64 hex digits; empty while the log cannot be opened."""


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


class AskLive(msgspec.Struct, frozen=True):
    """A stream's pictures as they come. `receipt`: of the audit chain, for live view."""

    camera: bytes
    stream: bytes
    receipt: bytes


class Live(msgspec.Struct, frozen=True):
    """The first message of a live view; VG_WIRE_LIVE_HEAD and VG_WIRE_LIVE_UNIT follow."""

    camera: bytes
    stream: bytes
    run: int
    durable_until_ns: int | None
    """What the ring holds up to here; a lease gives the earlier part of the GOP."""
