"""A viewer's side of live: a loop's socket, and the part of its GOP that stands in the ring."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vonggac._native import segment as native
from vonggac.errors import MediaError, Refused, StorageError, Unavailable
from vonggac.media.chunk import PackedRow, SyncKind
from vonggac_appliance import sockets
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages import Refused as RefusedMessage
from vonggac_appliance.messages_footage import AskLive, Live

__all__ = ["LiveHead", "LiveSocket", "LiveUnit", "NotNow", "ring_before"]

LIVE_HEAD = 128
LIVE_UNIT = 129
DAMAGED = 1
SKIPPED = 2
_UNIT = struct.Struct(">QQIBBQqI")
_DEADLINE_S = 3.0
_RING_BYTES_MAX = 16 << 20
"""As much as a loop keeps for a viewer at the start; a longer GOP is waited out."""


class NotNow(Unavailable):
    """The camera gives no pictures at this moment, or too many people watch it."""


@dataclass(frozen=True, slots=True)
class LiveHead:
    """What the units that follow are decoded with."""

    data: bytes
    """ftyp and moov, with padding."""


@dataclass(frozen=True, slots=True)
class LiveUnit:
    """An access unit, in decode order."""

    run: int
    sequence: int
    """Of the chunk where it will stand, from 0 in a run."""
    sample: int
    """Its place there."""
    kind: int
    """`SyncKind`."""
    flags: int
    media_ticks: int
    """Presentation time since the run's start."""
    wall_ns: int
    data: bytes
    """NAL units with 4-byte lengths, as in `mdat`."""

    @property
    def place(self) -> tuple[int, int]:
        """Where it will stand in its run."""
        return self.sequence, self.sample


class LiveSocket:
    """Access units of a stream as they come. `close` may be called from another thread."""

    def __init__(self, home: Path, ask: AskLive, deadline_s: float = _DEADLINE_S) -> None:
        """Raises Unavailable (no recorder), NotNow (no pictures now), Refused (the receipt)."""
        self._sock = sockets.connect(sockets.socket_path(home, "view", "live.sock"), deadline_s)
        try:
            sockets.send(self._sock, Kind.ASK_LIVE, ask)
            self.live = self._answer()
        except BaseException:
            self._sock.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._sock, select.POLLIN)

    def _answer(self) -> Live:
        try:
            message = sockets.recv(self._sock)
        except sockets.Closed as error:
            raise NotNow("the recorder takes no further viewer of this stream") from error
        message.close_fds()
        if message.kind == Kind.REFUSED:
            refused = sockets.decode(message, RefusedMessage)
            raise (Refused if refused.code == "receipt" else NotNow)(refused.what)
        if message.kind != Kind.LIVE:
            raise Unavailable(f"the recorder answered with {message.kind}")
        return sockets.decode(message, Live)

    def next(self, wait_s: float) -> LiveHead | LiveUnit | None:
        """What comes next; None when nothing came in `wait_s`. Closed at the end."""
        if not self._poll.poll(wait_s * 1000):
            return None
        message = sockets.recv(self._sock)
        message.close_fds()
        if message.kind == LIVE_HEAD:
            return LiveHead(message.body)
        if message.kind != LIVE_UNIT:
            return None  # of a newer recorder
        if len(message.body) < _UNIT.size:
            raise MediaError("short", "an access unit without its description", len(message.body))
        run, sequence, sample, kind, flags, media, wall, size = _UNIT.unpack_from(message.body)
        data = message.body[_UNIT.size :]
        if size != len(data):
            raise MediaError("value", f"an access unit of {len(data)} bytes says {size}", 50)
        return LiveUnit(run, sequence, sample, kind, flags, media, wall, data)

    def end(self) -> None:
        """Ends the connection; whoever waits in `next` learns it. From any thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Gives the descriptor back: by who called `next`, or after him."""
        self._sock.close()


def ring_before(
    home: Path,
    disks: Iterable[bytes],
    stream: bytes,
    receipt: bytes,
    unit: LiveUnit,
    from_ns: int,
) -> list[bytes] | None:
    """The chunks from the newest key frame up to the one in which `unit` is the first.

    None where they are not all there, began before `from_ns`, or are more than a start should
    send. Raises Unavailable, Refused (Gone among them), StorageError.
    """
    for disk in disks:
        with IndexClient(home, disk, _DEADLINE_S) as client:
            told = client.rows(stream, from_ns, max(unit.wall_ns, from_ns) + 1)
            rows = [row for value in told.packed for row in native.rows_unpack(value)]
            wanted = _gop_before(rows, unit, from_ns)
            if wanted:
                return _read(client, stream, receipt, wanted)
    return None


def _gop_before(rows: list[PackedRow], unit: LiveUnit, from_ns: int) -> list[PackedRow]:
    """Its rows in order; empty where one is missing."""
    by_sequence = {packed.row.sequence: packed for packed in rows if packed.row.run == unit.run}
    wanted: list[PackedRow] = []
    size = 0
    for sequence in range(unit.sequence - 1, -1, -1):
        packed = by_sequence.get(sequence)
        if packed is None or packed.row.wall_start_ns < from_ns:
            return []
        wanted.append(packed)
        size += packed.row.chunk_bytes
        if size > _RING_BYTES_MAX:
            return []
        if packed.row.kind != SyncKind.NONE:
            return wanted[::-1]
    return []


def _read(
    client: IndexClient, stream: bytes, receipt: bytes, rows: Iterable[PackedRow]
) -> list[bytes]:
    chunks: list[bytes] = []
    held: dict[tuple[int, int], tuple[int, int]] = {}
    try:
        for packed in rows:
            place = (packed.segment, packed.epoch)
            if place not in held:
                held[place] = client.lease(stream, *place, receipt)
            chunks.append(os.pread(held[place][0], packed.row.chunk_bytes, packed.row.offset))
        for _, lease in held.values():
            client.renew(lease)  # all of it was read in the life that the index names
    except OSError as error:
        raise StorageError(f"a segment cannot be read: {error.strerror}") from error
    finally:
        for fd, _ in held.values():
            os.close(fd)
    return chunks
