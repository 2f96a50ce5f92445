"""Giving back a session that an earlier life of ours left behind, on a connection of its own.

A session belongs to no connection (RFC 2326 1.1): whoever knows its id may end it. Some cameras
serve two in all and free none by themselves (Tapo TC70).
"""

from __future__ import annotations

from dataclasses import dataclass

from vonggac.errors import MediaError
from vonggac.rtsp.auth import Authenticator, Verdict
from vonggac.rtsp.device import Device
from vonggac.rtsp.exchange import Exchange
from vonggac.rtsp.messages import MessageReader, Response

__all__ = ["Goodbye", "Held"]


@dataclass(frozen=True, slots=True)
class Held:
    """A session that a camera holds for us. No login is in it."""

    url: str
    """As the camera was entered."""
    uri: str
    """What TEARDOWN is sent to."""
    session: str


class Goodbye:
    """The dialogue: TEARDOWN, and once more where it has to be signed."""

    def __init__(
        self, authenticator: Authenticator, held: Held, *, user_agent: str = "VongGac"
    ) -> None:
        self._held = held
        self._exchange = Exchange(authenticator, user_agent, None, lambda _: None)
        self._reader = MessageReader()

    @property
    def device(self) -> Device:
        """Who answers, as far as it has told."""
        return self._exchange.device

    def start(self) -> bytes:
        """The request."""
        named = (("Session", self._held.session),)
        return self._exchange.request("TEARDOWN", self._held.uri, named)

    def receive(self, data: bytes) -> bytes | None:
        """Takes bytes in; gives what is to be sent, empty while more is to come, None at the end.

        Whatever the answer is but a challenge: it holds the session no more, or never will end it.
        """
        self._reader.receive(data)
        try:
            while (item := self._reader.next()) is not None:
                if isinstance(item, Response) and (request := self._exchange.match(item)):
                    self._exchange.learn(item, takes_session=False, is_late=False)
                    challenges = item.headers.get_all("WWW-Authenticate")
                    if item.status != 401:
                        return None
                    authenticator = self._exchange.authenticator
                    was_signed = request.was_signed
                    verdict = authenticator.challenged(challenges, was_signed=was_signed)
                    return self._exchange.again(request) if verdict is Verdict.RETRY else None
        except MediaError:
            return None
        return b""
