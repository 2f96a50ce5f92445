"""What a publisher is answered, before RECORD and behind it; and the key that he shows."""

from __future__ import annotations

import base64
import binascii

from vonggac.errors import MediaError
from vonggac.rtsp.messages import Headers, Request, Response, parse_message

__all__ = ["CHALLENGE", "METHODS", "answer_midstream", "basic", "reply"]

_KEY_MAX_BYTES = 512

METHODS = "OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
}
CHALLENGE = ("WWW-Authenticate", 'Basic realm="Vong Gac"')


def answer_midstream(message: bytes, session_id: str) -> bytes:
    """What a publisher is answered while it sends; empty where nothing is to be said."""
    try:
        request = parse_message(message)
    except MediaError:
        return b""
    if not isinstance(request, Request):
        return b""
    session = ("Session", session_id)
    if request.method == "OPTIONS":
        return reply(request, 200, session, ("Public", METHODS))
    if request.method in ("GET_PARAMETER", "SET_PARAMETER", "TEARDOWN", "RECORD"):
        return reply(request, 200, session)
    return reply(request, 455 if request.method in METHODS.split(", ") else 501)


def reply(request: Request, status: int, *fields: tuple[str, str]) -> bytes:
    own = ("CSeq", request.headers.get("CSeq") or "0")
    return Response(status, _REASONS.get(status, ""), Headers((own, *fields))).encode()


def basic(value: str | None) -> tuple[str, str] | None:
    """User and key of an Authorization field (RFC 7617 2); None where it holds none."""
    scheme, _, token = (value or "").strip().partition(" ")
    if scheme.lower() != "basic" or len(token) > _KEY_MAX_BYTES:
        return None
    try:
        text = base64.b64decode(token.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):  # ValueError: no ASCII, no UTF-8
        return None
    user, colon, key = text.partition(":")
    return (user, key) if colon else None
