"""From access units to RTP packets: H.264 (RFC 6184) and H.265 (RFC 7798), as cameras send them.

For simulated cameras and benches; the other direction is native (`vg/nal.h`). No clock, no socket.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from vonggac.media.chunk import Codec

RTP_HEADER_BYTES = 12
DEFAULT_MTU_BYTES = 1400
"""Of an RTP packet, header included: what most cameras send, so that IP and TCP or UDP fit 1500."""

_NTP_EPOCH_S = 2_208_988_800
"""From 1900 to 1970."""

_STAP_A = 24
_FU_A = 28
_AP = 48
_FU = 49


class Packetiser:
    """One RTP stream: counts sequence numbers, cuts NAL units. `aggregate` joins small ones."""

    def __init__(
        self,
        codec: Codec,
        *,
        payload_type: int = 96,
        ssrc: int = 0x56474143,
        sequence: int = 0,
        mtu_bytes: int = DEFAULT_MTU_BYTES,
        aggregate: bool = False,
    ) -> None:
        if mtu_bytes < RTP_HEADER_BYTES + 8:
            raise ValueError("an RTP packet of less than 20 bytes carries nothing")
        self.sequence = sequence & 0xFFFF
        self._codec = codec
        self._payload_type = payload_type
        self._ssrc = ssrc
        self._room_bytes = mtu_bytes - RTP_HEADER_BYTES
        self._aggregate = aggregate

    def access_unit(self, units: Sequence[bytes], timestamp: int) -> list[bytes]:
        """The packets of one access unit; the marker stands on the last (RFC 6184 5.1).

        `timestamp`: in ticks of the stream's clock, cut to 32 bits.
        """
        payloads = self.payloads(units)
        packets: list[bytes] = []
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            header = struct.pack(
                ">BBHII",
                0x80,
                marker | self._payload_type,
                self.sequence,
                timestamp & 0xFFFFFFFF,
                self._ssrc,
            )
            packets.append(header + payload)
            self.sequence = (self.sequence + 1) & 0xFFFF
        return packets

    def payloads(self, units: Sequence[bytes]) -> list[bytes]:
        """RTP payloads of NAL units: single, aggregated if asked for, fragmented if too long."""
        out: list[bytes] = []
        waiting: list[bytes] = []
        waiting_bytes = 0
        for unit in units:
            fits = 2 + waiting_bytes + 2 + len(unit) <= self._room_bytes
            if waiting and not fits:
                out.append(self._joined(waiting))
                waiting, waiting_bytes = [], 0
            if len(unit) > self._room_bytes:
                out.extend(self._fragments(unit))
            elif self._aggregate and 2 + 2 + len(unit) <= self._room_bytes:
                waiting.append(unit)
                waiting_bytes += 2 + len(unit)
            else:
                out.append(unit)
        if waiting:
            out.append(self._joined(waiting))
        return out

    def _joined(self, units: Sequence[bytes]) -> bytes:
        """STAP-A (RFC 6184 5.7.1) or AP (RFC 7798 4.4.2); a single unit stays as it is."""
        if len(units) == 1:
            return units[0]
        body = b"".join(struct.pack(">H", len(unit)) + unit for unit in units)
        if self._codec is Codec.H264:
            forbidden = max(unit[0] & 0x80 for unit in units)
            reference = max(unit[0] & 0x60 for unit in units)
            return bytes((forbidden | reference | _STAP_A,)) + body
        # The lowest layer and temporal identifiers of all units stand in the payload header.
        layer = min((unit[0] & 1) << 5 | unit[1] >> 3 for unit in units)
        temporal = min(unit[1] & 7 for unit in units)
        return bytes((_AP << 1 | layer >> 5, (layer & 0x1F) << 3 | temporal)) + body

    def _fragments(self, unit: bytes) -> list[bytes]:
        """FU-A (RFC 6184 5.8) or FU (RFC 7798 4.4.3): at least two, never S and E in one."""
        if self._codec is Codec.H264:
            head = bytes((unit[0] & 0xE0 | _FU_A,))
            kind, rest = unit[0] & 0x1F, unit[1:]
        else:
            head = bytes((unit[0] & 0x81 | _FU << 1, unit[1]))
            kind, rest = unit[0] >> 1 & 0x3F, unit[2:]
        step = self._room_bytes - len(head) - 1
        # A unit one byte too long for a packet may still fit one fragment: then it is cut in half.
        step = min(step, (len(rest) + 1) // 2)
        parts = [rest[at : at + step] for at in range(0, len(rest), step)]
        out: list[bytes] = []
        for index, part in enumerate(parts):
            edge = 0x80 if index == 0 else 0x40 if index == len(parts) - 1 else 0
            out.append(head + bytes((edge | kind,)) + part)
        return out


def sender_report(
    ssrc: int, wall_ns: int, timestamp: int, packets: int, octets: int, name: bytes = b"camera"
) -> bytes:
    """An RTCP sender report and SDES (RFC 3550 6.4.1, 6.5): `timestamp` was at `wall_ns`, UTC."""
    seconds, rest_ns = divmod(wall_ns, 1_000_000_000)
    ntp = (seconds + _NTP_EPOCH_S) << 32 | (rest_ns << 32) // 1_000_000_000
    report = struct.pack(
        ">BBHIQIII",
        *(0x80, 200, 6, ssrc, ntp & (1 << 64) - 1, timestamp & 0xFFFFFFFF),
        *(packets & 0xFFFFFFFF, octets & 0xFFFFFFFF),
    )
    item = struct.pack(">BB", 1, len(name)) + name + b"\x00"
    item += bytes(-len(item) % 4)
    return report + struct.pack(">BBHI", 0x81, 202, 1 + len(item) // 4, ssrc) + item


def interleave(channel: int, packet: bytes) -> bytes:
    """An RTP or RTCP packet framed for a TCP connection (RFC 2326 10.12)."""
    return struct.pack(">cBH", b"$", channel, len(packet)) + packet
