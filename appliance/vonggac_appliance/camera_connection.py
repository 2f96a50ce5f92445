"""A camera's connection from resolving its name to PLAY, and what is said on it afterwards.

The socket is raw and non-blocking: after PLAY its descriptor, and the bytes already read, go to a
native loop. The dialogue itself is `vonggac.rtsp.client`, which never sees a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import secrets
import socket
import time
from dataclasses import dataclass

from vonggac.errors import ConfigError, MediaError
from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import CONNECT_TIMEOUT_S, REPLY_TIMEOUT_S, ClientSession
from vonggac.rtsp.events import Failure, KeepaliveAnswered, PlayReady, Send
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Life
from vonggac.rtsp.url import CameraUrl, Credentials, parse_camera_url
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.config import CameraConfig, network_of

__all__ = [
    "Address",
    "CameraConnection",
    "Memory",
    "SessionFailed",
    "open_connection",
    "resolve",
]

_READ_BYTES = 16 * 1024
_EARLY_MAX_BYTES = 32 * 1024
"""What ATTACH carries beside the parameter sets. More is dropped; the loop resynchronises."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect, checked against the camera networks."""

    family: int
    sockaddr: tuple[str, int]


async def resolve(url: CameraUrl, config: CameraConfig) -> Address:
    """The first address of the host. All of them have to lie in the configured networks.

    Checked after resolution: a name that resolves to somewhere else is no way out of the networks.
    """
    try:
        found = [ipaddress.ip_address(url.host)]
    except ValueError:
        found = await _look_up(url.host)
    for one in found:
        if network_of(config, one) is None:
            what = f"{one} lies outside the configured camera networks"
            raise SessionFailed(GapReason.REFUSED, what)
    family = socket.AF_INET if found[0].version == 4 else socket.AF_INET6
    return Address(family, (str(found[0]), url.port))


async def _look_up(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as error:
        raise SessionFailed(GapReason.NETWORK, f"the name {host} does not resolve") from error
    return [ipaddress.ip_address(str(sockaddr[0]).split("%")[0]) for *_, sockaddr in answers]


class CameraConnection:
    """A session that plays. Owns the socket; the loop has a duplicate."""

    def __init__(
        self,
        sock: socket.socket,
        session: ClientSession,
        play: PlayReady,
        early: bytes,
        memory: Memory,
    ) -> None:
        self.play = play
        self.early = early
        self.keep_alive_s = play.keepalive_interval_s
        self._sock = sock
        self._session = session
        self._memory = memory
        self._played_s = time.monotonic()
        self._keepalives = 0
        self._kept_alive_s = self._played_s

    def fileno(self) -> int:
        """The socket's descriptor, which stays ours."""
        return self._sock.fileno()

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

    def note(self, habit: Habit) -> None:
        """Something that was seen outside of the dialogue."""
        self._memory.habits[habit] += 1

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
        _hand_over(self._session, self._memory)
        return answer

    def teardown_directly(self) -> None:
        """TEARDOWN without a loop: it has died of this connection, and nobody else writes here."""
        with contextlib.suppress(OSError):
            self._sock.send(self.teardown(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def close(self) -> None:
        """Closes our descriptor."""
        self._sock.close()


async def open_connection(
    url_text: str,
    credentials: Credentials | None,
    config: CameraConfig,
    memory: Memory,
) -> CameraConnection:
    """Connects and plays. Raises SessionFailed."""
    try:
        url = parse_camera_url(url_text)
    except ConfigError as error:
        raise SessionFailed(GapReason.REFUSED, str(error)) from error
    address = await resolve(url, config)
    connect_s = config.connect_timeout_ns / 1e9
    async with memory.turn():
        authenticator = Authenticator(
            credentials,
            secrets.token_hex(8),
            floor=memory.floor,
            refusals_max=memory.refusals_max,
        )
        try:
            result = await _dialogue(url, address, authenticator, connect_s, memory)
            if isinstance(result, Failure) and result.should_reconnect:
                authenticator.has_reconnected = True
                result = await _dialogue(url, address, authenticator, connect_s, memory)
        finally:
            memory.keeps_scheme(authenticator.scheme)
        if isinstance(result, Failure):
            is_refused = authenticator.is_refused
            wait_s = memory.refused() if is_refused else None
            raise SessionFailed(result.reason, result.detail, wait_s=wait_s, is_refused=is_refused)
        memory.accepted()
    return result


async def _dialogue(
    url: CameraUrl,
    address: Address,
    authenticator: Authenticator,
    connect_s: float,
    memory: Memory,
) -> CameraConnection | Failure:
    sock = await _connect(address, connect_s)
    session = ClientSession(url, authenticator, learnt=memory.learnt)
    try:
        result = await _until_play(sock, session)
    except BaseException:
        _say_goodbye(sock, session)
        raise
    finally:
        _hand_over(session, memory)
    if isinstance(result, Failure):
        _say_goodbye(sock, session)
        return result
    memory.learnt = session.learnt
    early = session.take_unread()
    early = early if len(early) <= _EARLY_MAX_BYTES else b""
    return CameraConnection(sock, session, result, early, memory)


def _hand_over(session: ClientSession, memory: Memory) -> None:
    """What a session noticed becomes the camera's."""
    memory.habits.update(session.habits)
    session.habits.clear()


async def _connect(address: Address, connect_s: float) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(connect_s):
            await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)
    except TimeoutError as error:
        sock.close()
        raise SessionFailed(GapReason.CAMERA_OFF, "no answer to the connection") from error
    except OSError as error:
        sock.close()
        raise SessionFailed(*_why_not_connected(error)) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _why_not_connected(error: OSError) -> tuple[GapReason, str]:
    what = f"cannot connect ({os.strerror(error.errno or 0).lower()})"
    # No answer to ARP (EHOSTUNREACH) and a closed port are a camera that is off or starting;
    # no route is ours.
    if error.errno in (errno.ENETUNREACH, errno.ENETDOWN):
        return GapReason.NETWORK, what
    return GapReason.CAMERA_OFF, what


async def _until_play(sock: socket.socket, session: ClientSession) -> PlayReady | Failure:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            await loop.sock_sendall(sock, session.start())
        while True:
            while (event := session.next_event()) is not None:
                if isinstance(event, Send):
                    async with asyncio.timeout(REPLY_TIMEOUT_S):
                        await loop.sock_sendall(sock, event.data)
                elif isinstance(event, PlayReady | Failure):
                    return event
                else:
                    assert isinstance(event, KeepaliveAnswered), event
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                data = await loop.sock_recv(sock, _READ_BYTES)
            if not data:
                return session.connection_lost("the camera closed the connection")
            session.receive(data)
    except TimeoutError:
        return session.connection_lost("no answer")
    except OSError as error:
        return session.connection_lost(os.strerror(error.errno or 0).lower())


def _say_goodbye(sock: socket.socket, session: ClientSession) -> None:
    """A camera with two sessions in all must get this one back (Tapo C200)."""
    with contextlib.suppress(OSError):
        if (message := session.teardown()) is not None:
            sock.send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    sock.close()
