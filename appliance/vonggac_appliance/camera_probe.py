"""One session with a camera to look at it: dialled as the recorder does, read here, given back.

All that passes is heard where it passes, at the socket, so nothing of the dialogue is done twice.
Parsing happens in the process of whoever asks: a camera that crashes it costs no recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vonggac.media.chunk import GapReason
from vonggac.probe.capture import CaptureWriter
from vonggac.probe.findings import StreamFindings
from vonggac.probe.maker import said_by
from vonggac.probe.meter import Meter
from vonggac.probe.wire import Garbage, Item, Message, Packet, Wire
from vonggac.rtsp.client import TEARDOWN_TIMEOUT_S
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.messages import Response
from vonggac.rtsp.packetise import interleave
from vonggac.rtsp.url import CameraUrl, Credentials
from vonggac_appliance.camera_connection import CameraConnection
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.config import CameraConfig

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["Asked", "probe_stream"]

_READ_BYTES = 64 * 1024
_REPORT_S = 5.0
"""Between receiver reports: some cameras send on only for whom they hear (rows 61, 65)."""
_EARLY_MAX_BYTES = 4 << 20
"""Of packets before the answer to PLAY."""
_STREAM = bytes(16)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at, and how long."""

    name: str
    url: str
    transport: str
    seconds: float
    authority: str = ""
    """Certificates in PEM that have to vouch for it over TLS; empty: the first one counts."""


async def probe_stream(
    asked: Asked,
    credentials: Credentials | None,
    config: CameraConfig,
    memory: Memory,
    capture: CaptureWriter | None = None,
) -> StreamFindings:
    """Plays the stream for as long as asked and measures it; gives what was found, failures too.

    What it did against the rules is in `memory`. The session is given back on every way out.
    """
    watch = _Watch(capture)
    found = StreamFindings(asked.name, asked.url)
    try:
        connection = await open_connection(
            asked.url,
            credentials,
            config,
            memory,
            asked.transport,
            asked.authority,
            tap=watch.taps,
        )
    except SessionFailed as failure:
        watch.ended(failure.reason.words)
        said = said_by(watch.answers)
        reason, what = failure.reason, failure.what
        return replace(found, said=said, reason=reason, what=what, is_busy=failure.is_busy)
    try:
        end = await _look(connection, watch, asked.seconds)
    finally:
        await _give_back(connection, watch)
    assert watch.meter is not None  # it plays
    memory.habits.update(watch.meter.habits())
    figures = watch.meter.finish(watch.began_ns, watch.ended_ns)
    if end is None and figures.pictures == 0:
        end = GapReason.NO_VIDEO, f"no picture within {asked.seconds:g} s of PLAY"
    watch.ended("played" if end is None else end[0].words)
    return replace(
        found,
        said=said_by(watch.answers),
        reason=None if end is None else end[0],
        what="" if end is None else end[1],
        transport="udp" if connection.is_udp else "tcp",
        codec=connection.play.codec,
        login=connection.play.scheme,
        audio=connection.play.audio,
        figures=figures,
    )


class _Tapped(socket.socket):
    """A camera's socket; what passes is told before it is used."""

    def __init__(self, sock: socket.socket, watch: _Watch) -> None:
        """Takes `sock`, which is connected and not blocking."""
        super().__init__(fileno=sock.detach())
        self.setblocking(False)
        self._watch = watch

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        data = super().recv(bufsize, flags)
        self._watch.heard(data)
        return data

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        count = super().send(data, flags)
        self._watch.said(bytes(memoryview(data)[:count]))
        return count


class _Watch:
    """Hears all that passes on one connection after the other."""

    def __init__(self, capture: CaptureWriter | None) -> None:
        self.answers: list[Response] = []
        self.messages: deque[bytes] = deque()
        """Of the camera, behind the answer to PLAY; for the session."""
        self.meter: Meter | None = None
        self.sock: socket.socket | None = None
        self.began_ns = self.ended_ns = 0
        self._capture = capture
        self._channels = (0, 1)
        self._start_ns = time.monotonic_ns()
        self._inward = self._outward = Wire()
        self._waiting: list[tuple[int, int, Item]] = []
        self._waiting_bytes = 0

    def taps(self, sock: socket.socket, url: CameraUrl) -> socket.socket:
        """Stands in for a new connection's socket."""
        self.flush()
        self._inward, self._outward = Wire(), Wire()
        if self._capture is not None:
            self._capture.opened(self._at(time.monotonic_ns()), url.authority)
        self.sock = _Tapped(sock, self)
        return self.sock

    def said(self, data: bytes) -> None:
        """We sent this."""
        now_ns = time.monotonic_ns()
        for item in self._outward.receive(data):
            # Receiver reports are ours, and of no use to who plays the capture.
            if self._capture is not None and not isinstance(item, Packet):
                self._capture.item(self._at(now_ns), item, is_ours=True)

    def heard(self, data: bytes) -> None:
        """The camera sent this; nothing: it closed the connection."""
        now_ns, wall_ns = time.monotonic_ns(), time.time_ns()
        if not data and self._capture is not None:
            self._capture.closed(self._at(now_ns), by_camera=True)
        for item in self._inward.receive(data):
            if isinstance(item, Message):
                if isinstance(item.value, Response):
                    self.answers.append(item.value)
                if self.meter is not None:
                    self.messages.append(item.data)
            if self.meter is None and (self._waiting or not isinstance(item, Message)):
                self._hold_back(now_ns, wall_ns, item)
            else:
                self._deliver(now_ns, wall_ns, item)

    def datagram(self, data: bytes, *, is_rtcp_socket: bool) -> None:
        """A datagram of the camera."""
        now_ns = time.monotonic_ns()
        if self.meter is not None:
            self.meter.packet(data, now_ns, time.time_ns())
        if self._capture is not None:
            self._capture.datagram(self._at(now_ns), data, is_rtcp_socket=is_rtcp_socket)

    def plays(self, play: PlayReady) -> None:
        """PLAY was answered: packets are known for what they are, those held back too."""
        self.began_ns = self.ended_ns = time.monotonic_ns()
        self.meter = Meter(play)
        self._channels = (play.rtp_channel, play.rtcp_channel)
        if self._capture is not None:
            self._capture.plays(play.codec, play.payload_type, has_donl=play.has_donl)
        self.flush()

    def flush(self) -> None:
        """Delivers what was held back."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for now_ns, wall_ns, item in waiting:
            self._deliver(now_ns, wall_ns, item)

    def ended(self, result: str) -> None:
        """Nothing more will pass."""
        self.flush()
        if self._capture is not None:
            self._capture.ended(self._at(time.monotonic_ns()), result)

    def _hold_back(self, now_ns: int, wall_ns: int, item: Item) -> None:
        """Until it is known what is video; as much as a GOP of any camera."""
        self._waiting_bytes += len(item.data) if isinstance(item, Packet) else 0
        if self._waiting_bytes <= _EARLY_MAX_BYTES or not isinstance(item, Packet):
            self._waiting.append((now_ns, wall_ns, item))

    def _deliver(self, now_ns: int, wall_ns: int, item: Item) -> None:
        if self.meter is not None:
            if isinstance(item, Packet) and item.channel in self._channels:
                self.meter.packet(item.data, now_ns, wall_ns)
            elif isinstance(item, Garbage):
                self.meter.garbage()
        if self._capture is not None:
            self._capture.item(self._at(now_ns), item, is_ours=False)

    def _at(self, now_ns: int) -> int:
        return now_ns - self._start_ns


End = tuple[GapReason, str] | None


async def _look(connection: CameraConnection, watch: _Watch, seconds: float) -> End:
    """Reads for so long; gives why it ended before."""
    watch.plays(connection.play)
    loop = asyncio.get_running_loop()
    sock = watch.sock
    assert sock is not None  # it is connected
    with _Datagrams(connection, watch) as datagrams:
        until_s = time.monotonic() + seconds
        keep_alive_at_s = time.monotonic() + connection.keep_alive_s
        report_at_s = time.monotonic() + _REPORT_S
        try:
            while (now_s := time.monotonic()) < until_s:
                if now_s >= keep_alive_at_s:
                    keep_alive_at_s += connection.keep_alive_s
                    await loop.sock_sendall(sock, connection.keep_alive())
                if now_s >= report_at_s:
                    report_at_s += _REPORT_S
                    await _report(connection, watch, datagrams)
                wait_s = min(until_s, keep_alive_at_s, report_at_s) - time.monotonic()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(wait_s, 0.0)):
                        data = await loop.sock_recv(sock, _READ_BYTES)
                        if not data:
                            return GapReason.CAMERA_OFF, "the camera closed the connection"
                await _answer(connection, watch)
                await asyncio.sleep(0)  # a camera that sends without a pause lets nobody else in
        except OSError as error:
            what = f"the connection was lost ({os.strerror(error.errno or 0).lower()})"
            return GapReason.NETWORK, what
        finally:
            watch.ended_ns = time.monotonic_ns()
    return None


async def _answer(connection: CameraConnection, watch: _Watch) -> None:
    """What the camera said behind the answer to PLAY goes to the session, and its answer back."""
    assert watch.sock is not None
    while watch.messages:
        if answer := connection.heard(watch.messages.popleft()):
            await asyncio.get_running_loop().sock_sendall(watch.sock, answer)


async def _report(connection: CameraConnection, watch: _Watch, datagrams: _Datagrams) -> None:
    assert watch.meter is not None and watch.sock is not None
    report = watch.meter.receiver_report()
    if connection.is_udp:
        datagrams.send_report(report)
    elif report:
        message = interleave(connection.play.rtcp_channel, report)
        await asyncio.get_running_loop().sock_sendall(watch.sock, message)


class _Datagrams:
    """The two sockets of a camera that sends over UDP; nothing over TCP."""

    def __init__(self, connection: CameraConnection, watch: _Watch) -> None:
        self._watch = watch
        told = connection.datagrams(_STREAM)
        self._sockets = [socket.socket(fileno=os.dup(fd)) for _, fd in told]
        self._ports = connection.play.udp_ports or (0, 0)
        self._camera = watch.sock.getpeername()[0] if told and watch.sock is not None else ""

    def __enter__(self) -> _Datagrams:
        loop = asyncio.get_running_loop()
        for number, sock in enumerate(self._sockets):
            sock.setblocking(False)
            loop.add_reader(sock.fileno(), self._read, sock, number == 1)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()

    def send_report(self, report: bytes) -> None:
        """To where the camera hears reports, if it told."""
        with contextlib.suppress(OSError):
            if report and len(self._sockets) == 2 and self._ports[1]:
                self._sockets[1].sendto(report, (self._camera, self._ports[1]))

    def _read(self, sock: socket.socket, is_rtcp: bool) -> None:
        with contextlib.suppress(OSError):  # read empty, or an answer by ICMP
            while True:
                data, sender = sock.recvfrom(_READ_BYTES)
                if sender[0] == self._camera:  # strangers are nobody's
                    self._watch.datagram(data, is_rtcp_socket=is_rtcp)


async def _give_back(connection: CameraConnection, watch: _Watch) -> None:
    """TEARDOWN and its answer, for a second and a half at most; then the end."""
    loop = asyncio.get_running_loop()
    sock = watch.sock
    assert sock is not None
    known = len(watch.answers)
    try:
        if message := connection.teardown():
            async with asyncio.timeout(TEARDOWN_TIMEOUT_S):
                await loop.sock_sendall(sock, message)
                while len(watch.answers) == known and await loop.sock_recv(sock, _READ_BYTES):
                    pass
    except TimeoutError:
        connection.note(Habit.TEARDOWN)
    except OSError:
        pass  # it is gone, and its session with it
    finally:
        connection.close()
