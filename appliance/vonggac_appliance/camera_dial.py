"""From a camera's address to a session that plays: log-ins, redirects, TCP or datagrams.

The dialogue itself is `vonggac.rtsp.client`, which never sees a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from dataclasses import dataclass, replace

from vonggac.errors import ConfigError
from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import (
    BUSY,
    DIALOGUE_TIMEOUT_S,
    REPLY_TIMEOUT_S,
    TEARDOWN_TIMEOUT_S,
    ClientSession,
)
from vonggac.rtsp.events import Failure, KeepaliveAnswered, PlayReady, Send, UdpAgreed
from vonggac.rtsp.leftover import Goodbye, Held
from vonggac.rtsp.url import CameraUrl, Credentials, parse_camera_url
from vonggac_appliance.camera_address import Address, connect, resolve
from vonggac_appliance.camera_connection import CameraConnection, hand_over
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_tls import Tunnel, open_tunnel
from vonggac_appliance.camera_udp import UdpPair, open_pair
from vonggac_appliance.config import CameraConfig

_log = logging.getLogger("vonggac.record")

_HOPS_MAX = 3
"""Redirects, one after another."""
_READ_BYTES = 16 * 1024
_EARLY_MAX_BYTES = 32 * 1024
"""What ATTACH carries beside the parameter sets. More is dropped; the loop resynchronises."""


async def open_connection(
    url_text: str,
    credentials: Credentials | None,
    config: CameraConfig,
    memory: Memory,
    transport: str = "tcp",
) -> CameraConnection:
    """Connects and plays. Raises SessionFailed.

    `transport`: asked for first, `tcp` or `udp`, where the camera has not taught which works.
    """
    try:
        url = parse_camera_url(url_text)
    except ConfigError as error:
        raise SessionFailed(GapReason.REFUSED, str(error)) from error
    # What TLS protects is not sent beside it as datagrams.
    transport = "tcp" if url.is_tls else memory.learnt.transport or transport
    way = _Way(url, await resolve(url, config), transport)
    dialler = _Dialler(credentials, config, memory, way)
    async with memory.turn():
        result = await dialler.dial(way)
        if isinstance(result, Failure):
            is_refused, is_busy = dialler.authenticator.is_refused, result.status in BUSY
            wait_s = memory.refused() if is_refused else None
            if not is_refused and not is_busy:
                memory.came_to_nothing()
            raise SessionFailed(
                result.reason,
                result.detail,
                wait_s=wait_s,
                is_refused=is_refused,
                is_busy=is_busy,
            )
        memory.accepted()
    return result


@dataclass(frozen=True, slots=True)
class _Way:
    """What is asked for, where, and how packets are to come."""

    url: CameraUrl
    address: Address
    transport: str


class _Dialler:
    """Whatever it takes to one connection that plays."""

    def __init__(
        self,
        credentials: Credentials | None,
        config: CameraConfig,
        memory: Memory,
        home: _Way,
    ) -> None:
        """`home`: what was entered; its host is the only one that is told the login."""
        self._credentials = credentials
        self._config = config
        self._memory = memory
        self._home = home
        self.authenticator = self._fresh(credentials)

    def _fresh(self, credentials: Credentials | None) -> Authenticator:
        memory = self._memory
        return Authenticator(
            credentials,
            secrets.token_hex(8),
            floor=memory.floor,
            refusals_max=memory.refusals_max,
        )

    async def dial(self, way: _Way) -> CameraConnection | Failure:
        """Follows redirects, each to an address in the camera networks. Raises SessionFailed."""
        await self._give_back_at(way)
        result = await self._attempts(way)
        for _ in range(_HOPS_MAX):
            if not isinstance(result, Failure) or not result.location:
                return result
            way = await self._redirected(way, result)
            is_home = self._is_home(way)
            self.authenticator = self._fresh(self._credentials if is_home else None)
            try:
                await self._give_back_at(way)
                result = await self._attempts(way)
            except SessionFailed as failure:
                failure.is_away = False  # who sent us there was not
                raise
        if isinstance(result, Failure) and result.location:
            return replace(result, detail=f"{result.detail}; that is one redirect too many")
        return result

    async def _give_back_at(self, way: _Way) -> None:
        """Ends what an earlier life left there. Raises SessionFailed."""
        memory, connect_s = self._memory, self._config.connect_timeout_ns / 1e9
        for held in [one for one in memory.leftover if one.url == way.url.request_uri]:
            # Signed once, by itself: its nonce, or its refusal, is nothing to what follows.
            login = self._credentials if self._is_home(way) else None
            goodbye = replace(self._fresh(login), refusals_max=1)
            await _give_back(way, held, goodbye, connect_s, memory)
            memory.leftover.remove(held)

    def _is_home(self, way: _Way) -> bool:
        """Whether that is the host that was entered, and no less protected than it was."""
        is_host = way.address.sockaddr[0] == self._home.address.sockaddr[0]
        return is_host and way.url.is_tls >= self._home.url.is_tls

    async def _redirected(self, way: _Way, failure: Failure) -> _Way:
        """Where it points. A proxy (305) is asked for what was asked for before (11.3.5)."""
        try:
            url = parse_camera_url(_absolute(way.url, failure.location or ""))
        except ConfigError as error:
            what = f"{failure.detail}, which is no camera's address"
            raise SessionFailed(failure.reason, what) from error
        if self._home.url.is_tls and not url.is_tls and failure.status != 305:
            what = f"{failure.detail}, which TLS would not protect"
            raise SessionFailed(failure.reason, what)
        address = await resolve(url, self._config)
        return replace(way, url=way.url if failure.status == 305 else url, address=address)

    async def _attempts(self, way: _Way) -> CameraConnection | Failure:
        """One connection; a second one to log in, one more for the transport the camera wants."""
        has_switched = False
        while True:
            connect_s = self._config.connect_timeout_ns / 1e9
            try:
                result = await _dialogue(way, self.authenticator, connect_s, self._memory)
            finally:
                if self._is_home(way):
                    self._memory.keeps_scheme(self.authenticator.scheme)
            if not isinstance(result, Failure):
                return result
            if result.should_reconnect and not self.authenticator.has_reconnected:
                self.authenticator.has_reconnected = True
            elif result.other_transport and not has_switched and not way.url.is_tls:
                has_switched = True
                way = replace(way, transport="tcp" if way.transport == "udp" else "udp")
            else:
                return result


def _absolute(url: CameraUrl, location: str) -> str:
    """RFC 2326 12.25 has absolute addresses; some cameras send a path."""
    return f"{url.scheme}://{url.authority}{location}" if location.startswith("/") else location


async def _link(way: _Way, connect_s: float) -> tuple[socket.socket, Tunnel | None]:
    """A connection, or the plain end of one over TLS. Raises SessionFailed."""
    sock = await connect(way.address, connect_s)
    if not way.url.is_tls:
        return sock, None
    tunnel = await open_tunnel(sock, connect_s)
    return tunnel.plain, tunnel


async def _give_back(
    way: _Way, held: Held, authenticator: Authenticator, connect_s: float, memory: Memory
) -> None:
    """Ends a session that the recorder left when it crashed. Raises SessionFailed if it cannot
    be said; what the camera thinks of it does not matter."""
    sock, tunnel = await _link(way, connect_s)
    goodbye = Goodbye(authenticator, held)
    loop = asyncio.get_running_loop()
    try:
        if tunnel is not None:
            memory.knows(tunnel.certificate)
        async with asyncio.timeout(TEARDOWN_TIMEOUT_S):
            message: bytes | None = goodbye.start()
            while message is not None:
                await loop.sock_sendall(sock, message)
                data = await loop.sock_recv(sock, _READ_BYTES)
                message = goodbye.receive(data) if data else None
    except (TimeoutError, OSError) as error:
        _log.info("a session of an earlier life was not given back (%s)", error or "no answer")
    finally:
        sock.close()


async def _dialogue(
    way: _Way, authenticator: Authenticator, connect_s: float, memory: Memory
) -> CameraConnection | Failure:
    sock, tunnel = await _link(way, connect_s)
    pair: UdpPair | None = None
    session = None
    result: PlayReady | Failure | None = None
    try:
        if tunnel is not None:
            memory.knows(tunnel.certificate)  # before anything is said to it
        pair = _datagrams(sock) if way.transport == "udp" else None
        ports = pair.ports if pair else None
        session = ClientSession(way.url, authenticator, udp_ports=ports, learnt=memory.learnt)
        result = await _until_play(sock, session, pair)
    finally:
        if session is not None:
            hand_over(session, memory)
        if not isinstance(result, PlayReady):
            _say_goodbye(sock, session)
        if pair is not None and (not isinstance(result, PlayReady) or result.udp_ports is None):
            pair.close()
            pair = None
    if isinstance(result, Failure):
        return result
    memory.learnt = session.learnt
    early = session.take_unread()
    early = early if len(early) <= _EARLY_MAX_BYTES else b""
    return CameraConnection(sock, session, result, early, memory, pair, tunnel)


def _datagrams(sock: socket.socket) -> UdpPair:
    try:
        return open_pair(sock)
    except OSError as error:
        what = f"no sockets for its datagrams ({os.strerror(error.errno or 0).lower()})"
        raise SessionFailed(GapReason.NETWORK, what) from error


async def _until_play(
    sock: socket.socket, session: ClientSession, pair: UdpPair | None
) -> PlayReady | Failure:
    """The dialogue. Each step has its time, and all of it too: bytes alone are no answer."""
    try:
        async with asyncio.timeout(DIALOGUE_TIMEOUT_S):
            return await _steps(sock, session, pair)
    except TimeoutError:
        return session.connection_lost("no answer")
    except OSError as error:
        return session.connection_lost(os.strerror(error.errno or 0).lower())


async def _steps(
    sock: socket.socket, session: ClientSession, pair: UdpPair | None
) -> PlayReady | Failure:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(REPLY_TIMEOUT_S):
        await loop.sock_sendall(sock, session.start())
    while True:
        while (event := session.next_event()) is not None:
            if isinstance(event, Send):
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    await loop.sock_sendall(sock, event.data)
            elif isinstance(event, UdpAgreed):
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


def _say_goodbye(sock: socket.socket, session: ClientSession | None) -> None:
    """A camera with two sessions in all must get this one back (Tapo C200)."""
    with contextlib.suppress(OSError):
        if session is not None and (message := session.teardown()) is not None:
            sock.send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    sock.close()
