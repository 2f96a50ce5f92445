"""What a camera more would do to what was promised: bytes and seeks, told before it is added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Unavailable
from vonggac.ingest.placement import stream_budget
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import DiskRow
from vonggac.registry.retention import Classes, policy_of
from vonggac.store.promise import Demand, Outlook, outlook
from vonggac_appliance import bus_control, control

__all__ = ["Admission", "admission", "asked"]

_ASSUMED_BYTES_A_DAY = {"main": 4_000_000 * 86_400 // 8, "sub": 500_000 * 86_400 // 8}
"""4 Mbit/s and 500 kbit/s, where nothing was measured."""
_DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True)
class Admission:
    """How all disks together would stand with it."""

    outlook: Outlook
    days_min: int
    """Promised of the camera."""
    streams: int
    streams_max: int | None
    """What the disks' seeks allow, as measured; None: no limit was met."""
    is_assumed: bool
    """No rate was measured yet: those of a usual camera are taken."""

    @property
    def is_at_risk(self) -> bool:
        """Whether a promise would break, or ticks would become longer."""
        is_seeking = self.streams_max is not None and self.streams > self.streams_max
        return bool(self.outlook.broken) or is_seeking

    def facts(self) -> dict[str, object]:
        """For `--json`."""
        days = self.outlook.holds_days
        return {
            "holds_days": None if days is None else round(days, 1),
            "days_min": self.days_min,
            "at_risk": list(self.outlook.broken),
            "streams": self.streams,
            "streams_max": self.streams_max,
            "assumed": self.is_assumed,
        }

    def sentence(self) -> str:
        """`12.4 days at the present rate; 30 promised; 58 of 60 streams of the disks' seeks`."""
        days = self.outlook.holds_days
        rate = "an assumed" if self.is_assumed else "the present"
        parts = [] if days is None else [f"{_span(days)} at {rate} rate"]
        parts.append(f"{self.days_min} promised")
        if self.streams_max is not None:
            parts.append(f"{self.streams} of {self.streams_max} streams of the disks' seeks")
        if self.outlook.broken:
            parts.append(f"at risk: {', '.join(self.outlook.broken)}")
        return "; ".join(parts)


def _span(days: float) -> str:
    return f"{days:.1f} days" if days >= 1 else f"{24 * days:.1f} hours"


def asked(home: Path) -> Sequence[bus_control.DiskRetention]:
    """What the running recorder knows of its disks; nothing where none runs."""
    try:
        reply = control.ask(home, bus_control.AskRetention(), _DEADLINE_S)
    except Unavailable:
        return []
    return reply.disks if isinstance(reply, bus_control.RetentionReply) else []


def admission(
    cameras: Iterable[Camera],
    new: Camera | None,
    classes: Classes,
    disks: Sequence[DiskRow],
    told: Sequence[bus_control.DiskRetention],
) -> Admission | None:
    """With `new`, or as it is; None where there is no disk to record on."""
    if not disks:
        return None
    rates = _rates(told)
    usual = {name: _mean(name, cameras, rates) for name in _ASSUMED_BYTES_A_DAY}
    everybody = [*cameras, *([] if new is None else [new])]
    demands = [_demand(camera, classes, rates, usual) for camera in everybody]
    budgets = [stream_budget(len(disk.streams), disk.tick_ms) for disk in told]
    known = [budget for budget in budgets if budget is not None]
    return Admission(
        outlook=outlook(
            sum(disk.segments * disk.segment_bytes for disk in disks if not disk.is_draining),
            sum(disk.pinned_bytes for disk in told),
            demands,
        ),
        days_min=0 if new is None else policy_of(new, classes).days_min,
        streams=sum(len(camera.streams) for camera in everybody),
        streams_max=sum(known) if known and len(known) == len(told) else None,
        is_assumed=not rates,
    )


def _rates(told: Sequence[bus_control.DiskRetention]) -> dict[bytes, int]:
    rates: dict[bytes, int] = {}
    for disk in told:
        for stream in disk.streams:
            if stream.bytes_a_day:
                rates[stream.stream] = rates.get(stream.stream, 0) + stream.bytes_a_day
    return rates


def _mean(name: str, cameras: Iterable[Camera], rates: dict[bytes, int]) -> int:
    """What a stream of this name brings in a day here."""
    found = [s for camera in cameras for s in camera.streams if s.name == name and s.id in rates]
    if not found:
        return _ASSUMED_BYTES_A_DAY[name]
    return sum(rates[stream.id] for stream in found) // len(found)


def _demand(
    camera: Camera, classes: Classes, rates: dict[bytes, int], usual: dict[str, int]
) -> Demand:
    policy = policy_of(camera, classes)
    rate = sum(rates.get(s.id, usual.get(s.name, 0)) for s in camera.streams)
    return Demand(camera.code, rate, policy.days_min, policy.days_max, policy.priority)
