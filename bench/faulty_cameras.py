"""Cameras for `episodes.py`: each has a port of its own and can be hurt in every known way.

They keep to the book as `tests/quirk_camera.py` does, ask for Digest, and send a small stream of
five pictures a second, a key frame every two seconds, wherever in it a viewer arrives. All live
in one thread and event loop; what hurts them is called there.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from quirk_camera import Asked, Quirk, Reply, Visit
from quirk_server import QuirkServer
from udp_proxy import Manners
from vonggac.rtsp.tracks import VIDEO_CLOCK_RATE
from vonggac_appliance.camera_clip import STREET, Clip, load_scene

HOST = "127.0.0.1"
FPS = 5
GOP = 10
_RESET = struct.pack("ii", 1, 0)
_BYE = b"\x81\xcb\x00\x01"
_MASK = 0xFFFFFFFF


def clips() -> tuple[Clip, Clip]:
    """The stream that all send, and the one of another size that some send after a reboot."""
    main, sub = load_scene(STREET)
    ticks = VIDEO_CLOCK_RATE // FPS
    return (
        replace(sub, units=sub.units[:GOP], frame_ticks=ticks),
        replace(main, units=main.units[:GOP], frame_ticks=ticks),
    )


class _Visit(Visit):
    """A connection whose way back can be cut, and whose end the camera knows."""

    def __init__(self, camera: FaultyCamera, writer: asyncio.StreamWriter) -> None:
        super().__init__(camera, writer)
        self.camera = camera
        self.has_session = False
        self._kept: list[bytes] = []

    @property
    def is_over(self) -> bool:
        """Closed by one of the two, as far as the camera can know."""
        return self._writer.is_closing()

    def send(self, data: bytes) -> None:
        if self.is_over:
            return
        if self.camera.is_held:
            self._kept.append(data)
        else:
            super().send(data)

    def send_packets(self, frames: bytes) -> None:
        """Datagrams that the network does not carry do not wait either."""
        if self.datagrams is None or not (self.camera.is_held or self.camera.is_cut):
            super().send_packets(frames)

    def hold(self) -> None:
        """Nothing of the viewer is read; what is sent waits."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        if not self.is_over and transport.is_reading():
            transport.pause_reading()

    def go_on(self) -> None:
        """What waited goes out at once, as TCP does it."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        if not self.is_over and not transport.is_reading():
            transport.resume_reading()
        kept, self._kept = self._kept, []
        for data in kept:
            self.send(data)

    def reset(self) -> None:
        """RST."""
        self.silence()
        sock = self._writer.get_extra_info("socket")
        if sock is not None and not self.is_over:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()


class FaultyCamera(Quirk):
    """One camera. Its attributes are what is wrong with it at the moment."""

    challenges = ('Digest realm="cam", nonce="{nonce}"',)

    manners = Manners(loses=0.001, repeats=0.02, delay_s=(0.0, 0.03))

    def __init__(
        self, name: str, both: tuple[Clip, Clip], chance: Random, *, has_udp: bool = False
    ) -> None:
        """`has_udp`: it knows nothing else."""
        super().__init__(both[0])
        self.name = name
        self.has_udp = has_udp
        self.port = 0
        self.chance = chance
        self.doubles = 0
        """Sessions that were asked for while an earlier one was still open."""
        self.sessions = 0
        self.is_held = False
        self.is_cut = False
        """Datagrams go lost, all of them."""
        self.is_mute = False
        """Requests go lost."""
        self.is_slamming = False
        """Connections are closed as they come."""
        self.is_frozen = False
        """No packets; all else goes on."""
        self.loses = 0.0
        """Chance of a packet that it numbers and does not send."""
        self.refuses: dict[str, int] = {}
        """Status by method."""
        self.is_stale = False
        """A refusal of the login says that its nonce is too old."""
        self.description: str | None = None
        """Instead of the true one."""
        self.cuts_answers = False
        self.is_second = False
        self._both = both
        self._ssrc = self._sequence = self._time = 0
        self._server: asyncio.Server | None = None
        self._mute_door: list[socket.socket] = []
        self.reboot()

    # --- the camera by the book, and what is wrong with it ---------------------------------------

    def visited(self, writer: asyncio.StreamWriter) -> Visit:
        self.visits = [visit for visit in self.lives if not visit.is_over]  # hours of them
        return _Visit(self, writer)

    @property
    def lives(self) -> list[_Visit]:
        """Its connections."""
        return [visit for visit in self.visits if isinstance(visit, _Visit)]

    def sdp(self) -> str:
        return super().sdp() if self.description is None else self.description

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        assert isinstance(visit, _Visit)
        if self.is_mute:
            return None
        status = self.refuses.get(asked.method, 200)
        if self.has_udp and "interleaved" in asked.headers.get("transport", ""):
            status = 461
        if status != 200:
            more = ", stale=true" if self.is_stale else ""
            reply = Reply(status, "Refused", {"CSeq": asked.headers.get("cseq", "")})
            if status == 401:
                challenge = f'Digest realm="cam", nonce="{self.chance.randbytes(8).hex()}"{more}'
                reply.headers["WWW-Authenticate"] = challenge
        elif reply.status == 200 and asked.method == "SETUP" and not visit.has_session:
            self.sessions += 1
            self.doubles += any(v.has_session and not v.is_over for v in self.lives)
            visit.has_session = True
        elif asked.method == "TEARDOWN":
            visit.has_session = False
        elif asked.method == "PLAY":
            self._turn_clip()
        if self.cuts_answers and reply.body:
            reply.body, reply.closes = reply.body[: len(reply.body) // 2], True
        return reply

    def _turn_clip(self) -> None:
        """A viewer comes at any moment: to the key frame it may be two seconds."""
        clip = self._both[self.is_second]
        first = self.chance.randrange(len(clip.units))
        self.clip = replace(clip, units=(*clip.units[first:], *clip.units[:first]))

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        if self.is_frozen:
            return b""
        sent = [p for p in packets if self.loses == 0 or self.chance.random() >= self.loses]
        return super().frame(number, channel, [self._rewritten(packet) for packet in sent])

    def _rewritten(self, packet: bytes) -> bytes:
        """With this life's numbers."""
        first, sequence, time, ssrc = struct.unpack_from(">HHII", packet)
        sequence, time = (sequence + self._sequence) & 0xFFFF, (time + self._time) & _MASK
        return struct.pack(">HHII", first, sequence, time, ssrc ^ self._ssrc) + packet[12:]

    # --- what is done to it ----------------------------------------------------------------------

    def reboot(self) -> None:
        """All numbers of RTP begin elsewhere."""
        self.jump(self.chance.getrandbits(32))
        self.renumber()
        self._ssrc = self.chance.getrandbits(32)

    def jump(self, ticks: int) -> None:
        """Its clock."""
        self._time = (self._time + ticks) & _MASK

    def renumber(self) -> None:
        """Its packets."""
        self._sequence = self.chance.getrandbits(16)

    def rename(self) -> None:
        """Another SSRC."""
        self._ssrc = self.chance.getrandbits(32)

    def say(self, data: bytes) -> None:
        """Bytes between two packets, to every viewer."""
        for visit in self.lives:
            visit.send(data)

    def say_bye(self) -> None:
        """RTCP BYE (RFC 3550 6.6); then nothing on these connections."""
        for visit in self.lives:
            report = _BYE + struct.pack(">I", 0x1234 ^ self._ssrc)
            visit.silence()
            frame = b"$" + bytes((visit.channels[1],)) + len(report).to_bytes(2) + report
            visit.send_packets(frame)

    def reset(self) -> None:
        """RST on every connection."""
        for visit in self.lives:
            visit.reset()

    def close(self) -> None:
        """FIN on every connection, behind what was sent."""
        for visit in self.lives:
            visit.close()

    def silence(self) -> None:
        """Connections that play stay open and are fed no more."""
        for visit in self.lives:
            visit.silence()

    def close_ports(self) -> None:
        """Those of its datagrams: what comes there is refused (ICMP)."""
        for visit in self.lives:
            visit.leave()

    def open_ports(self) -> None:
        """Other ones than before, of whom nobody was told."""
        for visit in self.lives:
            if visit.datagrams is not None and not visit.is_over:
                visit.datagrams.open()

    async def hold(self) -> None:
        """No packet of the network gets through in either direction, a SYN neither."""
        self.is_held = True
        for visit in self.lives:
            visit.hold()
        self.shut()
        # A queue of one connection that is full: the system lets further SYNs go unanswered.
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((HOST, self.port))
        door.listen(0)
        filler = socket.socket()
        filler.setblocking(False)
        self._mute_door = [door, filler]
        # Perhaps the recorder has just come first; then it is the one that nobody will accept.
        filler.connect_ex((HOST, self.port))

    async def release(self, *, forgets: bool) -> None:
        """The network is there again; `forgets`: the camera was off meanwhile."""
        self.is_held = False
        if forgets:
            self.reset()
        for visit in self.lives:
            visit.go_on()
        await asyncio.sleep(0.05)  # what waited in those connections came before any new one
        await self.open()

    def shut(self) -> None:
        """Who connects is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def open(self) -> None:
        """Takes connections, always at the same port."""
        for sock in self._mute_door:
            sock.close()
        self._mute_door = []
        if self._server is None:
            self._server = await asyncio.start_server(self._taken, HOST, self.port, backlog=16)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_slamming:
            writer.close()
        else:
            await self.visit(reader, writer)

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Its server's; set by it."""
        raise NotImplementedError


class FaultyCameras(QuirkServer):
    """All of them, in a thread; the last `udp` of them send datagrams."""

    def __init__(self, count: int, seed: int, udp: int = 0) -> None:
        both = clips()
        self.cameras = [
            FaultyCamera(
                f"cam{number}", both, Random(f"{seed}/{number}"), has_udp=number >= count - udp
            )
            for number in range(count)
        ]
        super().__init__(self.cameras, HOST)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where the cameras live."""
        return self._loop

    async def _open(self) -> None:
        for camera in self.cameras:
            camera.visit = self._visit  # type: ignore[method-assign]
            await camera.open()

    def _shut(self) -> None:
        for camera in self.cameras:
            camera.shut()

    def address(self, camera: FaultyCamera) -> str:
        """For `camera add`."""
        return f"rtsp://{HOST}:{camera.port}/{camera.name}"
