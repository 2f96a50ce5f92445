"""The server's side of a connection on which a camera publishes, without a socket: bytes in, events
out (RFC 2326 10.3 ANNOUNCE, 10.11 RECORD).

A camera behind a home router calls the box, inside of TLS: ANNOUNCE with its key, SETUP, RECORD;
then its packets come on this connection, which belongs to a native loop from there on. Nothing of a
description is read before its key was found right. The key comes by Basic, which every publisher
can send and of which the box has to keep a hash only; Digest would need the key itself, and keeps
it from nobody who could end the TLS. Packets come interleaved: UDP is refused with 461.
"""

from __future__ import annotations

import enum
import re
from collections import deque
from dataclasses import dataclass, field

from vonggac.errors import MediaError
from vonggac.rtsp.events import PlayReady, Send
from vonggac.rtsp.messages import MessageReader, Request
from vonggac.rtsp.publish_answers import CHALLENGE, METHODS, basic, reply
from vonggac.rtsp.sdp import Description, parse_sdp
from vonggac.rtsp.server import path_of
from vonggac.rtsp.sound import SoundReady, sound_track
from vonggac.rtsp.tracks import VideoTrack, audio_tracks, video_track
from vonggac.rtsp.transport import Transport, parse_transport

__all__ = ["KeyShown", "Over", "PublishEvent", "PublishSession", "RecordAsked"]

SESSION_TIMEOUT_S = 60
"""Told, and never used: what ends a publisher is that no pictures come."""
DIALOGUE_MAX_BYTES = 64 * 1024
"""Of all that a caller says before RECORD; a publisher needs 3 KiB."""
REQUESTS_MAX = 32
SDP_MAX_BYTES = 16 * 1024
_SDP_LINES_MAX = 256
_SDP_WORDS_MAX = 32
"""Of one line: an `m=` line names its payload types."""
_MEDIA_MAX = 8
_OTHERS = frozenset(("DESCRIBE", "PLAY", "PAUSE", "REDIRECT", "PLAY_NOTIFY"))


@dataclass(frozen=True, slots=True)
class KeyShown:
    """Somebody says who he is: call `judged`. `repr` shows no key."""

    path: str
    """What he wants to publish at."""
    user: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordAsked:
    """He wants to send: call `recorded`."""

    play: PlayReady
    """What will come."""


@dataclass(frozen=True, slots=True)
class Over:
    """Write what was told to write, and close."""

    detail: str
    is_malformed: bool = False
    """What he said is no RTSP, or beyond the bounds."""


PublishEvent = Send | KeyShown | RecordAsked | Over


class _Phase(enum.Enum):
    NEW = enum.auto()
    JUDGED = enum.auto()
    """His key, or whether he may send, is being looked at: nothing is read meanwhile."""
    ANNOUNCED = enum.auto()
    READY = enum.auto()
    RECORDING = enum.auto()
    OVER = enum.auto()


@dataclass(slots=True)
class PublishSession:
    """One connection's dialogue, up to RECORD."""

    session_id: str
    _phase: _Phase = _Phase.NEW
    _reader: MessageReader = field(default_factory=MessageReader)
    _events: deque[PublishEvent] = field(default_factory=deque)
    _asked: Request | None = None
    """What `judged` or `recorded` answers."""
    _description: Description | None = None
    _track: VideoTrack | None = None
    _agent: str = ""
    _channels: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By the place of the medium in the description."""
    _bytes: int = 0
    _requests: int = 0

    def receive(self, data: bytes) -> None:
        """Takes bytes of the connection in."""
        self._bytes += len(data)
        self._reader.receive(data)

    def next_event(self) -> PublishEvent | None:
        """What to do next, or None until more bytes come or a judgement is told."""
        while not self._events and self._phase not in (
            _Phase.JUDGED,
            _Phase.RECORDING,
            _Phase.OVER,
        ):
            if self._bytes > DIALOGUE_MAX_BYTES or self._requests > REQUESTS_MAX:
                self._end("more than a publisher has to say", is_malformed=True)
                break
            try:
                item = self._reader.next()
            except MediaError as error:
                self._end(f"not RTSP: {error}", is_malformed=True)
                break
            if item is None:
                return None
            self._requests += 1
            if isinstance(item, Request):  # packets come too early, answers answer nothing
                self._take(item)
        return self._events.popleft() if self._events else None

    def judged(self, status: int) -> None:
        """Whether the key that was shown lets him publish: 200, or the status that says why not."""
        request = self._asked
        assert request is not None and self._phase is _Phase.JUDGED
        self._asked = None
        if status == 200:
            self._phase = _Phase.NEW
            self._announced(request)
            return
        self._refuse(request, status)

    def recorded(self, status: int) -> None:
        """Whether his packets are taken; from 200 on the connection is the loop's."""
        request = self._asked
        assert request is not None and self._phase is _Phase.JUDGED
        self._asked = None
        if status != 200:
            self._refuse(request, status)
            return
        self._answer(request, 200)
        self._phase = _Phase.RECORDING

    def take_unread(self) -> bytes:
        """After `recorded`: what came behind RECORD and is the loop's."""
        return self._reader.take_rest()

    def _take(self, request: Request) -> None:
        method, phase = request.method, self._phase
        if method == "OPTIONS":
            self._answer(request, 200, ("Public", METHODS))
        elif method in ("GET_PARAMETER", "SET_PARAMETER"):
            self._answer(request, 200)
        elif method == "TEARDOWN":
            self._answer(request, 200)
            self._end("TEARDOWN")
        elif method == "ANNOUNCE" and phase is _Phase.NEW:
            self._announce(request)
        elif method == "SETUP" and phase in (_Phase.ANNOUNCED, _Phase.READY):
            self._set_up(request)
        elif method == "RECORD" and phase is _Phase.READY:
            self._record(request)
        elif method in ("ANNOUNCE", "SETUP", "RECORD"):
            self._answer(request, 455)
        elif method in _OTHERS:  # nobody gets a picture here
            self._answer(request, 405, ("Allow", METHODS))
        else:
            self._answer(request, 501)

    def _announce(self, request: Request) -> None:
        shown = basic(request.headers.get("Authorization"))
        if shown is None:
            self._answer(request, 401, CHALLENGE)
            return
        self._asked, self._phase = request, _Phase.JUDGED
        self._events.append(KeyShown(path_of(request.uri), *shown))

    def _announced(self, request: Request) -> None:
        """The description of who may publish."""
        if not _is_modest(request.body):
            self._refuse(request, 413)
            return
        try:
            description = parse_sdp(request.body)
        except MediaError:
            self._refuse(request, 400)
            return
        track = video_track(description)
        if track is None:
            self._refuse(request, 415)
            return
        self._description, self._track = description, track
        self._agent = request.headers.get("User-Agent") or ""
        self._phase = _Phase.ANNOUNCED
        self._answer(request, 200)

    def _set_up(self, request: Request) -> None:
        transport = _interleaved(request.headers.get("Transport") or "")
        if transport is None:
            self._answer(request, 461)
            return
        place = self._place_of(request.uri)
        if place is None:
            self._answer(request, 404)
            return
        self._channels.pop(place, None)
        channels = self._free_channels(transport.channels)
        self._channels[place] = channels
        self._phase = _Phase.READY
        told = "RTP/AVP/TCP;unicast;interleaved={}-{};mode=record".format(*channels)
        self._answer(request, 200, ("Transport", told))

    def _place_of(self, uri: str) -> int | None:
        """Which medium is set up: by its control address, else the first that is not yet."""
        assert self._description is not None
        media = self._description.media
        asked = uri.rstrip("/")
        for place, medium in enumerate(media):
            control = medium.control
            if control and (asked == control or asked.endswith(f"/{control}")):
                return place
        return next((place for place in range(len(media)) if place not in self._channels), None)

    def _free_channels(self, asked: tuple[int, int] | None) -> tuple[int, int]:
        taken = {one for pair in self._channels.values() for one in pair}
        if asked is not None and not taken & set(asked):
            return asked
        first = next(one for one in range(0, 254, 2) if not taken & {one, one + 1})
        return first, first + 1

    def _record(self, request: Request) -> None:
        description, track = self._description, self._track
        assert description is not None and track is not None
        place = _place_of_video(description, track)
        channels = self._channels.get(place)
        if channels is None:  # its sound alone was set up
            self._answer(request, 455)
            return
        self._asked, self._phase = request, _Phase.JUDGED
        play = PlayReady(
            codec=track.codec,
            payload_type=track.payload_type,
            clock_rate=track.clock_rate,
            rtp_channel=channels[0],
            rtcp_channel=channels[1],
            vps=track.vps,
            sps=track.sps,
            pps=track.pps,
            session_timeout_s=SESSION_TIMEOUT_S,
            keepalive_method="",
            scheme=None,
            server=self._agent,
            audio=audio_tracks(description),
            has_donl=track.has_donl,
            sound=self._sound(description),
        )
        self._events.append(RecordAsked(play))

    def _sound(self, description: Description) -> SoundReady | None:
        """What of its sound a file can carry, where it was set up; whether it may is not ours."""
        track = sound_track(description)
        if track is None:
            return None
        for place, medium in enumerate(description.media):
            is_it = medium.kind == "audio" and medium.control == track.control
            if is_it and track.payload_type in medium.payload_types and place in self._channels:
                return SoundReady(track.sound, track.payload_type, *self._channels[place])
        return None

    def _refuse(self, request: Request, status: int) -> None:
        """One refusal a connection: whoever tries again calls again."""
        fields = (CHALLENGE,) if status == 401 else ()
        self._answer(request, status, *fields)
        self._end(f"refused with {status}")

    def _end(self, detail: str, *, is_malformed: bool = False) -> None:
        self._phase = _Phase.OVER
        self._reader.take_rest()
        self._events.append(Over(detail, is_malformed))

    def _answer(self, request: Request, status: int, *fields: tuple[str, str]) -> None:
        session: tuple[tuple[str, str], ...] = ()
        if self._channels and status == 200:
            session = (("Session", f"{self.session_id};timeout={SESSION_TIMEOUT_S}"),)
        self._events.append(Send(reply(request, status, *session, *fields)))


def _is_modest(body: bytes) -> bool:
    """Whether a description is of a camera's size: what is parsed takes no time then."""
    if len(body) > SDP_MAX_BYTES:
        return False
    # As `parse_sdp` reads it: words of text are parted by more signs than those of bytes.
    lines = re.split(r"[\r\n]", body.decode("utf-8", "replace"))
    media = [line for line in lines if line.strip().lstrip("\ufeff").startswith("m")]
    return (
        len(lines) <= 2 * _SDP_LINES_MAX
        and len(media) <= _MEDIA_MAX
        and all(len(line.split()) <= _SDP_WORDS_MAX for line in media)
    )


def _interleaved(value: str) -> Transport | None:
    """The first transport of the list (12.39) that comes on this connection; None: none does."""
    offered = (parse_transport(one) for one in value.split(","))
    return next((one for one in offered if one.is_tcp and not one.is_multicast), None)


def _place_of_video(description: Description, track: VideoTrack) -> int:
    return next(
        place
        for place, medium in enumerate(description.media)
        if medium.kind == "video"
        and medium.control == track.control
        and track.payload_type in medium.payload_types
    )
