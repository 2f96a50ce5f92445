"""What is recorded of a stream, and why the rest is not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vonggac._native import segment as native
from vonggac.media.chunk import GapReason
from vonggac.store.index_values import RunRow

_TOUCHING_NS = 1_000_000
"""Less than that between two runs is no gap."""
_LATE_NS = 10_000_000_000
"""A stream that is being recorded is at most that far behind; more than that is a gap."""


@dataclass(frozen=True, slots=True)
class Range:
    """Recorded without a break. Whole chunks: it may reach beyond what was asked for."""

    from_ns: int
    to_ns: int
    frames: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Gap:
    from_ns: int
    to_ns: int
    reason: int


@dataclass(frozen=True, slots=True)
class Timeline:
    ranges: tuple[Range, ...]
    gaps: tuple[Gap, ...]
    durable_until_ns: int | None


@dataclass(frozen=True, slots=True)
class Tail:
    """What comes after the newest chunk."""

    durable_until_ns: int | None
    now_ns: int
    open_gap: tuple[int, int] | None = None
    """(start_ns, reason) of a gap that no run has closed."""
    is_keeper_running: bool = False


def explain(runs: Iterable[RunRow], sessions: Sequence[tuple[int, int]]) -> list[RunRow]:
    """Runs with *box stopped* where nobody gave a reason and a keeper began in between.

    `sessions`: (start_ns, end_ns) of keepers on this disk.
    """
    explained: list[RunRow] = []
    before_ns = 0
    for run in sorted(runs, key=lambda r: r.wall_start_ns):
        began = any(before_ns <= start_ns <= run.wall_start_ns for start_ns, _ in sessions)
        if run.gap_reason == GapReason.UNKNOWN and before_ns and began:
            run = replace(run, gap_reason=int(GapReason.BOX_STOPPED))
        explained.append(run)
        before_ns = max(before_ns, run.wall_end_ns)
    return explained


def timeline(
    packed: Sequence[bytes], runs: Sequence[RunRow], from_ns: int, to_ns: int, tail: Tail
) -> Timeline:
    """Ranges and gaps of [from_ns, to_ns) from rows as the index keeps them and the runs there."""
    spans = native.rows_spans(packed, from_ns, to_ns)
    return _explained([Range(*span) for span in spans], runs, from_ns, to_ns, tail)


def unexplained(line: Timeline) -> Timeline:
    """For a timeline that some disks say nothing of: what looks like a gap may lie on them."""
    gaps = tuple(replace(gap, reason=int(GapReason.UNKNOWN)) for gap in line.gaps)
    return replace(line, gaps=gaps)


def timeline_of_runs(
    runs: Sequence[RunRow], first_ns: int | None, from_ns: int, to_ns: int, tail: Tail
) -> Timeline:
    """The same without rows, for a list of many cameras: a run counts as recorded as a whole.

    `first_ns`: where the earliest chunk that is still kept begins; None: nothing is kept. What was
    lost inside a run is not seen, nor how many pictures there are.
    """
    ranges = [
        Range(max(run.wall_start_ns, first_ns), run.wall_end_ns, 0, 0)
        for run in runs
        if first_ns is not None
        and run.wall_end_ns > max(first_ns, from_ns, run.wall_start_ns)
        and run.wall_start_ns < to_ns
    ]
    return _explained(ranges, runs, from_ns, to_ns, tail)


def _explained(
    found: list[Range], runs: Sequence[RunRow], from_ns: int, to_ns: int, tail: Tail
) -> Timeline:
    """Ranges, and the holes between them with their reasons."""
    reasons = {run.wall_start_ns: run.gap_reason for run in runs}
    gaps: list[Gap] = []
    ranges: list[Range] = []
    reached_ns = from_ns
    for one in sorted(found, key=lambda r: (r.from_ns, r.to_ns)):
        if one.from_ns - reached_ns >= _TOUCHING_NS:
            reason = reasons.get(one.from_ns, int(GapReason.UNKNOWN))
            gaps.append(Gap(reached_ns, one.from_ns, reason))
        ranges.append(one)
        reached_ns = max(reached_ns, one.to_ns)
    last = _last_gap(reached_ns, to_ns, runs, tail)
    if last is not None:
        gaps.append(last)
    return Timeline(tuple(ranges), tuple(gaps), tail.durable_until_ns)


def _last_gap(reached_ns: int, to_ns: int, runs: Sequence[RunRow], tail: Tail) -> Gap | None:
    """Between the newest chunk asked for and the end of the question, but never in the future."""
    end_ns = min(to_ns, tail.now_ns)
    if end_ns - reached_ns < _TOUCHING_NS:
        return None
    later = [run for run in runs if run.wall_start_ns >= reached_ns]
    if later:
        following = min(later, key=lambda run: run.wall_start_ns)
        return Gap(reached_ns, min(end_ns, following.wall_start_ns), following.gap_reason)
    if tail.open_gap is not None and tail.open_gap[0] < end_ns:
        return Gap(reached_ns, end_ns, tail.open_gap[1])
    if not tail.is_keeper_running:
        return Gap(reached_ns, end_ns, int(GapReason.BOX_STOPPED))
    is_behind = tail.now_ns - reached_ns > _LATE_NS
    return Gap(reached_ns, end_ns, int(GapReason.UNKNOWN)) if is_behind else None
