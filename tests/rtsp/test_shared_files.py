"""Every shared recording leads to an event, a value or a refusal, and to no surprise."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

from vonggac.errors import MediaError
from vonggac.rtsp.auth import Authenticator
from vonggac.rtsp.challenges import parse_challenges
from vonggac.rtsp.client import ClientSession
from vonggac.rtsp.habits import of_description, of_response, of_transport
from vonggac.rtsp.messages import Headers, Response, parse_message
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.states import State
from vonggac.rtsp.tracks import audio_tracks, video_track
from vonggac.rtsp.transport import parse_session, parse_transport
from vonggac.rtsp.url import Credentials, parse_camera_url

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: %d\r\nContent-Length: %d\r\nSession: 1\r\n\r\n"


def files(fixtures: Path) -> list[Path]:
    found = [path for path in (fixtures / "rtsp").rglob("*") if path.is_file()]
    assert len(found) > 100
    return found


def read_by_all(data: bytes) -> None:
    """By every parser, each of which may refuse it."""
    text = data.decode("latin-1")
    parse_challenges([text])
    parse_transport(text)
    parse_session(text)
    list(of_transport(text, (0, 1)))
    list(of_response(Response(200, text, Headers((("Session", text),)))))
    with contextlib.suppress(MediaError):
        parse_message(data)
    with contextlib.suppress(MediaError):
        description = parse_sdp(data)
        audio_tracks(description)
        track = video_track(description)
        if track is not None:
            list(of_description(Response(200, "OK", body=data), description, track))


def test_every_file_is_read_by_every_parser_or_refused(fixtures: Path) -> None:
    for path in files(fixtures):
        read_by_all(path.read_bytes())


def test_every_file_may_be_cut_at_any_line_and_spoiled_anywhere(fixtures: Path) -> None:
    draw = random.Random(5)
    for path in files(fixtures):
        data = path.read_bytes()[:4000]
        ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A][:60]
        for end in ends:
            read_by_all(data[:end])
            read_by_all(data[end:])
        for _ in range(6):
            spoilt = bytearray(data)
            for _ in range(1 + len(data) // 500):
                at = draw.randrange(len(data) or 1)
                spoilt[at : at + 1] = bytes([draw.randrange(256)])
            read_by_all(bytes(spoilt))


def test_every_file_may_be_what_a_camera_answers(fixtures: Path) -> None:
    """Once as the description, once as bytes behind the first answer."""
    url = parse_camera_url("rtsp://10.0.0.9/cam")
    for path in files(fixtures):
        data = path.read_bytes()[:60_000]
        for bare in (False, True):
            session = ClientSession(url, Authenticator(Credentials("a", "b"), "c0ffee"))
            session.start()
            session.receive(ANSWER % (1, 0))
            session.receive(data if bare else ANSWER % (2, len(data)) + data)
            while session.next_event() is not None:
                pass
            assert session.state not in (State.NEW, State.OPTIONS), path
