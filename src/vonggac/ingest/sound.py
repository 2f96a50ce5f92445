"""What becomes of a camera's sound, in one word for programs and one sentence for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

__all__ = ["SoundState", "heard_state", "missing_sound", "sound_sentence"]

_CARRIED = ("MPEG4-GENERIC", "AAC", "MP4A-LATM", "PCMA", "PCMU", "OPUS")
"""Names in a description of what a file can carry."""
_SILENT_S = 10.0
"""So long without a frame, and it is said that none comes. Cameras that leave silence out send a
frame of its noise twice a second."""


class SoundState(StrEnum):
    """Where a camera's basis allows sound: what comes of it."""

    RECORDED = "recorded"
    SILENT = "silent"
    """Granted, and none comes."""
    NOT_OFFERED = "not-offered"
    NOT_CARRIED = "not-carried"
    """A file cannot carry what is offered."""
    NOT_GRANTED = "not-granted"
    PUT_OFF = "put-off"
    """No picture came beside it: not asked for, for a day."""


_SENTENCES = {
    SoundState.RECORDED: "its sound is recorded",
    SoundState.SILENT: "it granted sound and sends none",
    SoundState.NOT_OFFERED: "its basis allows sound, and it offers none",
    SoundState.NOT_GRANTED: "the camera did not grant it",
    SoundState.PUT_OFF: "it gave no pictures when it was asked for it, so it is not for a day",
}


def missing_sound(offered: Sequence[str], unfit: str, was_asked: bool) -> SoundState:
    """Why none is recorded where the camera's basis allows it.

    `offered`: encodings by their names in the camera's description; `unfit`: why none of them will
    do, empty where one will.
    """
    if not offered:
        return SoundState.NOT_OFFERED
    if unfit or not any(name in _CARRIED for name in offered):
        return SoundState.NOT_CARRIED
    return SoundState.NOT_GRANTED if was_asked else SoundState.PUT_OFF


def heard_state(frame_age_s: float | None, recorded_s: float) -> SoundState:
    """Of sound that was granted. `frame_age_s`: of the newest frame, None before the first;
    `recorded_s`: how long there have been pictures."""
    silent_s = recorded_s if frame_age_s is None else min(frame_age_s, recorded_s)
    return SoundState.SILENT if silent_s > _SILENT_S else SoundState.RECORDED


def sound_sentence(state: SoundState, offered: Sequence[str] = (), unfit: str = "") -> str:
    """For people. `unfit`: of what is not carried, why."""
    if state in (SoundState.RECORDED, SoundState.SILENT, SoundState.NOT_OFFERED):
        return _SENTENCES[state]
    names = ", ".join(dict.fromkeys(offered))
    why = _SENTENCES.get(state) or unfit or "a file cannot carry that"
    return f"its basis allows sound and it offers {names}; no sound is recorded: {why}"
