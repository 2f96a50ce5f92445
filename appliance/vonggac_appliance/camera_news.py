"""What a try to connect to a camera has to tell a person, as alarms."""

from __future__ import annotations

import time
from collections.abc import Callable

from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera
from vonggac_appliance.camera_memory import Memory, SessionFailed

__all__ = ["CameraNews"]

_WEAKER_EVERY_S = 3600.0
"""It is tried again every half minute, in case the camera asks as before."""


class CameraNews:
    """Used in the recorder's one thread. `alarm` takes kind, subject and sentence."""

    def __init__(self, alarm: Callable[[str, str, str], None]) -> None:
        self._alarm = alarm
        self._weaker_s: dict[bytes, float] = {}
        """By camera's id, when its downgrade was told last."""

    def failed(self, camera: Camera, memory: Memory, failure: SessionFailed) -> None:
        """No session came about."""
        if failure.is_refused:
            what = "it refuses user or password; it is asked again in minutes, lest it locks"
            self._alarm("wrong-password", camera.code, what)
        if failure.reason is GapReason.OTHER_DEVICE and memory.identity.other is None:
            self._alarm("other-device", camera.code, failure.what)
        if failure.is_weaker:
            self._weaker(camera, failure.what)

    def tried(self, camera: Camera, memory: Memory) -> None:
        """Whatever came of it."""
        if news := memory.identity.news():
            self._alarm("other-device", camera.code, news)

    def _weaker(self, camera: Camera, what: str) -> None:
        now_s = time.monotonic()
        if now_s - self._weaker_s.get(camera.id, -_WEAKER_EVERY_S) >= _WEAKER_EVERY_S:
            self._weaker_s[camera.id] = now_s
            self._alarm("weaker-login", camera.code, what)
