"""The datagrams of a simulated camera, for `quirk_camera`: two ports and the path from them."""

from __future__ import annotations

import math
import re
import socket

from udp_proxy import Manners, Transit


class Datagrams:
    """Carries what would stand between `$` frames to the two ports of a viewer."""

    def __init__(self, host: str, viewer: tuple[int, int], manners: Manners) -> None:
        self.viewer = viewer
        self._host = host
        self._transits = [Transit(manners), Transit(manners)]
        self._sockets: list[socket.socket] = []
        self.open()

    @property
    def ports(self) -> tuple[int, int]:
        """Of the camera; of RTP and RTCP. Only while they are open."""
        rtp, rtcp = (int(sock.getsockname()[1]) for sock in self._sockets)
        return rtp, rtcp

    @property
    def lost(self) -> int:
        """Packets that the path took."""
        return sum(len(transit.lost) for transit in self._transits)

    def open(self) -> None:
        """Sends from two ports, others than before."""
        taken = self._sockets
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for sock in self._sockets:
            sock.bind((self._host, 0))
        for sock in taken:
            sock.close()

    def close(self) -> None:
        """Its ports are refused (ICMP), and nothing is sent."""
        for sock in self._sockets:
            sock.close()
        self._sockets = []

    def send(self, frames: bytes) -> None:
        """Interleaved packets; those of even channels are RTP.

        All go at once, in the order that their delays give them: a machine that is too busy to send
        them in time would have them overtaken by more than was asked for.
        """
        at = 0
        while at < len(frames):
            end = at + 4 + int.from_bytes(frames[at + 2 : at + 4])
            self._transits[frames[at + 1] % 2].put(frames[at + 4 : end], 0.0)
            at = end
        for number, transit in enumerate(self._transits):
            for packet in transit.due(math.inf):
                if self._sockets:
                    self._sockets[number].sendto(packet, (self._host, self.viewer[number]))


def agreed(transport: str, host: str, manners: Manners) -> Datagrams | None:
    """What SETUP's `Transport` asks for; None where it asks for no datagrams."""
    ports = re.search(r"client_port=(\d+)-(\d+)", transport)
    return ports and Datagrams(host, (int(ports[1]), int(ports[2])), manners)
