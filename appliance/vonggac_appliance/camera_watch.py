"""Hears all that passes between a camera and us, at the socket, and tells meter and capture.

The dialogue is heard as it went out and came in, TLS removed; nothing of it is done twice.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from typing import TYPE_CHECKING

from vonggac.probe.capture import CaptureWriter
from vonggac.probe.meter import Meter
from vonggac.probe.wire import Garbage, Item, Message, Packet, Wire
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.messages import Response
from vonggac.rtsp.url import CameraUrl

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["Watch"]

_EARLY_MAX_BYTES = 4 << 20
"""Of packets before the answer to PLAY; of all else as much again."""
_ITEM_BYTES = 128
"""What is needed to hold one, however short it is."""
_ANSWERS_MAX = 1000
"""A session of ten minutes has some hundred; who says more says nothing new."""


class _Tapped(socket.socket):
    """A camera's socket; what passes is told before it is used."""

    def __init__(self, sock: socket.socket, watch: Watch) -> None:
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


class Watch:
    """Hears all that passes on one connection after the other."""

    def __init__(self, capture: CaptureWriter | None) -> None:
        self.answers: list[Response] = []
        self.messages: deque[bytes] = deque()
        """Of the camera, behind the answer to PLAY; for the session, which has not read them."""
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
        if self.meter is None:
            self.messages.clear()  # the session has read them, or it would have nothing to say
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
                self.messages.append(item.data)
                if isinstance(item.value, Response):
                    if len(self.answers) < _ANSWERS_MAX:
                        self.answers.append(item.value)
                    if self.meter is None:
                        self.messages.clear()  # so the last answer before video is that to PLAY
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

    def read_empty(self) -> None:
        """No datagram of the camera stands in its socket."""
        if self.meter is not None:
            self.meter.read_empty(time.monotonic_ns())

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
        is_packet = isinstance(item, Packet)
        size = _ITEM_BYTES + (0 if isinstance(item, Garbage) else len(item.data))
        if self._waiting_bytes + size <= _EARLY_MAX_BYTES * (1 if is_packet else 2):
            self._waiting_bytes += size
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
