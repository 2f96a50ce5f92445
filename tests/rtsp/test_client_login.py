"""How a session logs in, and how it stays logged in."""

from __future__ import annotations

import pytest

from rtsp_client_rig import (
    ADMIN,
    BASIC,
    EARLY,
    MD5,
    MOUNT,
    OK,
    PPS,
    SHA256,
    SPS,
    client,
    converse,
    events,
    script,
    sent,
)
from vonggac.media.chunk import Codec, GapReason
from vonggac.rtsp.challenges import Challenge, Scheme
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import Failure, KeepaliveAnswered, PlayReady, Send, TornDown
from vonggac.rtsp.login import Login
from vonggac.rtsp.server import Ended, ServerSession
from vonggac.rtsp.states import State
from vonggac.rtsp.url import Credentials, parse_camera_url

LOGINS = {
    "nobody asks": ((), None),
    "Basic": ((BASIC,), Scheme.BASIC),
    "Digest MD5": ((MD5,), Scheme.DIGEST_MD5),
    "all three": ((BASIC, MD5, SHA256), Scheme.DIGEST_SHA256),
}


@pytest.mark.parametrize(("challenges", "scheme"), LOGINS.values(), ids=LOGINS)
def test_a_session_plays_with_every_login(
    challenges: tuple[Challenge, ...], scheme: Scheme | None
) -> None:
    session = client()
    login = Login(ADMIN, challenges) if challenges else None
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", login)
    (ready,) = converse(session, server)

    assert isinstance(ready, PlayReady)
    assert (ready.codec, ready.payload_type, ready.clock_rate) == (Codec.H264, 96, 90_000)
    assert (ready.rtp_channel, ready.rtcp_channel) == (0, 1)
    assert (ready.vps, ready.sps, ready.pps) == ((), (SPS,), (PPS,))
    assert (ready.session_timeout_s, ready.keepalive_interval_s) == (60, 30.0)
    assert ready.scheme is scheme
    assert session.take_unread() == EARLY

    server.receive(session.keepalive())
    answer = server.next_event()
    assert isinstance(answer, Send)
    session.receive_message(answer.data)
    assert events(session) == [KeepaliveAnswered(200)]

    server.receive(session.teardown() or b"")
    answer = server.next_event()
    assert isinstance(answer, Send)
    assert server.next_event() == Ended("TEARDOWN")
    session.receive_message(answer.data)
    assert events(session) == [TornDown()]
    assert session.state is State.ENDED
    assert session.teardown() is None


def test_a_wrong_password_stops_after_two_refusals() -> None:
    session = client(Credentials("admin", "wrong"))
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (MD5,)))
    (failure,) = converse(session, server)
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.status) == (GapReason.WRONG_PASSWORD, 401)
    assert session.authenticator.authorization("DESCRIBE", "rtsp://10.0.0.9/") is None
    assert "wrong" not in repr(failure)


def test_a_camera_that_wants_a_login_we_lack_says_wrong_password() -> None:
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (MD5,)))
    (failure,) = converse(client(None), server)
    assert isinstance(failure, Failure)
    assert failure.reason is GapReason.WRONG_PASSWORD


def test_basic_after_digest_is_refused() -> None:
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (BASIC,)))
    (failure,) = converse(client(floor=Scheme.DIGEST_MD5), server)
    assert isinstance(failure, Failure)
    assert failure.reason is GapReason.REFUSED
    assert "Basic" in failure.detail


def test_a_keepalive_with_an_aged_nonce_is_signed_again() -> None:
    """Axis M5525 renews its nonce after 150 s."""
    session = client()
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (MD5,)))
    converse(session, server)
    server.age_nonce("n2")
    server.receive(session.keepalive())
    refused = server.next_event()
    assert isinstance(refused, Send)
    session.receive_message(refused.data)
    (again,) = events(session)
    assert isinstance(again, Send)
    server.receive(again.data)
    answer = server.next_event()
    assert isinstance(answer, Send)
    session.receive_message(answer.data)
    assert events(session) == [KeepaliveAnswered(200)]


def test_a_keepalive_that_is_refused_for_good_ends_nothing_and_says_nothing_more() -> None:
    session = client()
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (MD5,)))
    converse(session, server)
    server.login = Login(Credentials("admin", "changed"), (MD5,))
    server.receive(session.keepalive())
    refused = server.next_event()
    assert isinstance(refused, Send)
    session.receive_message(refused.data)
    (failure,) = events(session)
    assert isinstance(failure, Failure)
    assert failure.reason is GapReason.WRONG_PASSWORD
    assert session.state is State.PLAYING
    (later,) = sent([Send(session.keepalive())])
    assert later.headers.get("Authorization") is None
    assert later.headers.get("Session") == "abc"


def test_a_connection_closed_with_its_challenge_is_worth_another() -> None:
    challenge = (
        'RTSP/1.0 401 Unauthorized\r\nCSeq: {n}\r\nWWW-Authenticate: Digest realm="r", nonce="n"'
    )
    session = client()
    _, told = script(session, OK + "\r\n", challenge + "\r\n\r\n")
    assert told == []
    assert session.connection_lost("closed").should_reconnect

    session = client()
    _, told = script(session, OK + "\r\n", challenge + "\r\nConnection: close\r\n\r\n")
    (failure,) = told
    assert isinstance(failure, Failure)
    assert failure.should_reconnect

    session.authenticator.has_reconnected = True
    again = ClientSession(parse_camera_url("rtsp://10.0.0.9/"), session.authenticator)
    requests, told = script(again, OK + "\r\n", challenge + "\r\nConnection: close\r\n\r\n")
    assert requests[1].headers.get("Authorization") is not None
    assert not any(isinstance(one, Failure) and one.should_reconnect for one in told)


def test_no_repr_of_an_event_shows_the_login() -> None:
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (BASIC,)))
    told = converse(client(), server)
    assert isinstance(told[0], PlayReady)
    assert "w0rd" not in repr(told)
    assert "w0rd" not in repr(server)
    assert repr(Send(b"Basic c2VjcmV0")) == "Send()"


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "454 Session Not Found"])
def test_a_teardown_that_is_answered_after_a_refused_keep_alive_ends_quietly(status: str) -> None:
    session = client()
    converse(session, ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (MD5,))))
    asked = sent([Send(session.keepalive()), Send(session.teardown() or b"")])
    for request, answer in zip(asked, ("401 Unauthorized", status), strict=True):
        cseq = request.headers.get("CSeq")
        session.receive_message(f"RTSP/1.0 {answer}\r\nCSeq: {cseq}\r\n\r\n".encode())
        events(session)
    assert session.state is State.ENDED
