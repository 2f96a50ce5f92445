"""Habits are named by what stands in a camera's answers, and change nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import MediaError
from vonggac.rtsp.habits import ROWS, Habit, of_description, of_response, of_transport
from vonggac.rtsp.messages import Headers, Response
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.tracks import video_track

PLAIN = """v=0\r
o=- 1 1 IN IP4 192.168.1.9\r
s=camera\r
c=IN IP4 0.0.0.0\r
t=0 0\r
m=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0IAHqtAgA==,aM48gA==\r
a=control:track1\r
"""
AUDIO = "m=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPEG4-GENERIC/16000\r\n"


def habits(sdp: str, base: str = "rtsp://10.0.0.9/cam/", kind: str = "application/sdp") -> set[str]:
    fields = (("Content-Type", kind), ("Content-Base", base))
    response = Response(200, "OK", Headers(fields), sdp.encode())
    description = parse_sdp(response.body)
    track = video_track(description)
    assert track is not None
    return set(of_description(response, description, track))


def test_a_description_by_the_book_has_none() -> None:
    assert habits(PLAIN) == set()


@pytest.mark.parametrize(
    ("sdp", "found"),
    [
        (PLAIN.replace("t=0 0\r\n", ""), Habit.SDP_INCOMPLETE),
        ("\ufeff" + PLAIN, Habit.SDP_INCOMPLETE),
        (PLAIN.replace("o=- 1 1 IN IP4 192", "o=- 1 0x3f IN IP4 192"), Habit.SDP_ORIGIN),
        (PLAIN.replace("c=IN IP4 0.0.0.0", "c=IN"), Habit.SDP_CONNECTION),
        (PLAIN + "s=again\r\n", Habit.SDP_REPEATS),
        (PLAIN + "a=control:track2\r\n", Habit.SDP_REPEATS),
        (PLAIN.replace("rtpmap:96", "rtpmap:97"), Habit.SDP_MAP_ELSEWHERE),
        (PLAIN + "m=vana 0 RTP/AVP 99\r\n", Habit.SDP_FOREIGN_MEDIA),
        (PLAIN.replace("H264/90000", "H264/90000 "), Habit.SDP_BLANKS),
        (PLAIN.replace("sprop-parameter-sets=Z0", "sprop-parameter-sets=!"), "sdp-parameter-sets"),
        (PLAIN + AUDIO, Habit.SDP_SAME_TYPE),
        (PLAIN.replace("a=control:track1\r\n", ""), Habit.CONTROL_MISSING),
        (PLAIN + "a=sendonly\r\n", Habit.SENDONLY_VIDEO),
    ],
)
def test_what_is_odd_in_a_description_has_a_name(sdp: str, found: str) -> None:
    assert habits(sdp) == {found}


@pytest.mark.parametrize("more", ["", "a=rtpmap:26 JPEG/90000\r\n"], ids=["no map", "a map"])
def test_jpeg_needs_neither_a_map_nor_parameter_sets(more: str) -> None:
    video = PLAIN[: PLAIN.index("m=video")]
    assert habits(f"{video}m=video 0 RTP/AVP 26\r\n{more}a=control:track1\r\n") == set()


def test_what_is_odd_around_a_description_has_a_name() -> None:
    assert habits(PLAIN, kind="") == {Habit.CONTENT_TYPE}
    assert habits(PLAIN, kind="application/sdp; charset=utf-8") == {Habit.CONTENT_TYPE}
    for base in ("", "10.0.0.9/cam", "rtsp://rtsp://10.0.0.9/cam/", "/cam/"):
        assert habits(PLAIN, base=base) == {Habit.CONTENT_BASE}


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("Cseq", "1", Habit.HEADER_SPELLING),
        ("Session", "12; timeout=60", Habit.SESSION_FIELD),
        ("Session", "12;timeout=0", Habit.SESSION_FIELD),
        ("Session", "12;timeout=10", Habit.SHORT_TIMEOUT),
        ("WWW-Authenticate", 'Digest realm="a", nonce="b', Habit.CHALLENGE),
    ],
)
def test_what_is_odd_in_any_answer_has_a_name(field: str, value: str, found: Habit) -> None:
    assert list(of_response(Response(200, "OK", Headers(((field, value),))))) == [found]


def test_an_answer_without_a_phrase_has_a_name() -> None:
    assert list(of_response(Response(200, ""))) == [Habit.NO_REASON]
    plain = Headers((("CSeq", "1"), ("Session", "12"), ("WWW-Authenticate", 'Basic realm="a"')))
    assert list(of_response(Response(200, "OK", plain))) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=D93FF012;mode=play", []),
        ("RTP/AVP/TCP;interleaved=8-9", [Habit.CHANNELS]),
        ("RTP/AVP/TCP;unicast", [Habit.NO_CHANNELS]),
        ("RTP/AVP;unicast;interleaved=0-1", [Habit.NO_TCP]),
        ("RTP/AVP/TCP;interleaved=0-1;ssrc= d6d6627", [Habit.TRANSPORT_FIELDS]),
        ('RTP/AVP/TCP;interleaved=0-1;mode="play"', [Habit.TRANSPORT_FIELDS]),
        (None, [Habit.NO_CHANNELS]),
    ],
)
def test_what_is_odd_in_a_transport_has_a_name(value: str | None, found: list[Habit]) -> None:
    assert list(of_transport(value, (0, 1))) == found


@given(st.text(), st.text())
def test_any_text_has_habits_or_none(text: str, field: str) -> None:
    headers = Headers((("Session", field), ("WWW-Authenticate", field), (field, text)))
    set(of_response(Response(200, text, headers)))
    set(of_transport(text, (0, 1)))
    try:
        found = habits(PLAIN + text, base=field, kind=text)
    except MediaError:
        return
    assert found <= set(Habit)


def test_every_habit_is_one_row_of_the_table() -> None:
    assert set(ROWS) == set(Habit)
    assert len(set(ROWS.values())) == len(ROWS)
