"""What a keeper answers to those who ask for footage: from memory and index, and by leases.

`view` asks for pictures with a receipt of the audit chain; `machine` (motion) is exempt by its
user.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from vonggac.errors import MediaError
from vonggac.errors import Refused as RefusedError
from vonggac.evidence import receipt as receipts
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import SegmentState
from vonggac.store.lease import LEASE_MS, Leases
from vonggac.store.ring import Ring
from vonggac.store.timeline import explain
from vonggac_appliance import keep_heads, sockets
from vonggac_appliance.keep_locks import PinCount
from vonggac_appliance.keep_pace import Pace
from vonggac_appliance.messages import Kind, Refused
from vonggac_appliance.messages_footage import (
    AskDisk,
    AskHeads,
    AskLease,
    AskRows,
    AskRuns,
    Disk,
    Lease,
    Renew,
    Rows,
    Run,
    Runs,
)

__all__ = ["ROWS_MAX", "RUNS_MAX", "Answer", "Answers", "Asker", "Class"]

Class = Literal["view", "machine"]
ROWS_MAX = 50_000
RUNS_MAX = 20_000
_ID_BYTES = 16
_TIME_MAX_NS = 1 << 62
RECEIPT_KEY = Path("keys") / "receipt.key"

Answer = tuple[Kind, msgspec.Struct, int]
"""Kind, body, and a descriptor to send along (-1: none)."""


@dataclass(slots=True)
class Asker:
    """Somebody who asks, and what he was lent."""

    name: Class
    leases: dict[int, int] = field(default_factory=dict)
    """Number: monotonic time in ns after which it is not renewed (its receipt's expiry)."""


class Answers:
    """In the keeper's main thread, and without waiting for anybody."""

    def __init__(self, ring: Ring, home: Path, pace: Pace) -> None:
        self.ring = ring
        self.home = home
        self.pace = pace
        self.leases = Leases()
        self.pins = PinCount(ring)
        self.state = "recording"
        ring.spares.is_leased = self.leases.holds

    def gone(self, asker: Asker) -> None:
        """He asks nothing more: what he was lent is free."""
        for lease in asker.leases:
            self.leases.give(lease)

    def answer(self, asker: Asker, message: sockets.Message) -> Answer:
        """What a question gets, also one that is none."""
        try:
            if message.kind == Kind.ASK_ROWS:
                return self._rows(sockets.decode(message, AskRows))
            if message.kind == Kind.ASK_RUNS:
                return self._runs(sockets.decode(message, AskRuns))
            if message.kind == Kind.ASK_LEASE:
                return self._lease(asker, sockets.decode(message, AskLease))
            if message.kind == Kind.RENEW:
                return self._renew(asker, sockets.decode(message, Renew))
            if message.kind == Kind.ASK_HEADS:
                asked = sockets.decode(message, AskHeads)
                _check(asked.stream)
                return Kind.HEADS, keep_heads.heads(self.ring.archive, self._current, asked), -1
            if message.kind == Kind.ASK_DISK:
                sockets.decode(message, AskDisk)
                return self._disk()
        except MediaError as error:
            return _refused("malformed", str(error))
        return _refused("malformed", f"no question has the number {message.kind}")

    def _rows(self, ask: AskRows) -> Answer:
        _check(ask.stream, ask.from_ns, ask.to_ns)
        if not 0 < ask.limit <= ROWS_MAX or ask.from_ns >= ask.to_ns:
            return _refused("range", f"a range that ends after it begins, 1 to {ROWS_MAX} rows")
        packed: list[bytes] = []
        count = next_minute = 0
        more = False
        found = self.ring.archive.row_values(ask.stream, ask.from_ns, ask.to_ns)
        for minute, value in found:
            if minute < ask.from_minute:
                continue
            rows = int.from_bytes(value[1:3], "big")  # docs/ref/segment-format.md, Packed rows
            if packed and count + rows > ask.limit:
                more, next_minute = True, minute
                break
            packed.append(value)
            count += rows
        state = self.ring.streams.get(ask.stream)
        until_ns = state.wall_end_ns if state is not None and state.run else None
        # Every segment was seen: then the oldest is known, and then the index is whole.
        is_whole = self.ring.spares.may_reuse_sealed
        return Kind.ROWS, Rows(packed, more, until_ns, next_minute, is_whole), -1

    def _runs(self, ask: AskRuns) -> Answer:
        _check(ask.stream, ask.from_ns, ask.to_ns)
        self.ring.filing.settle_stream(ask.stream)
        archive = self.ring.archive
        # The run before tells where the first one's gap began.
        found = archive.runs(ask.stream, 0, ask.to_ns)
        runs = [r for r in explain(found, archive.sessions()) if r.wall_end_ns > ask.from_ns]
        gap = self.ring.gaps.get(ask.stream)
        told = [
            Run(
                r.run,
                r.wall_start_ns,
                r.predecessor_run,
                r.gap_reason,
                r.gap_start_ns,
                r.wall_end_ns,
            )
            for r in runs[:RUNS_MAX]
        ]
        return Kind.RUNS, Runs(told, None if gap is None else (gap.start_ns, gap.reason)), -1

    def _disk(self) -> Answer:
        identity = self.ring.disk.identity
        spares = self.ring.spares
        free = len(spares.ready) + len(spares.reserved)
        free += self.ring.archive.free_count(identity.segments)
        oldest = self.ring.archive.oldest_sealed(identity.segments)
        oldest_ns = None if oldest is None else oldest.wall_start_ns
        used = identity.segments - free
        if oldest_ns is None:
            starts = [segment.wall_start_ns for segment in self.ring.open.values()]
            oldest_ns = min(starts, default=None)
        return (
            Kind.DISK,
            Disk(
                disk=identity.disk,
                path=str(self.ring.disk.path),
                state=self.state,
                segments=identity.segments,
                segment_bytes=identity.segment_bytes,
                used_bytes=used * identity.segment_bytes,
                oldest_ns=oldest_ns,
                tick_ms=self.pace.last_tick_ms,
                loss_bound_ms=self.pace.loss_bound_ms,
                pinned_segments=self.pins.segments,
            ),
            -1,
        )

    # --- leases

    def _current(self, number: int) -> SegmentRow | None:
        """The segment as it is now; the index knows open ones only since its last commit."""
        segment = self.ring.open.get(number)
        if segment is not None:
            return segment.summary(SegmentState.OPEN, segment.order)
        return self.ring.archive.segment(number)

    def _readable(self, number: int) -> SegmentRow | None:
        """As `_current`; None while chunks of it are being erased: rows told before may lie."""
        row = self._current(number)
        return None if row is None or self.ring.eraser.is_erasing(row.epoch) else row

    def _lease(self, asker: Asker, ask: AskLease) -> Answer:
        if not 0 <= ask.segment < self.ring.disk.identity.segments:
            raise MediaError("value", f"the disk has no segment {ask.segment}", 0)
        row = self._readable(ask.segment)
        if row is None or (row.epoch, row.stream) != (ask.epoch, ask.stream):
            return _refused("gone", f"segment {ask.segment} was given up")
        until_ns = _TIME_MAX_NS
        if asker.name == "view":
            seen, why = self._seen_receipt(ask, row)
            if seen is None:
                return _refused("receipt", why)
            until_ns = time.monotonic_ns() + seen.expires_ns - time.time_ns()
        now_ms = time.monotonic_ns() // 1_000_000
        try:
            lease = self.leases.take(ask.segment, ask.epoch, now_ms)
        except RefusedError as error:
            return _refused("limit", str(error))
        asker.leases[lease] = until_ns
        fd = self.ring.disk.open_segment(ask.segment, writable=False)
        return Kind.LEASE, Lease(lease, LEASE_MS), fd

    def _seen_receipt(self, ask: AskLease, row: SegmentRow) -> tuple[receipts.Receipt | None, str]:
        """It, or why not: a lease gives a whole segment, so it must reach into its time."""
        try:
            key = (self.home / RECEIPT_KEY).read_bytes()
        except OSError as error:
            return None, f"no receipt can be checked: {error.strerror}"
        seen = receipts.read(key, ask.receipt)
        if seen is None:
            return None, "this is no receipt of the audit chain"
        from_ns = max(seen.from_ns, row.wall_start_ns)
        to_ns = min(seen.to_ns, row.wall_end_ns)
        if from_ns >= to_ns:
            return None, "the range lies outside the receipt"
        why = receipts.verify(
            key,
            ask.receipt,
            row.camera,
            ask.stream,
            from_ns,
            to_ns,
            receipts.Permit.STORED,
            time.time_ns(),
        )
        return (seen, "") if why is None else (None, why)

    def _renew(self, asker: Asker, ask: Renew) -> Answer:
        if time.monotonic_ns() >= asker.leases.get(ask.lease, _TIME_MAX_NS):
            self.leases.give(ask.lease)
            del asker.leases[ask.lease]
            return _refused("receipt", "the receipt has expired")
        number = self.leases.segment_of(ask.lease) if ask.lease in asker.leases else None
        if number is None:
            return _refused("gone", "the lease has run out")
        row = self._readable(number)
        try:
            epoch = None if row is None else row.epoch
            self.leases.renew(ask.lease, epoch, time.monotonic_ns() // 1_000_000)
        except RefusedError as error:
            return _refused("gone", str(error))
        return Kind.LEASE, Lease(ask.lease, LEASE_MS), -1


def _check(stream: bytes, *times_ns: int) -> None:
    """Raises MediaError for what no key of the index can be made of."""
    if len(stream) != _ID_BYTES:
        raise MediaError("value", f"a stream's id of {len(stream)} bytes", 0)
    if not all(-_TIME_MAX_NS < ns < _TIME_MAX_NS for ns in times_ns):
        raise MediaError("value", "a time that is none", 0)


def _refused(code: str, what: str) -> Answer:
    return Kind.REFUSED, Refused(code, what), -1
