"""How much the programs at a port have sent beyond what was taken from them.

libzmq keeps the frames of a message until its last one comes, in memory that no option bounds, and
tells nobody of them. The kernel counts what each connection has brought, so who begins a message
and never ends it is seen in time. Each has an account of its own: what is taken of one makes up for
nothing that another has begun. In one thread.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass

import zmq
from zmq.utils.monitor import recv_monitor_message

__all__ = ["DoorMeter"]

_STRANGER_BYTES = 192 * 1024
"""Who has brought no more may be one who never shook hands: he shuts nobody's port."""
_BEHIND_MAX_BYTES = 16 << 20
"""64 messages of 16 KiB from each of a few honest programs are on their way at most."""
_FRAME_BYTES = 64
"""Around each frame: its length, its box of CURVE."""
_IDLE_BYTES_PER_S = 128
"""Heartbeats of a connection, which nobody takes."""
_WAITS_MAX_BYTES = 64 * (16 * 1024 + _FRAME_BYTES)
"""Of one that has ended: libzmq lets go of what it had only begun."""
_LOOK_S = 0.2
_INFO_BYTES = 136
_RECEIVED_AT = 128
"""`tcpi_bytes_received` of `struct tcp_info` (linux/tcp.h, since 4.1)."""
_EVENTS = zmq.EVENT_LISTENING | zmq.EVENT_ACCEPTED | zmq.EVENT_CLOSED | zmq.EVENT_DISCONNECTED


@dataclass(slots=True)
class _Account:
    """Of a connection, in bytes."""

    came: int = 0
    taken: int = 0

    def behind(self) -> int:
        return max(0, self.came - self.taken) if self.came > _STRANGER_BYTES else 0


class DoorMeter:
    """Of one ROUTER socket. Made before it is bound."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], watched: zmq.Socket[bytes], now_s: float
    ) -> None:
        """Raises zmq.ZMQError."""
        self._watched = watched
        self.monitor = context.socket(zmq.PAIR)
        """Readable when somebody has come or gone."""
        try:
            self.monitor.linger = 0
            # Without bound: at one libzmq's thread would wait for us, and hold what `close` needs.
            self.monitor.rcvhwm = 0
            address = f"inproc://monitor-{watched.underlying:x}"
            watched.monitor(address, _EVENTS)
            self.monitor.connect(address)
        except BaseException:
            self.monitor.close()
            raise
        self._accounts: dict[int, _Account] = {}
        """By descriptor of a connection, as libzmq has it."""
        self._listener = -1
        self._left = 0
        """Of connections that have ended, and waits still."""
        self._looked_s = now_s

    def close(self) -> None:
        """Before the socket is closed."""
        with contextlib.suppress(zmq.ZMQError):
            self._watched.monitor(None, 0)
        self.monitor.close()

    def listener(self) -> int:
        """The descriptor of the port, as soon as it is bound."""
        self._hear()
        return self._listener

    def connections(self) -> int:
        """How many there are, whether they have shaken hands or not."""
        self._hear()
        return len(self._accounts)

    def took(self, frame: zmq.Frame) -> None:
        """A frame was read from the socket, which knows whose it is."""
        fd = int(frame.get(zmq.SRCFD))
        if fd not in self._accounts:
            self._hear()  # it came since the last look
        account = self._accounts.get(fd)
        if account is not None:  # else it has ended
            account.taken += len(frame) + _FRAME_BYTES

    def is_too_far(self, now_s: float) -> bool:
        """Whether more waits than anybody honest has; looks five times a second."""
        if now_s - self._looked_s < _LOOK_S:
            return False
        self._hear()
        idle = int((now_s - self._looked_s) * _IDLE_BYTES_PER_S)
        self._looked_s = now_s
        for fd, account in list(self._accounts.items()):
            came = _received_bytes(fd)
            if came is None:
                self._end(fd)
                continue
            # Never more than came: what is taken later has to be paid for then.
            account.came, account.taken = came, min(came, account.taken + idle)
        if not self._watched.poll(0):
            self._left = 0
        behind = sum(account.behind() for account in self._accounts.values())
        return behind + self._left > _BEHIND_MAX_BYTES

    def _hear(self) -> None:
        while self.monitor.poll(0):
            told = recv_monitor_message(self.monitor)
            fd = int(told["value"])
            if told["event"] == zmq.EVENT_LISTENING:
                self._listener = fd
            elif told["event"] == zmq.EVENT_ACCEPTED:
                self._accounts[fd] = _Account()
            else:
                self._end(fd)

    def _end(self, fd: int) -> None:
        account = self._accounts.pop(fd, None)
        if account is not None:
            self._left += min(account.behind(), _WAITS_MAX_BYTES)


def _received_bytes(fd: int) -> int | None:
    """What a connection has brought; None: it is none any more."""
    try:
        borrowed = socket.socket(fileno=fd)  # no copy: there may be no descriptor left for one
    except OSError:
        return None
    try:
        info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    finally:
        borrowed.detach()
    if len(info) < _INFO_BYTES:
        return None
    (received,) = struct.unpack_from("=Q", info, _RECEIVED_AT)
    return int(received)
