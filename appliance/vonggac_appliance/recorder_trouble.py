"""Camera trouble that the motion process sees, heard by the recorder and raised as alarms.

The motion process decodes what cameras send, so it is not believed much: cameras and kinds have to
be known, moments are of the past, and a flood of it is heard ten times a second at most.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import zmq
import zmq.asyncio

from vonggac_appliance import bus_events
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.clock import Clock, iso, wall_ns
from vonggac_appliance.events import Publisher
from vonggac_appliance.sockets import DECODE_ERRORS, ipc_path

__all__ = ["TroubleAlarms"]

_log = logging.getLogger("vonggac.record")

_TOPIC = b"camera-trouble"
_KEPT_MAX = 600
"""Messages that wait; each is told again."""
_BYTES_MAX = 4096
_REST_S = 0.1
_AHEAD_NS = 10 * 1_000_000_000
ALARM_COVERED = "view-covered"
ALARM_BLINDED = "view-blinded"
ALARM_TURNED = "view-turned"
ALARM_DEFOCUSED = "view-defocused"
ALARM_FROZEN = "view-frozen"
ALARM_DARK = "view-dark"
_RAISED = {
    "covered": (ALARM_COVERED, "the lens may be covered"),
    "blinded": (ALARM_BLINDED, "a light may blind the camera"),
    "turned": (ALARM_TURNED, "the camera may have been turned"),
    "defocused": (ALARM_DEFOCUSED, "the lens may be out of focus"),
    "frozen": (ALARM_FROZEN, "the picture may be frozen"),
    "dark": (ALARM_DARK, "there may be no light, or the lens is covered"),
}
"""By `vonggac.motion.trouble.Trouble`."""


class TroubleAlarms:
    """In the recorder's one thread. `is_camera`: whether the catalog has a camera of that code."""

    def __init__(
        self,
        alarms: AlarmStore,
        publisher: Publisher,
        is_camera: Callable[[str], bool],
        wall: Clock = wall_ns,
    ) -> None:
        self._alarms = alarms
        self._publisher = publisher
        self._is_camera = is_camera
        self._wall = wall
        self._raised: dict[str, tuple[str, int]] = {}
        """By camera, the last one: its kind and when it began."""

    async def serve(self, home: Path, context: zmq.asyncio.Context) -> None:
        """Hears until it is cancelled; a motion process that is not there is waited for."""
        path = bus_events.events_endpoint(home, "motion")
        with context.socket(zmq.SUB) as heard, ipc_path(path) as address:
            heard.linger = 0
            heard.rcvhwm = _KEPT_MAX
            heard.maxmsgsize = _BYTES_MAX
            heard.subscribe(_TOPIC)
            heard.connect(address)
            while True:
                self._hear(await heard.recv_multipart())
                await asyncio.sleep(_REST_S)

    def _hear(self, frames: list[bytes]) -> None:
        try:
            event = bus_events.decode_event(frames)
        except DECODE_ERRORS:
            return  # a newer process's
        if isinstance(event, bus_events.CameraTrouble):
            self.take(event)

    def take(self, event: bus_events.CameraTrouble) -> None:
        """Raises an alarm, once for each trouble however often it is told."""
        now_ns = self._wall()
        moments = (event.usual_ns, event.from_ns, event.shown_ns)
        is_past = all(0 <= ns <= now_ns + _AHEAD_NS for ns in moments)
        if event.kind not in _RAISED or not self._is_camera(event.camera) or not is_past:
            return
        if self._raised.get(event.camera) == (event.kind, event.from_ns):
            return
        self._raised[event.camera] = (event.kind, event.from_ns)
        kind, may_be = _RAISED[event.kind]
        what = f"needs a look: {may_be}, since about {iso(event.from_ns)}"
        _log.warning("%s: %s", event.camera, what)
        pictures_ns = [ns for ns in (event.usual_ns, event.shown_ns) if ns]
        self._alarms.note(kind, event.camera, what, now_ns, pictures_ns)
        self._publisher.send(bus_events.Alarm(kind, event.camera, what, now_ns))
