"""What is told of a camera's sound: by the recorder, by `camera show`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from sound_maker import LATM, PCMA
from vonggac.media.chunk import Codec
from vonggac.registry.camera import Basis, Camera, Mode, OwnerKind, Stream
from vonggac.rtsp.events import PlayReady
from vonggac.rtsp.sound import SoundReady, SoundTold
from vonggac.rtsp.tracks import AudioTrack
from vonggac_appliance.bus_control import CameraStatus, SoundStatus, StreamStatus
from vonggac_appliance.camera_sound import sound_status
from vonggac_appliance.cli_camera_sound import sound_facts, sound_rows
from vonggac_appliance.loop_stats import NEVER_MS, StreamStats

STREAM = Stream(b"s" * 16, "main", "")
BASIS = Basis(Mode.RECORDED, 0, audio=True)
HOUSE = Camera(b"c" * 16, "nha12", (STREAM,), 0, owner_kind=OwnerKind.HOUSEHOLD, basis=BASIS)
PLAY = PlayReady(
    Codec.H264, 96, 90_000, 0, 1, (), (), (), 60, "", None, "",
    audio=(AudioTrack("PCMA", 8000, False),), sound=SoundReady(PCMA, 8, 2, 3),
)  # fmt: skip
STATS = StreamStats(STREAM.id, 1, *[0] * 17, sound_packets=50, sound_frames=49, sound_holes=2,
                    sound_missing_ms=60, sound_age_ms=20)  # fmt: skip


def told(play: PlayReady, stats: StreamStats | None = STATS, recorded_s: float = 60) -> SoundStatus:
    found = sound_status(HOUSE, play, stats, recorded_s)
    assert found is not None
    return found


def test_what_a_loop_heard_is_told() -> None:
    found = told(PLAY)
    assert (found.state, found.codec, found.frames) == ("recorded", "pcma", 49)
    assert (found.holes, found.missing_ms, found.last_frame_age_ms) == (2, 60, 20)
    assert told(replace(PLAY, sound=SoundReady(LATM, 97, 2, 3))).codec == "latm"


def test_of_a_camera_without_a_basis_for_sound_nothing_is_told() -> None:
    state_owned = structs.replace(HOUSE, owner_kind=OwnerKind.STATE)
    assert sound_status(state_owned, PLAY, STATS, 60) is None
    assert sound_status(HOUSE, None, None, 0) is None


def test_a_camera_that_grants_sound_and_sends_none_is_silent_after_ten_seconds() -> None:
    never = replace(STATS, sound_age_ms=NEVER_MS)
    assert told(PLAY, never, 5).state == "recorded"
    assert told(PLAY, never, 11).state == "silent"
    assert told(PLAY, never, 11).last_frame_age_ms is None
    assert told(PLAY, replace(STATS, sound_age_ms=11_000)).state == "silent"
    assert told(PLAY, None).state == "recorded"


@pytest.mark.parametrize(
    ("play", "state"),
    [
        (replace(PLAY, sound=None), "not-granted"),
        (replace(PLAY, sound=None, sound_told=SoundTold(was_asked=False)), "put-off"),
        (replace(PLAY, sound=None, sound_told=SoundTold(unfit="odd")), "not-carried"),
        (replace(PLAY, sound=None, audio=()), "not-offered"),
        (replace(PLAY, sound=None, audio=(AudioTrack("PCMA", 8000, True),)), "not-offered"),
    ],
    ids=["refused", "put off", "unfit", "none", "a back channel"],
)
def test_why_none_is_recorded_is_told(play: PlayReady, state: str) -> None:
    found = told(play)
    assert (found.state, found.codec) == (state, None)
    assert found.what


def test_camera_show_says_it_in_words_and_as_facts() -> None:
    sounds = (told(PLAY), told(replace(PLAY, sound=None)), None)
    streams = [StreamStatus(f"s{n}", "recording", sound=one) for n, one in enumerate(sounds)]
    status = CameraStatus("nha12", "recording", streams)
    (first, words), (_, refused) = sound_rows(status)
    assert first == "s0's sound"
    assert words.startswith("its sound is recorded (pcma): 49 frames, the last 0 s ago;")
    assert words.endswith("2 holes of 0.1 s in all")
    assert "did not grant it" in refused
    facts = sound_facts(status)
    assert [fact["stream"] for fact in facts] == ["s0", "s1"]
    assert facts[0]["missing_ms"] == 60
    assert (sound_rows(None), sound_facts(None)) == ([], [])
