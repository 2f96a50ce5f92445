"""Answers about the index, and leases of segments, on a keeper's index sockets.

`view` asks for pictures with a receipt of the audit chain; `machine` (motion) is exempt by its
user.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from vonggac.errors import MediaError, Unavailable, VonggacError
from vonggac.errors import Refused as RefusedError
from vonggac.evidence import receipt as receipts
from vonggac.store.index import IndexDamaged
from vonggac.store.index_values import SegmentRow
from vonggac.store.journal import SegmentState
from vonggac.store.lease import LEASE_MS, Leases
from vonggac.store.ring import Ring
from vonggac.store.timeline import explain
from vonggac_appliance import keep_heads, parts, sockets
from vonggac_appliance.keep_locks import PinCount
from vonggac_appliance.keep_pace import Pace
from vonggac_appliance.keep_poll import READ, WRITE, Poller
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

_log = logging.getLogger("vonggac.keep")

Class = Literal["view", "machine"]
ROWS_MAX = 50_000
RUNS_MAX = 20_000
CLIENTS_MAX = 256
_WAITING_PARTS_MAX = 64
"""A client that asks and does not read is let go: 4 MiB of answers."""
_ID_BYTES = 16
_TIME_MAX_NS = 1 << 62
MOTION_USER = "vonggac-motion"
RECEIPT_KEY = Path("keys") / "receipt.key"

Answer = tuple[Kind, msgspec.Struct, int]
"""Kind, body, and a descriptor to send along (-1: none)."""


def socket_name(disk: bytes) -> str:
    """Of a disk's index socket, in the directories of `view` and `machine`."""
    return f"index-{disk[:4].hex()}.sock"


class _Client:
    def __init__(self, sock: socket.socket, name: Class) -> None:
        self.sock = sock
        self.name = name
        self.leases: dict[int, int] = {}
        """Number: monotonic time in ns after which it is not renewed (its receipt's expiry)."""
        self.out: deque[tuple[bytes, int]] = deque()

    def write(self) -> None:
        """Sends what waits; OSError when the client is gone."""
        while self.out:
            message, fd = self.out[0]
            rights = [] if fd < 0 else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [fd]))]
            try:
                self.sock.sendmsg([message], rights, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            self.out.popleft()
            if fd >= 0:
                os.close(fd)

    def close(self) -> None:
        for _, fd in self.out:
            if fd >= 0:
                os.close(fd)
        self.sock.close()


class Questions:
    """Listens, reads, answers; all in the keeper's main thread and without waiting for anybody."""

    def __init__(self, ring: Ring, home: Path, pace: Pace) -> None:
        self.ring = ring
        self.home = home
        self.pace = pace
        self.leases = Leases()
        self.pins = PinCount(ring)
        self.state = "recording"
        self._clients: dict[int, _Client] = {}
        self._listeners: list[tuple[socket.socket, Path]] = []
        self._motion_uid = sockets.service_uid(MOTION_USER)
        """None without service users: then the folder alone tells (docs/ref/sockets.md)."""
        ring.spares.is_leased = self.leases.holds

    def begin(self, poller: Poller) -> None:
        """Opens the sockets.

        Nobody can ask for pictures where they cannot be made; recording goes on.
        """
        self._poller = poller
        classes: tuple[Class, ...] = ("view", "machine")
        for name in classes:
            try:
                directory = sockets.prepare_class(self.home, name)
                path = directory / socket_name(self.ring.disk.identity.disk)
                listener = sockets.listen(path)
            except (OSError, Unavailable) as error:
                _log.error("questions of class %s cannot be answered: %s", name, error)
                continue
            listener.setblocking(False)
            self._listeners.append((listener, path))
            poller.watch(listener.fileno(), READ, self._acceptor(listener, name))

    def close(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        for listener, path in self._listeners:
            self._poller.unwatch(listener.fileno())
            listener.close()
            path.unlink(missing_ok=True)

    def _acceptor(self, listener: socket.socket, name: Class) -> Callable[[int], None]:
        def accept(_: int) -> None:
            try:
                sock, _ = listener.accept()
            except OSError:
                return  # the caller has gone again
            if len(self._clients) >= CLIENTS_MAX or not self._is_welcome(sock, name):
                sock.close()
                return
            sock.setblocking(False)
            client = _Client(sock, name)
            self._clients[sock.fileno()] = client
            self._poller.watch(sock.fileno(), READ, lambda mask: self._serve(client, mask))

        return accept

    def _is_welcome(self, sock: socket.socket, name: Class) -> bool:
        """Who needs no receipt is known by his user, not by a folder alone."""
        if name != "machine" or self._motion_uid is None:
            return True
        uid = sockets.peer_of(sock).uid
        if uid == self._motion_uid:
            return True
        _log.warning("user %d is not %s: it gets nothing of class machine", uid, MOTION_USER)
        return False

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if mask & READ and len(client.out) < _WAITING_PARTS_MAX:
                message = sockets.recv(client.sock)
                message.close_fds()
                kind, body, fd = self._answer(client, message)
                messages = parts.split(kind, msgspec.msgpack.encode(body), message.request)
                client.out.extend((m, fd if n == 0 else -1) for n, m in enumerate(messages))
            elif mask & (select.EPOLLHUP | select.EPOLLERR):
                raise sockets.Closed("gone")
            client.write()
        except BlockingIOError:
            return
        except (OSError, sockets.Closed):
            self._drop(client)
            return
        except IndexDamaged:
            raise  # not the question's fault: the keeper ends, and the next one mends it
        except VonggacError as error:
            _log.warning("a question that is none: %s", error)
            self._drop(client)
            return
        # A client that does not read its answers is not read from either.
        events = WRITE if client.out else READ
        self._poller.watch(client.sock.fileno(), events, lambda mask: self._serve(client, mask))

    def _drop(self, client: _Client) -> None:
        fd = client.sock.fileno()
        self._poller.unwatch(fd)
        self._clients.pop(fd, None)
        for lease in client.leases:
            self.leases.give(lease)
        client.close()

    def _answer(self, client: _Client, message: sockets.Message) -> Answer:
        try:
            if message.kind == Kind.ASK_ROWS:
                return self._rows(sockets.decode(message, AskRows))
            if message.kind == Kind.ASK_RUNS:
                return self._runs(sockets.decode(message, AskRuns))
            if message.kind == Kind.ASK_LEASE:
                return self._lease(client, sockets.decode(message, AskLease))
            if message.kind == Kind.RENEW:
                return self._renew(client, sockets.decode(message, Renew))
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
        return Kind.ROWS, Rows(packed, more, until_ns, next_minute), -1

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

    def _lease(self, client: _Client, ask: AskLease) -> Answer:
        if not 0 <= ask.segment < self.ring.disk.identity.segments:
            raise MediaError("value", f"the disk has no segment {ask.segment}", 0)
        row = self._readable(ask.segment)
        if row is None or (row.epoch, row.stream) != (ask.epoch, ask.stream):
            return _refused("gone", f"segment {ask.segment} was given up")
        until_ns = _TIME_MAX_NS
        if client.name == "view":
            seen, why = self._seen_receipt(ask, row)
            if seen is None:
                return _refused("receipt", why)
            until_ns = time.monotonic_ns() + seen.expires_ns - time.time_ns()
        now_ms = time.monotonic_ns() // 1_000_000
        try:
            lease = self.leases.take(ask.segment, ask.epoch, now_ms)
        except RefusedError as error:
            return _refused("limit", str(error))
        client.leases[lease] = until_ns
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

    def _renew(self, client: _Client, ask: Renew) -> Answer:
        if time.monotonic_ns() >= client.leases.get(ask.lease, _TIME_MAX_NS):
            self.leases.give(ask.lease)
            del client.leases[ask.lease]
            return _refused("receipt", "the receipt has expired")
        number = self.leases.segment_of(ask.lease) if ask.lease in client.leases else None
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
