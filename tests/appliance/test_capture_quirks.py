"""Every camera that breaks a rule, known by its capture alone: it breaks the same rule again."""

from __future__ import annotations

import asyncio
import importlib.resources
from collections.abc import Sequence
from fractions import Fraction
from urllib.parse import quote

from quirk_replay import Replay
from quirk_server import PASSWORD, USER, Quirk, QuirkServer
from quirks import catalogue
from vonggac.media.chunk import Codec
from vonggac.probe.capture import CaptureWriter, spellings
from vonggac.probe.findings import StreamFindings
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_clip import load_clip
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.camera_probe import Asked, probe_stream
from vonggac_appliance.config import parse

CONFIG = parse("", "config.toml").cameras
LOGIN = Credentials(USER, PASSWORD)
SECONDS = 1.5
AGAIN_S = 3.0
"""Longer: what comes last comes at its own time, on a machine that may be busy."""


class Look:
    """One camera, looked at."""

    def __init__(self, name: str, url: str, seconds: float) -> None:
        self.name, self.url, self.seconds = name, url, seconds
        self.lines: list[str] = []
        self.memory = Memory()

    async def run(self) -> None:
        writer = CaptureWriter(self.lines.append, {}, spellings(USER, PASSWORD))
        asked = Asked("main", self.url, "tcp", self.seconds)
        self.found: StreamFindings = await probe_stream(asked, LOGIN, CONFIG, self.memory, writer)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def outcome(self) -> tuple[object, ...]:
        """What the camera is to us."""
        found, figures = self.found, self.found.figures
        habits = set(self.memory.habits) - {Habit.TEARDOWN}
        has_pictures = figures is not None and figures.pictures > 3
        size = (figures.width, figures.height) if figures is not None else None
        return found.reason, found.codec, found.login, has_pictures, size, habits


def looked_at(quirks: Sequence[Quirk], seconds: float) -> list[Look]:
    """All of them at once."""
    server = QuirkServer(quirks)
    looks = [Look(quirk.name, server.url(quirk), seconds) for quirk in quirks]

    async def run() -> None:
        await asyncio.gather(*(look.run() for look in looks))

    try:
        asyncio.run(run())
    finally:
        server.stop()
    return looks


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
