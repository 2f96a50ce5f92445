"""A clip on the air: which access unit of it is due, as which packets, and who watches."""

from __future__ import annotations

import secrets
import socket
import time
from dataclasses import dataclass, field

from vonggac.rtsp.packetise import Packetiser, sender_report
from vonggac.rtsp.server import Mount, ServerSession
from vonggac_appliance.camera_clip import Clip

__all__ = ["Airing", "Viewer", "camera_of"]

_REPORT_NS = 5_000_000_000
"""Between RTCP sender reports (RFC 3550 6.2)."""


@dataclass(slots=True, eq=False)
class Viewer:
    """A connection."""

    sock: socket.socket
    session: ServerSession
    heard_ns: int
    camera: str = ""
    """Whose path was asked for last."""
    stream: Airing | None = None
    channels: tuple[int, int] = (0, 1)
    waiting: bytearray = field(default_factory=bytearray)
    is_silent: bool = False


@dataclass(slots=True, eq=False)
class Airing:
    """One stream as it is sent, and where it stands."""

    mount: Mount
    clip: Clip
    packetiser: Packetiser
    ssrc: int
    start_ns: int
    first_unit: int
    first_timestamp: int
    number: int = 0
    """Of the next access unit since `start_ns`."""
    packets: int = 0
    octets: int = 0
    reported_ns: int = 0
    viewers: list[Viewer] = field(default_factory=list)

    @classmethod
    def of(cls, path: str, clip: Clip, first_unit: int, index: int, mtu_bytes: int) -> Airing:
        """The clip at `path`, from that access unit on; `index`: which of the server's streams."""
        ssrc = secrets.randbits(32)
        mount = Mount(path, clip.codec, clip.vps, clip.sps, clip.pps)
        return cls(
            mount=mount,
            clip=clip,
            packetiser=Packetiser(
                clip.codec,
                payload_type=mount.payload_type,
                ssrc=ssrc,
                sequence=secrets.randbits(16),
                mtu_bytes=mtu_bytes,
            ),
            ssrc=ssrc,
            # Spread over a frame, so that not all streams send at one moment.
            start_ns=time.monotonic_ns() + index * clip.frame_ns // 7,
            first_unit=first_unit,
            first_timestamp=secrets.randbits(32),
        )

    @property
    def camera(self) -> str:
        return camera_of(self.mount.path)

    @property
    def due_ns(self) -> int:
        return self.start_ns + self.number * self.clip.frame_ns

    @property
    def timestamp(self) -> int:
        return self.first_timestamp + self.number * self.clip.frame_ticks

    def catch_up(self, now_ns: int) -> None:
        """Leaves out what nobody saw."""
        self.number = max(self.number, -(-(now_ns - self.start_ns) // self.clip.frame_ns))

    def next_packets(self) -> list[bytes]:
        """The RTP packets of the next access unit."""
        units = self.clip.units[(self.first_unit + self.number) % len(self.clip.units)]
        packets = self.packetiser.access_unit(units, self.timestamp)
        self.number += 1
        self.packets += len(packets)
        self.octets += sum(len(packet) - 12 for packet in packets)
        return packets

    def report(self, timestamp: int, due_ns: int, now_ns: int) -> bytes:
        """RTCP of the access unit that was due then; empty where none is due yet."""
        if now_ns - self.reported_ns < _REPORT_NS:
            return b""
        self.reported_ns = now_ns
        wall_ns = time.time_ns() - (now_ns - due_ns)
        return sender_report(self.ssrc, wall_ns, timestamp, self.packets, self.octets)


def camera_of(path: str) -> str:
    """The camera's name in a path."""
    return path.strip("/").split("/")[0]
