"""What keeps a session while it plays, gives it back, and is remembered of it."""

from __future__ import annotations

from dataclasses import replace

from vonggac.rtsp.answers import NO_METHOD
from vonggac.rtsp.events import KeepaliveAnswered
from vonggac.rtsp.exchange import Exchange, Open
from vonggac.rtsp.learnt import Keepalive, Learnt
from vonggac.rtsp.leftover import Held
from vonggac.rtsp.messages import Response
from vonggac.rtsp.url import CameraUrl, UrlForm


class Upkeep:
    """Of one session, whose requests go through `exchange`."""

    def __init__(self, url: CameraUrl, exchange: Exchange, learnt: Learnt) -> None:
        """`learnt`: by earlier sessions."""
        self.uri = url.request_uri
        """The aggregate's: what PLAY, keep-alives and TEARDOWN go to."""
        self._url = url
        self._exchange = exchange
        self._learnt = learnt

    def keepalive(self) -> bytes:
        """A request that keeps the session: signed, with its Session field (Hikvision, live555).

        Empty where this camera takes requests in mid-stream for junk, as was learnt.
        """
        method = self.method
        if method is Keepalive.RTCP:
            return b""
        return self._exchange.request(method, self.uri, keepalive=True)

    @property
    def method(self) -> Keepalive:
        """What was learnt, else GET_PARAMETER where it is announced (10.8), else OPTIONS."""
        worked = self._learnt.keepalive
        if worked is not None and worked is not Keepalive.GET_PARAMETER:
            return worked
        is_announced = Keepalive.GET_PARAMETER in self._exchange.methods
        return Keepalive.GET_PARAMETER if is_announced else Keepalive.OPTIONS

    def answered(self, request: Open, response: Response) -> KeepaliveAnswered:
        """A keep-alive was: a method that the camera does not know is not used again."""
        if response.status in NO_METHOD:
            self._exchange.refused(request.method)
        return KeepaliveAnswered(response.status)

    def teardown(self) -> bytes:
        """RFC 2326 10.7."""
        return self._exchange.request("TEARDOWN", self.uri)

    def set_up_at(self, form: UrlForm) -> None:
        """SETUP was granted at this form of the address: the next session begins with it."""
        self._learnt = replace(self._learnt, url_form=form)

    def plays_over(self, transport: str) -> None:
        """PLAY was granted over tcp or udp."""
        self._learnt = replace(self._learnt, transport=transport)

    @property
    def learnt(self) -> Learnt:
        """What the next session of this camera should know."""
        schemes = (self._learnt.scheme, self._exchange.authenticator.scheme)
        asked = [one for one in schemes if one]
        return replace(
            self._learnt, scheme=max(asked, default=None), session_rule=self._exchange.rule
        )

    @property
    def held(self) -> Held | None:
        """What the camera holds for us; None where it holds nothing."""
        session = self._exchange.session
        if session is None:
            return None
        return Held(self._url.request_uri, self.uri, session)
