"""The box's clock as a keeper may trust it: by the recorder's last word, while that holds."""

from __future__ import annotations

from vonggac.store import retention
from vonggac_appliance.clock import Clock
from vonggac_appliance.messages_keeper import ClockTold

__all__ = ["ToldClock"]

_TOLD_S = 60.0
"""How long the recorder's word about the clock holds."""
_STEP_S = 60.0


class ToldClock:
    """Seconds are of the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: ClockTold | None = None
        self._told_at: tuple[float, int] = (0.0, 0)
        self._is_moved = False
        """It was set between two words of the recorder, which may not have seen it yet."""

    def tell(self, told: ClockTold, now_s: float) -> None:
        """The recorder's word."""
        now_ns = self._clock()
        is_known = self._told is not None and self._told_at[0] > 0
        self._is_moved = is_known and self._has_moved(now_s, now_ns)
        self._told = told
        self._told_at = (now_s, now_ns)

    def state(self, now_s: float) -> retention.Clock:
        """As told, if that is new enough and the clock was not set since."""
        now_ns = self._clock()
        if self._told is None or now_s - self._told_at[0] > _TOLD_S:
            return retention.Clock(now_ns, 0, is_stepped=False)
        is_moved = self._is_moved or self._has_moved(now_s, now_ns)
        is_stepped = self._told.is_stepped or is_moved
        return retention.Clock(now_ns, self._told.synced_for_ns, is_stepped)

    def _has_moved(self, now_s: float, now_ns: int) -> bool:
        """Whether the clock was set since the recorder's word about it."""
        told_s, told_ns = self._told_at
        return abs((now_ns - told_ns) / 1e9 - (now_s - told_s)) > _STEP_S
