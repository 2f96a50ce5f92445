"""Sets of seconds as disjoint ranges [from, to), rising. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["Range", "Ranges", "minus", "newest", "of_spans", "total", "union", "within"]

Range = tuple[int, int]
Ranges = tuple[Range, ...]

_S = 1_000_000_000


def union(ranges: Iterable[Range], join: int = 0) -> Ranges:
    """Any ranges as disjoint ones; those that lie up to `join` apart become one."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if found and start <= found[-1][1] + join:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def minus(whole: Sequence[Range], taken: Sequence[Range]) -> Ranges:
    """What of `whole` is in none of `taken`; both disjoint and rising."""
    left: list[Range] = []
    at = 0
    for start, end in whole:
        while at < len(taken) and taken[at][1] <= start:
            at += 1
        seen = at
        while seen < len(taken) and taken[seen][0] < end:
            if taken[seen][0] > start:
                left.append((start, taken[seen][0]))
            start = max(start, taken[seen][1])
            seen += 1
        if start < end:
            left.append((start, end))
    return tuple(left)


def within(ranges: Iterable[Range], start: int, end: int) -> Ranges:
    """What of them lies in [start, end)."""
    cut = ((max(a, start), min(b, end)) for a, b in ranges)
    return tuple((a, b) for a, b in cut if a < b)


def newest(ranges: Sequence[Range], length: int) -> Range | None:
    """The end of the last range, at most `length` of it; None: there is none."""
    if not ranges:
        return None
    start, end = ranges[-1]
    return max(start, end - length), end


def total(ranges: Iterable[Range]) -> int:
    """How many seconds."""
    return sum(end - start for start, end in ranges)


def of_spans(spans_ns: Iterable[Range]) -> Ranges:
    """The seconds that any of these spans of nanoseconds touches."""
    return union((start // _S, -(-end // _S)) for start, end in spans_ns)
