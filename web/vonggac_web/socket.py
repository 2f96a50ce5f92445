"""`GET /api/v1/socket`: one WebSocket a page, for live tiles, held looks and news of cameras."""

from __future__ import annotations

import time

from flask import Blueprint, request

from vonggac.errors import Invalid, NotSignedIn, Refused, TooMany
from vonggac_appliance.live_page import LivePage
from vonggac_web import guard, websocket
from vonggac_web.app import services
from vonggac_web.websocket import WebSocket

__all__ = ["blueprint"]

blueprint = Blueprint("socket", __name__)

_TURN_S = 0.2
"""Between two looks at the news."""
_CHECK_S = 1.0
_SESSION_OVER, _NO_MESSAGE, _TOO_MANY = 4401, 4422, 4429
"""Why we close (RFC 6455 7.4.2: numbers of our own)."""


@blueprint.before_request
def _from_our_page() -> None:
    """A foreign page may open a socket with our cookie: only Origin tells it apart."""
    scheme = "https" if services().front.is_tls else "http"
    if request.headers.get("Origin") != f"{scheme}://{request.host}":
        raise Refused("the socket is not opened by a page of this box")


def _attend(socket: WebSocket) -> None:
    """As long as the page and its session are there."""
    try:
        page = LivePage(services().live, services().looks, guard.session(), socket.send)
    except TooMany as error:
        socket.close(_TOO_MANY, str(error))
        return
    try:
        # Again: it may have ended before the page could be told.
        services().accounts.session(guard.token(), moves=False)
        _talk(socket, page)
        socket.close(_SESSION_OVER, "the session has ended")
    except NotSignedIn:
        socket.close(_SESSION_OVER, "the session has ended")
    except Invalid as error:
        socket.close(_NO_MESSAGE, str(error))
    finally:
        page.close()


def _talk(socket: WebSocket, page: LivePage) -> None:
    checked_s = time.monotonic()
    while not page.is_over:
        message = socket.receive(_TURN_S)
        if message is not None:
            page.take(message)
        page.turn()
        if time.monotonic() - checked_s >= _CHECK_S:
            checked_s = time.monotonic()
            page.check()


websocket.route(blueprint, "/api/v1/socket", _attend)
