"""A camera's connection that plays, and what is said on it.

The socket is raw and non-blocking: after PLAY its descriptor, and the bytes already read, go to a
native loop. How it came to play is `camera_dial`'s.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import replace

from vonggac.errors import MediaError
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import PlayReady, Send
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Life
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.camera_tls import Tunnel
from vonggac_appliance.camera_udp import Pairs

__all__ = ["CameraConnection", "hand_over"]


class CameraConnection:
    """A session that plays. Owns the sockets; the loop has duplicates."""

    def __init__(
        self,
        sock: socket.socket,
        session: ClientSession,
        play: PlayReady,
        early: bytes,
        memory: Memory,
        pairs: Pairs | None = None,
        tunnel: Tunnel | None = None,
    ) -> None:
        """`pairs`: where the camera sends datagrams; `tunnel`: of which `sock` is the plain end."""
        self.play = play
        self.early = early
        self.keep_alive_s = play.keepalive_interval_s
        self._sock = sock
        self._session = session
        self._memory = memory
        self._pairs = pairs or Pairs()
        self._tunnel = tunnel  # held, so that its task is
        self._held = session.held
        if self._held is not None:
            memory.sessions.append(self._held)
        self._played_s = time.monotonic()
        self._keepalives = 0
        self._kept_alive_s = self._played_s

    def fileno(self) -> int:
        """The socket's descriptor, which stays ours."""
        return self._sock.fileno()

    @property
    def is_udp(self) -> bool:
        """Whether the camera sends datagrams."""
        return self._pairs.pictures is not None

    def datagrams(self, stream: bytes) -> tuple[tuple[bytes, int], ...]:
        """What the loop is told of their sockets, each with its descriptor; empty over TCP."""
        return self._pairs.messages(stream, self.play)

    def no_datagrams(self) -> None:
        """None came: something on the way lets none through. The next connection is TCP alone."""
        self._memory.learnt = replace(self._memory.learnt, transport="tcp")

    def sound_failed(self) -> None:
        """No picture came beside it, or it crashed a loop: the next connection is without."""
        self._memory.sound_failed()

    def keep_alive(self) -> bytes:
        """The next keep-alive, signed; empty where none is to be said."""
        if message := self._session.keepalive():
            self._keepalives += 1
            self._kept_alive_s = time.monotonic()
        return message

    def ended(self) -> None:
        """The camera ended it, or fell silent: perhaps its keep-alives did not count."""
        now_s = time.monotonic()
        life = Life(
            lived_s=now_s - self._played_s,
            timeout_s=self.play.session_timeout_s,
            keepalives=self._keepalives,
            since_keepalive_s=now_s - self._kept_alive_s,
            method=self._session.keepalive_method,
        )
        self._memory.ended(life)

    def note(self, habit: Habit, count: int = 1) -> None:
        """Something that was seen outside of the dialogue."""
        self._memory.habits[habit] += count

    def teardown(self) -> bytes:
        """TEARDOWN; empty where the camera holds no session any more."""
        return self._session.teardown() or b""

    def heard(self, message: bytes) -> bytes:
        """Takes in an RTSP message that the loop found; gives what has to be answered."""
        with contextlib.suppress(MediaError):  # the watchdog looks at video, not at messages
            self._session.receive_message(message)
        answer = b""
        while (event := self._session.next_event()) is not None:
            if isinstance(event, Send):
                answer += event.data
        if self._session.authenticator.is_refused:
            self._memory.doubted()
        hand_over(self._session, self._memory)
        return answer

    def teardown_directly(self) -> None:
        """TEARDOWN without a loop: it has died of this connection, and nobody else writes here."""
        with contextlib.suppress(OSError):
            self._sock.send(self.teardown(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def close(self) -> None:
        """Closes our descriptors."""
        self._sock.close()
        if self._held in self._memory.sessions:  # not in those of who crashed
            self._memory.sessions.remove(self._held)
        self._pairs.close()


def hand_over(session: ClientSession, memory: Memory) -> None:
    """What a session noticed becomes the camera's."""
    memory.habits.update(session.habits)
    session.habits.clear()
