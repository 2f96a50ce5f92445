"""A session from the first request to the last, with cameras that misbehave in known ways."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtsp_client_rig import DESCRIBED, EARLY, OK, PLAYED, SET_UP, client, events, script, sent
from vonggac.errors import MediaError
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.events import Failure, KeepaliveAnswered, PlayReady, Send, TornDown, UdpAgreed
from vonggac.rtsp.states import State
from vonggac.rtsp.url import parse_camera_url


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


def asks_for_udp() -> ClientSession:
    url = parse_camera_url("rtsp://10.0.0.9/cam1/main")
    return ClientSession(url, Authenticator(None, "c"), udp_ports=(5000, 5001))


@pytest.mark.parametrize(
    ("answer", "ports"),
    [
        ("RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971", (6970, 6971)),
        ("RTP/AVP/UDP;unicast;source=junk;server_port=39000-35968", (39000, 35968)),
        ("RTP/AVP;unicast;client_port=5000-5001", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_datagrams_are_agreed_on_before_play(answer: str, ports: tuple[int, int]) -> None:
    session = asks_for_udp()
    set_up = f"{OK}Session: 12\r\nTransport: {answer}\r\n\r\n"
    requests, told = script(session, OK + "\r\n", DESCRIBED, set_up, PLAYED)
    assert requests[2].headers.get("Transport") == "RTP/AVP;unicast;client_port=5000-5001"
    agreed, ready = told
    assert agreed == UdpAgreed(ports)
    assert isinstance(ready, PlayReady)
    assert ready.udp_ports == ports
    assert session.learnt.transport == "udp"


def test_who_is_asked_for_datagrams_may_send_on_the_connection() -> None:
    session = asks_for_udp()
    _, told = script(session, OK + "\r\n", DESCRIBED, SET_UP.replace("0-1", "4-5"), PLAYED)
    (ready,) = told
    assert isinstance(ready, PlayReady)
    assert (ready.rtp_channel, ready.udp_ports) == (4, None)
    assert session.learnt.transport == "tcp"


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
