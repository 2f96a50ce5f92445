"""The server's side of one RTSP connection, without a socket: what a simulated camera answers.

One video stream a path, over TCP only, one session a connection. The shell passes bytes in, does
what `next_event` says, and sends the packets itself.
"""

from __future__ import annotations

import base64
import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from vonggac.errors import MediaError
from vonggac.media.chunk import Codec
from vonggac.rtsp.events import Send
from vonggac.rtsp.login import Login
from vonggac.rtsp.messages import Headers, MessageReader, Request, Response
from vonggac.rtsp.tracks import VIDEO_CLOCK_RATE
from vonggac.rtsp.transport import parse_transport

METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN")
TRACK = "trackID=0"


@dataclass(frozen=True, slots=True)
class Mount:
    """The stream at a path."""

    path: str
    """With its leading slash."""
    codec: Codec
    vps: tuple[bytes, ...]
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    payload_type: int = 96


@dataclass(frozen=True, slots=True)
class PlayAsked:
    """The client wants packets: start them after writing `ServerSession.play()`."""

    path: str
    rtp_channel: int
    rtcp_channel: int


@dataclass(frozen=True, slots=True)
class Ended:
    """No more packets: TEARDOWN, or something that is not RTSP."""

    detail: str


ServerEvent = Send | PlayAsked | Ended


class _Phase(enum.Enum):
    INIT = enum.auto()
    READY = enum.auto()
    PLAYING = enum.auto()


# RFC 2326 A.2: which phases a method is good in, and what comes after. Others: 455.
_NEXT: dict[tuple[_Phase, str], _Phase] = {
    (_Phase.INIT, "SETUP"): _Phase.READY,
    (_Phase.READY, "SETUP"): _Phase.READY,
    (_Phase.READY, "PLAY"): _Phase.PLAYING,
    (_Phase.PLAYING, "PLAY"): _Phase.PLAYING,
    (_Phase.READY, "TEARDOWN"): _Phase.INIT,
    (_Phase.PLAYING, "TEARDOWN"): _Phase.INIT,
}


@dataclass(slots=True)
class ServerSession:
    """One connection of a simulated camera."""

    find: Callable[[str], Mount | None]
    """What is offered at a path."""
    session_id: str
    login: Login | None = None
    name: str = "VongGac simulated camera"
    timeout_s: int = 60
    announces_get_parameter: bool = True
    path: str | None = None
    """Of the latest request that named a stream."""
    _phase: _Phase = _Phase.INIT
    _reader: MessageReader = field(default_factory=MessageReader)
    _events: deque[ServerEvent] = field(default_factory=deque)
    _mount: Mount | None = None
    _channels: tuple[int, int] = (0, 1)
    _play: Request | None = None
    _is_aged: bool = False

    def receive(self, data: bytes) -> None:
        """Takes bytes of the connection in."""
        self._reader.receive(data)

    def next_event(self) -> ServerEvent | None:
        """What to do next, or None until more bytes come."""
        while not self._events:
            try:
                item = self._reader.next()
            except MediaError as error:
                self._events.append(Ended(f"not RTSP: {error}"))
                self._reader.take_rest()
                break
            if item is None:
                return None
            if isinstance(item, Request):  # packets are RTCP reports; answers answer nothing
                self._take(item)
        return self._events.popleft()

    def play(self, sequence: int, timestamp: int) -> bytes:
        """The answer to PLAY; `sequence` and `timestamp` of the first packet that follows it."""
        request, mount = self._play, self._mount
        assert request is not None and mount is not None
        self._play = None
        track = f"url={request.uri.rstrip('/')}/{TRACK}"
        return self._reply(
            request,
            200,
            "OK",
            ("Session", self.session_id),
            ("Range", "npt=0.000-"),
            ("RTP-Info", f"{track};seq={sequence};rtptime={timestamp & 0xFFFFFFFF}"),
        )

    def age_nonce(self, nonce: str) -> None:
        """The next request that is signed with the old nonce meets a 401 that says stale."""
        if self.login is not None:
            self.login = self.login.with_nonce(nonce)
            self._is_aged = True

    def _take(self, request: Request) -> None:
        self.path = path_of(request.uri)
        if not self._is_allowed(request):
            return
        method = request.method
        if method == "OPTIONS":
            hidden = () if self.announces_get_parameter else ("GET_PARAMETER",)
            public = ", ".join(name for name in METHODS if name not in hidden)
            self._answer(request, 200, "OK", ("Public", public))
        elif method == "DESCRIBE":
            self._describe(request)
        elif method in ("GET_PARAMETER", "SET_PARAMETER"):
            self._answer(request, 200, "OK", *self._session_field())
        elif (self._phase, method) in _NEXT:
            self._step(request)
        elif method in METHODS:
            self._answer(request, 455, "Method Not Valid in This State")
        else:
            self._answer(request, 501, "Not Implemented")

    def _is_allowed(self, request: Request) -> bool:
        """Whether the login holds; OPTIONS needs none, as on most cameras."""
        login, value = self.login, request.headers.get("Authorization")
        if login is None or request.method == "OPTIONS":
            return True
        if login.accepts(value, request.method, request.uri):
            self._is_aged = False
            return True
        is_stale = self._is_aged and value is not None
        self._answer(request, 401, "Unauthorized", *login.headers(is_stale=is_stale))
        return False

    def _describe(self, request: Request) -> None:
        mount = self.find(self.path or "/")
        if mount is None:
            self._answer(request, 404, "Not Found")
            return
        fields = (
            ("Content-Type", "application/sdp"),
            ("Content-Base", request.uri.split("?", 1)[0].rstrip("/") + "/"),
        )
        self._answer(request, 200, "OK", *fields, body=describe(mount))

    def _step(self, request: Request) -> None:
        """SETUP, PLAY or TEARDOWN in a phase that allows it."""
        method = request.method
        is_ours = (request.headers.get("Session") or "").split(";")[0].strip() == self.session_id
        if not is_ours and self._phase is not _Phase.INIT:
            self._answer(request, 454, "Session Not Found")
            return
        if method == "SETUP" and not self._set_up(request):
            return
        self._phase = _NEXT[self._phase, method]
        if method == "PLAY":
            assert self._mount is not None
            self._play = request
            self._events.append(PlayAsked(self._mount.path, *self._channels))
        elif method == "TEARDOWN":
            self._answer(request, 200, "OK", *self._session_field())
            self._events.append(Ended("TEARDOWN"))

    def _set_up(self, request: Request) -> bool:
        mount = self.find(self.path or "/")
        transport = parse_transport(request.headers.get("Transport") or "")
        if mount is None:
            self._answer(request, 404, "Not Found")
            return False
        if not transport.is_tcp:
            self._answer(request, 461, "Unsupported Transport")
            return False
        self._mount = mount
        self._channels = transport.channels or (0, 1)
        field_value = "RTP/AVP/TCP;unicast;interleaved={}-{}".format(*self._channels)
        session = f"{self.session_id};timeout={self.timeout_s}"
        self._answer(request, 200, "OK", ("Transport", field_value), ("Session", session))
        return True

    def _session_field(self) -> tuple[tuple[str, str], ...]:
        return () if self._phase is _Phase.INIT else (("Session", self.session_id),)

    def _answer(
        self,
        request: Request,
        status: int,
        reason: str,
        *fields: tuple[str, str],
        body: bytes = b"",
    ) -> None:
        self._events.append(Send(self._reply(request, status, reason, *fields, body=body)))

    def _reply(
        self,
        request: Request,
        status: int,
        reason: str,
        *fields: tuple[str, str],
        body: bytes = b"",
    ) -> bytes:
        own = [("CSeq", request.headers.get("CSeq") or "0"), ("Server", self.name)]
        length = [("Content-Length", str(len(body)))] if body else []
        return Response(status, reason, Headers((*own, *fields, *length)), body).encode()


def path_of(uri: str) -> str:
    """The path of a request's address, without track, query and last slash."""
    rest = uri.split("://", 1)[-1]
    path = rest[rest.find("/") :] if "/" in rest else "/"
    path = path.split("?", 1)[0].rstrip("/")
    return path.removesuffix("/" + TRACK) or "/"


def describe(mount: Mount) -> bytes:
    """The session description of a mount (RFC 4566, RFC 6184 8.2.1, RFC 7798 7.2.1)."""
    number = mount.payload_type
    if mount.codec is Codec.H264:
        sets = ",".join(map(_base64, (*mount.sps, *mount.pps)))
        fmtp = f"packetization-mode=1;sprop-parameter-sets={sets}"
    else:
        names = (("vps", mount.vps), ("sps", mount.sps), ("pps", mount.pps))
        fmtp = ";".join(f"sprop-{name}={','.join(map(_base64, units))}" for name, units in names)
    lines = (
        "v=0",
        "o=- 0 0 IN IP4 0.0.0.0",
        f"s={mount.path.lstrip('/')}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {number}",
        f"a=rtpmap:{number} {mount.codec.name}/{VIDEO_CLOCK_RATE}",
        f"a=fmtp:{number} {fmtp}",
        f"a=control:{TRACK}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _base64(unit: bytes) -> str:
    return base64.b64encode(unit).decode()
