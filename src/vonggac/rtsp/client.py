"""The client's side of an RTSP session, without a socket: bytes in, events out.

The shell connects, writes `start()`, passes what it reads to `receive` and does what `next_event`
says until PlayReady or Failure. Then the connection belongs to a native loop, to which
`take_unread()` goes first; whole messages come back through `receive_message`. Time-outs are the
shell's; the numbers stand here.

The clauses are RFC 2326; the cameras that made a line necessary are in docs/design/rtsp.md.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace

from vonggac.errors import MediaError
from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Authenticator, Verdict
from vonggac.rtsp.events import (
    Event,
    Failure,
    KeepaliveAnswered,
    PlayReady,
    Send,
    TornDown,
    UdpAgreed,
)
from vonggac.rtsp.exchange import Exchange, Open
from vonggac.rtsp.habits import Habit, of_description, of_transport
from vonggac.rtsp.learnt import Keepalive, Learnt
from vonggac.rtsp.leftover import Held
from vonggac.rtsp.messages import (
    Headers,
    MessageReader,
    Packet,
    Request,
    Response,
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
from vonggac.rtsp.transport import Transport, parse_transport, tcp_transport, udp_transport
from vonggac.rtsp.url import (
    CameraUrl,
    UrlForm,
    content_base,
    control_candidates,
    control_forms,
    without_login,
)

CONNECT_TIMEOUT_S = 5.0
"""For the TCP connection."""
REPLY_TIMEOUT_S = 12.0
"""For each answer: battery and Wi-Fi cameras wake up for seconds (Reolink, Tapo)."""
DIALOGUE_TIMEOUT_S = 60.0
"""From the connection to PlayReady: packets without the answer to PLAY would never be silence."""
FIRST_VIDEO_TIMEOUT_S = 20.0
"""From PlayReady to the first picture."""
TEARDOWN_TIMEOUT_S = 1.5
"""For the answer to TEARDOWN, which some never give."""

_EARLY_MAX_BYTES = 256 * 1024
"""Of packets before the PLAY answer; where there are more they go, and a key frame comes later."""
_WRONG_ADDRESS = frozenset((400, 404, 459, 460))
"""Answers to SETUP or PLAY after which another form of the address is tried."""
BUSY = frozenset((453, 503))
"""Answers of a camera that serves as many as it can."""
_NOT_NOW = frozenset((400, 406, 454, 455, 500, 501, 551))
"""Answers to a second DESCRIBE of cameras that take one a connection."""
_NO_METHOD = frozenset((404, 405, 455, 501, 551))
"""Answers after which a method is not used again."""


class ClientSession:
    """One connection's dialogue for one video stream."""

    def __init__(
        self,
        url: CameraUrl,
        authenticator: Authenticator,
        *,
        user_agent: str = "VongGac",
        rtp_channel: int = 0,
        udp_ports: tuple[int, int] | None = None,
        learnt: Learnt | None = None,
    ) -> None:
        """`udp_ports`: of ours, where datagrams are asked for; `learnt`: by earlier sessions."""
        self.state = State.NEW
        self.authenticator = authenticator
        self.habits: Counter[Habit] = Counter()
        """What it did against the rules, and how often."""
        self._learnt = learnt or Learnt()
        self._exchange = Exchange(authenticator, user_agent, self._learnt.session_rule, self._note)
        self._url = url
        self._channels = (rtp_channel, rtp_channel + 1)
        self._own_ports = udp_ports
        self._camera_ports: tuple[int, int] | None = None
        self._descriptions_asked = 0
        self._reader = MessageReader()
        self._events: deque[Event] = deque()
        self._early = bytearray()
        self._description: Description | None = None
        self._track: VideoTrack | None = None
        self._addresses: deque[tuple[UrlForm, str]] = deque()
        self._form = UrlForm.APPENDED
        self._aggregate_uri = url.request_uri
        self._awaits_login = False

    # What the shell calls.

    def start(self) -> bytes:
        """The first request."""
        self._step(Step.START)
        return self._exchange.request("OPTIONS", self._url.request_uri)

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
            if self._reader.takes_blanks():
                self._note(Habit.BLANK_BYTES)
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
        """A request that keeps the session: signed, with its Session field (Hikvision, live555).

        Empty where this camera takes requests in mid-stream for junk, as was learnt.
        """
        method = self.keepalive_method
        if method is Keepalive.RTCP:
            return b""
        return self._exchange.request(method, self._aggregate_uri, keepalive=True)

    @property
    def keepalive_method(self) -> Keepalive:
        """What was learnt, else GET_PARAMETER where it is announced (10.8), else OPTIONS."""
        worked = self._learnt.keepalive
        if worked is not None and worked is not Keepalive.GET_PARAMETER:
            return worked
        is_announced = Keepalive.GET_PARAMETER in self._exchange.methods
        return Keepalive.GET_PARAMETER if is_announced else Keepalive.OPTIONS

    @property
    def learnt(self) -> Learnt:
        """What the next session of this camera should know."""
        asked = [one for one in (self._learnt.scheme, self.authenticator.scheme) if one]
        return replace(
            self._learnt, scheme=max(asked, default=None), session_rule=self._exchange.rule
        )

    @property
    def held(self) -> Held | None:
        """What the camera holds for us; None where it holds nothing."""
        session = self._exchange.session
        if session is None:
            return None
        return Held(self._url.request_uri, self._aggregate_uri, session)

    def teardown(self) -> bytes | None:
        """TEARDOWN (10.7); None where the camera holds no session, or was told already."""
        if self._exchange.session is None or (self.state, Step.TEARDOWN) not in NEXT:
            return None
        self._step(Step.TEARDOWN)
        return self._exchange.request("TEARDOWN", self._aggregate_uri)

    def connection_lost(self, detail: str) -> Failure:
        """The connection ended before PlayReady. `detail`: what the system said."""
        reconnect = self._awaits_login
        if reconnect:
            self._note(Habit.CLOSES_WITH_CHALLENGE)
        self._step(Step.FAILED)
        waited = self._exchange.newest_method or "nothing"
        return Failure(
            GapReason.NETWORK,
            f"{detail} while {waited} was open",
            should_reconnect=reconnect,
        )

    def _send(self, method: str, uri: str, *extra: tuple[str, str]) -> None:
        self._events.append(Send(self._exchange.request(method, uri, extra)))

    def _note(self, habit: Habit) -> None:
        self.habits[habit] += 1

    # Answers.

    def _take(self, item: Request | Response) -> None:
        if isinstance(item, Request):
            self._note(Habit.ASKS_CLIENT)
            self._events.append(Send(_reply(item).encode()))
            return
        request = self._exchange.match(item)
        if request is None:
            return
        takes_session = self.state in (State.SETUP, State.PLAY, State.PLAYING)
        is_late = self.state is not State.SETUP
        self._exchange.learn(item, takes_session=takes_session, is_late=is_late)
        if item.status == 401:
            self._unauthorized(request, item)
            return
        if request.was_signed:
            self.authenticator.accepted()
            self._awaits_login = False
        self._answered(request, item)

    def _answered(self, request: Open, response: Response) -> None:
        if request.is_keepalive:
            if response.status >= 300:
                self._note(Habit.KEEPALIVE)
            if response.status in _NO_METHOD:
                self._exchange.refused(request.method)
            self._events.append(KeepaliveAnswered(response.status))
        elif request.method == "TEARDOWN":
            self._torn_down()
        elif request.method != self.state.name:
            return  # a late answer to what no longer matters
        elif self.state is State.OPTIONS:
            if response.status >= 300:
                self._note(Habit.OPTIONS_REFUSED)
            self._describe()
        elif response.status == 454 and self._exchange.takes_other_session():
            self._events.append(Send(self._exchange.again(request)))
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
        self._descriptions_asked += 1
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
            self._fail(GapReason.NO_VIDEO, f"no H.264, H.265 or MJPEG video (offered: {names})")
            return
        self._step(Step.ANSWERED)
        self._description, self._track = description, track
        self.habits.update(of_description(response, description, track))
        value = response.headers.get("Content-Base") or response.headers.get("Content-Location")
        base = content_base(self._url, value)
        self._aggregate_uri = control_candidates(self._url, base, description.control)[0]
        forms = control_forms(self._url, base, track.control)
        worked = self._learnt.url_form
        self._addresses = deque(sorted(forms, key=lambda one: one[0] is not worked))
        self._next_address()

    def _next_address(self) -> None:
        form, uri = self._addresses.popleft()
        if self.state is State.SETUP:
            self._form = form
            ports = self._own_ports
            asked = udp_transport(ports) if ports else tcp_transport(self._channels[0])
            self._send("SETUP", uri, ("Transport", asked))
        else:
            self._aggregate_uri = uri
            self._send("PLAY", uri, ("Range", "npt=0.000-"))

    def _set_up(self, response: Response) -> None:
        """10.4; the answer's channels count, and without any those asked for (gortsplib 142).

        Who is asked for datagrams and answers with channels sends on this connection.
        """
        value = response.headers.get("Transport")
        transport = parse_transport(value or "")
        is_other = bool(transport.server_ports) and not transport.is_tcp and not self._own_ports
        if transport.is_multicast or is_other:
            kind = "UDP" if is_other else "multicast"
            detail = f"SETUP: the camera answers with {kind}, which was not asked for"
            self._fail(GapReason.REFUSED, detail, other_transport=is_other)
            return
        self._note_form()
        self._step(Step.ANSWERED)
        if self._own_ports and not transport.is_tcp:
            self._agree_on_udp(transport)
        else:
            self.habits.update(of_transport(value, self._channels))
            self._channels = transport.channels or self._channels
        self._addresses = deque([(UrlForm.BASE, self._aggregate_uri)])
        if self._aggregate_uri != self._url.request_uri:
            self._addresses.append((UrlForm.REQUEST, self._url.request_uri))
        self._next_address()

    def _agree_on_udp(self, transport: Transport) -> None:
        self._camera_ports = transport.server_ports or (0, 0)  # OpenIPC tells none
        self._events.append(UdpAgreed(self._camera_ports))

    def _note_form(self) -> None:
        """SETUP was granted at this form of the address: the next session begins with it."""
        self._learnt = replace(self._learnt, url_form=self._form)
        if self._form is UrlForm.DIALLED_HOST:
            self._note(Habit.CONTROL_HOST)
        elif self._form in (UrlForm.IN_PATH, UrlForm.RFC_3986):
            self._note(Habit.CONTROL_JOIN)

    def _playing(self) -> None:
        """10.5. RTP-Info is not read: seq and rtptime are often invented (Hikvision, Tapo)."""
        track, description = self._track, self._description
        assert track is not None and description is not None  # set by _described
        self._learnt = replace(self._learnt, transport="udp" if self._camera_ports else "tcp")
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
                session_timeout_s=self._exchange.timeout_s,
                keepalive_method=self.keepalive_method,
                scheme=self.authenticator.scheme,
                server=self._exchange.server,
                audio=audio_tracks(description),
                udp_ports=self._camera_ports,
                has_donl=track.has_donl,
            )
        )

    def _torn_down(self) -> None:
        if self.state is State.ENDED:
            return  # another answer failed meanwhile, such as a keep-alive's
        self._step(Step.ANSWERED)
        self._exchange.forget_session()
        self._events.append(TornDown())

    # What goes wrong.

    def _unauthorized(self, request: Open, response: Response) -> None:
        challenges = response.headers.get_all("WWW-Authenticate")
        verdict = self.authenticator.challenged(challenges, was_signed=request.was_signed)
        if request.was_signed:
            aged = verdict is Verdict.RETRY and self.authenticator.is_aged
            self._note(Habit.NONCE_AGED if aged else Habit.LOGIN_REFUSED)
        if self.state is State.OPTIONS and not request.is_keepalive:
            self._describe()  # signed now, if that is possible
        elif verdict is Verdict.RETRY:
            closes = "close" in (response.headers.get("Connection") or "").lower()
            self._awaits_login = not self.authenticator.has_reconnected
            if closes and self._awaits_login and self.state in READING:
                self._note(Habit.CLOSES_WITH_CHALLENGE)
                self._fail(GapReason.NETWORK, "closed with its challenge", should_reconnect=True)
                return
            self._descriptions_asked += request.method == "DESCRIBE"
            self._events.append(Send(self._exchange.again(request)))
        elif request.method == "TEARDOWN":
            self._torn_down()
        else:
            self._fail(*_LOGIN_FAILURES[verdict], status=401)

    def _refused(self, request: Open, response: Response) -> None:
        detail = f"{request.method}: {response}"
        location = None
        if 300 <= response.status < 400:
            location = without_login(response.headers.get("Location") or "")
            detail += f"; it redirects to {location or 'nowhere'}"
        elif response.status == 461:
            detail += f"; the camera does not send over {'UDP' if self._own_ports else 'TCP'}"
        elif response.status in BUSY:
            detail += "; the camera serves no more connections"
        # Some know one DESCRIBE a connection, and the first only brought the challenge (row 12).
        is_second = self.state is State.DESCRIBE and self._descriptions_asked > 1
        self._fail(
            GapReason.REFUSED,
            detail,
            status=response.status,
            should_reconnect=is_second and response.status in _NOT_NOW,
            location=location,
            other_transport=response.status == 461 and self.state is State.SETUP,
        )

    def _fail(
        self,
        reason: GapReason,
        detail: str,
        *,
        status: int | None = None,
        should_reconnect: bool = False,
        location: str | None = None,
        other_transport: bool = False,
    ) -> None:
        self._step(Step.FAILED)
        failure = Failure(reason, detail, status, should_reconnect, location, other_transport)
        self._events.append(failure)

    def _keep_early(self, packet: Packet) -> None:
        """RTP and RTCP before the PLAY answer are no error (Reolink, v4l2rtspserver)."""
        if not self._early:
            self._note(Habit.EARLY_PACKETS)
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
        "the camera offers only Basic, which would say the password, and offered Digest before; "
        "if it was exchanged, forget-learnt",
    ),
}


def _reply(request: Request) -> Response:
    """An answer to what a camera asks in mid-stream (gortsplib 93), with its CSeq."""
    fields = [("CSeq", request.headers.get("CSeq") or "0")]
    if request.method.upper() in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER"):
        return Response(200, "OK", Headers(tuple(fields)))
    return Response(501, "Not Implemented", Headers(tuple(fields)))
