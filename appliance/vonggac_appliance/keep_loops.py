"""A loop as a keeper sees it: a socket of vg/wire.h messages, and the arena of its chunks."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from enum import IntEnum

from vonggac._native.arena import ArenaChunk, ArenaReader
from vonggac.errors import MediaError

_HEADER = struct.Struct(">HHIHH")
_HELLO = struct.Struct(">HIQ")
_ACK = struct.Struct(">IB")
_VERSION = 1
_MESSAGE_MAX = 64 * 1024
_ACKS_A_MESSAGE = 8192
_READS_A_TURN = 256
BATCH_BYTES = 512 << 20
"""Of video in a batch: two seconds of 512 cameras. A disk that hung has more to catch up with, and
each sync gives room back to the loops."""


class Wire(IntEnum):
    """vg_wire_kind, as far as a keeper speaks it."""

    HELLO = 96
    CHUNK = 97
    TICK = 98
    BYE = 99
    ACK = 100
    DRAINED = 101


class Status(IntEnum):
    """Of an ACK."""

    DURABLE = 1
    REFUSED = 2


class LoopLink:
    """One connection, which is one incarnation of a loop."""

    def __init__(self, sock: socket.socket, number: int, incarnation: int) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.number = number
        self.incarnation = incarnation
        self.reader: ArenaReader | None = None
        self.arrived: deque[int] = deque()
        """Headers of chunks that the keeper has not taken into its own list yet."""
        self.has_ticked = False
        self.is_ended = False
        """BYE, or the end of the connection: nothing more will come."""
        self.is_connected = True
        self.outstanding = 0
        """Chunks that were handed over and not acknowledged."""
        self._out: deque[bytes] = deque()

    @property
    def is_drained(self) -> bool:
        return self.is_ended and self.outstanding == 0

    @property
    def wants_write(self) -> bool:
        return bool(self._out) and self.is_connected

    def chunk(self, header: int) -> ArenaChunk:
        """The chunk in the arena; MediaError when it does not hold together."""
        if self.reader is None:
            raise MediaError("value", "CHUNK before HELLO")
        return self.reader.chunk(header)

    def read(self) -> None:
        """Takes what the loop has sent; a loop that talks nonsense ends its connection."""
        for _ in range(_READS_A_TURN):
            try:
                data, ancillary, _flags, _ = self.sock.recvmsg(
                    _MESSAGE_MAX, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                data, ancillary = b"", []
            fds = _descriptors(ancillary)
            try:
                if not data:
                    self._end()
                    return
                self._take(data, fds)
            except (MediaError, struct.error):
                self._end()
                raise
            finally:
                for fd in fds:
                    os.close(fd)

    def _take(self, data: bytes, fds: Sequence[int]) -> None:
        version, kind, _request, _part, _last = _HEADER.unpack_from(data)
        body = memoryview(data)[_HEADER.size :]
        if version != _VERSION:
            raise MediaError("unsupported", f"vg/wire.h version {version}")
        if kind == Wire.HELLO:
            if not fds:
                raise MediaError("value", "HELLO without an arena")
            _number, self.incarnation, size = _HELLO.unpack_from(body)
            _check_sealed(fds[0])
            self.reader = ArenaReader(fds[0], size)
        elif kind == Wire.CHUNK:
            count = int.from_bytes(body[:2], "big")
            headers = struct.unpack_from(f">{count}I", body, 2)
            self.arrived.extend(headers)
            self.outstanding += count
        elif kind == Wire.TICK:
            self.has_ticked = True
        elif kind == Wire.BYE:
            self.is_ended = True

    def acknowledge(self, acks: Sequence[tuple[int, Status]]) -> None:
        """Tells the loop which chunks it may free."""
        self.outstanding -= len(acks)
        for start in range(0, len(acks), _ACKS_A_MESSAGE):
            part = acks[start : start + _ACKS_A_MESSAGE]
            body = b"".join(_ACK.pack(header, status) for header, status in part)
            self._send(Wire.ACK, len(part).to_bytes(2, "big") + body)

    def say_drained(self) -> None:
        self._send(Wire.DRAINED, self.incarnation.to_bytes(4, "big"))

    def write(self) -> None:
        """Sends what waits."""
        while self._out and self.is_connected:
            try:
                self.sock.send(self._out[0], socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:
                self._end()
                return
            self._out.popleft()

    def close(self) -> None:
        self.is_connected = False
        self.sock.close()
        self.reader = None

    def _send(self, kind: Wire, body: bytes) -> None:
        if self.is_connected:
            self._out.append(_HEADER.pack(_VERSION, kind, 0, 0, 1) + body)
            self.write()

    def _end(self) -> None:
        self.is_ended = True
        self.is_connected = False


Chunk = tuple[LoopLink, int]
"""Who handed it over, and its header block."""


def take(
    pending: deque[Chunk], most_bytes: int, refused: list[tuple[Chunk, str]]
) -> Iterator[tuple[Chunk, ArenaChunk]]:
    """Chunks from the front of `pending`, in order, until they hold `most_bytes` of video.

    What does not hold together goes to `refused`, with the reason.
    """
    left_bytes = most_bytes
    while pending and left_bytes > 0:
        chunk = link, header = pending.popleft()
        try:
            found = link.chunk(header)
        except MediaError as error:
            refused.append((chunk, str(error)))
            continue
        left_bytes -= found.payload_bytes
        yield chunk, found


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def _check_sealed(fd: int) -> None:
    """An arena that could still shrink under the mapping would end this process with SIGBUS."""
    try:
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    except OSError as error:
        raise MediaError("value", "HELLO with a descriptor that is no memfd") from error
    if not seals & fcntl.F_SEAL_SHRINK:
        raise MediaError("value", "HELLO with an arena that is not sealed against shrinking")
