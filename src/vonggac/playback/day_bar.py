"""A timeline as it is drawn: nothing finer than a pixel, every gap still visible. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vonggac.media.chunk import GapReason
from vonggac.store.index_values import RunRow
from vonggac.store.timeline import Gap, Tail, Timeline

__all__ = ["Bar", "drawn", "trimmed"]


@dataclass(frozen=True, slots=True)
class Bar:
    """Recorded ranges and gaps of [from_ns, to_ns); what is neither has nothing to tell."""

    from_ns: int
    to_ns: int
    ranges: tuple[tuple[int, int], ...]
    gaps: tuple[Gap, ...]
    durable_until_ns: int | None = None

    @property
    def recorded_ns(self) -> int:
        """How much of it is recorded, to a pixel each range."""
        return sum(to_ns - from_ns for from_ns, to_ns in self.ranges)


def trimmed(line: Timeline, runs: Sequence[RunRow], tail: Tail, from_ns: int) -> Timeline:
    """The timeline without a first gap that nobody saw.

    Before a stream was ever tried, and where its oldest footage was overwritten, nothing failed.
    """
    if not line.gaps or line.gaps[0].from_ns > from_ns:
        return line
    first, *others = line.gaps
    began_ns = _began(line, runs, tail)
    if began_ns is None or began_ns >= first.to_ns:
        return replace(line, gaps=tuple(others))
    begun = replace(first, from_ns=max(first.from_ns, began_ns))
    return replace(line, gaps=(begun, *others))


def _began(line: Timeline, runs: Sequence[RunRow], tail: Tail) -> int | None:
    """When the first gap of a timeline began; None: it is none."""
    if line.ranges:
        following = [run for run in runs if run.wall_start_ns == line.ranges[0].from_ns]
    else:
        following = [run for run in runs if run.wall_start_ns >= line.gaps[0].to_ns]
    if following:
        return min(following, key=lambda run: run.wall_start_ns).gap_start_ns or None
    if not line.ranges and tail.open_gap is not None:
        return tail.open_gap[0]
    # Known to be over, and why: such as the box being off through all of the question.
    is_named = not line.ranges and line.gaps[0].reason != GapReason.UNKNOWN
    return line.durable_until_ns if is_named else None


def drawn(line: Timeline, from_ns: int, to_ns: int, pixels: int) -> Bar:
    """The timeline on `pixels` pixels: at most so many ranges and gaps (and one each)."""
    pixel_ns = max(1, (to_ns - from_ns) // max(1, pixels))
    ranges = _joined(
        ((max(r.from_ns, from_ns), min(r.to_ns, to_ns)) for r in line.ranges), pixel_ns
    )
    return Bar(
        from_ns, to_ns, tuple(ranges), tuple(_grouped(line.gaps, pixel_ns)), line.durable_until_ns
    )


def _joined(ranges: Iterable[tuple[int, int]], pixel_ns: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start_ns, end_ns in ranges:
        if end_ns <= start_ns:
            continue
        if joined and start_ns - joined[-1][1] < pixel_ns:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_ns))
        else:
            joined.append((start_ns, end_ns))
    return joined


def _grouped(gaps: Iterable[Gap], pixel_ns: int) -> list[Gap]:
    """Gaps that begin within one pixel as one, by the reason of the longest."""
    groups: list[Gap] = []
    longest_ns = 0
    for gap in gaps:
        long_ns = gap.to_ns - gap.from_ns
        if groups and gap.from_ns - groups[-1].from_ns < pixel_ns:
            reason = gap.reason if long_ns > longest_ns else groups[-1].reason
            groups[-1] = Gap(groups[-1].from_ns, max(groups[-1].to_ns, gap.to_ns), reason)
            longest_ns = max(longest_ns, long_ns)
        else:
            groups.append(gap)
            longest_ns = long_ns
    return groups
