"""The shell of simulated cameras: one thread, one listening socket, streams in real time.

Packets of a stream are made once and shared by its viewers. A viewer that does not read is closed
when `backlog_max_bytes` wait for it, as cameras do. A camera can be taken away as a home Wi-Fi
does it: connections stay open and silent, new ones get no answer, then everything old is reset.
"""

from __future__ import annotations

import contextlib
import secrets
import selectors
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from vonggac.rtsp.challenges import Challenge
from vonggac.rtsp.events import Send
from vonggac.rtsp.login import Login
from vonggac.rtsp.packetise import interleave
from vonggac.rtsp.server import Ended, Mount, PlayAsked, ServerSession
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_airing import Airing, Viewer, camera_of
from vonggac_appliance.camera_clip import Clip

_LATE_NS = 1_000_000_000
"""A stream that fell behind by more leaves out frames, its time goes on."""
_SESSION_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class SimulatedStream:
    """What to serve at a path, `/camera/stream`."""

    path: str
    clip: Clip
    first_unit: int = 0
    """Where in the clip it starts, so that cameras with one clip differ."""


@dataclass(frozen=True, slots=True)
class LoginPolicy:
    """How viewers log in; each connection gets a nonce of its own."""

    credentials: Credentials = field(repr=False)
    challenges: tuple[Challenge, ...] = ()

    def fresh(self) -> Login:
        """A login with a new nonce."""
        return Login(self.credentials, self.challenges).with_nonce(secrets.token_hex(16))


class CameraServer:
    """Serves until `stop`. `run` is the whole thread; `stop`, `take_down`, `bring_back` may be
    called from any other."""

    def __init__(
        self,
        streams: Sequence[SimulatedStream],
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        login: LoginPolicy | None = None,
        mtu_bytes: int = 1400,
        backlog_max_bytes: int = 4 << 20,
    ) -> None:
        self._backlog_max_bytes = backlog_max_bytes
        self._login = login
        self._streams = {
            stream.path: Airing.of(stream.path, stream.clip, stream.first_unit, index, mtu_bytes)
            for index, stream in enumerate(streams)
        }
        self._viewers: set[Viewer] = set()
        self._down: frozenset[str] = frozenset()
        self._was_down: frozenset[str] = frozenset()
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server((host, port), backlog=64)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._waker, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    # From any thread.

    def stop(self) -> None:
        """Ends `run`; also fit for a signal handler."""
        self._stopping = True
        self._wake()

    def take_down(self, camera: str) -> None:
        """The camera falls silent, its connections stay open."""
        self._down |= {camera}
        self._wake()

    def bring_back(self, camera: str) -> None:
        """The camera is there again and knows nothing of its old connections."""
        self._down -= {camera}
        self._wake()

    def _wake(self) -> None:
        # Closed: the thread is over. Full: it will wake anyway.
        with contextlib.suppress(OSError):
            self._waker.send(b"\x00")

    # The thread.

    def run(self) -> None:
        """Serves until `stop`, then closes everything."""
        try:
            while not self._stopping:
                self._turn()
        finally:
            for viewer in list(self._viewers):
                self._close(viewer)
            self._listener.close()
            self._waker.close()
            self._woken.close()
            self._selector.close()

    def _turn(self) -> None:
        for key, mask in self._selector.select(self._wait_s()):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._woken:
                self._woken.recv(4096)
                self._change()
            elif isinstance(key.data, Viewer) and key.data in self._viewers:
                if mask & selectors.EVENT_WRITE:
                    self._flush(key.data)
                if mask & selectors.EVENT_READ and key.data in self._viewers:
                    self._read(key.data)
        now_ns = time.monotonic_ns()
        for stream in self._streams.values():
            self._advance(stream, now_ns)
        for viewer in list(self._viewers):
            if now_ns - viewer.heard_ns > (_SESSION_TIMEOUT_S + 5) * 1_000_000_000:
                self._close(viewer)

    def _wait_s(self) -> float:
        due = [stream.due_ns for stream in self._streams.values() if stream.viewers]
        if not due:
            return 5.0
        return max(0.0, (min(due) - time.monotonic_ns()) / 1e9)

    def _change(self) -> None:
        """Resets the old connections of cameras that came back."""
        for camera in self._was_down - self._down:
            for viewer in [one for one in self._viewers if one.camera == camera]:
                self._close(viewer)
        self._was_down = self._down

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # gone again before it was taken
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = ServerSession(
            find=self._find,
            session_id=secrets.token_hex(8),
            login=self._login.fresh() if self._login else None,
            timeout_s=_SESSION_TIMEOUT_S,
        )
        viewer = Viewer(sock, session, time.monotonic_ns())
        self._viewers.add(viewer)
        self._selector.register(sock, selectors.EVENT_READ, viewer)

    def _find(self, path: str) -> Mount | None:
        stream = self._streams.get(path)
        return stream.mount if stream else None

    def _read(self, viewer: Viewer) -> None:
        try:
            data = viewer.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(viewer)
            return
        if viewer.is_silent:
            return
        viewer.heard_ns = time.monotonic_ns()
        viewer.session.receive(data)
        while viewer in self._viewers and (event := viewer.session.next_event()) is not None:
            viewer.camera = camera_of(viewer.session.path or "")
            if viewer.camera in self._down:
                viewer.is_silent = True
                return
            if isinstance(event, Send):
                self._write(viewer, event.data)
            elif isinstance(event, PlayAsked):
                self._play(viewer, event)
            elif isinstance(event, Ended):
                self._stop_stream(viewer)
                if event.detail != "TEARDOWN":
                    self._close(viewer)

    def _play(self, viewer: Viewer, asked: PlayAsked) -> None:
        stream = self._streams[asked.path]
        if not stream.viewers:
            stream.catch_up(time.monotonic_ns())
        viewer.channels = (asked.rtp_channel, asked.rtcp_channel)
        self._write(viewer, viewer.session.play(stream.packetiser.sequence, stream.timestamp))
        if viewer.stream is None and viewer in self._viewers:
            viewer.stream = stream
            stream.viewers.append(viewer)

    def _advance(self, stream: Airing, now_ns: int) -> None:
        """Sends what is due."""
        if not stream.viewers:
            return
        if now_ns - stream.due_ns > _LATE_NS:
            stream.catch_up(now_ns)
        while stream.viewers and stream.due_ns <= now_ns:
            timestamp, due_ns = stream.timestamp, stream.due_ns
            packets = stream.next_packets()
            report = stream.report(timestamp, due_ns, now_ns)
            if stream.camera not in self._down:
                self._deliver(stream, packets, report)

    def _deliver(self, stream: Airing, packets: list[bytes], report: bytes) -> None:
        framed: dict[int, bytes] = {}
        for viewer in list(stream.viewers):
            if viewer.is_silent:
                continue
            channel, report_channel = viewer.channels
            if channel not in framed:
                framed[channel] = b"".join(interleave(channel, packet) for packet in packets)
            self._write(viewer, framed[channel])
            if report:
                self._write(viewer, interleave(report_channel, report))

    def _write(self, viewer: Viewer, data: bytes) -> None:
        if viewer not in self._viewers:
            return
        viewer.waiting += data
        if len(viewer.waiting) > self._backlog_max_bytes:
            self._close(viewer)
        elif len(viewer.waiting) == len(data):
            self._flush(viewer)

    def _flush(self, viewer: Viewer) -> None:
        try:
            sent = viewer.sock.send(viewer.waiting)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(viewer)
            return
        del viewer.waiting[:sent]
        write = selectors.EVENT_WRITE if viewer.waiting else 0
        self._selector.modify(viewer.sock, selectors.EVENT_READ | write, viewer)

    def _stop_stream(self, viewer: Viewer) -> None:
        if viewer.stream is not None:
            viewer.stream.viewers.remove(viewer)
            viewer.stream = None

    def _close(self, viewer: Viewer) -> None:
        """Resets the connection: the other end sees at once that there is nobody."""
        if viewer not in self._viewers:
            return
        self._stop_stream(viewer)
        self._viewers.remove(viewer)
        self._selector.unregister(viewer.sock)
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            viewer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        viewer.sock.close()
