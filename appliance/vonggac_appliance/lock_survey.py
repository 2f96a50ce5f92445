"""What locks hold of each disk, found out from its index: for the quota, and for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vonggac._native import segment as native
from vonggac.errors import StorageError, VonggacError
from vonggac.playback import cut as cuts
from vonggac.registry.catalog import DiskRow
from vonggac.registry.locks import Lock, LockedStream
from vonggac.store import journal
from vonggac.store.disk import JOURNAL_NAME
from vonggac.store.locks import pinned, union
from vonggac_appliance.sources import Source, open_source

__all__ = ["DiskHold", "OpenDisks", "open_disks", "unknown_locks"]

_DEADLINE_S = 3.0
_MARGIN_NS = 600 * 1_000_000_000
"""Where the ends of fragments are looked for: smart codecs send key frames minutes apart."""
_RATE_OVER_NS = 600 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class DiskHold:
    """Of one disk. `what`: why it could not be asked; then nothing else is known."""

    row: DiskRow
    what: str = ""
    by_lock: dict[int, frozenset[int]] = field(default_factory=dict)
    """Segments that hold something of a lock, by its number."""
    ahead: dict[int, int] = field(default_factory=dict)
    """Segments that a lock will hold besides, of time that is still to come."""

    def segments(self, numbers: Iterable[int]) -> int:
        """How many segments these locks hold together, and will."""
        wanted = list(numbers)
        held = frozenset[int]().union(*(self.by_lock.get(n, ()) for n in wanted))
        return len(held) + sum(self.ahead.get(n, 0) for n in wanted)


class OpenDisks:
    """Asked through their keepers, else read."""

    def __init__(self, sources: Sequence[tuple[DiskRow, Source | str]]) -> None:
        self._sources = sources

    def widened(self, stream: LockedStream, now_ns: int) -> LockedStream:
        """The same, from the beginning of the first fragment to the end of the last: what lies
        before a key frame is pinned by it, though it may stand in another segment.
        """
        from_ns, to_ns = stream.from_ns, stream.to_ns
        for _, source in self._sources:
            if isinstance(source, str):
                continue
            from_ns = min(from_ns, _fragment_at(source, stream.id, stream.from_ns)[0])
            if stream.to_ns <= now_ns:
                to_ns = max(to_ns, _fragment_at(source, stream.id, stream.to_ns - 1)[1])
        return LockedStream(stream.id, stream.name, from_ns, to_ns)

    def holds(self, locks: Sequence[Lock], now_ns: int) -> list[DiskHold]:
        """What each of `locks` holds of each disk."""
        found = []
        for row, source in self._sources:
            if isinstance(source, str):
                found.append(DiskHold(row, source))
                continue
            try:
                found.append(_hold(row, source, locks, now_ns))
            except VonggacError as error:  # a keeper that ended meanwhile
                found.append(DiskHold(row, str(error)))
        return found


@contextmanager
def open_disks(home: Path, rows: Sequence[DiskRow]) -> Iterator[OpenDisks]:
    """All disks that can be; one that is away must not keep anything from being locked."""
    sources: list[tuple[DiskRow, Source | str]] = []
    try:
        for row in rows:
            try:
                source = open_source(home, Path(row.path), row.uuid, _DEADLINE_S)
            except VonggacError as error:
                sources.append((row, str(error)))
            else:
                sources.append((row, source))
        yield OpenDisks(sources)
    finally:
        for _, opened in sources:
            if not isinstance(opened, str):
                opened.close()


def unknown_locks(
    rows: Sequence[DiskRow], known: Set[bytes]
) -> tuple[dict[bytes, tuple[str, list[journal.Lock]]], list[str]]:
    """Locks that stand in a disk's journal and are none of `known`: a path where, and their ranges.

    And a sentence for each disk that cannot be read.
    """
    found: dict[bytes, tuple[str, list[journal.Lock]]] = {}
    faults: list[str] = []
    for row in rows:
        try:
            journalled = _journalled(row)
        except StorageError as error:
            faults.append(str(error))
            continue
        for lock in journalled:
            if lock.lock not in known:
                where, ranges = found.get(lock.lock, (row.path, []))
                found[lock.lock] = (where, list(union(ranges, [lock])))
    return found, faults


def _journalled(row: DiskRow) -> tuple[journal.Lock, ...]:
    """From a file that its keeper may be writing: of two halves one is always whole."""
    where = Path(row.path) / JOURNAL_NAME
    try:
        snapshot = journal.newest(where.read_bytes())
    except OSError as error:
        raise StorageError(f"{where} cannot be read: {error.strerror}") from error
    return snapshot.locks if snapshot.disk == row.uuid else ()


def _fragment_at(source: Source, stream: bytes, ns: int) -> tuple[int, int]:
    """From where to where the fragments reach that lie at this instant; the instant where none."""
    answer = source.ask(stream, max(0, ns - _MARGIN_NS), ns + _MARGIN_NS)
    rows = [row for value in answer.packed for row in native.rows_unpack(value)]
    found = [packed.row for packed in cuts.whole_fragments(rows, ns, ns + 1)]
    starts, ends = (row.wall_start_ns for row in found), (row.wall_end_ns for row in found)
    return min(starts, default=ns), max(ends, default=ns + 1)


def _hold(row: DiskRow, source: Source, locks: Sequence[Lock], now_ns: int) -> DiskHold:
    by_lock: dict[int, frozenset[int]] = {}
    ahead: dict[int, int] = {}
    for lock in locks:
        segments: set[int] = set()
        for stream in lock.streams:
            packed = source.ask(stream.id, stream.from_ns, stream.to_ns).packed
            segments |= pinned(packed, [(stream.from_ns, stream.to_ns)])
            if stream.to_ns > now_ns:
                ahead[lock.number] = ahead.get(lock.number, 0) + _ahead(
                    source, stream, now_ns, row.segment_bytes
                )
        by_lock[lock.number] = frozenset(segments)
    return DiskHold(row, "", by_lock, ahead)


def _ahead(source: Source, stream: LockedStream, now_ns: int, segment_bytes: int) -> int:
    """Segments that the rest of its time will fill at the rate of the last ten minutes."""
    since_ns = now_ns - _RATE_OVER_NS
    spans = native.rows_spans(source.ask(stream.id, since_ns, now_ns).packed, since_ns, now_ns)
    length_ns = sum(end - start for start, end, _, _ in spans)
    if length_ns <= 0:
        return 0
    written = sum(size for _, _, _, size in spans)
    return written * (stream.to_ns - now_ns) // length_ns // segment_bytes + 1
