"""What is said about sound: that it is recorded, that none comes, why none is."""

from __future__ import annotations

import pytest

from vonggac.ingest.sound import SoundState, heard_state, missing_sound, sound_sentence


@pytest.mark.parametrize(
    ("offered", "unfit", "was_asked", "expected"),
    [
        ([], "", False, SoundState.NOT_OFFERED),
        (["G726-32", "L16"], "", True, SoundState.NOT_CARRIED),
        (["MP4A-LATM"], "its configuration comes in the packets", True, SoundState.NOT_CARRIED),
        (["PCMA"], "", True, SoundState.NOT_GRANTED),
        (["G726-32", "PCMA"], "", True, SoundState.NOT_GRANTED),
        (["PCMA"], "", False, SoundState.PUT_OFF),
    ],
)
def test_sound_that_is_not_recorded_has_a_reason(
    offered: list[str], unfit: str, was_asked: bool, expected: SoundState
) -> None:
    assert missing_sound(offered, unfit, was_asked) is expected


@pytest.mark.parametrize(
    ("age_s", "recorded_s", "is_silent"),
    [
        (None, 3, False),
        (None, 11, True),
        (0.5, 100, False),
        (11, 100, True),
        (11, 3, False),
    ],
    ids=["just begun", "never", "now", "no more", "a run that just began"],
)
def test_a_camera_that_grants_sound_and_sends_none_is_told(
    age_s: float | None, recorded_s: float, is_silent: bool
) -> None:
    assert (heard_state(age_s, recorded_s) is SoundState.SILENT) is is_silent


def test_sound_that_may_be_kept_is_named_where_it_is_not() -> None:
    said = sound_sentence(SoundState.NOT_GRANTED, ["MPEG4-GENERIC", "PCMA", "PCMA"])
    assert "MPEG4-GENERIC, PCMA;" in said
    assert "no sound is recorded: the camera did not grant it" in said


def test_what_a_file_cannot_carry_is_said_by_name_and_with_its_reason() -> None:
    latm = sound_sentence(SoundState.NOT_CARRIED, ["MP4A-LATM"], "it has several layers")
    assert latm.endswith("it offers MP4A-LATM; no sound is recorded: it has several layers")
    assert sound_sentence(SoundState.NOT_CARRIED, ["G722"]).endswith("a file cannot carry that")


def test_every_state_has_its_sentence() -> None:
    said = {sound_sentence(state, ["PCMA"]) for state in SoundState}
    assert len(said) == len(SoundState)
    assert "its basis allows sound, and it offers none" in said
