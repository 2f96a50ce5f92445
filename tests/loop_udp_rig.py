"""A camera that was asked for datagrams, over two UDP sockets of the test's."""

from __future__ import annotations

import ipaddress
import signal
import socket
import time
from collections.abc import Sequence

from loop_rig import Camera, Rig
from vonggac_appliance import loop_wire

STREAM = b"s" * 16
LOOPBACK = "127.0.0.1"


def reports_soon() -> bytes:
    """A stream's id, which tells when its reports are due: in two seconds instead of up to five."""
    return bytes([-(int(time.monotonic()) + 2) % 5]) + STREAM[1:]


def mapped(host: str) -> bytes:
    """An address as the loop is told it."""
    address = ipaddress.ip_address(host)
    return bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed


class UdpCamera:
    """A camera that was asked for UDP; `ports`: where its packets go, those of the loop."""

    def __init__(
        self,
        rig: Rig,
        *,
        host: str = LOOPBACK,
        tells_port: bool = True,
        stream: bytes = STREAM,
        **attach: object,
    ) -> None:
        self.stream = stream
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.rig, self.host, self.tells_port = rig, host, tells_port
        self.own, self.theirs = (
            [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)] for _ in range(2)
        )
        for sock in (*self.own, *self.theirs):
            sock.bind((host, 0))
            sock.settimeout(20)
        rig.sockets += [*self.own, *self.theirs]
        self.ports = [sock.getsockname()[1] for sock in self.theirs]
        self.camera = self.attach(**attach)

    def attach(self, **attach: object) -> Camera:
        """Gives its connection and the sockets of ours to the loop."""
        camera = self.rig.attach(self.stream, **attach)  # type: ignore[arg-type]
        for number, sock in enumerate(self.theirs):
            port = self.own[number].getsockname()[1] if self.tells_port else 0
            message = loop_wire.udp(
                self.stream, is_rtcp=number == 1, camera=mapped(self.host), port=port
            )
            self.rig.tell(message, sock, close=False)
        return camera

    def packets(self, units: Sequence[Sequence[bytes]], step: int = 3600) -> list[bytes]:
        """Their packets, in order."""
        made = []
        for nals in units:
            made += self.camera.packetiser.access_unit(list(nals), self.camera.timestamp)
            self.camera.timestamp += step
            self.camera.sent.append(list(nals))
        return made

    def send(self, packets: Sequence[bytes]) -> None:
        for packet in packets:
            self.own[0].sendto(packet, (self.host, self.ports[0]))

    def send_together(self, packets: Sequence[bytes]) -> None:
        """The loop reads them in one turn, however busy the machine is."""
        self.rig.process.send_signal(signal.SIGSTOP)
        self.send(packets)
        self.rig.process.send_signal(signal.SIGCONT)

    def report(self, packet: bytes) -> None:
        self.own[1].sendto(packet, (self.host, self.ports[1]))
