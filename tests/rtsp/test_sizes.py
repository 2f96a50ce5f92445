"""What a camera says at its longest is read in a time that grows with its length, not with its
square: the dialogues of all cameras wait meanwhile."""

from __future__ import annotations

import time

import pytest

from vonggac.errors import MediaError
from vonggac.rtsp.challenges import parse_challenges
from vonggac.rtsp.habits import of_description, of_response
from vonggac.rtsp.lengthless import LINES_MAX_BYTES
from vonggac.rtsp.messages import (
    BODY_MAX_BYTES,
    HEADER_MAX_BYTES,
    Headers,
    MessageReader,
    Response,
)
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.sound import sound_track
from vonggac.rtsp.tracks import audio_tracks, video_encodings, video_track
from vonggac.rtsp.transport import parse_session, parse_transport
from vonggac.rtsp.url import CameraUrl, content_base, control_forms, without_login

MOST_S = 5.0
"""Of the processor. What grew with the square of these lengths took ten times as long and more."""
LONG = 4 * BODY_MAX_BYTES
ALL_TYPES = " ".join(map(str, range(128)))
VIDEO = "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"


def filled(unit: str, length: int = LONG) -> str:
    return (unit * (length // len(unit) + 1))[:length]


FIELDS = {
    "one word": "Digest " + filled("w"),
    "blanks": "Digest a=" + " " * LONG + "y",
    "equals signs": filled("a="),
    "quotes": "Digest " + filled('a="'),
    "quotes that are not closed": "Digest " + filled('a="b '),
    "quotes at blanks": "Digest " + filled('a="' + " " * 50),
    "backslashes": 'Digest a="' + "\\" * LONG,
    "commas": filled(", "),
    "schemes": filled('Digest a="" '),
}
BODIES = {
    "payload types": "m=video 0 RTP/AVP " + filled("0 ") + "\n" + filled("a=rtpmap:1 A\n"),
    "formats": "m=video 0 RTP/AVP " + filled("97 98 99 ") + "\n" + filled("a=fmtp:1 A\n"),
    "media": filled(f"m=audio 0 RTP/AVP {ALL_TYPES}\n") + filled("a=fmtp:1 A\n"),
    "a line of blanks": VIDEO + "a" + " " * LONG,
    "short lines": VIDEO + filled("a\n"),
    "origin": VIDEO + "o=" + filled("o="),
    "blanks behind a format": VIDEO + "a=fmtp:96" + " " * LONG + "x",
    "lines that end in blanks": VIDEO + filled("a=fmtp:9" + " " * 120 + "\n" * 120),
    "parameter sets": VIDEO + "a=fmtp:96 sprop-parameter-sets=" + filled("Z0I,"),
    "start codes": VIDEO + "a=fmtp:96 sprop-parameter-sets=" + filled("AAAB"),
    "control": VIDEO + "a=control:" + filled("rtsp://"),
}


@pytest.mark.parametrize("value", FIELDS.values(), ids=FIELDS.keys())
def test_a_header_field_however_long(value: str) -> None:
    began_s = time.process_time()
    parse_challenges([value])
    parse_transport(value)
    parse_session(value)
    list(of_response(Response(401, "", Headers((("WWW-Authenticate", value), ("Session", value))))))
    assert time.process_time() - began_s < MOST_S


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_description_however_long(body: str) -> None:
    began_s = time.process_time()
    description = parse_sdp(body.encode())
    audio_tracks(description)
    video_encodings(description)
    sound_track(description)
    track = video_track(description)
    if track is not None:
        list(of_description(Response(200, "OK", Headers(), body.encode()), description, track))
    assert time.process_time() - began_s < MOST_S


@pytest.mark.parametrize("unit", ["rtsp://", "@", "/", "../", "é", "?", "[", "rtsp://x@"])
def test_an_address_however_long(unit: str) -> None:
    url = CameraUrl("192.0.2.1", 554, "rtsp://192.0.2.1/x", None, False)
    value = "rtsp://" + filled(unit, HEADER_MAX_BYTES)
    began_s = time.process_time()
    control_forms(url, content_base(url, value), value)
    without_login(value)
    assert time.process_time() - began_s < MOST_S


@pytest.mark.parametrize("length", ["Content-Length: 60000", "Content-Type: application/sdp"])
def test_an_answer_that_drips(length: str) -> None:
    """Byte by byte: its header is read once, not with each byte of the body."""
    head = f"RTSP/1.0 200 OK\r\n{length}\r\n" + filled("a:b\r\n", 15_000) + "\r\n"
    reader = MessageReader()
    began_s = time.process_time()
    for byte in head.encode() + filled("a=b\n", 6_000).encode():
        reader.receive(bytes((byte,)))
        assert reader.next() is None
    assert time.process_time() - began_s < MOST_S


def described_without_length() -> MessageReader:
    reader = MessageReader()
    reader.receive(f"RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n{VIDEO}".encode())
    assert isinstance(reader.next(), Response)
    return reader


def test_a_late_line_without_an_end_is_not_waited_for() -> None:
    reader = described_without_length()
    began_s = time.process_time()
    reader.receive(b"a=" + b"x" * (LINES_MAX_BYTES - 2))
    assert reader.next() is None
    reader.receive(b"x")
    with pytest.raises(MediaError, match="bytes of a line"):
        reader.next()
    assert time.process_time() - began_s < MOST_S


def test_late_lines_that_are_cut_everywhere_are_let_go() -> None:
    reader = described_without_length()
    reader.receive(b"a=")
    for _ in range(3 * LONG // 64):
        reader.receive(b"b\r\na=" + b"x" * 57 + b"\r\na=")
        assert reader.next() is None
    reader.receive(b"y\r\nRTSP/1.0 404 Not Found\r\n\r\n")
    item = reader.next()
    assert isinstance(item, Response)
    assert item.status == 404
