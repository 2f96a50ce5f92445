"""Questions about footage, and their answers: anyone's who may look, to a keeper's index socket and
to the parent's live socket. `messages.Refused` answers what cannot be had.
"""

from __future__ import annotations

import msgspec


class AskRows(msgspec.Struct, frozen=True):
    """Rows of a stream that overlap [from_ns, to_ns), oldest first, at most `limit` (≤ 50,000)."""

    stream: bytes
    from_ns: int
    to_ns: int
    limit: int = 50_000
    from_minute: int = 0
    """Of an answer with `more`: what it told is not told again."""


class Rows(msgspec.Struct, frozen=True):
    """`packed`: values as in the index (vg_rows_pack): unpack natively and clip."""

    packed: list[bytes]
    more: bool
    """True when `limit` cut the answer; ask again with `next_minute` as `from_minute`."""
    durable_until_ns: int | None
    next_minute: int = 0
    is_whole: bool = True
    """False while the index is being made again: what it does not tell may be recorded as well."""


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
