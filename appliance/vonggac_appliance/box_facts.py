"""What is known of the box at a moment: values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from vonggac.store.forecast import Forecast
from vonggac_appliance.bus_events import HookCounts
from vonggac_appliance.messages_motion import MotionStatusReply
from vonggac_appliance.processes import Process

__all__ = ["BoxFacts", "ChainFacts", "ClockFacts", "DiskFacts", "PromiseFacts"]


@dataclass(frozen=True, slots=True)
class PromiseFacts:
    """How a disk stands to the days that were promised."""

    holds_days: float | None
    """How far back it reaches at the present rate; None: nobody can tell yet."""
    is_broken: bool
    """It has no room for all that was promised."""
    due_bytes: int
    """Expired, and not erased yet."""
    must_confirm: bool
    """So much has expired at once that a person has to say that it may go."""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """A disk, as its keeper tells it."""

    uuid: str
    path: str
    state: str
    """recording, slow, full, failed, as the keeper says; *down* when it does not answer."""
    capacity_bytes: int
    used_bytes: int | None = None
    oldest_ns: int | None = None
    """Where its oldest footage begins."""
    tick_ms: float | None = None
    loss_bound_ms: float | None = None
    """What a power cut may take at this moment."""
    forecast: Forecast | None = None
    pinned_bytes: int | None = None
    """Held by locks; None while they are being counted."""

    promises: PromiseFacts | None = None
    """None while its segments were not looked at."""

    @property
    def is_answering(self) -> bool:
        return self.used_bytes is not None


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The box's clock."""

    is_synchronised: bool
    offset_s: float | None
    """Seconds ahead of chrony's time; None where chrony does not keep it."""


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """The audit chain, as its writer tells it."""

    is_answering: bool = False
    is_open: bool = False
    """False while its log cannot be opened: then nobody may look."""
    lines: int = 0
    head: str = ""
    """SHA-256 of the last line, 64 hex digits."""


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """Everything at once."""

    at_ns: int
    """When it was found out; 0: not yet."""
    disks: tuple[DiskFacts, ...] = ()
    clock: ClockFacts = field(default_factory=lambda: ClockFacts(False, None))
    processes: tuple[Process, ...] = ()
    chain: ChainFacts = ChainFacts()
    motion: MotionStatusReply | None = None
    """None: the motion process does not answer."""
    hooks: tuple[HookCounts, bool] | None = None
    """What `hooks run` said last, and whether it is heard; None: it was not yet."""

    @property
    def loss_bound_ms(self) -> float | None:
        """Of the worst disk; None while no keeper tells."""
        bounds = [d.loss_bound_ms for d in self.disks if d.loss_bound_ms is not None]
        return max(bounds, default=None)
