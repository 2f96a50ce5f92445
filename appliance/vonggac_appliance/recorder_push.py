"""Cameras that call the box: who of them may publish, and the connections that they have made.

Callers are spoken to by another process (`push run`), which has no camera's key, no catalog and no
disk: it shows us what was shown to it, and carries TLS. Nothing that it says is believed further
than to the stream whose key was shown.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import msgspec

from vonggac.errors import MediaError, Unavailable
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.push_keys import is_key_of
from vonggac.registry.rules import Recording as Verdict
from vonggac.registry.rules import may_record_sound
from vonggac.rtsp.events import PlayReady
from vonggac_appliance import sockets
from vonggac_appliance.bus_rows import Publisher
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.camera_pushed import PushedConnection
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.channel import Channel
from vonggac_appliance.learnt_store import LearntStore
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_push import (
    AskPush,
    PushCounts,
    PushRecords,
    PushTold,
    push_path,
)
from vonggac_appliance.parts import Joiner, split
from vonggac_appliance.push_alarms import PushAlarms
from vonggac_appliance.push_lines import PushLines
from vonggac_appliance.push_play import play_of
from vonggac_appliance.roster import Roster
from vonggac_appliance.secrets import PUSH_USER
from vonggac_appliance.tls_pump import plain_pair

__all__ = ["Pushes"]

_log = logging.getLogger("vonggac.record")

_TAKEN_S = 10.0
"""How long a publisher waits for his stream's turn: a second of the start limiter at most."""
_AGAIN_S = 1.0
"""Between two publishers of a stream: one that comes and goes costs no other camera its turn."""
_WORD_MAX = 64

_WAITS = "waits for the camera to call"
_NOBODY_LISTENS = f"{_WAITS}, and `vonggac push run`, which it calls, is not running"
_SWITCHED_OFF = f"{_WAITS}, and no port is set for it ([push] in config.toml)"


class Around(Protocol):
    """What is needed of the recorder."""

    roster: Roster
    learnt: LearntStore

    @property
    def sessions(self) -> Mapping[bytes, StreamSession]: ...
    def may_record(self, camera: Camera) -> Verdict: ...
    def is_quarantined(self, camera: Camera) -> bool: ...
    def alarm(self, kind: str, subject: str, what: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Offer:
    """A publisher who waits for his stream to take him."""

    sock: socket.socket
    play: PlayReady
    session: str
    key_sha256: bytes
    """Which was right when it came: the camera may have another one by now."""
    expiry: asyncio.TimerHandle
    who: Publisher


class Pushes:
    """Used in the recorder's one thread."""

    def __init__(self, home: Path, around: Around, *, is_on: bool) -> None:
        """`is_on`: whether the configuration has a port for callers."""
        self.counts: PushCounts | None = None
        """As told last; None while nobody listens."""
        self._home = home
        self._around = around
        self.is_on = is_on
        self.lines = PushLines(home)
        self.publishers: dict[bytes, Publisher] = {}
        """Who sends a stream now, or sent it last, by stream id."""
        self._door: Channel | None = None
        self._joiner = Joiner()
        self._offers: dict[bytes, _Offer] = {}
        self._held: dict[bytes, StreamSession] = {}
        """Streams that a publisher sends, by stream id."""
        self._taken_s: dict[bytes, float] = {}
        self._alarms = PushAlarms(around.alarm)

    # --- what streams ask ---------------------------------------------------------------------

    def awaits(self, camera: Camera, stream: Stream) -> tuple[GapReason, str] | None:
        """Why there is nothing to record of a camera that calls; None: there is.

        Nobody can tell whether a camera is off or its line down; that nobody listens is our doing.
        """
        if camera.push is None or stream.id in self._offers:
            return None
        if not self.is_on:
            return GapReason.BOX_STOPPED, _SWITCHED_OFF
        if self._door is None:
            return GapReason.BOX_STOPPED, _NOBODY_LISTENS
        return GapReason.CAMERA_OFF, _WAITS

    def take(self, camera: Camera, stream: Stream) -> PushedConnection:
        """The connection that the camera has made. Raises SessionFailed: it went away again."""
        offer = self._offers.pop(stream.id, None)
        session = self._around.sessions.get(stream.id)
        if offer is None or session is None:
            raise SessionFailed(GapReason.CAMERA_OFF, _WAITS)
        offer.expiry.cancel()
        # It has waited for its turn: the catalog may say something else than when it came.
        if not is_key_of(camera, offer.key_sha256):
            offer.sock.close()
            raise SessionFailed(GapReason.CAMERA_OFF, _WAITS)
        play = offer.play if may_record_sound(camera) else replace(offer.play, sound=None)
        self._held[stream.id] = session
        self.publishers[stream.id] = offer.who
        self.lines.began(stream.id, camera.code, stream.name, offer.who)
        memory = self._around.learnt.of(camera.id)
        return PushedConnection(
            offer.sock, play, offer.session, memory, lambda: self._released(stream.id)
        )

    def _released(self, stream_id: bytes) -> None:
        self._held.pop(stream_id, None)
        self._alarms.ended(stream_id)
        self.lines.ended(stream_id)
        if (who := self.publishers.get(stream_id)) is not None:
            self.publishers[stream_id] = msgspec.structs.replace(who, until_ns=time.time_ns())

    # --- who listens for callers --------------------------------------------------------------

    async def serve(self) -> None:
        """Until cancelled, or at once where nobody may call."""
        if not self.is_on:
            return
        try:
            sockets.prepare_class(self._home, "push")
            listener = sockets.listen(push_path(self._home))
        except (OSError, Unavailable) as error:  # those who are called go on being recorded
            _log.critical("cameras that call cannot be recorded: %s", error)
            return
        listener.setblocking(False)
        try:
            while True:
                await self._accept(listener)
        finally:
            listener.close()
            push_path(self._home).unlink(missing_ok=True)
            if self._door is not None:
                self._door.close()
            for offer in self._offers.values():
                offer.sock.close()

    async def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = await asyncio.get_running_loop().sock_accept(listener)
        except OSError as error:
            _log.warning("`push run` could not be accepted: %s", error)
            await asyncio.sleep(_AGAIN_S)
            return
        if sockets.peer_of(sock).uid not in (0, os.geteuid(), sockets.service_uid(PUSH_USER)):
            sock.close()
            return
        self._lose()  # one that was started anew takes the place of the one before
        self._joiner = Joiner()
        self._door = Channel(sock, self._heard, self._lose)
        self.counts = PushCounts()

    def _lose(self) -> None:
        """Nobody carries the publishers' connections any more."""
        if self._door is not None:
            self._door.close()
            self._door, self.counts = None, None
        for stream_id in tuple(self._offers):
            self._expire(stream_id)
        for session in self._held.values():
            session.leave(GapReason.BOX_STOPPED, "`push run`, which carried it, has ended")
            session.retry()  # its connection's end may have been told first

    def _heard(self, message: bytes) -> None:
        try:
            whole = self._joiner.join(message)
            if whole is None:  # 64 KiB hold all it has to say: this thread reads no 64 MiB of it
                raise MediaError("limit", "a message in parts")
            self._act(*whole)
        except (MediaError, *sockets.DECODE_ERRORS) as error:
            _log.error("`push run` talks nonsense (%s), closing its connection", error)
            self._lose()

    def _act(self, kind: int, body: bytes) -> None:
        if kind == Kind.PUSH_COUNTS:
            self.counts = msgspec.msgpack.decode(body, type=PushCounts)
        elif kind == Kind.ASK_PUSH:
            ask = msgspec.msgpack.decode(body, type=AskPush)
            self._tell(PushTold(ask.number, self._judge(ask)))
        elif kind == Kind.PUSH_RECORDS:
            self._records(msgspec.msgpack.decode(body, type=PushRecords))
        else:
            raise MediaError("value", f"kind {kind}", 2)

    def _tell(self, told: PushTold, fds: tuple[int, ...] = ()) -> None:
        assert self._door is not None  # who has just spoken
        (message,) = split(Kind.PUSH_TOLD, msgspec.msgpack.encode(told))
        self._door.send(message, fds)

    # --- who may ------------------------------------------------------------------------------

    def _judge(self, ask: AskPush | PushRecords) -> int:
        """A status for the caller, 200 where he may publish; who is refused leaves a line."""
        status = self._status(ask)
        if status != 200:
            camera = self._around.roster.by_code(ask.camera)
            code = None if camera is None or camera.push is None else camera.code
            # After the answer: how long that takes is not to tell which codes exist.
            asyncio.get_running_loop().call_soon(
                self.lines.refused, code, _printable(ask.stream), status, _publisher(ask)
            )
        return status

    def _status(self, ask: AskPush | PushRecords) -> int:
        camera = self._around.roster.by_code(ask.camera)
        if not is_key_of(camera, ask.key_sha256):
            self._alarms.wrong_key(camera, _printable(ask.address))
            return 401
        assert camera is not None  # its key was shown
        stream = camera.stream(ask.stream)
        if stream is None:
            return 404
        if not self._around.may_record(camera).is_allowed or self._around.is_quarantined(camera):
            return 403
        if stream.id not in self._around.sessions:
            return 503  # its row has just changed
        now_s = time.monotonic()
        is_soon = now_s - self._taken_s.get(stream.id, -_AGAIN_S) < _AGAIN_S
        if stream.id in self._held or stream.id in self._offers or is_soon:
            if stream.id in self._held:
                holds = self.publishers[stream.id].address
                self._alarms.rival(camera, stream.id, holds, _printable(ask.address))
            return 453  # another one publishes; if it is silent, that ends within the stall time
        return 200

    def _records(self, records: PushRecords) -> None:
        status = self._judge(records)
        if status != 200:
            self._tell(PushTold(records.number, status))
            return
        camera = self._around.roster.by_code(records.camera)
        stream = None if camera is None else camera.stream(records.stream)
        assert camera is not None and stream is not None  # or it was not judged so
        try:
            play = play_of(records)
        except MediaError:  # his own doing: nobody else's connection ends for it
            self.lines.refused(camera.code, stream.name, 415, _publisher(records))
            self._tell(PushTold(records.number, 415))
            return
        try:
            theirs, plain = plain_pair()
        except OSError as error:  # no descriptor left
            _log.error("%s cannot be taken: %s", records.camera, error)
            self._tell(PushTold(records.number, 503))
            return
        expiry = asyncio.get_running_loop().call_later(_TAKEN_S, self._expire, stream.id)
        self._offers[stream.id] = _Offer(
            plain, play, records.session, records.key_sha256, expiry, _publisher(records)
        )
        self._taken_s[stream.id] = time.monotonic()
        self._tell(PushTold(records.number, 200), (theirs.detach(),))
        self._around.sessions[stream.id].retry()

    def _expire(self, stream_id: bytes) -> None:
        if (offer := self._offers.pop(stream_id, None)) is not None:
            offer.expiry.cancel()
            offer.sock.close()


def _publisher(ask: AskPush | PushRecords) -> Publisher:
    """Where he calls from, as the door says: its words are clipped, whatever it says."""
    port = ask.port if 0 <= ask.port < 1 << 16 else 0
    return Publisher(_printable(ask.address), port, _printable(ask.tls), time.time_ns())


def _printable(text: str) -> str:
    return "".join(sign for sign in text[:_WORD_MAX] if sign.isprintable())
