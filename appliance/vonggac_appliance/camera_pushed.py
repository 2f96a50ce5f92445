"""A camera's connection that the camera made: it publishes, and we answer.

Its other end is the process that cameras call, which carries TLS (`push_caller`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.publish_answers import answer_midstream
from vonggac_appliance.camera_memory import Memory

__all__ = ["PushedConnection"]

_NEVER_S = 30.0
"""Nothing has to be said to a publisher; the look at the clock costs nothing."""


class PushedConnection:
    """Owns the plain end; the loop has a duplicate. Closing it ends the publisher's connection."""

    def __init__(
        self,
        sock: socket.socket,
        play: PlayReady,
        session_id: str,
        memory: Memory,
        closed: Callable[[], None],
    ) -> None:
        self.play = play
        self.early = b""
        self.keep_alive_s = _NEVER_S
        self._sock = sock
        self._session_id = session_id
        self._memory = memory
        self._closed = closed

    @property
    def is_udp(self) -> bool:
        """Never: datagrams are not taken from a publisher."""
        return False

    def fileno(self) -> int:
        """The socket's descriptor, which stays ours."""
        return self._sock.fileno()

    def datagrams(self, stream: bytes) -> tuple[tuple[bytes, int], ...]:
        """None."""
        return ()

    def no_datagrams(self) -> None:
        """Nobody waits for any."""

    def sound_failed(self) -> None:
        """What is sent is the publisher's to choose."""

    def keep_alive(self) -> bytes:
        """Nothing: it is the publisher's to keep his session."""
        return b""

    def ended(self) -> None:
        """There is nothing to learn from how it ended: no keep-alive of ours was in it."""

    def note(self, habit: Habit, count: int = 1) -> None:
        """Something that was seen outside of the dialogue."""
        self._memory.habits[habit] += count

    def teardown(self) -> bytes:
        """Nothing: a server ends a publisher by closing (RFC 2326 has no request for it)."""
        return b""

    def heard(self, message: bytes) -> bytes:
        """Takes in an RTSP message that the loop found; gives what has to be answered."""
        return answer_midstream(message, self._session_id)

    def teardown_directly(self) -> None:
        """Closing says it."""

    def close(self) -> None:
        """Closes our descriptor."""
        self._sock.close()
        self._closed()
