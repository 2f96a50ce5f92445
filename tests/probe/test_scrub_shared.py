"""Real cameras' descriptions, scrubbed: the same tracks, the same habits, and no address."""

from __future__ import annotations

import re
from pathlib import Path

from vonggac.errors import MediaError
from vonggac.probe.scrub_messages import scrub_message
from vonggac.probe.stand_ins import StandIns
from vonggac.rtsp.habits import of_description
from vonggac.rtsp.messages import Headers, Response, parse_message
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.tracks import audio_tracks, video_track

FIELDS = (
    ("CSeq", "1"),
    ("Content-Type", "application/sdp"),
    ("Content-Base", "rtsp://10.9.8.7/x/"),
)
ADDRESS = re.compile(rb"(?<![\d.])(?!0\.0\.0\.0|192\.0\.2\.1)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")


def answers(folder: Path) -> list[tuple[str, Response]]:
    """Every description there is, as the answer to a DESCRIBE."""
    found = []
    for path in sorted(folder.rglob("*.sdp")):
        body = path.read_bytes()
        fields = (*FIELDS, ("Content-Length", str(len(body))))
        found.append((path.name, Response(200, "OK", Headers(fields), body)))
    for path in sorted(folder.rglob("*describe*.txt")):
        try:
            answer = parse_message(path.read_bytes())
        except MediaError:
            continue
        assert isinstance(answer, Response)
        found.append((path.name, answer))
    return found


def facts(answer: Response) -> object:
    try:
        description = parse_sdp(answer.body)
    except MediaError:
        return None
    track = video_track(description)
    habits = set() if track is None else set(of_description(answer, description, track))
    kinds = [(one.kind, one.payload_types, one.direction) for one in description.media]
    tracks = None
    if track is not None:
        tracks = (
            track.codec,
            track.payload_type,
            track.clock_rate,
            track.vps,
            track.sps,
            track.pps,
        )
    return kinds, tracks, audio_tracks(description), habits


def test_tracks_and_habits_survive_and_addresses_do_not(fixtures: Path) -> None:
    found = answers(fixtures / "rtsp")
    assert len(found) > 20
    for name, answer in found:
        names = StandIns()
        names.dial("10.9.8.7")
        raw = scrub_message(answer.encode(), names).encode("latin-1")
        again = parse_message(raw)
        assert isinstance(again, Response)
        assert facts(again) == facts(answer), name
        assert not ADDRESS.search(raw), name
