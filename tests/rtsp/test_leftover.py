"""A session of an earlier life is given back on a connection of its own."""

from __future__ import annotations

import pytest

from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.leftover import Goodbye, Held
from vonggac.rtsp.messages import Request, parse_message
from vonggac.rtsp.url import Credentials

HELD = Held("rtsp://10.0.0.9/cam1", "rtsp://10.0.0.9/cam1/", "77aa")
CHALLENGE = b'WWW-Authenticate: Digest realm="r", nonce="abc"\r\n'


def goodbye() -> Goodbye:
    return Goodbye(Authenticator(Credentials("admin", "mat-khau-91"), "c0ffee"), HELD)


def asked(data: bytes | None) -> Request:
    message = parse_message(data or b"")
    assert isinstance(message, Request)
    return message


def test_it_names_the_session_and_is_signed_once_the_camera_asks_for_it() -> None:
    one = goodbye()
    first = asked(one.start())
    assert (first.method, first.uri) == ("TEARDOWN", HELD.uri)
    assert first.headers.get("Session") == HELD.session
    assert first.headers.get("Authorization") is None
    assert one.receive(b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n") == b""
    second = asked(one.receive(CHALLENGE + b"\r\n"))
    assert second.headers.get_all("Session") == [HELD.session]
    assert (second.headers.get("Authorization") or "").startswith("Digest ")
    assert one.receive(b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n") is None


@pytest.mark.parametrize("status", ["454 Session Not Found", "455 Not Now", "500 Oops"])
def test_any_answer_is_the_end(status: str) -> None:
    one = goodbye()
    one.start()
    assert one.receive(f"RTSP/1.0 {status}\r\nCSeq: 1\r\n\r\n".encode()) is None


def test_what_is_not_rtsp_is_the_end_too() -> None:
    one = goodbye()
    one.start()
    assert one.receive(b"\x80\x81\x82\r\n\r\n") is None


def test_a_refused_login_is_not_said_again_and_again() -> None:
    one = goodbye()
    one.start()
    said = 0
    message: bytes | None = b""
    for number in range(1, 6):
        answer = f"RTSP/1.0 401 No\r\nCSeq: {number}\r\n".encode() + CHALLENGE + b"\r\n"
        message = one.receive(answer)
        if message is None:
            break
        said += 1
    assert message is None
    assert said <= 2
