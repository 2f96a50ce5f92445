"""Asking who is there, on a connection of its own, and saying nothing of a login."""

from __future__ import annotations

from vonggac.errors import MediaError
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.device import Device
from vonggac.rtsp.exchange import Exchange
from vonggac.rtsp.messages import MessageReader, Response
from vonggac.rtsp.url import CameraUrl

__all__ = ["Inquiry"]


class Inquiry:
    """The dialogue: a description is asked for, unsigned; no session is made."""

    def __init__(self, url: CameraUrl, *, user_agent: str = "VongGac") -> None:
        self._url = url
        self._exchange = Exchange(Authenticator(None, ""), user_agent, None, lambda _: None)
        self._reader = MessageReader()

    @property
    def device(self) -> Device:
        """Who answered, as far as it told."""
        return self._exchange.device

    def start(self) -> bytes:
        """The request."""
        accept = (("Accept", "application/sdp"),)
        return self._exchange.request("DESCRIBE", self._url.request_uri, accept)

    def receive(self, data: bytes) -> bytes | None:
        """Takes bytes in; gives an empty answer while more is to come, None at the end."""
        self._reader.receive(data)
        try:
            while (item := self._reader.next()) is not None:
                if isinstance(item, Response) and self._exchange.match(item):
                    self._exchange.learn(item, takes_session=False, is_late=False)
                    return None
        except MediaError:
            return None
        return b""
