"""What a camera refuses, how that is named, and what is given back."""

from __future__ import annotations

import pytest

from rtsp_client_rig import DESCRIBED, OK, SET_UP, client, events, script
from vonggac.media.chunk import GapReason
from vonggac.rtsp.events import Failure, TornDown
from vonggac.rtsp.states import State

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
    "H.261 alone": (
        OK + "Content-Length: 44\r\n\r\nm=video 0 RTP/AVP 31\r\na=rtpmap:31 H261/90000",
        GapReason.NO_VIDEO,
        "H261",
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
    ("transport", "word"),
    [
        ("RTP/AVP;unicast;client_port=5-6;server_port=7-8", "UDP"),
        ("RTP/AVP;multicast;port=1-2", "multicast"),
    ],
)
def test_another_transport_than_asked_for_is_told_and_the_session_given_back(
    transport: str, word: str
) -> None:
    session = client()
    answer = f"{OK}Session: 12\r\nTransport: {transport}\r\n\r\n"
    _, told = script(session, OK + "\r\n", DESCRIBED, answer)
    (failure,) = told
    assert isinstance(failure, Failure)
    assert failure.reason is GapReason.REFUSED
    assert word in failure.detail
    assert failure.other_transport is (word == "UDP")
    assert (session.teardown() or b"").startswith(b"TEARDOWN ")


def test_a_camera_without_tcp_is_told_apart() -> None:
    answer = "RTSP/1.0 461 Unsupported Transport\r\nCSeq: {n}\r\n\r\n"
    _, told = script(client(), OK + "\r\n", DESCRIBED, answer)
    assert isinstance(told[0], Failure)
    assert "does not send over TCP" in told[0].detail
    assert told[0].other_transport


def test_a_failed_play_gives_the_session_back() -> None:
    session = client()
    refused = "RTSP/1.0 500 Oops\r\nCSeq: {n}\r\n\r\n"
    _, told = script(session, OK + "\r\n", DESCRIBED, SET_UP, refused)
    assert isinstance(told[0], Failure)
    teardown = session.teardown()
    assert teardown is not None
    session.receive(b"RTSP/1.0 200 OK\r\n\r\n")
    assert events(session) == [TornDown()]


def test_a_lost_connection_names_what_was_open() -> None:
    session = client()
    script(session, OK + "\r\n")
    failure = session.connection_lost("the camera closed the connection")
    assert failure.reason is GapReason.NETWORK
    assert "DESCRIBE" in failure.detail
    assert not failure.should_reconnect
    assert session.state is State.ENDED
