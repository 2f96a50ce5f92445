"""What an answer means that is no success: another try, or a failure as people are told of it.

Values in, values out; what is sent next is `client`'s.
"""

from __future__ import annotations

from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Verdict
from vonggac.rtsp.events import Failure
from vonggac.rtsp.exchange import Open
from vonggac.rtsp.messages import Headers, Request, Response
from vonggac.rtsp.url import without_login

WRONG_ADDRESS = frozenset((400, 404, 459, 460))
"""Answers to SETUP or PLAY after which another form of the address is tried."""
BUSY = frozenset((453, 503))
"""Answers of a camera that serves as many as it can."""
NO_METHOD = frozenset((404, 405, 455, 501, 551))
"""Answers after which a method is not used again."""
_NOT_NOW = frozenset((400, 406, 454, 455, 500, 501, 551))
"""Answers to a second DESCRIBE of cameras that take one a connection."""

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


def login_failure(verdict: Verdict) -> Failure:
    """After a 401 that is not tried again; never for Verdict.RETRY."""
    return Failure(*_LOGIN_FAILURES[verdict], status=401)


def refusal(
    request: Open, response: Response, asked: str, *, is_second_description: bool
) -> Failure:
    """After any other answer that is no success. `asked`: the transport in SETUP, UDP or TCP.

    Some know one DESCRIBE a connection, and the first only brought the challenge (row 12).
    """
    detail = f"{request.method}: {response}"
    location = None
    if 300 <= response.status < 400:
        location = without_login(response.headers.get("Location") or "")
        detail += f"; it redirects to {location or 'nowhere'}"
    elif response.status == 461:
        detail += f"; the camera does not send over {asked}"
    elif response.status in BUSY:
        detail += "; the camera serves no more connections"
    return Failure(
        GapReason.REFUSED,
        detail,
        status=response.status,
        should_reconnect=is_second_description and response.status in _NOT_NOW,
        location=location,
        other_transport=response.status == 461 and request.method == "SETUP",
    )


def reply_to(request: Request) -> Response:
    """An answer to what a camera asks in mid-stream (gortsplib 93), with its CSeq."""
    fields = [("CSeq", request.headers.get("CSeq") or "0")]
    if request.method.upper() in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER"):
        return Response(200, "OK", Headers(tuple(fields)))
    return Response(501, "Not Implemented", Headers(tuple(fields)))
