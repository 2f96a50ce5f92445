"""Wall time, and times as people write them. Intervals are measured with time.monotonic."""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vonggac.errors import VonggacError

__all__ = ["Clock", "TimeFormatError", "is_synchronised", "iso", "parse_time", "wall_ns"]

Clock = Callable[[], int]
"""Gives the wall time in ns since 1970 UTC."""

_NS = 1_000_000_000
_TIME_ERROR = 5
_TIMEX_BYTES = 256
"""struct timex has 208 on 64 bits."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RELATIVE = re.compile(r"-(\d{1,9})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class TimeFormatError(VonggacError):
    """A text that is no time; the command line answers with its usage (exit 2)."""


def wall_ns() -> int:
    """Now."""
    return time.time_ns()


def iso(ns: int) -> str:
    """ISO 8601 with the offset of this box's zone, to the millisecond."""
    # timedelta has microseconds, so no float ever holds an epoch in ns.
    moment = (_EPOCH + timedelta(microseconds=ns // 1000)).astimezone()
    return moment.isoformat(timespec="milliseconds")


def is_synchronised() -> bool:
    """Whether something keeps this box's clock: adjtimex(2) says TIME_ERROR where nothing does.

    Where a sandbox refuses the call, what systemd-timesyncd has left.
    """
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: reads only
    state = int(ctypes.CDLL(None, use_errno=True).adjtimex(timex))
    if state >= 0:
        return state != _TIME_ERROR
    return Path("/run/systemd/timesync/synchronized").exists()


def parse_time(text: str, now_ns: int) -> int:
    """`2026-11-21T20:00:00+07:00`, `-10m` before now (s, m, h, d), or `now`.

    Without an offset the box's zone is meant.
    """
    if text == "now":
        return now_ns
    match = _RELATIVE.fullmatch(text)
    if match:
        return now_ns - int(match[1]) * _SECONDS[match[2]] * _NS
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise TimeFormatError(
            f"{text!r} is no time; write 2026-11-21T20:00:00+07:00, -10m or now"
        ) from None
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
