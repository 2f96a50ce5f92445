"""Footage of a stream wherever it is: asked from a running keeper, else read from the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vonggac._native import segment as native
from vonggac.errors import ConfigError, Refused, StorageError, Unavailable
from vonggac.media.chunk import PackedRow
from vonggac.playback import cut as cuts
from vonggac.store.archive import RunRow
from vonggac.store.segment import SegmentFile
from vonggac.store.start import Reading, open_for_reading
from vonggac.store.timeline import Tail, Timeline, explain, timeline
from vonggac_appliance.index_client import IndexClient, run_row
from vonggac_appliance.messages import Disk

DEADLINE_S = 10.0
"""A keeper that is recovering holds the lock and does not answer yet."""
_MARGIN_NS = 600 * 1_000_000_000
"""Where the ends of fragments are looked for: cameras with smart codecs send key frames minutes
apart.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one disk knows of a stream."""

    packed: list[bytes]
    runs: list[RunRow]
    tail: Tail


class Source(Protocol):
    """One disk."""

    def ask(self, stream: bytes, from_ns: int, to_ns: int) -> Answer: ...
    def facts(self) -> Disk: ...
    def open(self, stream: bytes, row: PackedRow, receipt: bytes) -> int: ...
    def check(self, fd: int) -> None: ...
    def close(self) -> None: ...


class OnlineDisk:
    """Through its keeper."""

    def __init__(self, client: IndexClient) -> None:
        self._client = client
        self._leases: dict[int, int] = {}

    def ask(self, stream: bytes, from_ns: int, to_ns: int) -> Answer:
        packed, until_ns = self._client.rows(stream, from_ns, to_ns)
        runs, gap = self._client.runs(stream, from_ns, to_ns)
        tail = Tail(until_ns, time.time_ns(), gap, is_keeper_running=True)
        return Answer(packed, [run_row(run) for run in runs], tail)

    def facts(self) -> Disk:
        return self._client.disk()

    def open(self, stream: bytes, row: PackedRow, receipt: bytes) -> int:
        fd, self._leases[fd] = self._client.lease(stream, row.segment, row.epoch, receipt)
        return fd

    def check(self, fd: int) -> None:
        """After a piece was read and before it is used: the segment still lives that life."""
        self._client.renew(self._leases[fd])

    def close(self) -> None:
        self._client.close()


class OfflineDisk:
    """By itself, read-only, while no keeper runs."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def ask(self, stream: bytes, from_ns: int, to_ns: int) -> Answer:
        archive = self._reading.archive
        packed = list(archive.packed_minutes(stream, from_ns, to_ns))
        runs = explain(archive.runs(stream, 0, to_ns), archive.sessions())
        row = archive.stream(stream)
        gap = self._reading.found.gaps.get(stream)
        tail = Tail(
            None if row is None else row.wall_end_ns,
            time.time_ns(),
            None if gap is None else (gap.start_ns, gap.reason),
        )
        return Answer(packed, [run for run in runs if run.wall_end_ns > from_ns], tail)

    def facts(self) -> Disk:
        identity = self._reading.disk.identity
        rows = [row for _, row in self._reading.archive.segments() if row.chunks]
        return Disk(
            disk=identity.disk,
            path=str(self._reading.disk.path),
            state="stopped",
            segments=identity.segments,
            segment_bytes=identity.segment_bytes,
            used_bytes=len(rows) * identity.segment_bytes,
            oldest_ns=min((row.wall_start_ns for row in rows), default=None),
            tick_ms=0.0,
            loss_bound_ms=0.0,
        )

    def open(self, stream: bytes, row: PackedRow, receipt: bytes) -> int:
        return self._reading.disk.open_segment(row.segment, writable=False)

    def check(self, fd: int) -> None:
        """The lock that this process holds keeps every recorder out."""

    def close(self) -> None:
        self._reading.close()


def open_source(home: Path, path: Path, disk: bytes, deadline_s: float = DEADLINE_S) -> Source:
    """The keeper of a disk where one answers, else the disk. Unavailable after the deadline."""
    until_s = time.monotonic() + deadline_s
    while True:
        try:
            return OnlineDisk(IndexClient(home, disk))
        except Unavailable:
            pass  # no keeper, or not yet
        try:
            return OfflineDisk(open_for_reading(path))
        except Unavailable:
            if time.monotonic() >= until_s:
                raise
        time.sleep(0.1)  # a keeper that starts has the lock before it has its socket


def timeline_of(
    home: Path, disks: Sequence[tuple[Path, bytes]], stream: bytes, from_ns: int, to_ns: int
) -> Timeline:
    """The timeline over all disks, each (path, uuid)."""
    answers: list[Answer] = []
    for path, disk in disks:
        source = open_source(home, path, disk)
        try:
            answers.append(source.ask(stream, from_ns, to_ns))
        finally:
            source.close()
    if not answers:
        raise ConfigError("no disk is enrolled: `vonggac disk format PATH --size …` makes one")
    newest = max(answers, key=lambda answer: answer.tail.durable_until_ns or 0)
    packed = [value for answer in answers for value in answer.packed]
    runs = [run for answer in answers for run in answer.runs]
    return timeline(packed, runs, from_ns, to_ns, newest.tail)


def disk_facts(home: Path, path: Path, disk: bytes) -> Disk:
    """For `disk list`."""
    source = open_source(home, path, disk)
    try:
        return source.facts()
    finally:
        source.close()


@dataclass(slots=True)
class CutFile:
    """A file of a cut."""

    path: Path
    from_ns: int = 0
    to_ns: int = 0
    chunks: int = 0
    size_bytes: int = 0


@dataclass(slots=True)
class CutReport:
    """What a cut has written. `broken`: chunks whose payload does not have its hash any more."""

    files: list[CutFile] = field(default_factory=list)
    broken: int = 0


def extent(
    home: Path,
    disks: Sequence[tuple[Path, bytes]],
    stream: bytes,
    from_ns: int,
    to_ns: int,
) -> tuple[int, int]:
    """What a cut of [from_ns, to_ns) shows: the whole fragments that touch it, and the range.

    From the index alone; this is what the receipt has to cover, and what the audit line says.
    """
    for path, disk in disks:
        source = open_source(home, path, disk)
        try:
            for packed in _chosen(source, stream, from_ns, to_ns):
                from_ns = min(from_ns, packed.row.wall_start_ns)
                to_ns = max(to_ns, packed.row.wall_end_ns)
        finally:
            source.close()
    return from_ns, to_ns


def _chosen(source: Source, stream: bytes, from_ns: int, to_ns: int) -> list[PackedRow]:
    answer = source.ask(stream, from_ns - _MARGIN_NS, to_ns + _MARGIN_NS)
    rows = [row for value in answer.packed for row in native.rows_unpack(value)]
    return cuts.whole_fragments(rows, from_ns, to_ns)


def cut(
    home: Path,
    disks: Sequence[tuple[Path, bytes]],
    stream: bytes,
    from_ns: int,
    to_ns: int,
    receipt: bytes,
    out: Path,
    shown: tuple[int, int] | None = None,
) -> CutReport:
    """Whole fragments of the range to `out` (and `out-2`, … after a change of the sample entry).

    `shown`: the receipt's range (`extent`), beyond which nothing goes that was recorded since.
    Refused when nothing is recorded there. The caller has the audit chain's receipt first.
    """
    report = CutReport()
    for path, disk in disks:
        source = open_source(home, path, disk)
        try:
            chosen = _chosen(source, stream, from_ns, to_ns)
            if shown is not None:
                start_ns, end_ns = shown
                chosen = [p for p in chosen if start_ns <= p.row.wall_start_ns < end_ns]
            if chosen:
                _write_cut(source, stream, chosen, receipt, out, report)
        finally:
            source.close()
    if not report.files:
        raise Refused("nothing is recorded in that range")
    return report


def _write_cut(
    source: Source,
    stream: bytes,
    rows: Sequence[PackedRow],
    receipt: bytes,
    out: Path,
    report: CutReport,
) -> None:
    reader = _Reader(source, stream, receipt)
    file: CutFile | None = None
    fd = -1
    try:
        for piece in cuts.pieces(rows, reader.head, reader.chunk):
            if piece.begins_file:
                _finish(fd)
                fd = -1
                file = CutFile(_numbered(out, len(report.files) + 1))
                fd = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                report.files.append(file)
            assert file is not None
            _write_all(fd, piece.data)
            file.size_bytes += len(piece.data)
            report.broken += piece.is_broken
            if piece.row is not None:
                row = piece.row.row
                file.from_ns = file.from_ns or row.wall_start_ns
                file.to_ns = max(file.to_ns, row.wall_end_ns)
                file.chunks += 1
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        reader.close()
        _finish(fd)


class _Reader:
    """Reads a segment after the other; each piece is checked against the lease before its use."""

    def __init__(self, source: Source, stream: bytes, receipt: bytes) -> None:
        self._source = source
        self._stream = stream
        self._receipt = receipt
        self._fd = -1
        self._of: tuple[int, int] | None = None

    def head(self, row: PackedRow) -> bytes:
        fd = self._open(row)
        head = SegmentFile(fd, os.fstat(fd).st_size).head()
        self._source.check(fd)
        if head is None:
            raise StorageError(f"segment {row.segment} has no head")
        return head

    def chunk(self, row: PackedRow) -> bytes:
        fd = self._open(row)
        data = os.pread(fd, row.row.chunk_bytes, row.row.offset)
        self._source.check(fd)
        return data

    def _open(self, row: PackedRow) -> int:
        if (row.segment, row.epoch) != self._of:
            self.close()
            self._fd = self._source.open(self._stream, row, self._receipt)
            self._of = (row.segment, row.epoch)
        return self._fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._of = -1, None


def _numbered(out: Path, number: int) -> Path:
    return out if number == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _finish(fd: int) -> None:
    if fd >= 0:
        os.fsync(fd)
        os.close(fd)
