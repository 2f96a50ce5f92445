"""Camera trouble in the motion process: fed by the threads that decode, told on the bus.

What the recorder missed while it was away it hears within a minute: whoever looks wrong is told
again and again, and the recorder raises one alarm for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass

from vonggac.motion.trouble import TroubleTold, TroubleWatch
from vonggac_appliance import bus_events
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.events import Publisher
from vonggac_appliance.motion_eyes import Eyes
from vonggac_appliance.motion_plan import MotionPlan

__all__ = ["MotionTrouble", "TroubleTelling", "Troubled"]

_log = logging.getLogger("vonggac.motion")


@dataclass(frozen=True, slots=True)
class Troubled:
    """A camera's view, at the beginning of its trouble or at its end."""

    camera: bytes
    told: TroubleTold


class MotionTrouble:
    """A watch for each camera, whatever becomes of its eyes; one thread at a time has a camera."""

    def __init__(self, tell: Callable[[Troubled], None]) -> None:
        self._tell = tell
        self._watches: dict[bytes, TroubleWatch] = {}

    def see(self, camera: bytes, eyes: Eyes) -> None:
        """The latest picture of its newest footage."""
        if eyes.latest is None:
            return
        watch = self._watches.setdefault(camera, TroubleWatch())
        for told in watch.feed(*eyes.latest):
            self._tell(Troubled(camera, told))

    def keep_only(self, cameras: Collection[bytes]) -> None:
        """What is usual of others is forgotten."""
        for camera in set(self._watches) - set(cameras):
            self._watches.pop(camera, None)


class TroubleTelling:
    """In the process's main thread."""

    def __init__(self, plan: MotionPlan, publisher: Publisher) -> None:
        self._plan = plan
        self._publisher = publisher
        self._lasting: dict[bytes, TroubleTold] = {}

    def take(self, one: Troubled) -> None:
        """From a thread that decodes."""
        told = one.told
        if told.is_over:
            self._lasting.pop(one.camera, None)
        else:
            self._lasting[one.camera] = told
        word = "looks as usual again after" if told.is_over else "needs a look:"
        code = self._codes().get(one.camera)
        _log.warning("%s %s %s", code or "a camera that left", word, told.kind)
        self.again()

    def again(self) -> None:
        """Every minute: all that lasts, of cameras that are still there."""
        codes = self._codes()
        self._lasting = {camera: told for camera, told in self._lasting.items() if camera in codes}
        for camera, told in self._lasting.items():
            self._publisher.send(
                bus_events.CameraTrouble(
                    codes[camera], told.kind, told.from_ns, told.usual_ns, told.at_ns, wall_ns()
                )
            )

    def _codes(self) -> dict[bytes, str]:
        return {watch.camera: watch.code for watch in self._plan.watches()}
