"""What callers do that a person has to look at: wrong keys, and a right one in two hands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from vonggac.ingest.callers import Rivals, neighbourhood
from vonggac.registry.camera import Camera

__all__ = ["PushAlarms"]

ALARM = "push-refused"
_WRONG_KEY_EVERY_S = 60.0
_RIVAL_EVERY_S = 3600.0


class PushAlarms:
    """Used in the recorder's one thread. `alarm` takes kind, subject and sentence."""

    def __init__(self, alarm: Callable[[str, str, str], None]) -> None:
        self._alarm = alarm
        self._rivals = Rivals()
        self._told_s: dict[bytes, float] = {}
        """When it was told last: of a camera its wrong keys, of a stream its rivals."""

    def wrong_key(self, camera: Camera | None, address: str) -> None:
        """For cameras that there are; a minute apart, for anybody may call."""
        if camera is None or camera.push is None:
            return
        if self._is_due(camera.id, _WRONG_KEY_EVERY_S):
            what = f"called from {address} with a wrong key"
            # After the answer: how long that takes is not to tell which codes exist.
            asyncio.get_running_loop().call_soon(self._alarm, ALARM, camera.code, what)

    def rival(self, camera: Camera, stream: bytes, holds: str, calls: str) -> None:
        """From address `calls` the key is shown while who has `holds` sends; once an hour."""
        now_s = time.monotonic()
        is_one = self._rivals.refused(stream, neighbourhood(holds), neighbourhood(calls), now_s)
        if is_one and self._is_due(stream, _RIVAL_EVERY_S):
            what = (
                f"{calls} calls with its key while {holds} publishes: the key is in two hands; see "
                "which is the camera, and push-key --renew"
            )
            self._alarm(ALARM, camera.code, what)

    def ended(self, stream: bytes) -> None:
        """Nobody sends it now."""
        self._rivals.ended(stream)

    def _is_due(self, what: bytes, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s - self._told_s.get(what, -every_s) < every_s:
            return False
        self._told_s[what] = now_s
        return True
