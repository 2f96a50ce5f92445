"""Who may shake hands at a hook's port: ZeroMQ's authentication protocol (RFC 27) for CURVE.

libzmq asks before a connection carries its first message; its domain is the hook, its credential
the 32 bytes of the program's public key. One that is not the hook's never gets further.
"""

from __future__ import annotations

import zmq
from zmq.utils import z85

__all__ = ["HookKeys", "domain_of"]

_ADDRESS = "inproc://zeromq.zap.01"
_FRAMES = 7
_TURN_MAX = 64


def domain_of(hook: int) -> bytes:
    """The domain of a hook's socket."""
    return f"hook-{hook}".encode()


class HookKeys:
    """Answers libzmq. Made before the first socket with CURVE is bound; in one thread."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(_ADDRESS)
        self.refused = 0
        """Handshakes with another key than the hook's."""
        self._keys: dict[bytes, bytes] = {}

    def allow(self, keys: dict[int, str]) -> None:
        """From now on these keys, each at its hook alone."""
        self._keys = {domain_of(hook): z85.decode(key) for hook, key in keys.items()}

    def turn(self) -> None:
        """Answers who waits."""
        for _ in range(_TURN_MAX):
            if not self.socket.poll(0):
                return
            frames = self.socket.recv_multipart()
            self.socket.send_multipart(self._answer(frames))

    def close(self) -> None:
        """Nobody shakes hands any more."""
        self.socket.close()

    def _answer(self, frames: list[bytes]) -> list[bytes]:
        version, number = frames[0], frames[1]
        is_known = (
            len(frames) == _FRAMES
            and version == b"1.0"
            and frames[5] == b"CURVE"
            and self._keys.get(frames[2]) == frames[6]
        )
        self.refused += not is_known
        status = (b"200", b"OK") if is_known else (b"400", b"not the key of this hook")
        return [version, number, *status, frames[2] if is_known else b"", b""]
