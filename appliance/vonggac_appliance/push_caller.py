"""One caller of `push run`: TLS, the dialogue up to RECORD, then his bytes both ways for as long as
he publishes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vonggac.errors import VonggacError
from vonggac.ingest.callers import Refusals, neighbourhood
from vonggac.registry.push_keys import digest_of
from vonggac.rtsp.events import PlayReady, Send
from vonggac.rtsp.publish import KeyShown, Over, PublishSession, RecordAsked
from vonggac_appliance.messages_push import AskPush, PushRecords
from vonggac_appliance.push_line import Line
from vonggac_appliance.served_certificate import ServedCertificate
from vonggac_appliance.tls_pump import pump

__all__ = ["Caller", "Shared", "Tally"]

_log = logging.getLogger("vonggac.push")

_KEY_S = 10.0
"""From the connection to a key that is right. TLS takes two round trips, the rest three."""
_PUBLISH_S = 20.0
"""And to RECORD."""
_READ_BYTES = 16 * 1024
_BUFFER_BYTES = 64 * 1024
_STREAMS = ("main", "sub")
_WORDS_MAX = 100


@dataclass(slots=True)
class Tally:
    """What has happened, of all callers."""

    calls: int = 0
    tls_failed: int = 0
    timed_out: int = 0
    malformed: int = 0
    wrong_key: int = 0
    not_allowed: int = 0
    crowded_out: int = 0
    publishing: int = 0


@dataclass(slots=True)
class Shared:
    """What all callers have in common."""

    certificate: ServedCertificate
    line: Line
    refusals: Refusals = field(default_factory=Refusals)
    tally: Tally = field(default_factory=Tally)


class _Refused(VonggacError):
    """The connection is over; its `Over` was told."""


class Caller:
    """Owns the connection. `publishes` is called once he does."""

    def __init__(
        self,
        sock: socket.socket,
        address: tuple[str, int],
        shared: Shared,
        publishes: Callable[[], None],
        is_known: Callable[[str], None],
    ) -> None:
        """`address`: his, and his port; `is_known`: called with whose key he has shown."""
        self._sock = sock
        self._address, self._port = address
        self._tls_version = ""
        self._shared = shared
        self._publishes = publishes
        self._is_known = is_known
        self._session = PublishSession(secrets.token_hex(8))
        self._code = ""
        self._stream = ""
        self._digest = b""

    async def run(self) -> None:
        """Until either end closes, or he does not publish in time."""
        loop, tally = asyncio.get_running_loop(), self._shared.tally
        began_s = loop.time()
        plain: socket.socket | None = None
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            async with asyncio.timeout_at(began_s + _KEY_S) as limit:
                connection = await self._tls()
                plain = await self._dialogue(
                    *connection, lambda: limit.reschedule(began_s + _PUBLISH_S)
                )
        except TimeoutError:
            tally.timed_out += 1
        except OSError:  # ssl.SSLError is an OSError
            tally.tls_failed += connection is None
        except _Refused:
            pass
        finally:
            if plain is None:
                await self._leave(connection)
        if plain is not None and connection is not None:
            await self._carry(*connection, plain)

    async def _tls(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_BUFFER_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            self._sock,
            ssl=self._shared.certificate.context,
            ssl_handshake_timeout=_KEY_S,
            ssl_shutdown_timeout=1.0,
        )
        # None where the connection has ended by now.
        self._tls_version = transport.get_extra_info("ssl_object").version() or ""
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _leave(
        self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None
    ) -> None:
        """Closes, the answer said; whoever does not take it is cut off."""
        if connection is None:
            self._sock.close()
            return
        writer = connection[1]
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                await writer.wait_closed()
        writer.transport.abort()

    async def _dialogue(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_known: Callable[[], None],
    ) -> socket.socket:
        """Up to RECORD; gives the socket for all that follows. Raises _Refused, OSError."""
        session = self._session
        while True:
            while (event := session.next_event()) is not None:
                if isinstance(event, Send):
                    writer.write(event.data)
                    await writer.drain()
                elif isinstance(event, KeyShown):
                    status = await self._judge(event)
                    if status == 200:
                        is_known()
                        self._is_known(f"{self._code}/{self._stream}")
                    session.judged(status)
                elif isinstance(event, RecordAsked):
                    plain = await self._record(event.play)
                    if plain is not None:
                        await self._answer_record(writer, plain)
                        return plain
                elif isinstance(event, Over):
                    self._shared.tally.malformed += event.is_malformed
                    raise _Refused(event.detail)
            data = await reader.read(_READ_BYTES)
            if not data:
                raise _Refused("he went away")
            session.receive(data)

    async def _judge(self, shown: KeyShown) -> int:
        """Whether he may publish; a wrong key waits for its answer, longer each time."""
        code, _, stream = shown.path.strip("/").partition("/")
        self._code, self._stream = code, stream or _STREAMS[0]
        self._digest = digest_of(shown.key)
        if shown.user != code or len(code) > 63 or self._stream not in _STREAMS:
            status = 401
        else:
            line = self._shared.line
            at = self._address, self._port, self._tls_version
            ask = AskPush(line.number(), code, self._stream, self._digest, *at)
            status, _ = await line.ask(ask)
        await self._count(status)
        return status

    async def _count(self, status: int) -> None:
        tally = self._shared.tally
        if status == 401:
            tally.wrong_key += 1
            who = neighbourhood(self._address)
            await asyncio.sleep(self._shared.refusals.one_more(who, time.monotonic()))
        elif status != 200:
            tally.not_allowed += 1

    async def _record(self, play: PlayReady) -> socket.socket | None:
        line = self._shared.line
        records = PushRecords(
            number=line.number(),
            camera=self._code,
            stream=self._stream,
            key_sha256=self._digest,
            address=self._address,
            codec=int(play.codec),
            payload_type=play.payload_type,
            clock_rate=play.clock_rate,
            rtp_channel=play.rtp_channel,
            rtcp_channel=play.rtcp_channel,
            vps=list(play.vps),
            sps=list(play.sps),
            pps=list(play.pps),
            has_donl=play.has_donl,
            # Words of his: clipped, so that what is said of him is one message, however he talks.
            agent=play.server[:_WORDS_MAX],
            audio=[(track.encoding[:_WORDS_MAX], track.clock_rate) for track in play.audio],
            session=self._session.session_id,
            sound=play.sound,
            port=self._port,
            tls=self._tls_version,
        )
        status, plain = await line.ask(records)
        if status != 200 or plain is None:
            await self._count(status)
            self._session.recorded(status if status != 200 else 503)
            return None
        plain.setblocking(False)
        return plain

    async def _answer_record(self, writer: asyncio.StreamWriter, plain: socket.socket) -> None:
        """What came behind RECORD goes first."""
        session = self._session
        try:
            session.recorded(200)
            while isinstance(event := session.next_event(), Send):
                writer.write(event.data)
            await writer.drain()
            if early := session.take_unread():
                await asyncio.get_running_loop().sock_sendall(plain, early)
        except BaseException:
            plain.close()
            raise

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, plain: socket.socket
    ) -> None:
        name = f"{self._code}/{self._stream}"
        _log.info("%s publishes from %s", name, self._address)
        self._shared.tally.publishing += 1
        self._publishes()
        try:
            await pump(reader, writer, plain)
        finally:
            self._shared.tally.publishing -= 1
            _log.info("%s publishes no more", name)
