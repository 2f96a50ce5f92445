"""Looks at simulated cameras through the eyes of `camera probe`, and captures what passed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quirk_camera import PASSWORD, USER, Quirk
from quirk_server import QuirkServer
from vonggac.probe.capture import CaptureWriter, spellings
from vonggac.probe.findings import StreamFindings
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.camera_probe import Asked, probe_stream
from vonggac_appliance.config import parse

_CONFIG = parse("", "config.toml").cameras
_LOGIN = Credentials(USER, PASSWORD)


class Look:
    """One camera, looked at."""

    def __init__(self, name: str, url: str, seconds: float, transport: str = "tcp") -> None:
        self.name = name
        self.lines: list[str] = []
        self.memory = Memory()
        self._asked = Asked("main", url, transport, seconds)

    async def run(self) -> None:
        writer = CaptureWriter(self.lines.append, {}, spellings(USER, PASSWORD))
        self.found: StreamFindings = await probe_stream(
            self._asked, _LOGIN, _CONFIG, self.memory, writer
        )

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


def looked_at(quirks: Sequence[Quirk], seconds: float, transport: str = "tcp") -> list[Look]:
    """All of them at once."""
    server = QuirkServer(quirks)
    looks = [Look(quirk.name, server.url(quirk), seconds, transport) for quirk in quirks]

    async def run() -> None:
        await asyncio.gather(*(look.run() for look in looks))

    try:
        asyncio.run(run())
    finally:
        server.stop()
    return looks
