"""A viewer with a real socket: asks for a camera with our client and collects what it sends."""

from __future__ import annotations

import socket
import struct

from vonggac.media.chunk import Codec
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import Failure, PlayReady, Send
from vonggac.rtsp.messages import MessageReader, Packet, Response
from vonggac.rtsp.url import Credentials, parse_camera_url


class Viewer:
    """One connection. `result` is PlayReady or Failure; `nal_units` follow the former."""

    def __init__(
        self, address: str, credentials: Credentials | None = None, timeout_s: float = 60
    ) -> None:
        url = parse_camera_url(address)
        self.session = ClientSession(
            url, Authenticator(credentials or url.credentials, "0123456789abcdef")
        )
        self.sock = socket.create_connection((url.host, url.port), timeout=timeout_s)
        self.result: PlayReady | Failure = self._talk()
        self._reader = MessageReader()
        self._reader.receive(self.session.take_unread())

    def _talk(self) -> PlayReady | Failure:
        self.sock.sendall(self.session.start())
        while True:
            event = self.session.next_event()
            if isinstance(event, Send):
                self.sock.sendall(event.data)
            elif isinstance(event, PlayReady | Failure):
                return event
            elif event is None:
                data = self.sock.recv(65536)
                if not data:
                    return self.session.connection_lost("closed")
                self.session.receive(data)

    def item(self) -> Packet | Response | None:
        """The next packet or answer; None at the end of the connection."""
        while True:
            item = self._reader.next()
            if isinstance(item, Packet | Response):
                return item
            if item is None:
                data = self.sock.recv(65536)
                if not data:
                    return None
                self._reader.receive(data)

    def rtp(self) -> bytes:
        """The next RTP packet."""
        assert isinstance(self.result, PlayReady)
        while (item := self.item()) is not None:
            if isinstance(item, Packet) and item.channel == self.result.rtp_channel:
                return item.payload
        raise EOFError("the camera closed the connection")

    def access_units(self, count: int) -> list[tuple[int, list[bytes]]]:
        """Timestamp and NAL units of the next `count` whole access units: an ideal network, single
        units and fragments, a marker on each last packet."""
        assert isinstance(self.result, PlayReady)
        wide = self.result.codec is Codec.H265
        found: list[tuple[int, list[bytes]]] = []
        units: list[bytes] = []
        part = b""
        is_whole = False  # the first may be half of one
        while len(found) < count:
            packet = self.rtp()
            marker, (timestamp,) = packet[1] & 0x80, struct.unpack_from(">I", packet, 4)
            payload = packet[12:]
            if wide and payload[0] >> 1 & 0x3F == 49:
                fu, rest = payload[2], payload[3:]
                head = bytes((payload[0] & 0x81 | (fu & 0x3F) << 1, payload[1]))
            elif not wide and payload[0] & 0x1F == 28:
                fu, rest = payload[1], payload[2:]
                head = bytes((payload[0] & 0xE0 | fu & 0x1F,))
            else:
                fu, rest, head = 0xC0, payload, b""
            part = head + rest if fu & 0x80 else part + rest
            if fu & 0x40:
                units.append(part)
            if marker:
                if is_whole:
                    found.append((timestamp, units))
                units, is_whole = [], True
        return found

    def close(self) -> None:
        """Gives the session back and closes."""
        data = self.session.teardown()
        if data is not None:
            self.sock.sendall(data)
        self.sock.close()
