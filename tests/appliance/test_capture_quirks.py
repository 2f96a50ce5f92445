"""Every camera that breaks a rule, known by its capture alone: it breaks the same rule again."""

from __future__ import annotations

import importlib.resources
from fractions import Fraction
from urllib.parse import quote

from capture_rig import looked_at
from quirk_camera import PASSWORD, Quirk
from quirk_replay import Replay
from quirks import catalogue
from vonggac.media.chunk import Codec
from vonggac_appliance.camera_clip import load_clip

SECONDS = 1.5
AGAIN_S = 3.0
"""Longer: what comes last comes at its own time, on a machine that may be busy."""


def keeps_time(quirk: Quirk) -> bool:
    """Whether it ends, or begins, at a time that a busy machine may miss."""
    return quirk.timeout_s < 10 or quirk.first_video_s > 0


def test_the_capture_of_a_camera_with_a_habit_has_that_habit() -> None:
    file = importlib.resources.files("vonggac_appliance") / "demo" / "street-sub.h264"
    clip = load_clip(file.read_bytes(), Codec.H264, Fraction(25, 2))
    quirks = [quirk for one in catalogue() if not keeps_time(quirk := one(clip))]
    first = looked_at(quirks, SECONDS)
    seen = {habit for look in first for habit in look.memory.habits}
    assert len(seen) > 25
    for look in first:
        assert PASSWORD not in look.text and quote(PASSWORD) not in look.text

    replays = [Replay(look.text, look.name) for look in first]
    again = looked_at(replays, AGAIN_S)
    for before, after in zip(first, again, strict=True):
        assert after.outcome() == before.outcome(), before.name
