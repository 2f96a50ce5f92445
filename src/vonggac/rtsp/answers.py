"""What an answer means that is no success: another try, or a failure as people are told of it.

Values in, values out; what is sent next is `client`'s.
"""

from __future__ import annotations

from vonggac.errors import MediaError
from vonggac.media.chunk import GapReason
from vonggac.rtsp.auth import Verdict
from vonggac.rtsp.events import Failure
from vonggac.rtsp.exchange import Open
from vonggac.rtsp.messages import Headers, Request, Response
from vonggac.rtsp.transport import Transport
from vonggac.rtsp.url import without_login

WRONG_ADDRESS = frozenset((400, 404, 456, 457, 459, 460))
"""Answers to SETUP or PLAY after which another form is tried: an address, or no range."""
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


def lost(detail: str, waited: str | None, *, should_reconnect: bool) -> Failure:
    """After the end of a connection. `detail`: what the system said; `waited`: the request."""
    what = f"{detail} while {waited or 'nothing'} was open"
    if waited == "OPTIONS":  # the first one: no word of RTSP has come
        what += "; is that the port of RTSP, and does it want rtsps:// (TLS)?"
    return Failure(GapReason.NETWORK, what, should_reconnect=should_reconnect)


def closed_with_challenge() -> Failure:
    """After a 401 with `Connection: close`: its nonce is good for one more connection."""
    return Failure(GapReason.NETWORK, "closed with its challenge", should_reconnect=True)


def unasked(transport: Transport, *, is_udp: bool) -> Failure | None:
    """Of an answer to SETUP with what cannot be received. `is_udp`: datagrams were asked for."""
    is_other = bool(transport.server_ports) and not transport.is_tcp and not is_udp
    if not transport.is_multicast and not is_other:
        return None
    kind = "UDP" if is_other else "multicast"
    detail = f"SETUP: the camera answers with {kind}, which was not asked for"
    return Failure(GapReason.REFUSED, detail, other_transport=is_other)


_OTHERS = (
    (b"HTTP/", "HTTP: that is the port of a page, and RTSP's is another one, mostly 554"),
    (b"SSH-", "SSH: RTSP has another port, mostly 554"),
    (b"\x15\x03", "TLS: an address that begins with rtsps:// is meant"),
)


def not_rtsp(data: bytes, error: MediaError) -> Failure:
    """Of bytes in which no message begins, as somebody sends them whose port this is."""
    speaks = next((words for start, words in _OTHERS if data.lstrip().startswith(start)), "")
    detail = f"who answers there speaks {speaks}" if speaks else f"not RTSP: {error}"
    return Failure(GapReason.BAD_STREAM, detail)


def reply_to(request: Request) -> Response:
    """An answer to what a camera asks in mid-stream (gortsplib 93), with its CSeq."""
    fields = [("CSeq", request.headers.get("CSeq") or "0")]
    if request.method.upper() in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER"):
        return Response(200, "OK", Headers(tuple(fields)))
    return Response(501, "Not Implemented", Headers(tuple(fields)))
