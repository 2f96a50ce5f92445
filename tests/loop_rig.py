"""A loop in a process of its own, with the test as its parent, its keepers and its cameras."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vonggac._native import segment
from vonggac._native.arena import BLOCK_BYTES, ArenaChunk, ArenaReader, format_arena
from vonggac.media.chunk import Claim, Codec
from vonggac.rtsp.packetise import Packetiser
from vonggac.rtsp.sound import SoundReady
from vonggac_appliance import loop_stats, loop_wire

DEADLINE_S = 120.0
HELLO, CHUNK, TICK, BYE, ACK = 96, 97, 98, 99, 100
LIVE_HEAD, LIVE_UNIT = 128, 129
DURABLE, REFUSED = 1, 2
RTP_CHANNEL, RTCP_CHANNEL = 0, 1
PAYLOAD_TYPE = 96
FRAME_TICKS = 3600

# A constrained baseline stream of 320x180: no B-pictures, as its SPS says.
SPS = bytes.fromhex("6742c00cda05067e7c0440000003004000000c83c50aa8")
PPS = bytes.fromhex("68ce0fc8")

_RUN = """
import sys
from vonggac._native.loop import run_loop
control, arena, reader, crash, number, incarnation, flood, calm_s = map(int, sys.argv[1:])
sys.exit(run_loop(control, arena, reader, number, incarnation, crash, flood, calm_s))
"""


def idr(bytes_: int = 400, seed: int = 0) -> bytes:
    """An IDR slice: first_mb_in_slice 0, then bytes that are no start code."""
    return b"\x65\x88" + random.Random(seed).randbytes(bytes_).replace(b"\x00", b"\x01")


def inter(bytes_: int = 200, seed: int = 0) -> bytes:
    """A P slice that begins a picture."""
    return b"\x41\x9a" + random.Random(seed).randbytes(bytes_).replace(b"\x00", b"\x01")


def later(pictures: int, seed: int = 0) -> list[list[bytes]]:
    """Access units of one P picture each."""
    return [[inter(seed=seed * 1000 + n)] for n in range(pictures)]


def gop(pictures: int, seed: int = 0, size: int = 200) -> list[list[bytes]]:
    """Access units: parameter sets and an IDR picture, then P pictures."""
    first = [SPS, PPS, idr(2 * size, seed)]
    return [first, *([inter(size, seed * 1000 + n)] for n in range(1, pictures))]


def interleave(packet: bytes, channel: int = RTP_CHANNEL) -> bytes:
    return b"$" + bytes([channel]) + len(packet).to_bytes(2) + packet


@dataclass
class Camera:
    """The camera's end of a connection."""

    socket: socket.socket
    packetiser: Packetiser
    timestamp: int = 1000
    sent: list[list[bytes]] = field(default_factory=list)

    def send(self, units: Sequence[Sequence[bytes]], step: int = FRAME_TICKS) -> None:
        """Access units, each `step` ticks after the one before."""
        for nals in units:
            self.send_at(nals, self.timestamp)
            self.timestamp += step

    def send_at(self, nals: Sequence[bytes], timestamp: int) -> None:
        packets = self.packetiser.access_unit(list(nals), timestamp & 0xFFFFFFFF)
        self.socket.sendall(b"".join(interleave(packet) for packet in packets))
        self.sent.append(list(nals))


@dataclass
class Received:
    """A chunk as a keeper copies it out of the arena."""

    header: int
    chunk: ArenaChunk
    claim: Claim
    claim_sha256: bytes
    payload: bytes

    @property
    def nals(self) -> list[bytes]:
        return split_lengths(self.payload)


def split_lengths(payload: bytes) -> list[bytes]:
    nals = []
    at = 0
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 4])
        nals.append(payload[at + 4 : at + 4 + size])
        at += 4 + size
    return nals


@dataclass
class Keeper:
    """A keeper's end; `reads`: False leaves everything in the socket."""

    socket: socket.socket
    slot: int
    acknowledges: int | None = DURABLE
    reader: ArenaReader | None = None
    loop: tuple[int, int] = (-1, -1)
    chunks: list[Received] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    said_bye: bool = False
    is_closed: bool = False

    def read(self) -> None:
        """One message."""
        message, fds, _flags, _address = socket.recv_fds(self.socket, 1 << 16, 1)
        if not message:
            self.is_closed = True
            return
        _version, kind = struct.unpack_from(">HH", message)
        body = message[12:]
        if kind == HELLO:
            number, incarnation, size = struct.unpack(">HIQ", body)
            flags = fcntl.fcntl(fds[0], fcntl.F_GETFL)
            assert flags & os.O_ACCMODE == os.O_RDONLY
            self.loop = (number, incarnation)
            self.reader = ArenaReader(fds[0], size)
        elif kind == CHUNK:
            self._take(struct.unpack(f">{int.from_bytes(body[:2])}I", body[2:]))
        elif kind == TICK:
            self.ticks.append(int.from_bytes(body))
        elif kind == BYE:
            self.said_bye = True
        for fd in fds:
            os.close(fd)

    def _take(self, headers: Sequence[int]) -> None:
        assert self.reader is not None
        for header in headers:
            chunk = self.reader.chunk(header)
            claim, sha256 = segment.claim_read(chunk.head)
            payload = b"".join(chunk.payload)
            chunk.payload.clear()
            self.chunks.append(Received(header, chunk, claim, sha256, payload))
        if self.acknowledges is not None:
            self.acknowledge(headers, self.acknowledges)

    def acknowledge(self, headers: Sequence[int], status: int) -> None:
        body = struct.pack(">H", len(headers))
        body += b"".join(struct.pack(">IB", header, status) for header in headers)
        self.socket.send(struct.pack(">HHIHH", 1, ACK, 0, 0, 1) + body)

    @property
    def nals(self) -> list[bytes]:
        return [nal for received in self.chunks for nal in received.nals]


class Rig:
    """The parent of one loop."""

    def __init__(
        self, *, blocks: int = 512, flood_bytes_per_second: int = 0, calm_s: int = 0
    ) -> None:
        self.arena = os.memfd_create("arena", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.arena, blocks * BLOCK_BYTES)
        fcntl.fcntl(self.arena, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        format_arena(self.arena)
        self.arena_reader = os.open(f"/proc/self/fd/{self.arena}", os.O_RDONLY | os.O_CLOEXEC)
        self.crash = os.memfd_create("crash", os.MFD_CLOEXEC)
        os.ftruncate(self.crash, mmap.PAGESIZE)
        self.flood = flood_bytes_per_second
        self.calm_s = calm_s
        self.incarnation = 0
        self.messages: list[loop_wire.FromLoop] = []
        self.keepers: list[Keeper] = []
        self.sockets: list[socket.socket] = []
        self.cameras: dict[bytes, socket.socket] = {}
        self.start()

    def start(self) -> None:
        """Starts a loop on the arena; after `kill`, its successor."""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sockets.append(self.control)
        fds = [theirs.fileno(), self.arena, self.arena_reader, self.crash]
        numbers = [*fds, 7, self.incarnation, self.flood, self.calm_s]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, *map(str, numbers)], pass_fds=fds
        )
        theirs.close()
        self.until(lambda: any(isinstance(m, loop_wire.Ready) for m in self.messages))

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kills the loop; the next `start` is its successor."""
        self.process.send_signal(number)
        self.process.wait()
        self.incarnation += 1
        self.messages = [m for m in self.messages if not isinstance(m, loop_wire.Ready)]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for keeper in self.keepers:
            keeper.reader = None
        for sock in self.sockets:
            sock.close()
        for fd in (self.arena, self.arena_reader, self.crash):
            os.close(fd)

    def keeper(self, slot: int = 0, acknowledges: int | None = DURABLE) -> Keeper:
        """Connects a keeper to a slot and waits for its HELLO."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sockets.append(ours)
        keeper = Keeper(ours, slot, acknowledges)
        self.keepers.append(keeper)
        self.tell(loop_wire.keeper(slot, self.incarnation), theirs)
        self.until(lambda: keeper.reader is not None)
        return keeper

    def attach(
        self,
        stream: bytes = b"s" * 16,
        *,
        codec: Codec = Codec.H264,
        keeper: int = 0,
        stall_ms: int = 60_000,
        flags: int = 0,
        run: int = 1000,
        predecessor: int = 0,
        reason: int = 0,
        gap_start_ns: int = 0,
        sets: tuple[Sequence[bytes], Sequence[bytes], Sequence[bytes]] = ((), (), ()),
        early: bytes = b"",
        aggregate: bool = False,
        mtu_bytes: int = 1400,
        connection: tuple[socket.socket, socket.socket] | None = None,
        sound: SoundReady | None = None,
    ) -> Camera:
        """Gives a camera's connection to the loop."""
        ours, theirs = connection or socket.socketpair()
        self.sockets += [ours, theirs]
        self.cameras[stream] = theirs
        self.tell(
            loop_wire.attach(
                loop_wire.Attach(
                    b"c" * 16, stream, keeper, codec, PAYLOAD_TYPE, RTP_CHANNEL, RTCP_CHANNEL,
                    90_000, stall_ms, flags, run, predecessor, reason, gap_start_ns, *sets, early,
                    sound,
                )
            ),
            theirs,
            close=False,
        )  # fmt: skip
        packetiser = Packetiser(
            codec, payload_type=PAYLOAD_TYPE, aggregate=aggregate, mtu_bytes=mtu_bytes
        )
        return Camera(ours, packetiser)

    def tell(
        self, message: bytes, passed: socket.socket | None = None, *, close: bool = True
    ) -> None:
        fds = [] if passed is None else [passed.fileno()]
        socket.send_fds(self.control, [message], fds)
        if passed is not None and close:
            passed.close()

    def until(self, condition: Callable[[], bool], seconds: float = DEADLINE_S) -> None:
        """Reads what comes until it is true; fails after the deadline."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"nothing more came: {self.messages[-5:]}"
            self.turn(min(left, 0.02))  # some conditions ask the loop: nothing tells when to ask

    def turn(self, seconds: float) -> None:
        """Waits for one message or the time, and reads what is there."""
        open_keepers = [k for k in self.keepers if not k.is_closed]
        readable, _, _ = select.select(
            [self.control, *(k.socket for k in open_keepers)], [], [], seconds
        )
        for keeper in open_keepers:
            if keeper.socket in readable:
                keeper.read()
        if self.control in readable:
            message = self.control.recv(1 << 16)
            if not message:
                return
            read = loop_wire.read(message)
            assert read is not None
            self.messages.append(read)

    def events(self, kind: loop_wire.LoopEvent, stream: bytes = b"s" * 16) -> list[loop_wire.Event]:
        return [
            m
            for m in self.messages
            if isinstance(m, loop_wire.Event) and m.event is kind and m.stream == stream
        ]

    def ended(self, run: int) -> loop_wire.Ended | None:
        for m in self.messages:
            if isinstance(m, loop_wire.Ended) and m.run == run:
                return m
        return None

    def detach(self, stream: bytes = b"s" * 16, run: int = 1000) -> loop_wire.Ended:
        """Ends a run and waits until all of it is handed over."""
        self.tell(loop_wire.detach(stream, 0))
        self.until(lambda: self.ended(run) is not None)
        ended = self.ended(run)
        assert ended is not None
        keepers = [k for k in self.keepers if not k.is_closed]
        self.until(
            lambda: (
                sum(c.chunk.run == run for k in keepers for c in k.chunks) >= ended.next_sequence
            )
        )
        return ended

    def stats(self, stream: bytes = b"s" * 16) -> loop_stats.StreamStats:
        self.messages = [m for m in self.messages if not isinstance(m, loop_stats.Stats)]
        self.tell(loop_wire.stats(1))
        self.until(lambda: any(isinstance(m, loop_stats.Stats) for m in self.messages))
        for m in self.messages:
            if isinstance(m, loop_stats.Stats):
                return next(s for s in m.streams if s.stream == stream)
        raise AssertionError("unreachable")


def without_sets(units: Sequence[Sequence[bytes]]) -> list[bytes]:
    return [nal for nals in units for nal in nals if nal not in (SPS, PPS)]


def check_chain(keeper: Keeper) -> None:
    """Every chunk's hashes, its numbering and its link to the one before."""
    previous: dict[int, tuple[int, bytes]] = {}
    for received in keeper.chunks:
        claim = received.claim
        assert claim.video_sha256 == hashlib.sha256(received.payload).digest()
        sequence, sha256 = previous.get(claim.run, (-1, bytes(32)))
        assert (claim.sequence, claim.previous_sha256) == (sequence + 1, sha256)
        previous[claim.run] = (claim.sequence, received.claim_sha256)


def heard(keeper: Keeper) -> bytes:
    """All sound in chunks, without the starts in front of it."""
    return b"".join(
        received.payload[received.claim.video_bytes :][8:] for received in keeper.chunks
    )
