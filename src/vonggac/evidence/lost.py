"""What a home knows of a disk that it cannot ask any more: from its ledger. Pure.

A head says which disk held a run's newest chunk at that moment, a tombstone what was erased since.
So what is known is exact to the quarter of an hour between two heads, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vonggac.evidence.ledger import Entry, Head

__all__ = ["SLACK_NS", "Span", "spans_on", "touches"]

Span = tuple[int, int]
"""Wall time [from_ns, to_ns)."""
SLACK_NS = 900 * 1_000_000_000
"""Between two heads of a run."""
_RUN_NS = 1000
"""A run's number is the wall clock's microseconds when it began, or a little more."""


@dataclass(frozen=True, slots=True)
class _Grave:
    stream: bytes
    run: int
    span: Span


def spans_on(
    disk: bytes, heads: Iterable[Head], tombstones: Iterable[Entry]
) -> dict[bytes, list[Span]]:
    """What was recorded on a disk and not erased, by stream. Gaps below SLACK_NS are not told."""
    runs: dict[tuple[bytes, int], dict[int, Head]] = {}
    for head in heads:
        runs.setdefault((head.stream, head.run), {})[head.sequence] = head
    graves: dict[tuple[bytes, int], list[Span]] = {}
    for entry in tombstones:
        grave = _grave_of(entry, disk)
        if grave is not None:
            graves.setdefault((grave.stream, grave.run), []).append(grave.span)
    found: dict[bytes, list[Span]] = {}
    for (stream, run), of_run in runs.items():
        spans = _of_run(disk, run, [of_run[number] for number in sorted(of_run)])
        left = _without(spans, graves.get((stream, run), []))
        if left:
            found.setdefault(stream, []).extend(left)
    return {stream: _joined(spans) for stream, spans in found.items()}


def touches(spans: Iterable[Span], from_ns: int, to_ns: int) -> bool:
    """Whether any of [from_ns, to_ns) may have been there: heads are so far apart."""
    return any(start - SLACK_NS < to_ns and from_ns < end + SLACK_NS for start, end in spans)


def _of_run(disk: bytes, run: int, heads: list[Head]) -> list[Span]:
    """Where a run moved between two heads, what lies between may be on either disk."""
    spans: list[Span] = []
    before_ns, before_disk = min(run * _RUN_NS, heads[0].wall_end_ns), heads[0].disk
    for head in heads:
        if disk in (head.disk, before_disk) and before_ns < head.wall_end_ns:
            spans.append((before_ns, head.wall_end_ns))
        before_ns, before_disk = head.wall_end_ns, head.disk
    return spans


def _grave_of(entry: Entry, disk: bytes) -> _Grave | None:
    """None: it tells of no run of this disk."""
    stream, run = entry.get("stream"), entry.get("run")
    from_ns, to_ns = entry.get("from_ns"), entry.get("to_ns")
    numbers = isinstance(run, int) and isinstance(from_ns, int) and isinstance(to_ns, int)
    if entry.get("disk") != disk.hex() or not isinstance(stream, str) or not numbers:
        return None
    try:
        return _Grave(bytes.fromhex(stream), int(run or 0), (int(from_ns or 0), int(to_ns or 0)))
    except ValueError:
        return None


def _without(spans: list[Span], gone: list[Span]) -> list[Span]:
    for start, end in gone:
        parts = [((a, min(b, start)), (max(a, end), b)) for a, b in spans]
        spans = [part for two in parts for part in two if part[0] < part[1]]
    return spans


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] < SLACK_NS:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
