"""Requests that go out and the answers that belong to them: numbers, signatures, session ids.

Knows no state of a session: what a request is for, and what its answer means, is `client`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.device import Device, after
from vonggac.rtsp.habits import Habit, of_response
from vonggac.rtsp.learnt import SessionRule
from vonggac.rtsp.messages import Headers, Request, Response, for_people
from vonggac.rtsp.transport import DEFAULT_TIMEOUT_S, parse_session

_OPEN_MAX = 8
"""Requests without an answer: keep-alives that a camera ignores."""

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A request that was sent and not answered."""

    method: str
    uri: str
    extra: Fields
    was_signed: bool
    is_keepalive: bool


class Exchange:
    """All requests of one connection."""

    def __init__(
        self,
        authenticator: Authenticator,
        user_agent: str,
        rule: SessionRule | None,
        note: Callable[[Habit], None],
    ) -> None:
        """`rule`: which session id this camera means; `note`: hears of every habit."""
        self.authenticator = authenticator
        self.rule = rule
        self.timeout_s = DEFAULT_TIMEOUT_S
        self.methods: frozenset[str] = frozenset()
        """Announced, and not refused since."""
        self.server = ""
        self.device = Device()
        """Who answers, as far as it has told."""
        self._user_agent = user_agent  # some answer 401 to a DESCRIBE without it (go2rtc 235)
        self._note = note
        self._open: dict[int, Open] = {}
        self._cseq = 0
        self._first: str | None = None
        self._latest: str | None = None

    @property
    def session(self) -> str | None:
        """The session's id, None where the camera holds none."""
        return self._latest if self.rule is SessionRule.LATEST else self._first

    def request(
        self, method: str, uri: str, extra: Fields = (), *, keepalive: bool = False
    ) -> bytes:
        """A request, numbered and signed, with the session's name (Hikvision, live555)."""
        self._cseq += 1
        authorization = self.authenticator.authorization(method, uri)
        fields = [("CSeq", str(self._cseq)), ("User-Agent", self._user_agent)]
        if self.session is not None:
            fields.append(("Session", self.session))
        if authorization is not None:
            fields.append(("Authorization", authorization))
        while len(self._open) >= _OPEN_MAX:
            del self._open[next(iter(self._open))]
        was_signed = authorization is not None
        self._open[self._cseq] = Open(method, uri, extra, was_signed, keepalive)
        return Request(method, uri, Headers((*fields, *extra))).encode()

    def again(self, request: Open) -> bytes:
        """The same once more, signed and named as it would be now."""
        return self.request(
            request.method, request.uri, request.extra, keepalive=request.is_keepalive
        )

    def match(self, response: Response) -> Open | None:
        """The request that is answered: by CSeq, or the oldest where it is missing (VLC)."""
        if response.status < 200:
            return None
        for habit in of_response(response):
            self._note(habit)
        text = (response.headers.get("CSeq") or "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            request = self._open.pop(int(text), None)
            if request is None:
                self._note(Habit.CSEQ)
            return request
        self._note(Habit.CSEQ)
        if not self._open:
            return None
        return self._open.pop(next(iter(self._open)))

    def learn(self, response: Response, *, takes_session: bool, is_late: bool) -> None:
        """Session (accepted from any answer, MediaMTX 840), methods, Server.

        `takes_session`: the session is being set up, or plays; `is_late`: SETUP was answered.
        """
        self.device = after(self.device, response)
        session = parse_session(response.headers.get("Session") or "")
        if session is not None and takes_session:
            if self._first is None and is_late:
                self._note(Habit.SESSION_LATE)
            if self._latest is not None and self._latest != session.identifier:
                self._note(Habit.SESSION_CHANGED)
            self._first = self._first or session.identifier
            self._latest = session.identifier
            if "timeout" in (response.headers.get("Session") or "").lower():
                self.timeout_s = session.timeout_s
        public = ",".join(response.headers.get_all("Public"))
        if public:
            self.methods = frozenset(word.strip().upper() for word in public.split(","))
        self.server = for_people(response.headers.get("Server") or self.server)

    def refused(self, method: str) -> None:
        """A method that is not used again."""
        if method in self.methods:
            self._note(Habit.METHOD_REFUSED)
        self.methods -= {method}

    def takes_other_session(self) -> bool:
        """After a 454: whether there is another id to try, which is meant from now on (XM)."""
        if self.rule is SessionRule.LATEST or self._latest == self._first:
            return False
        self.rule = SessionRule.LATEST
        return True

    def forget_session(self) -> None:
        """The camera holds none any more."""
        self._first = self._latest = None

    @property
    def newest_method(self) -> str | None:
        """Of the request sent last that waits for its answer."""
        return next(reversed(self._open.values())).method if self._open else None
