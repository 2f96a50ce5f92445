"""One connection to a camera, from its first request to PLAY, and whatever ends it before.

What is said is `vonggac.rtsp.client`'s, which never sees a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import DIALOGUE_TIMEOUT_S, REPLY_TIMEOUT_S, ClientSession
from vonggac.rtsp.events import Failure, KeepaliveAnswered, PlayReady, Send, UdpAgreed
from vonggac_appliance.camera_connection import CameraConnection, hand_over
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_udp import Pairs, open_pair
from vonggac_appliance.camera_way import Way, link

__all__ = ["dialogue"]

_READ_BYTES = 16 * 1024
_EARLY_MAX_BYTES = 32 * 1024
"""What ATTACH carries beside the parameter sets. More is dropped; the loop resynchronises."""


async def dialogue(
    way: Way,
    authenticator: Authenticator,
    connect_s: float,
    memory: Memory,
    look: Callable[[ClientSession], None],
) -> CameraConnection | Failure:
    """One connection. Raises SessionFailed, and what `look` raises.

    `look`: at who answers, before each request that may say the login, and when it plays.
    """
    sock, tunnel = await link(way, connect_s, memory)
    pairs = Pairs()
    session = None
    result: PlayReady | Failure | None = None
    try:
        if way.transport == "udp":
            pairs = _datagrams(sock, memory.asks_for_sound)
        session = ClientSession(
            way.url,
            authenticator,
            udp_ports=pairs.pictures.ports if pairs.pictures else None,
            sound_ports=pairs.sound.ports if pairs.sound else None,
            learnt=memory.learnt,
            with_sound=memory.asks_for_sound,
        )
        watch = _Watch(session, memory, look)
        result = await _until_play(sock, session, pairs, watch)
    finally:
        if session is not None:
            hand_over(session, memory)
        if not isinstance(result, PlayReady):
            _say_goodbye(sock, session)
        pairs = pairs.agreed(result if isinstance(result, PlayReady) else None)
    if isinstance(result, Failure):
        if session.sound.was_asked:
            memory.sound_failed()
        return result
    memory.learnt = session.learnt
    early = session.take_unread()
    early = early if len(early) <= _EARLY_MAX_BYTES else b""
    return CameraConnection(sock, session, result, early, memory, pairs, tunnel)


def _datagrams(sock: socket.socket, with_sound: bool) -> Pairs:
    """Where there is no room for the sound, the pictures come without."""
    try:
        pictures = open_pair(sock)
    except OSError as error:
        what = f"no sockets for its datagrams ({os.strerror(error.errno or 0).lower()})"
        raise SessionFailed(GapReason.NETWORK, what) from error
    sound = None
    with contextlib.suppress(OSError):
        sound = open_pair(sock) if with_sound else None
    return Pairs(pictures, sound)


@dataclass(frozen=True, slots=True)
class _Watch:
    """What is looked at while a dialogue goes on."""

    session: ClientSession
    memory: Memory
    look: Callable[[ClientSession], None]

    def answered(self) -> None:
        """After each answer, before what follows from it is said. Raises OtherDeviceMet."""
        self.look(self.session)
        if self.session.authenticator.has_proven:
            self.memory.proves()

    async def say(self, sock: socket.socket, message: bytes) -> None:
        """To the camera; who shares the account hears of a login."""
        if b"\r\nAuthorization: " in message:
            self.memory.says()
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            await asyncio.get_running_loop().sock_sendall(sock, message)


async def _until_play(
    sock: socket.socket, session: ClientSession, pairs: Pairs, watch: _Watch
) -> PlayReady | Failure:
    """The dialogue. Each step has its time, and all of it too: bytes alone are no answer."""
    try:
        async with asyncio.timeout(DIALOGUE_TIMEOUT_S):
            return await _steps(sock, session, pairs, watch)
    except TimeoutError:
        return session.connection_lost("no answer")
    except OSError as error:
        return session.connection_lost(os.strerror(error.errno or 0).lower())


async def _steps(
    sock: socket.socket, session: ClientSession, pairs: Pairs, watch: _Watch
) -> PlayReady | Failure:
    loop = asyncio.get_running_loop()
    await watch.say(sock, session.start())
    while True:
        while (event := session.next_event()) is not None:
            watch.answered()
            if isinstance(event, Send):
                await watch.say(sock, event.data)
            elif isinstance(event, UdpAgreed):
                pair = pairs.sound if event.is_sound else pairs.pictures
                assert pair is not None  # or it was not asked for
                pair.punch(event.ports)
            elif isinstance(event, PlayReady | Failure):
                return event
            else:
                assert isinstance(event, KeepaliveAnswered), event
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            data = await loop.sock_recv(sock, _READ_BYTES)
        if not data:
            return session.connection_lost("the camera closed the connection")
        session.receive(data)
        # Bytes that are there already are read without a wait: who sends without a pause would
        # stop the whole recorder here, and the time-outs with it.
        await asyncio.sleep(0)


def _say_goodbye(sock: socket.socket, session: ClientSession | None) -> None:
    """A camera with two sessions in all must get this one back (Tapo C200)."""
    with contextlib.suppress(OSError):
        if session is not None and (message := session.teardown()) is not None:
            sock.send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    sock.close()
