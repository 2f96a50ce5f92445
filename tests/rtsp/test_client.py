"""A session from the first request to the last, with cameras that misbehave in known ways."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac.errors import MediaError
from vonggac.media.chunk import Codec, GapReason
from vonggac.rtsp import (
    Authenticator,
    ClientSession,
    Credentials,
    Failure,
    KeepaliveAnswered,
    PlayReady,
    Scheme,
    Send,
    State,
    TornDown,
    parse_camera_url,
)
from vonggac.rtsp.auth import Challenge
from vonggac.rtsp.login import Login
from vonggac.rtsp.messages import Request, parse_message
from vonggac.rtsp.server import Ended, Mount, PlayAsked, ServerSession

SPS, PPS = bytes.fromhex("6742001eab4080"), bytes.fromhex("68ce3c80")
MOUNT = Mount("/cam1/main", Codec.H264, (), (SPS,), (PPS,))
ADMIN = Credentials("admin", "p@ss:w0rd")
SDP = b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
EARLY = b"$\x00\x00\x03abc$\x01\x00\x01d"


def client(
    credentials: Credentials | None = ADMIN, *, floor: Scheme = Scheme.BASIC
) -> ClientSession:
    url = parse_camera_url("rtsp://10.0.0.9/cam1/main")
    return ClientSession(url, Authenticator(credentials, "c0ffee", floor=floor))


def events(session: ClientSession) -> list[object]:
    found: list[object] = []
    while (event := session.next_event()) is not None:
        found.append(event)
    return found


def sent(found: list[object]) -> list[Request]:
    requests = [parse_message(one.data) for one in found if isinstance(one, Send)]
    assert all(isinstance(one, Request) for one in requests)
    return [one for one in requests if isinstance(one, Request)]


def converse(session: ClientSession, server: ServerSession) -> list[object]:
    """Lets both talk until neither has anything to say; gives what the client said of it."""
    told: list[object] = []
    to_server = session.start()
    for _ in range(20):
        server.receive(to_server)
        to_client = b""
        while (event := server.next_event()) is not None:
            if isinstance(event, Send):
                to_client += event.data
            elif isinstance(event, PlayAsked):
                to_client += server.play(7, 1234) + EARLY
        if session.state is not State.PLAYING:
            session.receive(to_client)
        to_server = b""
        for found in events(session):
            if isinstance(found, Send):
                to_server += found.data
            else:
                told.append(found)
        if not to_server:
            return told
    raise AssertionError("they never stopped talking")


MD5 = Challenge(Scheme.DIGEST_MD5, "r", "n1")
SHA256 = Challenge(Scheme.DIGEST_SHA256, "r", "n1", algorithm="SHA-256", has_qop=True)
BASIC = Challenge(Scheme.BASIC, "r")
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


# A scripted camera: answers to OPTIONS, DESCRIBE, SETUP, PLAY in order. `{n}` is the CSeq.

OK = "RTSP/1.0 200 OK\r\nCSeq: {n}\r\n"
DESCRIBED = f"{OK}Content-Length: {len(SDP)}\r\n\r\n{SDP.decode()}"
SET_UP = f"{OK}Session: 12\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
PLAYED = f"{OK}Session: 12\r\n\r\n"


def script(session: ClientSession, *answers: str) -> tuple[list[Request], list[object]]:
    """Plays the answers one for each request; gives all requests, and what else was told."""
    requests = sent([Send(session.start())])
    told: list[object] = []
    for answer in answers:
        number = requests[-1].headers.get("CSeq") or ""
        session.receive(answer.replace("{n}", number).encode("latin-1"))
        found = events(session)
        requests += sent(found)
        told += [one for one in found if not isinstance(one, Send)]
    return requests, told


def test_options_may_fail_in_any_way() -> None:
    for answer in ("RTSP/1.0 404\r\n\r\n", "RTSP/1.0 501 No\r\nCSeq: {n}\r\n\r\n", OK + "\r\n"):
        requests, told = script(client(), answer, DESCRIBED, SET_UP, PLAYED)
        assert [one.method for one in requests] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
        assert isinstance(told[0], PlayReady)


def test_every_request_names_us_and_uses_canonical_names() -> None:
    requests, _ = script(client(), OK + "\r\n", DESCRIBED, SET_UP, PLAYED)
    for number, request in enumerate(requests, 1):
        assert request.headers.fields[0] == ("CSeq", str(number))
        assert request.headers.get("User-Agent") == "VongGac"
    assert requests[2].headers.get("Transport") == "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert requests[3].headers.get("Session") == "12"


def test_an_answer_without_cseq_belongs_to_the_oldest_request() -> None:
    bare = [text.replace("CSeq: {n}\r\n", "") for text in (DESCRIBED, SET_UP, PLAYED)]
    _, told = script(client(), "RTSP/1.0 200\r\n\r\n", *bare)
    assert isinstance(told[0], PlayReady)


def test_an_answer_to_something_else_is_dropped() -> None:
    session = client()
    session.start()
    session.receive(b"RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\nRTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\n")
    assert events(session) == []
    assert session.state is State.OPTIONS


def test_the_channels_of_the_answer_count() -> None:
    for text, channels in (("8-9", (8, 9)), ("4", (4, 5))):
        set_up = SET_UP.replace("0-1", text)
        _, told = script(client(), OK + "\r\n", DESCRIBED, set_up, PLAYED)
        assert isinstance(told[0], PlayReady)
        assert (told[0].rtp_channel, told[0].rtcp_channel) == channels


def test_a_setup_answer_without_transport_means_what_was_asked_for() -> None:
    _, told = script(client(), OK + "\r\n", DESCRIBED, OK + "Session: 1\r\n\r\n", PLAYED)
    assert isinstance(told[0], PlayReady)
    assert told[0].rtp_channel == 0


def test_a_session_may_come_with_play_and_its_timeout_counts() -> None:
    late = OK + "Session:  77 ; timeout=10\r\n\r\n"
    session = client()
    _, told = script(session, OK + "\r\n", DESCRIBED, OK + "\r\n", late)
    assert isinstance(told[0], PlayReady)
    assert (told[0].session_timeout_s, told[0].keepalive_interval_s) == (10, 5.0)
    assert sent([Send(session.keepalive())])[0].headers.get("Session") == "77"


def test_a_setup_address_that_is_not_found_is_tried_in_another_form() -> None:
    url = parse_camera_url("rtsp://10.0.0.9/live?channel=1")
    session = ClientSession(url, Authenticator(None, "c"))
    missing = "RTSP/1.0 404 Not Found\r\nCSeq: {n}\r\n\r\n"
    requests, told = script(session, OK + "\r\n", DESCRIBED, missing, SET_UP, PLAYED)
    assert [one.uri for one in requests[2:4]] == [
        "rtsp://10.0.0.9/live?channel=1/track1",
        "rtsp://10.0.0.9/live/track1?channel=1",
    ]
    assert isinstance(told[0], PlayReady)


def test_play_goes_to_the_base_and_then_to_the_address_asked_for() -> None:
    described = DESCRIBED.replace("CSeq", "Content-Base: rtsp://192.168.1.2/x/\r\nCSeq")
    missing = "RTSP/1.0 454 Session Not Found\r\nCSeq: {n}\r\n\r\n".replace("454", "404")
    requests, told = script(client(), OK + "\r\n", described, SET_UP, missing, PLAYED)
    assert [one.uri for one in requests[2:]] == [
        "rtsp://192.168.1.2/x/track1",
        "rtsp://192.168.1.2/x/",
        "rtsp://10.0.0.9/cam1/main",
    ]
    assert isinstance(told[0], PlayReady)


def test_packets_before_the_play_answer_are_kept_untouched() -> None:
    """Reolink sends a sender report first."""
    session = client()
    _, told = script(session, OK + "\r\n", DESCRIBED, SET_UP, EARLY.decode() + PLAYED + "$\x00")
    assert isinstance(told[0], PlayReady)
    assert session.take_unread() == EARLY + b"$\x00"
    assert session.take_unread() == b""


REFUSALS = {
    "403": ("RTSP/1.0 403 Forbidden\r\nCSeq: {n}\r\n\r\n", GapReason.REFUSED, "DESCRIBE: 403"),
    "no more connections": (
        "RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: {n}\r\n\r\n",
        GapReason.REFUSED,
        "no more connections",
    ),
    "elsewhere": (
        "RTSP/1.0 302 Moved\r\nCSeq: {n}\r\nLocation: rtsp://u:secret@h/\r\n\r\n",
        GapReason.REFUSED,
        "redirects",
    ),
    "no body": (OK + "\r\n", GapReason.NO_VIDEO, "description"),
    "JPEG alone": (
        OK + "Content-Length: 22\r\n\r\nm=video 0 RTP/AVP 26\r\n",
        GapReason.NO_VIDEO,
        "JPEG",
    ),
    "binary": ("\x80\x81", GapReason.BAD_STREAM, "not RTSP"),
    "a huge description": (
        OK + "Content-Length: 100000\r\n\r\n",
        GapReason.BAD_STREAM,
        "65536 bytes of body",
    ),
}


@pytest.mark.parametrize(("answer", "reason", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_a_reason(answer: str, reason: GapReason, words: str) -> None:
    session = client()
    _, told = script(session, OK + "\r\n", answer)
    (failure,) = told
    assert isinstance(failure, Failure)
    assert failure.reason is reason
    assert words in failure.detail
    assert "secret" not in repr(failure)
    assert session.state is State.ENDED
    assert session.teardown() is None


@pytest.mark.parametrize(
    "transport", ["RTP/AVP;unicast;client_port=5-6;server_port=7-8", "RTP/AVP;multicast;port=1-2"]
)
def test_udp_is_refused_in_words_and_the_session_given_back(transport: str) -> None:
    session = client()
    answer = f"{OK}Session: 12\r\nTransport: {transport}\r\n\r\n"
    _, told = script(session, OK + "\r\n", DESCRIBED, answer)
    (failure,) = told
    assert isinstance(failure, Failure)
    assert failure.reason is GapReason.REFUSED
    assert "UDP" in failure.detail
    assert (session.teardown() or b"").startswith(b"TEARDOWN ")


def test_a_camera_without_tcp_is_told_apart() -> None:
    answer = "RTSP/1.0 461 Unsupported Transport\r\nCSeq: {n}\r\n\r\n"
    _, told = script(client(), OK + "\r\n", DESCRIBED, answer)
    assert isinstance(told[0], Failure)
    assert "UDP is not supported yet" in told[0].detail


def test_a_failed_play_gives_the_session_back() -> None:
    session = client()
    refused = "RTSP/1.0 500 Oops\r\nCSeq: {n}\r\n\r\n"
    _, told = script(session, OK + "\r\n", DESCRIBED, SET_UP, refused)
    assert isinstance(told[0], Failure)
    teardown = session.teardown()
    assert teardown is not None
    session.receive(b"RTSP/1.0 200 OK\r\n\r\n")
    assert events(session) == [TornDown()]


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


def test_a_lost_connection_names_what_was_open() -> None:
    session = client()
    script(session, OK + "\r\n")
    failure = session.connection_lost("the camera closed the connection")
    assert failure.reason is GapReason.NETWORK
    assert "DESCRIBE" in failure.detail
    assert not failure.should_reconnect
    assert session.state is State.ENDED


QUESTIONS = {"OPTIONS": 200, "GET_PARAMETER": 200, "SET_PARAMETER": 200, "ANNOUNCE": 501}


@pytest.mark.parametrize(("method", "status"), QUESTIONS.items())
def test_a_question_of_the_camera_is_answered_with_its_cseq(method: str, status: int) -> None:
    session = client()
    script(session, OK + "\r\n", DESCRIBED, SET_UP, PLAYED)
    session.receive_message(f"{method} * RTSP/1.0\r\nCSeq: 42\r\n\r\n".encode())
    (answer,) = events(session)
    assert isinstance(answer, Send)
    assert answer.data.startswith(f"RTSP/1.0 {status} ".encode())
    assert b"CSeq: 42\r\n" in answer.data


def test_get_parameter_keeps_a_session_only_where_it_is_announced_and_works() -> None:
    session = client()
    script(session, OK + "\r\n", DESCRIBED, SET_UP, PLAYED)
    assert session.keepalive_method == "OPTIONS"

    session = client()
    script(session, OK + "Public: PLAY, get_parameter\r\n\r\n", DESCRIBED, SET_UP, PLAYED)
    (request,) = sent([Send(session.keepalive())])
    assert request.method == "GET_PARAMETER"
    number = request.headers.get("CSeq") or ""
    session.receive_message(f"RTSP/1.0 501 No\r\nCSeq: {number}\r\n\r\n".encode())
    assert events(session) == [KeepaliveAnswered(501)]
    assert session.keepalive_method == "OPTIONS"


def test_keepalives_without_an_answer_are_forgotten() -> None:
    session = client()
    script(session, OK + "\r\n", DESCRIBED, SET_UP, PLAYED)
    for _ in range(1000):
        session.keepalive()
    session.receive_message(b"RTSP/1.0 200 OK\r\n\r\n")
    assert events(session) == [KeepaliveAnswered(200)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(0, 3))
def test_any_bytes_lead_to_an_event_or_a_failure(pieces: list[bytes], answered: int) -> None:
    session = client()
    script(session, *(OK + "\r\n", DESCRIBED, SET_UP)[:answered])
    for piece in pieces:
        for data in (piece, b"RTSP/1.0 " + piece, b"\r\n\r\n"):
            if session.state in (State.PLAYING, State.ENDED):
                with contextlib.suppress(MediaError):
                    session.receive_message(data)
            else:
                session.receive(data)
            for event in events(session):
                assert isinstance(event, Send | PlayReady | Failure | KeepaliveAnswered | TornDown)


def test_no_repr_of_an_event_shows_the_login() -> None:
    server = ServerSession({MOUNT.path: MOUNT}.get, "abc", Login(ADMIN, (BASIC,)))
    told = converse(client(), server)
    assert isinstance(told[0], PlayReady)
    assert "w0rd" not in repr(told)
    assert "w0rd" not in repr(server)
    assert repr(Send(b"Basic c2VjcmV0")) == "Send()"


def test_recorded_cameras_are_played_to_the_end(fixtures: Path) -> None:
    """DESCRIBE, SETUP and PLAY answers of one camera, as it sent them, the CSeq aside."""
    room = fixtures / "rtsp/dev/retina"
    for maker in ("dahua", "gw_main", "hikvision", "reolink", "bunny"):
        describe = next(iter(sorted(room.glob(f"{maker}_describe*.txt"))), None)
        setups = sorted(room.glob(f"{maker}_setup*.txt"))
        if describe is None or not setups:
            pytest.skip("no recordings of cameras")
        session = client()
        session.start()
        session.receive(b"RTSP/1.0 200 OK\r\n\r\n")
        told: list[object] = []
        for path in (describe, setups[-1], room / f"{maker}_play.txt"):
            lines = path.read_bytes().split(b"\r\n")
            session.receive(b"\r\n".join(line for line in lines if line[:5].lower() != b"cseq:"))
            told += events(session)
        assert isinstance(told[-1], PlayReady), maker
        assert session.take_unread() == b"", maker


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
