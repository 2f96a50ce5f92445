"""What the motion process tells: episodes and tiers on the bus, and its state to who asks."""

from __future__ import annotations

import logging
import time
from collections import deque

from vonggac.motion import ranges
from vonggac.motion.slots import Slot, Tier
from vonggac.motion.tracker import Happening, Tracker
from vonggac_appliance import bus_events
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.events import Publisher
from vonggac_appliance.messages_motion import MotionStatusReply, MotionStream
from vonggac_appliance.motion_plan import MotionPlan
from vonggac_appliance.motion_watch import Watch

__all__ = ["MotionTelling", "tier_word"]

_log = logging.getLogger("vonggac.motion")

_S = 1_000_000_000
_SILENT_S = 15
"""A stream of which nothing comes has no episode that goes on."""
_LATE_S = 120
"""What is older when it is indexed is no news."""
_RATES = 7
"""Every 5 s: half a minute."""


def tier_word(tier: Tier) -> str:
    """As messages and commands write it."""
    return "full" if tier is Tier.FULL else "key"


class MotionTelling:
    """In the process's main thread."""

    def __init__(self, plan: MotionPlan, publisher: Publisher) -> None:
        self._plan = plan
        self._publisher = publisher
        self._trackers: dict[bytes, Tracker] = {}
        self._spent: dict[bytes, deque[tuple[float, float]]] = {}

    def see(self, camera: bytes, slots: tuple[Slot, ...]) -> None:
        """Newest footage of a camera."""
        tracker = self._trackers.setdefault(camera, Tracker())
        late_s = wall_ns() // _S - _LATE_S
        for slot in slots:
            if slot.second > late_s:
                self._episodes(camera, tracker.add(slot))

    def quiet(self) -> None:
        """Each second: ends episodes of streams that say nothing any more."""
        second = wall_ns() // _S - _SILENT_S
        cameras = {watch.camera for watch in self._plan.watches()}
        for camera, tracker in list(self._trackers.items()):
            self._episodes(camera, tracker.quiet_until(second))
            if camera not in cameras:
                del self._trackers[camera]

    def tiers(self, changed: list[Watch]) -> None:
        """These cameras are decoded in another way from now on."""
        for watch in changed:
            what = (
                "there is room again: decoded whole"
                if watch.tier is Tier.FULL
                else "the share of the CPU does not suffice: by key frames alone"
            )
            _log.warning("%s: %s", watch.code, what)
            word = tier_word(watch.tier)
            self._publisher.send(bus_events.MotionTier(watch.code, word, what, wall_ns()))

    def count(self) -> None:
        """Every 5 s: what has been spent."""
        now_s = time.monotonic()
        watches = self._plan.watches()
        self._spent = {w.camera: self._spent.get(w.camera, deque(maxlen=_RATES)) for w in watches}
        for watch in watches:
            self._spent[watch.camera].append((now_s, watch.cpu_s))

    def status(
        self, number: int, budget: float, index_bytes: int, skipped: int
    ) -> MotionStatusReply:
        """Everything at once; `budget` in cores."""
        streams = [self._stream(watch) for watch in self._plan.watches()]
        spent = sum(one.cpu_permille for one in streams)
        return MotionStatusReply(
            number, streams, spent, round(budget * 1000), index_bytes, skipped, wall_ns()
        )

    def _stream(self, watch: Watch) -> MotionStream:
        spent = self._spent.get(watch.camera)
        permille = 0
        if spent and len(spent) > 1:
            (first_s, first), (last_s, last) = spent[0], spent[-1]
            permille = round(1000 * (last - first) / (last_s - first_s))
        return MotionStream(
            watch.camera,
            watch.name,
            "none" if watch.what else tier_word(watch.tier),
            watch.position_ns,
            watch.behind_ns // _S,
            ranges.total(watch.todo),
            permille,
            watch.what,
            watch.code,
        )

    def _episodes(self, camera: bytes, told: list[Happening]) -> None:
        if not told:
            return
        codes = {watch.camera: watch.code for watch in self._plan.watches()}
        if camera not in codes:
            return
        for one in told:
            self._publisher.send(
                bus_events.MotionFound(
                    codes[camera],
                    one.from_s,
                    one.is_over,
                    one.from_s * _S,
                    one.to_s * _S,
                    one.strongest_s * _S,
                    one.cells,
                    tier_word(one.tier),
                    wall_ns(),
                )
            )
