"""From the times and stamps of a stream's pictures to what a person wants to know of it."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from vonggac.probe.clock import CameraClock

__all__ = ["Figures", "Gop", "Picture", "figures_of"]

_SETTLE_NS = 1_000_000_000
"""Cameras send a GOP that they kept at once (row 83): rates are taken behind it."""
_STEP_MAX_S = 600.0
"""More between two pictures, or less than none, is a stamp that cannot be meant (row 79)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An access unit."""

    arrived_ns: int
    """Monotonic: when it was known to be whole."""
    timestamp: int
    """RTP ticks, 32 bits."""
    is_sync: bool
    is_damaged: bool
    size: int


@dataclass(frozen=True, slots=True)
class Gop:
    """From one sync sample to the next, in seconds."""

    least_s: float
    median_s: float
    most_s: float
    pictures: int
    """In the median one."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one stream."""

    measured_s: float
    first_picture_s: float | None
    """Since PLAY was answered; None: there was none."""
    pictures: int
    damaged: int
    sync_pictures: int
    width: int
    """0 where nothing told it."""
    height: int
    fps: float | None
    """By arrival."""
    stamped_fps: float | None
    """By the camera's own stamps; None where they make no sense."""
    bitrate_bps: float | None
    gop: Gop | None
    """None: fewer than two sync samples came."""
    open_gop_s: float
    """Since the last sync sample, or since the beginning where none came."""
    pause_max_s: float
    """The longest between two pictures."""
    packets: int
    packets_lost: int
    packets_late: int
    """Datagrams that came when they were given up."""
    parameter_sets: int
    """Different SPS within the stream."""
    has_b_pictures: bool
    clock: CameraClock | None
    timeless_reports: int
    """Sender reports without a time."""

    @property
    def lost_part(self) -> float:
        """Of all packets that were sent, as far as is known."""
        sent = self.packets + self.packets_lost
        return self.packets_lost / sent if sent else 0.0


def figures_of(
    pictures: Sequence[Picture],
    began_ns: int,
    ended_ns: int,
    *,
    clock_rate: int,
    size: tuple[int, int],
    octets: int,
    packets: int,
    packets_lost: int,
    packets_late: int,
    parameter_sets: int,
    has_b_pictures: bool,
    clock: CameraClock | None,
    timeless_reports: int,
) -> Figures:
    """`octets`: of RTP, headers included, between `began_ns` and `ended_ns` (monotonic)."""
    measured_s = max(0.0, (ended_ns - began_ns) / 1e9)
    settled = [one for one in pictures if one.arrived_ns - pictures[0].arrived_ns >= _SETTLE_NS]
    pauses = [(b.arrived_ns - a.arrived_ns) / 1e9 for a, b in itertools.pairwise(pictures)]
    steps_s = _steps_s(pictures, clock_rate)
    last_sync_ns = next((one.arrived_ns for one in reversed(pictures) if one.is_sync), began_ns)
    return Figures(
        measured_s=measured_s,
        first_picture_s=(pictures[0].arrived_ns - began_ns) / 1e9 if pictures else None,
        pictures=len(pictures),
        damaged=sum(one.is_damaged for one in pictures),
        sync_pictures=sum(one.is_sync for one in pictures),
        width=size[0],
        height=size[1],
        fps=_rate(settled) or _rate(pictures),
        stamped_fps=_stamped_fps(steps_s),
        bitrate_bps=octets * 8 / measured_s if measured_s > 0 and octets else None,
        gop=_gop(pictures, steps_s),
        open_gop_s=(ended_ns - last_sync_ns) / 1e9,
        pause_max_s=max(pauses, default=0.0),
        packets=packets,
        packets_lost=packets_lost,
        packets_late=packets_late,
        parameter_sets=parameter_sets,
        has_b_pictures=has_b_pictures,
        clock=clock,
        timeless_reports=timeless_reports,
    )


def _rate(pictures: Sequence[Picture]) -> float | None:
    """Pictures a second, by arrival."""
    if len(pictures) < 2 or pictures[-1].arrived_ns <= pictures[0].arrived_ns:
        return None
    return (len(pictures) - 1) * 1e9 / (pictures[-1].arrived_ns - pictures[0].arrived_ns)


def _steps_s(pictures: Sequence[Picture], clock_rate: int) -> list[float | None]:
    """By stamps, from each picture to the next in decoding order; None where they cannot be meant.

    With B-pictures single steps go back and their sum is right, so less than none is borne to
    half a second.
    """
    steps: list[float | None] = []
    for before, after in itertools.pairwise(pictures):
        ticks = (after.timestamp - before.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        step_s = ticks / clock_rate if clock_rate else _STEP_MAX_S
        steps.append(step_s if -0.5 <= step_s < _STEP_MAX_S else None)
    return steps


def _stamped_fps(steps_s: Sequence[float | None]) -> float | None:
    known = [step for step in steps_s if step is not None]
    total_s = sum(known)
    return len(known) / total_s if total_s > 0 and len(known) * 2 > len(steps_s) else None


def _gop(pictures: Sequence[Picture], steps_s: Sequence[float | None]) -> Gop | None:
    """By stamps where they make sense, else by arrival: what lies between sync samples."""
    at = [index for index, one in enumerate(pictures) if one.is_sync]
    if len(at) < 2:
        return None
    spans = []
    for start, stop in itertools.pairwise(at):
        known = [step for step in steps_s[start:stop] if step is not None]
        arrived_s = (pictures[stop].arrived_ns - pictures[start].arrived_ns) / 1e9
        span_s = sum(known) if len(known) == stop - start and sum(known) > 0 else arrived_s
        spans.append((span_s, stop - start))
    if len(spans) > 2:  # the first is cut short where PLAY itself makes a key frame
        del spans[0]
    lengths = [span_s for span_s, _ in spans]
    pictures_each = statistics.median_low([count for _, count in spans])
    return Gop(min(lengths), statistics.median(lengths), max(lengths), pictures_each)
