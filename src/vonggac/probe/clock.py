"""What a camera takes the time to be: its RTCP sender reports against the box's clock."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from vonggac._native.parse import RTCP_SR, rtcp_items

__all__ = ["CameraClock", "ClockReader"]

_NTP_EPOCH_S = 2_208_988_800
"""From 1900 to 1970."""


@dataclass(frozen=True, slots=True)
class CameraClock:
    """How a camera's clock stands to the box's."""

    offset_s: float
    """Positive: ahead. The median of its reports; the way there, some ms, is within it."""
    spread_s: float
    """Between the least and the greatest of them: much, where the clock was set meanwhile."""
    reports: int


_REPORTS_MAX = 10_000


class ClockReader:
    """Takes the reports of one stream in."""

    def __init__(self) -> None:
        self.timeless = 0
        """Reports whose time is zero: the camera says that it has none."""
        self._offsets_s: list[float] = []

    def report(self, compound: bytes, ssrc: int | None, wall_ns: int) -> None:
        """An RTCP packet that came at `wall_ns`; other sources than `ssrc` are passed over.

        What stands behind a fault is not read (RFC 3550 6.1).
        """
        items, _fault = rtcp_items(compound)
        for item in items:
            if item.kind != RTCP_SR or (ssrc is not None and item.ssrc != ssrc):
                continue
            if item.ntp >> 32 == 0:
                self.timeless += 1
                continue
            told_s = (item.ntp >> 32) - _NTP_EPOCH_S + (item.ntp & 0xFFFFFFFF) / (1 << 32)
            if len(self._offsets_s) < _REPORTS_MAX:
                self._offsets_s.append(told_s - wall_ns / 1e9)

    def clock(self) -> CameraClock | None:
        """None: no report told a time."""
        told = self._offsets_s
        if not told:
            return None
        return CameraClock(statistics.median(told), max(told) - min(told), len(told))
