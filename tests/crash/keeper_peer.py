"""A keeper in a process of its own; the parent and loop it talks to are played by the test."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from store.maker import BOX, FakeChunk
from vonggac._native.arena import ArenaWriter, format_arena
from vonggac_appliance import sockets
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import (
    Durable,
    Expect,
    GapOpen,
    KeeperReady,
    LockRange,
    Locks,
    Loop,
)

_HEADER = struct.Struct(">HHIHH")
ARENA_BYTES = 64 << 20
DEADLINE_S = 120.0

_PROGRAM = """
import socket, sys, logging
logging.basicConfig(level=logging.INFO)
from vonggac_appliance.keep import main
disk, home, box, fd = sys.argv[1:]
sys.exit(main(disk, home, bytes.fromhex(box), socket.socket(fileno=int(fd))))
"""
_HOLDING = """
import sys
from pathlib import Path
from vonggac.store.rebuild import Rebuild
step = Rebuild.step
Rebuild.step = lambda self: step(self) if Path(sys.argv[2], "go").exists() else True
"""
"""A disk so slow that the next segment is not read before the test makes HOME/go."""


@dataclass(slots=True)
class Arena:
    """Outlives loops and keepers, as the parent's memfd does."""

    fd: int
    writer: ArenaWriter
    waiting: list[tuple[int, FakeChunk]] = field(default_factory=list)
    """Header and chunk of everything SENT and not acknowledged."""

    @classmethod
    def make(cls) -> Arena:
        fd = os.memfd_create("arena", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, ARENA_BYTES)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        format_arena(fd)
        return cls(fd, ArenaWriter(fd))

    def put(self, chunk: FakeChunk) -> int:
        header = self.writer.put(
            camera=chunk.camera,
            stream=chunk.stream,
            run=chunk.run,
            sequence=chunk.sequence,
            keeper=0,
            wall_end_ns=chunk.wall_end_ns,
            entry_sha256=chunk.entry_sha256,
            head=chunk.head,
            segment_head=chunk.segment_head,
            payload=b"".join(chunk.payload),
        )
        self.waiting.append((header, chunk))
        return header

    def close(self) -> None:
        del self.writer
        os.close(self.fd)


class KeeperPeer:
    """`acknowledged` collects (stream, run, sequence) of every chunk that the keeper called
    durable.
    """

    def __init__(
        self, disk: Path, home: Path, arena: Arena, *, is_rebuild_held: bool = False
    ) -> None:
        """`is_rebuild_held`: an index is made again once there is a file HOME/go."""
        program = (_HOLDING if is_rebuild_held else "") + _PROGRAM
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = ours
        self.control.settimeout(DEADLINE_S)
        self.arena = arena
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, disk, home, BOX.hex(), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
        )
        theirs.close()
        self.loop: socket.socket | None = None
        self.acknowledged: list[tuple[bytes, int, int]] = []
        self.refused: list[tuple[bytes, int, int]] = []
        self.is_drained = False

    def ready(self, locks: Sequence[LockRange] | None = ()) -> KeeperReady:
        """Until the disk is recovered. `locks`: what the catalog holds; None: it is not told."""
        message = sockets.recv(self.control)
        assert message.kind == Kind.KEEPER_READY, message
        if locks is not None:
            sockets.send(self.control, Kind.LOCKS, Locks(list(locks)))
        return sockets.decode(message, KeeperReady)

    def expect(self, streams: int) -> None:
        sockets.send(self.control, Kind.EXPECT, Expect(streams))

    def gap(self, gap: GapOpen) -> None:
        sockets.send(self.control, Kind.GAP_OPEN, gap)

    def connect(self, incarnation: int = 0) -> None:
        """A loop's connection; everything SENT is handed over again, as the loop does."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sockets.send(self.control, Kind.LOOP, Loop(0, incarnation), fds=[theirs.fileno()])
        theirs.close()
        self.loop = ours
        self.loop.settimeout(DEADLINE_S)
        hello = _HEADER.pack(1, 96, 0, 0, 1) + struct.pack(">HIQ", 0, incarnation, ARENA_BYTES)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [self.arena.fd]))]
        self.loop.sendmsg([hello], rights)
        self.hand_over([header for header, _ in self.arena.waiting])

    def hand_over(self, headers: list[int]) -> None:
        assert self.loop is not None
        if headers:
            body = struct.pack(f">H{len(headers)}I", len(headers), *headers)
            self.loop.send(_HEADER.pack(1, 97, 0, 0, 1) + body)

    def tick(self, chunks: list[FakeChunk]) -> None:
        assert self.loop is not None
        self.hand_over([self.arena.put(chunk) for chunk in chunks])
        self.loop.send(_HEADER.pack(1, 98, 0, 0, 1) + struct.pack(">Q", 0))

    def bye(self) -> None:
        assert self.loop is not None
        self.loop.send(_HEADER.pack(1, 99, 0, 0, 1))

    def read(self, timeout_s: float) -> bool:
        """Takes one message of the keeper to the loop; False when there is none in time."""
        assert self.loop is not None
        if not select.select([self.loop], [], [], timeout_s)[0]:
            return False
        data = self.loop.recv(1 << 16)
        if not data:
            return False
        kind = _HEADER.unpack_from(data)[1]
        self.is_drained = self.is_drained or kind == 101
        if kind == 100:
            (count,) = struct.unpack_from(">H", data, 12)
            for number in range(count):
                self._acknowledged(*struct.unpack_from(">IB", data, 14 + 5 * number))
        return True

    def _acknowledged(self, header: int, status: int) -> None:
        chunk = next(c for h, c in self.arena.waiting if h == header)
        self.arena.waiting = [(h, c) for h, c in self.arena.waiting if h != header]
        self.arena.writer.durable(header)
        what = (chunk.stream, chunk.run, chunk.sequence)
        (self.acknowledged if status == 1 else self.refused).append(what)

    def wait_for(self, count: int) -> None:
        """Until so many chunks in all are acknowledged."""
        until_s = time.monotonic() + DEADLINE_S
        while len(self.acknowledged) < count:
            assert time.monotonic() < until_s, (len(self.acknowledged), self.refused)
            self.read(0.5)

    def heard(self, kind: Kind) -> sockets.Message:
        """The parent's next message of a kind."""
        while (message := sockets.recv(self.control)).kind != kind:
            pass
        return message

    def durable(self) -> Durable:
        return msgspec.msgpack.decode(self.heard(Kind.DURABLE).body, type=Durable)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.wait()

    def quit(self) -> tuple[int, str]:
        """QUIT; the exit status and what it said on stderr."""
        sockets.send(self.control, Kind.QUIT)
        if self.loop is not None:
            self.loop.close()
        return self.wait()

    def wait(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=DEADLINE_S)
        self.control.close()
        if self.loop is not None:
            self.loop.close()
        return self.process.returncode, said.decode()
