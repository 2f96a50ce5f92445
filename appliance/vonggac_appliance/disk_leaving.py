"""What still has to stay on a disk that is to be taken out of the box: locked, or promised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import DiskRow
from vonggac.registry.locks import Lock
from vonggac.registry.retention import Classes, Removed, policy_of
from vonggac.store import journal
from vonggac.store.locks import pinned
from vonggac_appliance.sources import Source, open_source

__all__ = ["Held", "Known", "held_on"]

_DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """What the home knows that may hold footage."""

    locks: Sequence[Lock]
    cameras: Sequence[Camera | Removed]
    classes: Classes


@dataclass(frozen=True, slots=True)
class Held:
    """A reason why a disk stays. `until_ns`: 0 where no day is named."""

    what: str
    until_ns: int
    is_lock: bool


def held_on(home: Path, row: DiskRow, known: Known, now_ns: int) -> list[Held]:
    """Everything that holds a disk, locks first. Unavailable where it cannot be asked: a disk that
    nobody can look into is not known to be free.
    """
    source = open_source(home, Path(row.path), row.uuid)
    try:
        return [
            *_locked(source, _ranges(row, known.locks)),
            *_promised(source, known, now_ns),
        ]
    finally:
        source.close()


_Range = tuple[bytes, int, int]


def _ranges(row: DiskRow, locks: Sequence[Lock]) -> dict[str, list[_Range]]:
    """Ranges by what people call the lock: the catalog's, and those that only the disk knows."""
    found = {
        f"lock {lock.number} (case {lock.case}, {lock.code})": [
            (stream.id, stream.from_ns, stream.to_ns) for stream in lock.streams
        ]
        for lock in locks
        if lock.is_held
    }
    named = {lock.id for lock in locks}
    for lock in _journalled(Path(row.path)):
        if lock.lock not in named:
            name = f"lock {lock.lock.hex()}, which only the disk's journal knows"
            found.setdefault(name, []).append((lock.stream, lock.from_ns, lock.to_ns))
    return found


def _journalled(path: Path) -> tuple[journal.Lock, ...]:
    """From a file that its keeper may be writing: of two halves one is always whole."""
    try:
        return journal.newest((path / "journal").read_bytes()).locks
    except OSError as error:
        raise StorageError(f"the journal of {path} cannot be read: {error.strerror}") from error


def _locked(source: Source, locks: dict[str, list[_Range]]) -> Iterator[Held]:
    for name, ranges in locks.items():
        segments: set[int] = set()
        for stream, from_ns, to_ns in ranges:
            segments |= pinned(source.ask(stream, from_ns, to_ns).packed, [(from_ns, to_ns)])
        if segments:
            yield Held(f"{name} holds {len(segments)} segments", 0, is_lock=True)


def _promised(source: Source, known: Known, now_ns: int) -> Iterator[Held]:
    for camera in known.cameras:
        days = policy_of(camera, known.classes).days_min
        newest_ns = max(
            _newest(source, _streams(camera), now_ns - days * _DAY_NS, now_ns), default=0
        )
        if newest_ns:
            what = f"{camera.code} is promised {days} days"
            yield Held(what, newest_ns + days * _DAY_NS, is_lock=False)


def _newest(source: Source, streams: Iterable[bytes], from_ns: int, to_ns: int) -> Iterator[int]:
    for stream in streams:
        packed = source.ask(stream, from_ns, to_ns).packed
        yield from (end for _, end, *_ in native.rows_spans(packed, from_ns, to_ns))


def _streams(camera: Camera | Removed) -> list[bytes]:
    if isinstance(camera, Removed):
        return [stream for stream, _ in camera.streams]
    return [stream.id for stream in camera.streams]
