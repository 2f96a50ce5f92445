"""Cameras that no maker would ship, for `neighbours.py`: each does one thing as badly as it can.

The habits of real ones are in `tests/quirks/`.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from quirk_camera import Asked, Quirk, Reply, Visit

_WAITING_MAX_BYTES = 16 << 20


class _Bounded(Visit):
    """Sends nothing more while much waits: the camera shall not fill this machine's memory."""

    def send(self, data: bytes) -> None:
        waiting_bytes = self._writer.transport.get_write_buffer_size()
        if not self._writer.is_closing() and waiting_bytes < _WAITING_MAX_BYTES:
            super().send(data)


class Hostile(Quirk):
    """Its chance is always the same."""

    def visited(self, writer: asyncio.StreamWriter) -> Visit:
        self.chance = random.Random(self.name)
        self.sequence = 0
        return _Bounded(self, writer)

    def packet(self, payload: bytes, timestamp: int, *, marker: bool = False) -> bytes:
        """On channel 0, with a sequence of its own."""
        self.sequence += 1
        head = bytes((0x80, 96 | marker << 7)) + (self.sequence & 0xFFFF).to_bytes(2)
        rtp = head + (timestamp & 0xFFFFFFFF).to_bytes(4) + b"HOST" + payload
        return b"$\0" + len(rtp).to_bytes(2) + rtp


class Flood(Hostile):
    """400 Mbit/s of one picture after another."""

    name = "flood"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        part = b"\x41" + bytes(60_000)
        return b"".join(self.packet(part, 7200 * number + n, marker=True) for n in range(64))


class Garbage(Hostile):
    """Nothing but noise."""

    name = "noise"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        return self.chance.randbytes(65536)


class NoiseBetween(Hostile):
    """Noise before every packet, dollar signs in it."""

    name = "noise-between"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        noise = bytes(self.chance.choices(b"$\0\1\r\nRTSP/ \xff", k=997))
        return noise + super().frame(number, channel, packets)


class Endless(Hostile):
    """A fragmented NAL unit without an end."""

    name = "endless-unit"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        head = b"\x7c\x85" if number == 0 else b"\x7c\x05"
        return b"".join(self.packet(head + bytes(60_000), 0) for _ in range(8))


class ManyUnits(Hostile):
    """Pictures of ten thousand NAL units."""

    name = "many-units"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        aggregate = b"\x78" + b"\x00\x02\x41\xe0" * 10_000
        return self.packet(aggregate, 7200 * number, marker=True)


class TinyPackets(Hostile):
    """Packets of no length, and of one byte."""

    name = "tiny-packets"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        return b"$\0\0\0" * 5_000 + b"$\0\0\1\x80" * 5_000


class AnyNumbers(Hostile):
    """Sequence, time and SSRC of every packet are dice."""

    name = "any-numbers"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        diced = [packet[:2] + self.chance.randbytes(10) + packet[12:] for packet in packets]
        return super().frame(number, channel, diced)


class AnyBytes(Hostile):
    """Payloads are dice, their headers are not."""

    name = "any-bytes"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        diced = [p[:12] + self.chance.randbytes(max(0, len(p) - 12)) for p in packets]
        return super().frame(number, channel, diced)


class AnySets(Hostile):
    """Another parameter set with every picture."""

    name = "any-sets"

    def units(self, units: Sequence[bytes]) -> Sequence[bytes]:
        sets = [bytes((kind,)) + self.chance.randbytes(24) for kind in (0x67, 0x68)]
        return [*sets, *units]


class Questions(Hostile):
    """Two thousand requests a second."""

    name = "questions"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        ask = b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n"
        return ask * 160 + super().frame(number, channel, packets)


class Reports(Hostile):
    """Ten thousand sender reports a second, of any content."""

    name = "reports"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        report = b"\x80\xc8\x00\x06" + self.chance.randbytes(24)
        one = b"$" + bytes((channel + 1,)) + len(report).to_bytes(2) + report
        return one * 800 + super().frame(number, channel, packets)


class LongLines(Hostile):
    """A header field of a megabyte."""

    name = "long-lines"

    def wire(self, data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\r\nX-Long: " + b"x" * (1 << 20) + b"\r\n", 1)


class LongDescription(Hostile):
    """A description of ten megabytes."""

    name = "long-description"

    def sdp(self) -> str:
        return super().sdp() + "a=x:y\r\n" * 1_500_000


class ManyFields(Hostile):
    """A hundred thousand header fields."""

    name = "many-fields"

    def wire(self, data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\r\n" + b"A: b\r\n" * 100_000, 1)


class NoEnd(Hostile):
    """An answer that trickles for ever."""

    name = "no-end"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        visit.send(b"RTSP/1.0 200 OK\r\n")
        for tenth in range(600):
            visit.later(tenth / 10, b"X")
        return None


class Circle(Hostile):
    """Sends its viewer to itself."""

    name = "circle"

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply:
        if asked.method == "DESCRIBE":
            reply.status, reply.phrase, reply.body = 302, "Moved", b""
            reply.headers = {"CSeq": asked.headers["cseq"], "Location": asked.uri}
        return reply


class Resets(Hostile):
    """Ends every connection at its first picture."""

    name = "resets"

    def frame(self, number: int, channel: int, packets: Sequence[bytes]) -> bytes:
        for visit in self.visits:
            visit.close()
        self.visits = []
        return b""


def hostile() -> list[type[Quirk]]:
    """All of them."""
    return [
        one
        for one in globals().values()
        if isinstance(one, type) and issubclass(one, Hostile) and one is not Hostile
    ]
