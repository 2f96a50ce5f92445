"""Annex B files to RTP packets (RFC 6184, RFC 7798), with every liberty that cameras take.

Independent of the library's packetiser and of the native assembler, which both are tested with it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

H264 = 1
H265 = 2
TICKS_PER_PICTURE = 3600
RTP_HEADER_BYTES = 12


def split_annex_b(stream: bytes) -> list[bytes]:
    """The NAL units of a byte stream (H.264 B.1), without trailing zeros."""
    return [nal for part in stream.split(b"\0\0\1")[1:] if (nal := part.rstrip(b"\0"))]


def nal_type(codec: int, nal: bytes) -> int:
    """nal_unit_type."""
    return nal[0] & 0x1F if codec == H264 else nal[0] >> 1 & 0x3F


def _is_slice(codec: int, nal: bytes) -> bool:
    kind = nal_type(codec, nal)
    return 1 <= kind <= 5 if codec == H264 else kind <= 9 or 16 <= kind <= 21


def _is_first_slice(codec: int, nal: bytes) -> bool:
    if not _is_slice(codec, nal):
        return False
    if codec == H264 and nal_type(codec, nal) in (3, 4):
        return False
    return bool(nal[1 if codec == H264 else 2] & 0x80)


def _is_suffix(codec: int, nal: bytes) -> bool:
    kind = nal_type(codec, nal)
    if codec == H264:
        return kind in (10, 11, 12, 13) or kind >= 19
    return kind in (36, 37, 38, 40) or kind >= 45


def access_units(codec: int, nals: Iterable[bytes]) -> list[list[bytes]]:
    """Groups NAL units by picture; what stands between two pictures belongs to the second."""
    units: list[list[bytes]] = [[]]
    has_slice = False
    waiting: list[bytes] = []
    for nal in nals:
        if _is_slice(codec, nal):
            if has_slice and _is_first_slice(codec, nal):
                units.append([])
            units[-1] += [*waiting, nal]
            waiting = []
            has_slice = True
        elif has_slice and _is_suffix(codec, nal) and not waiting:
            units[-1].append(nal)
        else:
            waiting.append(nal)
    if waiting:
        units.append(waiting)
    return [unit for unit in units if unit]


def single(nal: bytes) -> bytes:
    """A single NAL unit packet's payload: the NAL unit itself."""
    return nal


def aggregate(codec: int, nals: Sequence[bytes]) -> bytes:
    """STAP-A (RFC 6184 5.7.1) or AP (RFC 7798 4.4.2)."""
    head = bytes([max(nal[0] & 0x60 for nal in nals) | 24]) if codec == H264 else b"\x60\x01"
    return head + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


def fragments(codec: int, nal: bytes, room_bytes: int) -> list[bytes]:
    """FU-A (RFC 6184 5.8) or FU (RFC 7798 4.4.3), each of at most `room_bytes`."""
    header_bytes = 1 if codec == H264 else 2
    head = (
        bytes([nal[0] & 0xE0 | 28]) if codec == H264 else bytes([nal[0] & 0x81 | 49 << 1, nal[1]])
    )
    step = room_bytes - len(head) - 1
    body = nal[header_bytes:]
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    kind = nal_type(codec, nal)
    return [
        head
        + bytes([(0x80 if i == 0 else 0) | (0x40 if i == len(pieces) - 1 else 0) | kind])
        + piece
        for i, piece in enumerate(pieces)
    ]


def payloads(codec: int, nals: Sequence[bytes], room_bytes: int, joined: bool) -> list[bytes]:
    """The payloads of one access unit; with `joined` small NAL units share packets."""
    out: list[bytes] = []
    waiting: list[bytes] = []
    for nal in [*nals, b""]:
        size = 2 + sum(2 + len(n) for n in waiting)
        if waiting and (not nal or size + 2 + len(nal) > room_bytes):
            out.append(single(waiting[0]) if len(waiting) == 1 else aggregate(codec, waiting))
            waiting = []
        if len(nal) > room_bytes:
            out += fragments(codec, nal, room_bytes)
        elif joined and nal and len(nal) + 4 <= room_bytes:
            waiting.append(nal)
        elif nal:
            out.append(single(nal))
    return out


def rtp(
    payload: bytes,
    *,
    sequence: int,
    timestamp: int,
    marker: bool = False,
    payload_type: int = 96,
    ssrc: int = 0x11223344,
) -> bytes:
    """One RTP packet (RFC 3550 5.1) without extension or padding."""
    return (
        struct.pack(
            ">BBHII",
            0x80,
            (0x80 if marker else 0) | payload_type,
            sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            ssrc,
        )
        + payload
    )


def interleaved(channel: int, packet: bytes) -> bytes:
    """`$`, channel, length (RFC 2326 10.12)."""
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


@dataclass(frozen=True, slots=True)
class Sender:
    """How a camera sends."""

    codec: int
    mtu_bytes: int = 1400
    joined: bool = False
    marker: str = "last"
    """Which packets of an access unit have it: last, none, all."""
    first_sequence: int = 65000
    """So that it wraps in nearly every test."""
    first_timestamp: int = 0xFFFFF000

    def packets(self, units: Iterable[Sequence[bytes]]) -> Iterator[bytes]:
        """The packets of access units, one picture apart."""
        sequence = self.first_sequence
        for index, unit in enumerate(units):
            parts = payloads(self.codec, unit, self.mtu_bytes - RTP_HEADER_BYTES, self.joined)
            for at, part in enumerate(parts):
                marker = self.marker == "all" or (self.marker == "last" and at == len(parts) - 1)
                yield rtp(
                    part,
                    sequence=sequence,
                    timestamp=self.first_timestamp + index * TICKS_PER_PICTURE,
                    marker=marker,
                )
                sequence += 1
