"""How far back a ring reaches, and how long what is left of it lasts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Forecast", "forecast"]

_LEAST_NS = 60_000_000_000
"""Less footage than that foretells nothing."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one ring. It reuses its oldest segments, so it is never full: it begins to overwrite."""

    free_bytes: int
    bytes_per_s: float | None
    """At which it is written; None while too little was seen."""
    over_ns: int
    """Over how much time that was measured."""
    is_overwriting: bool
    """Everything is in use: what comes takes the place of the oldest."""
    lasts_s: float | None
    """Until the first footage is overwritten; None where that is so already, or nobody can tell."""
    holds_s: float | None
    """How much time the whole ring holds at that rate."""


def forecast(
    capacity_bytes: int,
    used_bytes: int,
    oldest_ns: int | None,
    now_ns: int,
    measured: tuple[float, int] | None,
) -> Forecast:
    """From what a keeper tells of its disk.

    `measured`: bytes a second and over how many ns of the last day, where that is known. Else the
    rate is what is used over the time since the oldest footage.
    """
    free_bytes = max(0, capacity_bytes - used_bytes)
    rate, over_ns = measured or _mean(used_bytes, oldest_ns, now_ns)
    is_overwriting = free_bytes == 0
    if not rate:
        return Forecast(free_bytes, None, 0, is_overwriting, None, None)
    return Forecast(
        free_bytes,
        rate,
        over_ns,
        is_overwriting,
        None if is_overwriting else free_bytes / rate,
        capacity_bytes / rate,
    )


def _mean(used_bytes: int, oldest_ns: int | None, now_ns: int) -> tuple[float, int]:
    if oldest_ns is None or now_ns - oldest_ns < _LEAST_NS:
        return 0.0, 0
    return used_bytes / ((now_ns - oldest_ns) / 1e9), now_ns - oldest_ns
