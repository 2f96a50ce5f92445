"""One session with a camera to look at it: dialled as the recorder does, read here, given back.

Parsing happens in the process of whoever asks: a camera that crashes it costs no recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import time
from dataclasses import dataclass, replace

from vonggac.media.chunk import GapReason
from vonggac.probe.capture import CaptureWriter
from vonggac.probe.findings import StreamFindings
from vonggac.probe.maker import said_by
from vonggac.rtsp.client import REPLY_TIMEOUT_S, TEARDOWN_TIMEOUT_S
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.packetise import interleave
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_connection import CameraConnection
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.camera_watch import Watch
from vonggac_appliance.config import CameraConfig

__all__ = ["Asked", "probe_stream"]

_READ_BYTES = 64 * 1024
_REPORT_S = 5.0
"""Between receiver reports: some cameras send on only for whom they hear (rows 61, 65)."""
_STREAM = bytes(16)
_DATAGRAMS_MAX = 64
"""Read at once: who sends them faster than they are read would let nothing else happen."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at, and how long."""

    name: str
    url: str
    transport: str
    seconds: float
    authority: str = ""
    """Certificates in PEM that have to vouch for it over TLS; empty: the first one counts."""


async def probe_stream(
    asked: Asked,
    credentials: Credentials | None,
    config: CameraConfig,
    memory: Memory,
    capture: CaptureWriter | None = None,
) -> StreamFindings:
    """Plays the stream for as long as asked and measures it; gives what was found, failures too.

    What it did against the rules is in `memory`. The session is given back on every way out.
    """
    watch = Watch(capture)
    found = StreamFindings(asked.name, asked.url)
    try:
        connection = await open_connection(
            asked.url,
            credentials,
            config,
            memory,
            asked.transport,
            asked.authority,
            tap=watch.taps,
        )
    except SessionFailed as failure:
        watch.ended(failure.reason.words)
        said = said_by(watch.answers)
        reason, what = failure.reason, failure.what
        return replace(found, said=said, reason=reason, what=what, is_busy=failure.is_busy)
    try:
        end = await _look(connection, watch, asked.seconds)
    finally:
        await _give_back(connection, watch)
    assert watch.meter is not None  # it plays
    memory.habits.update(watch.meter.habits())
    figures = watch.meter.finish(watch.began_ns, watch.ended_ns)
    if end is None and figures.pictures == 0:
        end = GapReason.NO_VIDEO, f"no picture within {asked.seconds:g} s of PLAY"
    watch.ended("played" if end is None else end[0].words)
    return replace(
        found,
        said=said_by(watch.answers),
        reason=None if end is None else end[0],
        what="" if end is None else end[1],
        transport="udp" if connection.is_udp else "tcp",
        codec=connection.play.codec,
        login=connection.play.scheme,
        audio=connection.play.audio,
        figures=figures,
    )


End = tuple[GapReason, str] | None


async def _look(connection: CameraConnection, watch: Watch, seconds: float) -> End:
    """Reads for so long; gives why it ended before."""
    watch.plays(connection.play)
    loop = asyncio.get_running_loop()
    sock = watch.sock
    assert sock is not None  # it is connected
    with _Datagrams(connection, watch) as datagrams:
        until_s = time.monotonic() + seconds
        keep_alive_at_s = time.monotonic() + connection.keep_alive_s
        report_at_s = time.monotonic() + _REPORT_S
        try:
            while (now_s := time.monotonic()) < until_s:
                if now_s >= keep_alive_at_s:
                    keep_alive_at_s += connection.keep_alive_s
                    await _say(sock, connection.keep_alive())
                if now_s >= report_at_s:
                    report_at_s += _REPORT_S
                    await _report(connection, watch, datagrams)
                wait_s = min(until_s, keep_alive_at_s, report_at_s) - time.monotonic()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(wait_s, 0.0)):
                        data = await loop.sock_recv(sock, _READ_BYTES)
                        if not data:
                            return GapReason.CAMERA_OFF, "the camera closed the connection"
                await _answer(connection, watch)
                await asyncio.sleep(0)  # a camera that sends without a pause lets nobody else in
        except OSError as error:
            what = f"the connection was lost ({os.strerror(error.errno or 0).lower()})"
            return GapReason.NETWORK, what
        finally:
            watch.ended_ns = time.monotonic_ns()
    return None


async def _say(sock: socket.socket, message: bytes) -> None:
    """To a camera that may have ceased to read. Raises OSError."""
    try:
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            await asyncio.get_running_loop().sock_sendall(sock, message)
    except TimeoutError as error:
        raise TimeoutError(errno.ETIMEDOUT, "it no longer reads") from error


async def _answer(connection: CameraConnection, watch: Watch) -> None:
    """What the camera said behind the answer to PLAY goes to the session, and its answer back."""
    assert watch.sock is not None
    while watch.messages:
        if answer := connection.heard(watch.messages.popleft()):
            await _say(watch.sock, answer)


async def _report(connection: CameraConnection, watch: Watch, datagrams: _Datagrams) -> None:
    assert watch.meter is not None and watch.sock is not None
    report = watch.meter.receiver_report()
    if connection.is_udp:
        datagrams.send_report(report)
    elif report:
        message = interleave(connection.play.rtcp_channel, report)
        await _say(watch.sock, message)


class _Datagrams:
    """The two sockets of a camera that sends over UDP; nothing over TCP."""

    def __init__(self, connection: CameraConnection, watch: Watch) -> None:
        self._watch = watch
        told = connection.datagrams(_STREAM)
        self._sockets = [socket.socket(fileno=os.dup(fd)) for _, fd in told]
        self._ports = connection.play.udp_ports or (0, 0)
        self._camera = watch.sock.getpeername()[0] if told and watch.sock is not None else ""

    def __enter__(self) -> _Datagrams:
        loop = asyncio.get_running_loop()
        for number, sock in enumerate(self._sockets):
            sock.setblocking(False)
            loop.add_reader(sock.fileno(), self._read, sock, number == 1)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()

    def send_report(self, report: bytes) -> None:
        """To where the camera hears reports, if it told."""
        with contextlib.suppress(OSError):
            if report and len(self._sockets) == 2 and self._ports[1]:
                self._sockets[1].sendto(report, (self._camera, self._ports[1]))

    def _read(self, sock: socket.socket, is_rtcp: bool) -> None:
        with contextlib.suppress(OSError):  # an answer by ICMP
            for _ in range(_DATAGRAMS_MAX):  # whatever is left calls again
                try:
                    data, sender = sock.recvfrom(_READ_BYTES)
                except BlockingIOError:
                    self._watch.read_empty()
                    return
                if sender[0] == self._camera:  # strangers are nobody's
                    self._watch.datagram(data, is_rtcp_socket=is_rtcp)


async def _give_back(connection: CameraConnection, watch: Watch) -> None:
    """TEARDOWN and its answer, for a second and a half at most; then the end."""
    loop = asyncio.get_running_loop()
    sock = watch.sock
    assert sock is not None
    known = len(watch.answers)
    try:
        if message := connection.teardown():
            async with asyncio.timeout(TEARDOWN_TIMEOUT_S):
                await loop.sock_sendall(sock, message)
                while len(watch.answers) == known and await loop.sock_recv(sock, _READ_BYTES):
                    await asyncio.sleep(0)  # as in `_look`
    except TimeoutError:
        connection.note(Habit.TEARDOWN)
    except OSError:
        pass  # it is gone, and its session with it
    finally:
        connection.close()
