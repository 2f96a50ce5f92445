"""Rows of all disks as if of one: each chunk once, a whole copy before a broken one. Pure.

A stream is on one disk at a time. What a disk had in hand when its streams were moved to another
may lie on both. What a keeper was writing when it died may lie twice on the same one: broken, and
as the loop handed it over again.
"""

from __future__ import annotations

from collections.abc import Sequence

from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, PackedRow

__all__ = ["in_time", "once"]

Window = tuple[int, int]
Copy = tuple[int, int, int]
"""Disk, segment, offset."""


def once(disks: Sequence[Sequence[bytes]], from_ns: int, to_ns: int) -> list[list[bytes]]:
    """The packed rows of each disk without those that are somewhere else as well.

    Costs a look at every value; only values that overlap in time are unpacked.
    """
    given = [list(values) for values in disks]
    windows = _overlaps([native.rows_spans(values, from_ns, to_ns) for values in given])
    if not windows:
        return given
    opened = {
        (disk, at): native.rows_unpack(value)
        for disk, values in enumerate(given)
        for at, value in enumerate(values)
        if any(native.rows_spans([value], *window) for window in windows)
    }
    owner = _owners(opened)
    for (disk, at), rows in opened.items():
        kept = [row for row in rows if owner[_name(row)] == (disk, *_place(row))]
        if len(kept) < len(rows):
            given[disk][at] = native.rows_pack(kept) if kept else b""
    return [[value for value in values if value] for values in given]


def in_time(disks: Sequence[Sequence[bytes]], from_ns: int, to_ns: int) -> list[bytes]:
    """The values of all disks that touch [from_ns, to_ns), in the order in which they begin: a run
    that went from one disk to another is found to go on, whichever of them is asked first.
    """
    begins: list[tuple[int, bytes]] = []
    for values in disks:
        for value in values:
            if spans := native.rows_spans([value], from_ns, to_ns):
                begins.append((min(start for start, *_ in spans), value))
    return [value for _, value in sorted(begins, key=lambda found: found[0])]


def _overlaps(spans: Sequence[Sequence[tuple[int, int, int, int]]]) -> list[Window]:
    """Where something was recorded twice at the same time."""
    windows: list[Window] = []
    ordered = sorted((start, end, disk) for disk, of in enumerate(spans) for start, end, *_ in of)
    reached = [-1] * len(spans)
    for start_ns, end_ns, disk in ordered:
        windows += [(start_ns, min(end_ns, ns)) for ns in reached if ns > start_ns]
        reached[disk] = max(reached[disk], end_ns)
    return windows


def _owners(opened: dict[tuple[int, int], list[PackedRow]]) -> dict[tuple[int, int], Copy]:
    """Which copy of a chunk is shown."""
    best: dict[tuple[int, int], tuple[bool, Copy]] = {}
    for (disk, _), rows in opened.items():
        for row in rows:
            is_spoilt = bool(row.row.flags & (ChunkFlag.BROKEN | ChunkFlag.ERASED))
            rank = (is_spoilt, (disk, *_place(row)))
            name = _name(row)
            best[name] = min(best.get(name, rank), rank)
    return {name: copy for name, (_, copy) in best.items()}


def _name(row: PackedRow) -> tuple[int, int]:
    return row.row.run, row.row.sequence


def _place(row: PackedRow) -> tuple[int, int]:
    return row.segment, row.row.offset
