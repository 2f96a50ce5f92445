"""What lies on a disk, stream by stream: for somebody who has the disk and no catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vonggac._native import segment as native
from vonggac.store.journal import Lock
from vonggac.store.start import Reading
from vonggac.store.timeline import Range

__all__ = ["Contents", "contents", "streams_on"]

_EVER_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class Contents:
    """A stream of which there is footage. Its name, and the camera's, stand in its box's home."""

    camera: bytes
    stream: bytes
    ranges: tuple[Range, ...]
    """In the order of time, at least one."""
    locks: tuple[Lock, ...]
    """Of this stream, as the disk's journal has them."""
    head: bytes | None
    """`ftyp` and `moov` of its newest segment; None where they cannot be read."""

    @property
    def from_ns(self) -> int:
        return self.ranges[0].from_ns

    @property
    def to_ns(self) -> int:
        return max(one.to_ns for one in self.ranges)

    @property
    def size_bytes(self) -> int:
        return sum(one.size_bytes for one in self.ranges)


def streams_on(reading: Reading) -> dict[bytes, bytes]:
    """Streams with footage, and the camera of each."""
    found = {row.stream: row.camera for _, row in reading.archive.segments() if row.chunks}
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def contents(reading: Reading) -> Iterator[Contents]:
    """Everything, by camera and stream. Reads the whole index: about 1.5 MB a stream and day."""
    newest: dict[bytes, tuple[int, bytes]] = {}
    for _, row in reading.archive.segments():
        if row.chunks:
            found = row.wall_end_ns, row.entry_sha256
            newest[row.stream] = max(found, newest.get(row.stream, found))
    for stream, camera in streams_on(reading).items():
        packed = list(reading.archive.packed_minutes(stream, 0, _EVER_NS))
        spans = sorted(native.rows_spans(packed, 0, _EVER_NS))
        if not spans:
            continue
        yield Contents(
            camera,
            stream,
            tuple(Range(*span) for span in spans),
            tuple(lock for lock in reading.snapshot.locks if lock.stream == stream),
            reading.archive.entry(newest[stream][1]),
        )
