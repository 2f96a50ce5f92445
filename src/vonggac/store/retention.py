"""What has to go because its time has come: promise 6 of docs/design/storage.md. Pure.

Sealed segments, limits, locks and the state of the clock go in, steps come out. Nothing goes
before its time, nothing that is locked goes at all, and where a clock or a sum is not to be trusted
nothing goes until a person has looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from vonggac.media.chunk import ChunkFlag, Row, SyncKind
from vonggac.store.index_values import SegmentRow
from vonggac.store.locks import LockSet

__all__ = [
    "DAY_NS",
    "HOUR_NS",
    "Clock",
    "Due",
    "Limits",
    "Plan",
    "Policies",
    "Room",
    "Step",
    "due",
    "plan",
    "rows_due",
    "why_held",
]

HOUR_NS = 3600 * 1_000_000_000
DAY_NS = 24 * HOUR_NS
PART_AFTER_NS = 12 * HOUR_NS
"""A segment goes as a whole when its last chunk is due; one that reaches over more than half a day
loses its older part before, so that nothing stays longer than a day behind its time.
"""
REACH_NS = 60 * 1_000_000_000
"""How far a fragment that goes on in the next segment may be needed there by a lock."""
SYNCED_NS = HOUR_NS
SHARE_AN_HOUR = 0.05
"""Of a disk: a mistake is seen before it is complete."""
_GUARD_SHARE = 2
_GUARD_SEGMENTS = 5
"""More than half of all footage, and no fewer segments, due at once is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long footage of a camera is kept."""

    days_min: int
    """Promised: with room to choose, other footage goes first; an alarm comes before it breaks."""
    days_max: int | None
    """Older is zeroed within 24 h; None: it stays until the ring needs the room."""
    priority: int = 5
    """Where promises cannot all be kept, that of the lowest number is broken first."""
    by: str = "default"
    """Who set days_max: agreement, camera, class, default."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Limits by camera id; `others`: of footage whose camera nobody knows any more."""

    cameras: Mapping[bytes, Limits]
    others: Limits

    def of(self, camera: bytes) -> Limits:
        return self.cameras.get(camera, self.others)


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of the time."""

    now_ns: int
    synced_for_ns: int
    """How long the clock has been kept without a break; 0: it is not."""
    is_stepped: bool
    """It was set by more than a minute, and no person has confirmed it yet."""


@dataclass(frozen=True, slots=True)
class Room:
    """A disk's bytes."""

    segment_bytes: int
    held_bytes: int
    """Of all segments with footage."""
    due_bytes: int
    """Of those that are due as a whole."""
    budget_bytes: int
    """What may be erased now."""
    is_confirmed: bool = False
    """A person has said that so much may go."""


class Due(Enum):
    """What of a segment is due."""

    NOTHING = 0
    PART = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class Step:
    """A segment to erase, as a whole or its chunks that are due."""

    number: int
    row: SegmentRow
    is_whole: bool
    limits: Limits


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done now. `held`: why nothing is; empty when there is no reason."""

    steps: tuple[Step, ...] = ()
    held: str = ""
    is_guarded: bool = False
    """Held because too much is due at once: a person has to confirm it."""


def line_ns(limits: Limits, now_ns: int) -> int | None:
    """What ended at or before this instant is due; None: nothing ever is."""
    return None if limits.days_max is None else now_ns - limits.days_max * DAY_NS


def due(row: SegmentRow, limits: Limits, locks: LockSet, now_ns: int) -> Due:
    """Whether a sealed segment has to go, by the span of its chunks."""
    if not row.chunks:
        return Due.WHOLE  # its last chunks were erased, one part after the other
    line = line_ns(limits, now_ns)
    if line is None or row.wall_start_ns > line:
        return Due.NOTHING
    is_over = row.wall_end_ns <= line
    if not is_over and row.wall_start_ns > line - PART_AFTER_NS:
        return Due.NOTHING
    if not locks.is_locked(row.stream, row.wall_start_ns, row.wall_end_ns + REACH_NS):
        return Due.WHOLE if is_over else Due.PART
    free = locks.unlocked(row.stream, row.wall_start_ns, min(row.wall_end_ns, line))
    return Due.PART if free else Due.NOTHING


def rows_due(
    rows: Sequence[Row],
    stream: bytes,
    limits: Limits,
    locks: LockSet,
    now_ns: int,
    later_ns: int | None = None,
) -> list[Row]:
    """The chunks of a segment that are due: whole fragments, none of which touches a lock.

    A fragment is entered at its sync sample: of one that is locked in part nothing goes. A time
    that was not synchronised proves nothing; such a fragment is due when one behind it is, or
    `later_ns`, the synchronised end of a segment that was sealed later.
    """
    line = line_ns(limits, now_ns)
    if line is None:
        return []
    is_behind = later_ns is not None and later_ns <= line
    found: list[Row] = []
    for fragment in reversed(_fragments(rows)):
        start_ns = min(row.wall_start_ns for row in fragment)
        end_ns = max(row.wall_end_ns for row in fragment)
        if is_proven(fragment):
            is_due = end_ns <= line
            is_behind = is_behind or is_due
        else:
            is_due = is_behind
        reach_ns = REACH_NS if fragment[-1].flags & ChunkFlag.CONTINUES else 0
        if is_due and not locks.is_locked(stream, start_ns, end_ns + reach_ns):
            found = fragment + found
    return found


def is_proven(rows: Iterable[Row]) -> bool:
    """Whether all of these were recorded with a synchronised clock."""
    return all(row.flags & ChunkFlag.CLOCK_SYNCED for row in rows)


def why_held(clock: Clock) -> str:
    """Why the clock forbids erasing by time; empty: it does not (promise 7)."""
    if clock.is_stepped:
        return "the clock was set and nobody has confirmed it (vonggac clock confirm)"
    if clock.synced_for_ns < SYNCED_NS:
        return "the clock has not been synchronised for an hour"
    return ""


def plan(
    segments: Iterable[tuple[int, SegmentRow]],
    policies: Policies,
    locks: LockSet,
    clock: Clock,
    room: Room,
) -> Plan:
    """The segments to erase now, of those given in the order of reuse."""
    held = why_held(clock)
    if held:
        return Plan(held=held)
    is_much = room.due_bytes * _GUARD_SHARE > room.held_bytes
    if is_much and room.due_bytes >= _GUARD_SEGMENTS * room.segment_bytes and not room.is_confirmed:
        share = 100 * room.due_bytes // max(room.held_bytes, 1)
        what = f"{share} % of all footage would be erased at once"
        return Plan(held=f"{what}: a person has to confirm it", is_guarded=True)
    left = room.budget_bytes
    steps: list[Step] = []
    for number, row in segments:
        limits = policies.of(row.camera)
        what_is_due = due(row, limits, locks, clock.now_ns)
        if what_is_due is Due.NOTHING:
            continue
        if left < room.segment_bytes:
            break
        left -= room.segment_bytes
        steps.append(Step(number, row, what_is_due is Due.WHOLE, limits))
    return Plan(tuple(steps))


def _fragments(rows: Sequence[Row]) -> list[list[Row]]:
    """Chunks in the order of their place, parted before each sync sample and each run."""
    parts: list[list[Row]] = []
    for row in sorted(rows, key=lambda r: r.offset):
        if not parts or row.kind != SyncKind.NONE or row.run != parts[-1][-1].run:
            parts.append([])
        parts[-1].append(row)
    return parts
