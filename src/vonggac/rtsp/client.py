"""The client's side of an RTSP session, without a socket: bytes in, events out.

The shell connects, writes `start()`, passes what it reads to `receive` and does what `next_event`
says until PlayReady or Failure. Then the connection belongs to a native loop, to which
`take_unread()` goes first; whole messages come back through `receive_message`. Time-outs are the
shell's; the numbers stand here.

This is the dialogue. What a refusal means is in `answers`, what a description offers in `offer`,
what keeps the session after PLAY and gives it back in `upkeep`.

The clauses are RFC 2326; the cameras that made a line necessary are in docs/design/rtsp.md.
"""

from __future__ import annotations

from collections import Counter, deque

from vonggac.errors import MediaError
from vonggac.rtsp import answers
from vonggac.rtsp.answers import BUSY, WRONG_ADDRESS
from vonggac.rtsp.auth import Authenticator, Verdict
from vonggac.rtsp.challenges import parse_challenges
from vonggac.rtsp.device import Device
from vonggac.rtsp.events import Event, Failure, Send, TornDown, UdpAgreed
from vonggac.rtsp.exchange import Exchange, Open
from vonggac.rtsp.habits import Habit, of_form, of_transport
from vonggac.rtsp.learnt import Keepalive, Learnt
from vonggac.rtsp.leftover import Held
from vonggac.rtsp.messages import MessageReader, Packet, Request, Response, parse_message
from vonggac.rtsp.offer import Offer, offer_of
from vonggac.rtsp.packetise import interleave
from vonggac.rtsp.sound import SoundSetup
from vonggac.rtsp.states import NEXT, READING, State, Step
from vonggac.rtsp.transport import parse_transport, tcp_transport, udp_transport
from vonggac.rtsp.upkeep import Upkeep
from vonggac.rtsp.url import CameraUrl, UrlForm

__all__ = [
    "BUSY",
    "CONNECT_TIMEOUT_S",
    "DIALOGUE_TIMEOUT_S",
    "FIRST_VIDEO_TIMEOUT_S",
    "REPLY_TIMEOUT_S",
    "TEARDOWN_TIMEOUT_S",
    "ClientSession",
]

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
        sound_ports: tuple[int, int] | None = None,
        learnt: Learnt | None = None,
        with_sound: bool = False,
    ) -> None:
        """`udp_ports`: of ours, where datagrams are asked for; `sound_ports`: likewise for the
        sound; `learnt`: by earlier sessions; `with_sound`: ask for sound too."""
        self.state = State.NEW
        self.authenticator = authenticator
        self.habits: Counter[Habit] = Counter()
        """What it did against the rules, and how often."""
        known = learnt or Learnt()
        self._exchange = Exchange(authenticator, user_agent, known.session_rule, self._note)
        self._upkeep = Upkeep(url, self._exchange, known)
        self._url = url
        self._channels = (rtp_channel, rtp_channel + 1)
        self._own_ports = udp_ports
        self._camera_ports: tuple[int, int] | None = None
        self._descriptions_asked = 0
        self._reader = MessageReader()
        self._events: deque[Event] = deque()
        self._early = bytearray()
        self._offer: Offer | None = None
        self._addresses: deque[tuple[UrlForm, str]] = deque()
        self._form = UrlForm.APPENDED
        self._awaits_login = False
        self.sound = SoundSetup(with_sound, sound_ports)

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
                self._fail(answers.not_rtsp(self._reader.take_rest(), error))
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
        """A request that keeps the session; empty where this camera takes such for junk."""
        return self._upkeep.keepalive()

    @property
    def keepalive_method(self) -> Keepalive:
        """Of the next keep-alive."""
        return self._upkeep.method

    @property
    def learnt(self) -> Learnt:
        """What the next session of this camera should know."""
        return self._upkeep.learnt

    @property
    def device(self) -> Device:
        """Who answers, as far as it has told."""
        return self._exchange.device

    @property
    def held(self) -> Held | None:
        """What the camera holds for us; None where it holds nothing."""
        return self._upkeep.held

    def teardown(self) -> bytes | None:
        """TEARDOWN (10.7); None where the camera holds no session, or was told already."""
        if self.held is None or (self.state, Step.TEARDOWN) not in NEXT:
            return None
        self._step(Step.TEARDOWN)
        return self._upkeep.teardown()

    def connection_lost(self, detail: str) -> Failure:
        """The connection ended before PlayReady. `detail`: what the system said."""
        reconnect = self._awaits_login
        if reconnect:
            self._note(Habit.CLOSES_WITH_CHALLENGE)
        self._step(Step.FAILED)
        return answers.lost(detail, self._exchange.newest_method, should_reconnect=reconnect)

    def _send(self, method: str, uri: str, *extra: tuple[str, str]) -> None:
        self._events.append(Send(self._exchange.request(method, uri, extra)))

    def _note(self, habit: Habit) -> None:
        self.habits[habit] += 1

    # Answers.

    def _take(self, item: Request | Response) -> None:
        if isinstance(item, Request):
            self._note(Habit.ASKS_CLIENT)
            self._events.append(Send(answers.reply_to(item).encode()))
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
            self._events.append(self._upkeep.answered(request, response))
        elif request.method == "TEARDOWN":
            self._torn_down()
        elif request.method != self.state.name:
            return  # a late answer to what no longer matters
        elif self.state is State.OPTIONS:
            if response.status >= 300:
                self._note(Habit.OPTIONS_REFUSED)
            self._describe()
        elif self.sound.is_open:
            if ports := self.sound.answered(response, self._channels):
                self._events.append(UdpAgreed(ports, is_sound=True))
            self._play()
        elif response.status == 454 and self._exchange.takes_other_session():
            self._events.append(Send(self._exchange.again(request)))
        elif response.status in WRONG_ADDRESS and self._addresses:
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
        offer = offer_of(self._url, response)
        if isinstance(offer, Failure):
            self._fail(offer)
            return
        self._step(Step.ANSWERED)
        self._offer = offer
        self.habits.update(offer.habits)
        self._upkeep.uri = offer.aggregate_uri
        worked = self.learnt.url_form
        self._addresses = deque(sorted(offer.forms, key=lambda one: one[0] is not worked))
        self.sound.described(offer.description, self._url, offer.base)
        self._next_address()

    def _next_address(self) -> None:
        form, uri = self._addresses.popleft()
        if self.state is State.SETUP:
            self._form = form
            ports = self._own_ports
            asked = udp_transport(ports) if ports else tcp_transport(self._channels[0])
            self._send("SETUP", uri, ("Transport", asked))
        else:
            self._upkeep.uri = uri
            span = (("Range", "npt=0.000-"),) if self._addresses else ()
            self._send("PLAY", uri, *span)

    def _set_up(self, response: Response) -> None:
        """10.4; the answer's channels count, and without any those asked for (gortsplib 142).

        Who is asked for datagrams and answers with channels sends on this connection.
        """
        value = response.headers.get("Transport")
        transport = parse_transport(value or "")
        if failure := answers.unasked(transport, is_udp=bool(self._own_ports)):
            self._fail(failure)
            return
        self._upkeep.set_up_at(self._form)
        self.habits.update(of_form(self._form))
        if self._own_ports and not transport.is_tcp:
            self._camera_ports = transport.server_ports or (0, 0)  # OpenIPC tells none
            self._events.append(UdpAgreed(self._camera_ports))
        else:
            self.habits.update(of_transport(value, self._channels))
            self._channels = transport.channels or self._channels
        if asked := self.sound.ask(self._form, self._channels, self._camera_ports is not None):
            self._send("SETUP", asked[0], ("Transport", asked[1]))
        else:
            self._play()

    def _play(self) -> None:
        self._step(Step.ANSWERED)
        uris = dict.fromkeys((self._upkeep.uri, self._url.request_uri))
        # The last one is asked for without a range, which some refuse.
        self._addresses = deque((UrlForm.BASE, uri) for uri in (*uris, self._upkeep.uri))
        self._next_address()

    def _playing(self) -> None:
        """10.5. RTP-Info is not read: seq and rtptime are often invented (Hikvision, Tapo)."""
        assert self._offer is not None  # set by _described
        self._upkeep.plays_over("udp" if self._camera_ports else "tcp")
        self._step(Step.ANSWERED)
        method, ports = self.keepalive_method, self._camera_ports
        ready = self._offer.ready(self._exchange, method, self._channels, ports, self.sound)
        self._events.append(ready)

    def _torn_down(self) -> None:
        if self.state is State.ENDED:
            return  # another answer failed meanwhile, such as a keep-alive's
        self._step(Step.ANSWERED)
        self._exchange.forget_session()
        self._events.append(TornDown())

    # What goes wrong.

    def _unauthorized(self, request: Open, response: Response) -> None:
        challenges = response.headers.get_all("WWW-Authenticate")
        is_stale = any(one.is_stale for one in parse_challenges(challenges)[:1])
        if self.sound.is_open and request.was_signed and not is_stale:
            self._answered(request, response)  # that of the pictures was taken: no wrong password
            return
        verdict = self.authenticator.challenged(challenges, was_signed=request.was_signed)
        if request.was_signed:
            aged = verdict is Verdict.RETRY and self.authenticator.is_aged
            self._note(Habit.NONCE_AGED if aged else Habit.LOGIN_REFUSED)
        is_first = self.state is State.OPTIONS and not request.is_keepalive
        if verdict is Verdict.RETRY:
            closes = "close" in (response.headers.get("Connection") or "").lower()
            self._awaits_login = not self.authenticator.has_reconnected
            if closes and self._awaits_login and self.state in READING:
                self._note(Habit.CLOSES_WITH_CHALLENGE)
                self._fail(answers.closed_with_challenge())
                return
        if is_first:
            self._describe()  # signed now, if that is possible
        elif verdict is Verdict.RETRY:
            self._descriptions_asked += request.method == "DESCRIBE"
            self._events.append(Send(self._exchange.again(request)))
        elif request.method == "TEARDOWN":
            self._torn_down()
        else:
            self._fail(answers.login_failure(verdict))

    def _refused(self, request: Open, response: Response) -> None:
        is_second = self.state is State.DESCRIBE and self._descriptions_asked > 1
        asked = "UDP" if self._own_ports else "TCP"
        self._fail(answers.refusal(request, response, asked, is_second_description=is_second))

    def _fail(self, failure: Failure) -> None:
        self._step(Step.FAILED)
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
