"""A path for datagrams that loses, repeats, delays and reorders them, and remembers what it did.

`Transit` decides, `UdpPath` lies between two sockets. `RtspOverBadUdp` puts such paths between a
recorder and any RTSP server, by writing its own ports into what the two agree on.
"""

from __future__ import annotations

import heapq
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from relay import LOOPBACK, Relay


@dataclass(frozen=True, slots=True)
class Manners:
    """What happens to a datagram on its way; chances of each, delays in seconds."""

    loses: float = 0.0
    repeats: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    """Each datagram, and each repetition, waits a time of its own between these two."""
    seed: int = 1


class Transit:
    """What befalls datagrams on a way, without the way: they are put in, and due some time."""

    def __init__(self, manners: Manners) -> None:
        self.lost: list[bytes] = []
        self.repeated = 0
        self.carried = 0
        self.is_closed = False
        """True: a firewall, nothing gets through."""
        self._manners = manners
        self._random = Random(manners.seed)
        self._waiting: list[tuple[float, int, bytes]] = []

    @property
    def is_waiting(self) -> bool:
        """Whether anything is due later."""
        return bool(self._waiting)

    def put(self, data: bytes, now_s: float) -> None:
        """Loses it, or has it wait for its turn."""
        if self.is_closed or self._random.random() < self._manners.loses:
            self.lost.append(data)
            return
        self._delay(data, now_s)
        if self._random.random() < self._manners.repeats:
            self.repeated += 1
            self._delay(data, now_s)

    def _delay(self, data: bytes, now_s: float) -> None:
        self.carried += 1
        due_s = now_s + self._random.uniform(*self._manners.delay_s)
        heapq.heappush(self._waiting, (due_s, self.carried, data))

    def due(self, now_s: float) -> Iterator[bytes]:
        """What has waited long enough."""
        while self._waiting and self._waiting[0][0] <= now_s:
            yield heapq.heappop(self._waiting)[2]

    def wait_s(self, now_s: float) -> float:
        """To the next that is due; a tenth of a second where none waits."""
        return self._waiting[0][0] - now_s if self._waiting else 0.1


class UdpPath(Transit):
    """Carries what comes in at `port` to `target`, and what comes back to whoever sent first."""

    def __init__(
        self, target: tuple[str, int], manners: Manners, *, is_closed: bool = False
    ) -> None:
        super().__init__(manners)
        self.target = target
        self.is_closed = is_closed
        self._outer = _bound()
        self._inner = _bound()
        self.port: int = self._outer.getsockname()[1]
        self._sender: tuple[str, int] | None = None

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket]:
        return self._outer, self._inner

    @property
    def inner_port(self) -> int:
        """From which the target hears."""
        return int(self._inner.getsockname()[1])

    def take(self, sock: socket.socket, now_s: float) -> None:
        """One datagram, forwards or back."""
        data, sender = sock.recvfrom(65536)
        if sock is self._inner:
            if self._sender is not None and not self.is_closed:
                self._outer.sendto(data, self._sender)
            return
        self._sender = sender
        self.put(data, now_s)

    def send_due(self, now_s: float) -> float:
        """Sends on what has waited; gives the seconds to the next."""
        for data in self.due(now_s):
            self._inner.sendto(data, self.target)
        return self.wait_s(now_s)

    def close(self) -> None:
        self._inner.close()
        self._outer.close()


class PathThread:
    """Serves paths until it is left, and then only once nothing waits on them."""

    def __init__(self, *paths: UdpPath) -> None:
        self.paths = list(paths)
        self._stopping = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> PathThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join()
        for path in self.paths:
            path.close()

    def _run(self) -> None:
        while True:
            wait_s = min((path.send_due(time.monotonic()) for path in self.paths), default=0.05)
            owner = {sock: path for path in self.paths for sock in path.sockets}
            readable, _, _ = select.select(list(owner), [], [], max(0.0, min(wait_s, 0.05)))
            now_s = time.monotonic()
            for sock in readable:
                owner[sock].take(sock, now_s)
            if self._stopping and not readable and not any(path.is_waiting for path in self.paths):
                return


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((LOOPBACK, 0))
    return sock


class RtspOverBadUdp(Relay):
    """A relay for RTSP whose datagrams go through paths of their own.

    The two ends agree on the relay's ports instead of each other's. `paths`: of all sessions so
    far, RTP and RTCP in turn. Interleaved packets pass as they are.
    """

    def __init__(self, server_port: int, manners: Sequence[Manners] = (Manners(),)) -> None:
        super().__init__(server_port)
        self._manners = list(manners)
        self.is_firewalled = False
        """Of sessions from now on: no datagram gets through."""
        self._paths = PathThread()

    @property
    def paths(self) -> list[UdpPath]:
        return self._paths.paths

    def __enter__(self) -> RtspOverBadUdp:
        self._paths.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._paths.__exit__()

    def passed(self, data: bytes, *, is_request: bool) -> bytes:
        """A SETUP or its answer: whole in one read, as all ends write it."""
        if b"_port=" not in data:
            return data
        name = rb"client_port" if is_request else rb"server_port"
        match = re.search(name + rb"=(\d+)-(\d+)", data)
        if match is None:
            return data
        if is_request:
            pair = [self._path(int(port)) for port in match.groups()]
            return data.replace(match[0], b"client_port=%d-%d" % (pair[0].port, pair[1].port))
        # The client's reports go to where its packets come from, and on to the server.
        answer = re.sub(rb"client_port=\d+-\d+", b"client_port=%d-%d" % self._asked, data)
        latest = self.paths[-2:]
        return answer.replace(
            match[0], b"server_port=%d-%d" % (latest[0].inner_port, latest[1].inner_port)
        )

    def _path(self, client_port: int) -> UdpPath:
        number = len(self.paths) // 2
        manners = self._manners[min(number, len(self._manners) - 1)]
        path = UdpPath((LOOPBACK, client_port), manners, is_closed=self.is_firewalled)
        self._paths.paths = [*self._paths.paths, path]
        return path

    @property
    def _asked(self) -> tuple[int, int]:
        return self.paths[-2].target[1], self.paths[-1].target[1]
