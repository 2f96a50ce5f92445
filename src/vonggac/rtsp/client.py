"""The client's side of an RTSP session, without a socket: bytes in, events out.

The shell connects, writes `start()`, passes what it reads to `receive` and does what `next_event`
says until PlayReady or Failure. Then the connection belongs to a native loop, to which
`take_unread()` goes first; whole messages come back through `receive_message`. Time-outs are the
shell's; the numbers stand here.

The clauses are RFC 2326; the cameras that made a line necessary are in docs/design/rtsp.md.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vonggac.errors import MediaError
from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Authenticator, Verdict
from vonggac.rtsp.events import Event, Failure, KeepaliveAnswered, PlayReady, Send, TornDown
from vonggac.rtsp.messages import (
    Headers,
    MessageReader,
    Packet,
    Request,
    Response,
    for_people,
    parse_message,
)
from vonggac.rtsp.packetise import interleave
from vonggac.rtsp.sdp import (
    Description,
    VideoTrack,
    audio_tracks,
    parse_sdp,
    video_encodings,
    video_track,
)
from vonggac.rtsp.states import NEXT, READING, State, Step
from vonggac.rtsp.transport import (
    DEFAULT_TIMEOUT_S,
    parse_session,
    parse_transport,
    tcp_transport,
)
from vonggac.rtsp.url import CameraUrl, content_base, control_candidates, without_login

CONNECT_TIMEOUT_S = 5.0
"""For the TCP connection."""
REPLY_TIMEOUT_S = 12.0
"""For each answer: battery and Wi-Fi cameras wake up for seconds (Reolink, Tapo)."""
FIRST_VIDEO_TIMEOUT_S = 20.0
"""From PlayReady to the first picture."""
TEARDOWN_TIMEOUT_S = 1.5
"""For the answer to TEARDOWN, which some never give."""

_EARLY_MAX_BYTES = 256 * 1024
"""Of packets before the PLAY answer; where there are more they go, and a key frame comes later."""
_OPEN_MAX = 8
"""Requests without an answer: keep-alives that a camera ignores."""
_WRONG_ADDRESS = frozenset((400, 404, 459, 460))
"""Answers to SETUP or PLAY after which another form of the address is tried."""
_NO_METHOD = frozenset((404, 405, 455, 501, 551))
"""Answers after which a method is not used again."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A request that was sent and not answered."""

    method: str
    uri: str
    extra: tuple[tuple[str, str], ...]
    was_signed: bool
    is_keepalive: bool


class ClientSession:
    """One connection's dialogue for one video stream over TCP."""

    def __init__(
        self,
        url: CameraUrl,
        authenticator: Authenticator,
        *,
        user_agent: str = "VongGac",
        rtp_channel: int = 0,
    ) -> None:
        self.state = State.NEW
        self.authenticator = authenticator
        self._url = url
        self._user_agent = user_agent  # some answer 401 to a DESCRIBE without it (go2rtc 235)
        self._channels = (rtp_channel, rtp_channel + 1)
        self._reader = MessageReader()
        self._events: deque[Event] = deque()
        self._early = bytearray()
        self._open: dict[int, _Open] = {}
        self._cseq = 0
        self._session: str | None = None
        self._timeout_s = DEFAULT_TIMEOUT_S
        self._methods: frozenset[str] = frozenset()
        self._server = ""
        self._description: Description | None = None
        self._track: VideoTrack | None = None
        self._addresses: deque[str] = deque()
        self._aggregate_uri = url.request_uri
        self._awaits_login = False

    # What the shell calls.

    def start(self) -> bytes:
        """The first request."""
        self._step(Step.START)
        return self._request("OPTIONS", self._url.request_uri)

    def receive(self, data: bytes) -> None:
        """Takes bytes of the connection in, before PlayReady."""
        self._reader.receive(data)

    def next_event(self) -> Event | None:
        """What to do next, or None until more bytes come."""
        while not self._events and self.state in READING:
            try:
                item = self._reader.next()
            except MediaError as error:
                self._fail(GapReason.BAD_STREAM, f"not RTSP: {error}")
                break
            if item is None:
                return None
            if isinstance(item, Packet):
                self._keep_early(item)
            else:
                self._take(item)
        return self._events.popleft() if self._events else None

    def take_unread(self) -> bytes:
        """After PlayReady: what came with or before the PLAY answer and is not ours, untouched."""
        unread = bytes(self._early) + self._reader.take_rest()
        self._early.clear()
        return unread

    def receive_message(self, data: bytes) -> None:
        """Takes in one whole message that a loop found. Raises MediaError if it is not one."""
        self._take(parse_message(data))

    def keepalive(self) -> bytes:
        """A request that keeps the session: signed, with its Session field (Hikvision, live555)."""
        method = self.keepalive_method
        return self._request(method, self._aggregate_uri, is_keepalive=True)

    @property
    def keepalive_method(self) -> str:
        """GET_PARAMETER where it is announced (10.8), else OPTIONS."""
        return "GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS"

    def teardown(self) -> bytes | None:
        """TEARDOWN (10.7); None where the camera holds no session, or was told already."""
        if self._session is None or (self.state, Step.TEARDOWN) not in NEXT:
            return None
        self._step(Step.TEARDOWN)
        return self._request("TEARDOWN", self._aggregate_uri)

    def connection_lost(self, detail: str) -> Failure:
        """The connection ended before PlayReady. `detail`: what the system said."""
        reconnect = self._awaits_login
        self._step(Step.FAILED)
        waited = next(reversed(self._open.values())).method if self._open else "nothing"
        return Failure(
            GapReason.NETWORK,
            f"{detail} while {waited} was open",
            should_reconnect=reconnect,
        )

    # Requests.

    def _request(
        self,
        method: str,
        uri: str,
        extra: tuple[tuple[str, str], ...] = (),
        *,
        is_keepalive: bool = False,
    ) -> bytes:
        self._cseq += 1
        authorization = self.authenticator.authorization(method, uri)
        fields = [("CSeq", str(self._cseq)), ("User-Agent", self._user_agent)]
        if self._session is not None:
            fields.append(("Session", self._session))
        if authorization is not None:
            fields.append(("Authorization", authorization))
        while len(self._open) >= _OPEN_MAX:
            del self._open[next(iter(self._open))]
        was_signed = authorization is not None
        self._open[self._cseq] = _Open(method, uri, extra, was_signed, is_keepalive)
        return Request(method, uri, Headers((*fields, *extra))).encode()

    def _send(self, method: str, uri: str, *extra: tuple[str, str]) -> None:
        self._events.append(Send(self._request(method, uri, extra)))

    # Answers.

    def _take(self, item: Request | Response) -> None:
        if isinstance(item, Request):
            self._events.append(Send(_reply(item).encode()))
            return
        request = self._match(item)
        if request is None:
            return
        self._learn(item)
        if item.status == 401:
            self._unauthorized(request, item)
            return
        if request.was_signed:
            self.authenticator.accepted()
            self._awaits_login = False
        self._answered(request, item)

    def _match(self, response: Response) -> _Open | None:
        """The request that is answered: by CSeq, or the oldest where it is missing (VLC)."""
        if response.status < 200:
            return None
        text = (response.headers.get("CSeq") or "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return self._open.pop(int(text), None)
        if not self._open:
            return None
        return self._open.pop(next(iter(self._open)))

    def _learn(self, response: Response) -> None:
        """Session (accepted from any answer, MediaMTX 840), methods, Server."""
        session = parse_session(response.headers.get("Session") or "")
        if session is not None and self.state in (State.SETUP, State.PLAY):
            self._session = self._session or session.identifier
            if "timeout" in (response.headers.get("Session") or "").lower():
                self._timeout_s = session.timeout_s
        public = ",".join(response.headers.get_all("Public"))
        if public:
            self._methods = frozenset(word.strip().upper() for word in public.split(","))
        self._server = for_people(response.headers.get("Server") or self._server)

    def _answered(self, request: _Open, response: Response) -> None:
        if request.is_keepalive:
            if response.status in _NO_METHOD:
                self._methods -= {request.method}
            self._events.append(KeepaliveAnswered(response.status))
        elif request.method == "TEARDOWN":
            self._torn_down()
        elif request.method != self.state.name:
            return  # a late answer to what no longer matters
        elif self.state is State.OPTIONS:
            self._describe()
        elif response.status in _WRONG_ADDRESS and self._addresses:
            self._next_address()
        elif not 200 <= response.status < 300:
            self._refused(request, response)
        elif self.state is State.DESCRIBE:
            self._described(response)
        elif self.state is State.SETUP:
            self._set_up(response)
        else:
            self._playing()

    def _describe(self) -> None:
        self._step(Step.ANSWERED)
        self._send("DESCRIBE", self._url.request_uri, ("Accept", "application/sdp"))

    def _described(self, response: Response) -> None:
        """10.2; no Content-Type is needed, and its parameters do not matter."""
        try:
            description = parse_sdp(response.body)
        except MediaError as error:
            self._fail(GapReason.NO_VIDEO, f"the description cannot be read: {error}")
            return
        track = video_track(description)
        if track is None:
            names = ", ".join(video_encodings(description)) or "none"
            self._fail(GapReason.NO_VIDEO, f"no H.264 or H.265 video (offered: {names})")
            return
        self._step(Step.ANSWERED)
        self._description, self._track = description, track
        value = response.headers.get("Content-Base") or response.headers.get("Content-Location")
        base = content_base(self._url, value)
        self._aggregate_uri = control_candidates(self._url, base, description.control)[0]
        self._addresses = deque(control_candidates(self._url, base, track.control))
        self._next_address()

    def _next_address(self) -> None:
        uri = self._addresses.popleft()
        if self.state is State.SETUP:
            self._send("SETUP", uri, ("Transport", tcp_transport(self._channels[0])))
        else:
            self._aggregate_uri = uri
            self._send("PLAY", uri, ("Range", "npt=0.000-"))

    def _set_up(self, response: Response) -> None:
        """10.4; the answer's channels count, and without any those asked for (gortsplib 142)."""
        transport = parse_transport(response.headers.get("Transport") or "")
        if transport.is_multicast or (transport.server_ports and not transport.is_tcp):
            self._fail(GapReason.REFUSED, "SETUP: the camera wants UDP, which is not supported yet")
            return
        self._channels = transport.channels or self._channels
        self._step(Step.ANSWERED)
        addresses = (self._aggregate_uri, self._url.request_uri)
        self._addresses = deque(dict.fromkeys(addresses))
        self._next_address()

    def _playing(self) -> None:
        """10.5. RTP-Info is not read: seq and rtptime are often invented (Hikvision, Tapo)."""
        track, description = self._track, self._description
        assert track is not None and description is not None  # set by _described
        self._step(Step.ANSWERED)
        self._events.append(
            PlayReady(
                codec=track.codec,
                payload_type=track.payload_type,
                clock_rate=track.clock_rate,
                rtp_channel=self._channels[0],
                rtcp_channel=self._channels[1],
                vps=track.vps,
                sps=track.sps,
                pps=track.pps,
                session_timeout_s=self._timeout_s,
                keepalive_method=self.keepalive_method,
                scheme=self.authenticator.scheme,
                server=self._server,
                audio=audio_tracks(description),
            )
        )

    def _torn_down(self) -> None:
        if self.state is State.ENDED:
            return  # another answer failed meanwhile, such as a keep-alive's
        self._step(Step.ANSWERED)
        self._session = None
        self._events.append(TornDown())

    # What goes wrong.

    def _unauthorized(self, request: _Open, response: Response) -> None:
        challenges = response.headers.get_all("WWW-Authenticate")
        verdict = self.authenticator.challenged(challenges, was_signed=request.was_signed)
        if self.state is State.OPTIONS and not request.is_keepalive:
            self._describe()  # signed now, if that is possible
        elif verdict is Verdict.RETRY:
            closes = "close" in (response.headers.get("Connection") or "").lower()
            self._awaits_login = not self.authenticator.has_reconnected
            if closes and self._awaits_login and self.state in READING:
                self._fail(GapReason.NETWORK, "closed with its challenge", should_reconnect=True)
                return
            data = self._request(
                request.method, request.uri, request.extra, is_keepalive=request.is_keepalive
            )
            self._events.append(Send(data))
        elif request.method == "TEARDOWN":
            self._torn_down()
        else:
            self._fail(*_LOGIN_FAILURES[verdict], status=401)

    def _refused(self, request: _Open, response: Response) -> None:
        detail = f"{request.method}: {response}"
        location = None
        if 300 <= response.status < 400:
            location = without_login(response.headers.get("Location") or "")
            detail += "; redirects are not followed yet"
        elif response.status == 461:
            detail += "; the camera does not send over TCP, and UDP is not supported yet"
        elif response.status in (453, 503):
            detail += "; the camera serves no more connections"
        self._fail(GapReason.REFUSED, detail, status=response.status, location=location)

    def _fail(
        self,
        reason: GapReason,
        detail: str,
        *,
        status: int | None = None,
        should_reconnect: bool = False,
        location: str | None = None,
    ) -> None:
        self._step(Step.FAILED)
        self._events.append(Failure(reason, detail, status, should_reconnect, location))

    def _keep_early(self, packet: Packet) -> None:
        """RTP and RTCP before the PLAY answer are no error (Reolink, v4l2rtspserver)."""
        self._early += interleave(packet.channel, packet.payload)
        if len(self._early) > _EARLY_MAX_BYTES:
            self._early.clear()

    def _step(self, step: Step) -> None:
        self.state = NEXT[self.state, step]


_LOGIN_FAILURES = {
    Verdict.WRONG: (GapReason.WRONG_PASSWORD, "the camera refuses user or password"),
    Verdict.NO_LOGIN: (GapReason.WRONG_PASSWORD, "the camera wants a login and none is known"),
    Verdict.UNSUPPORTED: (GapReason.REFUSED, "the camera wants a login of an unknown kind"),
    Verdict.WEAKER: (
        GapReason.REFUSED,
        "the camera offers only Basic, which would say the password, and offered Digest before",
    ),
}


def _reply(request: Request) -> Response:
    """An answer to what a camera asks in mid-stream (gortsplib 93), with its CSeq."""
    fields = [("CSeq", request.headers.get("CSeq") or "0")]
    if request.method.upper() in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER"):
        return Response(200, "OK", Headers(tuple(fields)))
    return Response(501, "Not Implemented", Headers(tuple(fields)))
