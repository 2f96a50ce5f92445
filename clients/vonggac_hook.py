"""A program's side of a hook: what cameras do, as far as a commander has granted it.

One file; it needs `pyzmq` and `msgspec`, and nothing of the recorder. docs/ref/hooks.md has the
protocol for other languages.

    python vonggac_hook.py KEYFILE     makes a pair of keys; prints the public one, for `hook add`
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import zmq

__all__ = ["Away", "Hook", "Refused", "make_keys"]

_LISTEN_AGAIN_S = 10.0
_WAITING_MAX = 1000


class Refused(Exception):
    """The box says no, with its reason."""


class Away(Exception):
    """The box does not take what is said to it, and so much waits that this was not said."""


class Hook:
    """A connection to the box; it connects again by itself."""

    def __init__(self, address: str, box_key: str, key_file: str | os.PathLike[str]) -> None:
        """`address` such as `tcp://192.168.1.5:7701`; `box_key` as `hook add` has printed it."""
        secret, public = Path(key_file).read_bytes().split()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.curve_serverkey = box_key.encode()
        self._socket.curve_secretkey = secret
        self._socket.curve_publickey = public
        self._socket.linger = 1000
        self._socket.sndhwm = self._socket.rcvhwm = _WAITING_MAX
        self._socket.heartbeat_ivl, self._socket.heartbeat_timeout = 10_000, 30_000
        self._socket.connect(address)
        self._kinds: tuple[str, ...] = ()
        self._listen_s = 0.0
        self._number = 0

    def __enter__(self) -> Hook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the box."""
        self._socket.close()
        self._context.term()

    def messages(self, *kinds: str, wait_s: float | None = None) -> Iterator[dict[str, Any]]:
        """What the box tells, for ever, or until nothing has come in `wait_s`.

        `kinds` are words of the grant; none: all of it. The first message is `grant`. What was
        refused of marks and pictures is a message too. Raises Refused for all else.
        """
        self._kinds, self._listen_s = kinds, 0.0
        last_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s >= self._listen_s:
                self._listen_s = now_s + _LISTEN_AGAIN_S
                with contextlib.suppress(Away):  # it is said again
                    self._say({"type": "listen", "kinds": list(kinds)})
            end_s = self._listen_s if wait_s is None else min(self._listen_s, last_s + wait_s)
            if self._socket.poll(max(0, int((end_s - now_s) * 1000) + 1)):
                last_s = time.monotonic()
                message = msgspec.msgpack.decode(self._socket.recv())
                if message["type"] == "refused" and not message["number"]:
                    raise Refused(f"{message['code']}: {message['what']}")
                yield message
            elif wait_s is not None and time.monotonic() >= last_s + wait_s:
                return

    def ask_picture(self, camera: str, at_ns: int) -> int:
        """Asks for the key frame before `at_ns`; gives the number that `picture` repeats.

        Raises Away. What is asked while the box is away may be lost: then no answer comes.
        """
        self._number += 1
        self._say({"type": "ask-picture", "number": self._number, "camera": camera, "at_ns": at_ns})
        return self._number

    def mark(
        self,
        camera: str,
        from_ns: int,
        to_ns: int,
        kind: str,
        box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
        score: float = 1.0,
    ) -> int:
        """Says what was seen; gives the number that `kept`, or `refused`, repeats.

        Raises Away. It is kept when `kept` says so: without an answer, say it again.
        """
        self._number += 1
        what = {"camera": camera, "from_ns": from_ns, "to_ns": to_ns, "kind": kind}
        self._say({"type": "mark", "number": self._number, **what, "box": box, "score": score})
        return self._number

    def _say(self, message: dict[str, Any]) -> None:
        try:
            self._socket.send(msgspec.msgpack.encode(message), zmq.NOBLOCK)
        except zmq.Again:
            raise Away(f"{_WAITING_MAX} messages wait for the box") from None


def make_keys(key_file: str | os.PathLike[str]) -> str:
    """Writes a new pair, the secret key first, which nobody else may read; gives the public one."""
    public, secret = zmq.curve_keypair()
    fd = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as opened:
        opened.write(secret + b"\n" + public + b"\n")
    return public.decode()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(make_keys(sys.argv[1]))
