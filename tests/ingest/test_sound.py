"""What is said about sound that is not recorded."""

from __future__ import annotations

from vonggac.ingest.sound import sound_not_kept


def test_sound_that_nobody_agreed_to_is_not_missed() -> None:
    assert sound_not_kept(False, ["PCMA"]) == ""


def test_sound_that_may_be_kept_is_named_where_it_is_not() -> None:
    said = sound_not_kept(True, ["MPEG4-GENERIC", "PCMA", "PCMA"])
    assert "MPEG4-GENERIC, PCMA;" in said
    assert "no sound is recorded" in said


def test_a_camera_without_sound_is_told_too() -> None:
    assert sound_not_kept(True, []) == "its basis allows sound, and it offers none"
