"""Footage of a stream wherever it is: of all disks as of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from vonggac._native import segment as native
from vonggac.errors import ConfigError, Refused, StorageError, Unavailable, VonggacError
from vonggac.media.chunk import PackedRow
from vonggac.playback import cut as cuts
from vonggac.playback.once import in_time, once
from vonggac.store.segment import SegmentFile
from vonggac.store.timeline import Timeline, timeline, unexplained
from vonggac_appliance.messages_footage import Disk
from vonggac_appliance.sources import DEADLINE_S, Answer, Source, open_source
from vonggac_appliance.synced_files import write_all

__all__ = [
    "DEADLINE_S",
    "CutFile",
    "CutReport",
    "Disks",
    "Found",
    "Opens",
    "Source",
    "cut",
    "disk_facts",
    "extent",
    "found_of",
    "open_source",
    "timeline_of",
]

_MARGIN_NS = 600 * 1_000_000_000
"""Where the ends of fragments are looked for: cameras with smart codecs send key frames minutes
apart.
"""

Disks = Sequence[tuple[Path, bytes]]
"""Path and uuid of each."""
Opens = Callable[[Path, Path, bytes], Source]
"""Gives a disk: of this home, at that path, with that uuid."""
_NO_ANSWER = (Unavailable, StorageError, ConfigError)
"""A disk that is away, broken or somebody else's must not hide what lies on the others."""
_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Found:
    """A timeline, and the disks that did not answer, or not with all they have."""

    line: Timeline
    missing: tuple[Path, ...]


def timeline_of(home: Path, disks: Disks, stream: bytes, from_ns: int, to_ns: int) -> Timeline:
    """The timeline over all disks that answer. Unavailable where none does."""
    return found_of(home, disks, stream, from_ns, to_ns).line


def found_of(
    home: Path,
    disks: Disks,
    stream: bytes,
    from_ns: int,
    to_ns: int,
    opens: Opens = open_source,
) -> Found:
    """The same, and who did not answer."""
    if not disks:
        raise ConfigError("no disk is enrolled: `vonggac disk format PATH --size …` makes one")
    answers: list[Answer] = []
    missing: list[Path] = []
    why: VonggacError | None = None
    for path, disk in disks:
        try:
            source = opens(home, path, disk)
            answers.append(_asked(source, lambda s: s.ask(stream, from_ns, to_ns)))
            missing += () if answers[-1].is_whole else (path,)
        except _NO_ANSWER as error:
            missing.append(path)
            why = error
    if not answers and why is not None:
        raise why
    newest = max(answers, key=lambda answer: answer.tail.durable_until_ns or 0)
    values = once([answer.packed for answer in answers], from_ns, to_ns)
    packed = in_time(values, from_ns, to_ns) if len(values) > 1 else list(values[0])
    runs = [run for answer in answers for run in answer.runs]
    line = timeline(packed, runs, from_ns, to_ns, newest.tail)
    return Found(unexplained(line) if missing else line, tuple(missing))


def disk_facts(home: Path, path: Path, disk: bytes) -> Disk:
    """For `disk list`."""
    return _asked(open_source(home, path, disk), lambda source: source.facts())


def _asked(source: Source, ask: Callable[[Source], _Told]) -> _Told:
    try:
        return ask(source)
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
    missing: tuple[Path, ...] = ()
    """Disks that did not answer, or not with all they have."""


def extent(
    home: Path,
    disks: Disks,
    stream: bytes,
    from_ns: int,
    to_ns: int,
    opens: Opens = open_source,
) -> tuple[int, int]:
    """What a cut of [from_ns, to_ns) shows: the whole fragments that touch it, and the range.

    From the index alone; this is what the receipt has to cover, and what the audit line says.
    """
    with _chosen(home, disks, stream, from_ns, to_ns, opens) as (chosen, _):
        for packed, _ in chosen:
            from_ns = min(from_ns, packed.row.wall_start_ns)
            to_ns = max(to_ns, packed.row.wall_end_ns)
    return from_ns, to_ns


_Chosen = tuple[list[tuple[PackedRow, Source]], tuple[Path, ...]]
"""Chunks and where each lies; disks that do not answer, or not with all they have."""


@contextmanager
def _chosen(
    home: Path, disks: Disks, stream: bytes, from_ns: int, to_ns: int, opens: Opens
) -> Iterator[_Chosen]:
    """The chunks of whole fragments, in the order of recording. Unavailable: no disk answers."""
    wide = from_ns - _MARGIN_NS, to_ns + _MARGIN_NS
    with ExitStack() as stack:
        asked: list[tuple[Source, list[bytes]]] = []
        missing: list[Path] = []
        why: VonggacError | None = None
        for path, disk in disks:
            try:
                source = opens(home, path, disk)
                stack.callback(source.close)
                answer = source.ask(stream, *wide)
                asked.append((source, answer.packed))
                missing += () if answer.is_whole else (path,)
            except _NO_ANSWER as error:
                missing.append(path)
                why = error
        if not asked and why is not None:
            raise why
        values = once([packed for _, packed in asked], *wide)
        where = {
            _name(packed): (packed, source)
            for (source, _), of in zip(asked, values, strict=True)
            for value in of
            for packed in native.rows_unpack(value)
        }
        whole = cuts.whole_fragments([packed for packed, _ in where.values()], from_ns, to_ns)
        yield [where[_name(packed)] for packed in whole], tuple(missing)


def cut(
    home: Path,
    disks: Disks,
    stream: bytes,
    from_ns: int,
    to_ns: int,
    receipt: bytes,
    out: Path,
    shown: tuple[int, int] | None = None,
    opens: Opens = open_source,
) -> CutReport:
    """Whole fragments of the range to `out` (and `out-2`, … after a change of the sample entry).

    `shown`: the receipt's range (`extent`), beyond which nothing goes that was recorded since.
    Refused when nothing is recorded there. The caller has the audit chain's receipt first.
    """
    report = CutReport()
    with _chosen(home, disks, stream, from_ns, to_ns, opens) as (chosen, report.missing):
        if shown is not None:
            start_ns, end_ns = shown
            chosen = [x for x in chosen if start_ns <= x[0].row.wall_start_ns < end_ns]
        if chosen:
            _write_cut(chosen, stream, receipt, out, report)
    if not report.files and report.missing:
        what = f"{report.missing[0]} does not answer, or not with all it has"
        raise Unavailable(f"nothing is found, but {what}")
    if not report.files:
        raise Refused("nothing is recorded in that range")
    return report


def _write_cut(
    chosen: Sequence[tuple[PackedRow, Source]],
    stream: bytes,
    receipt: bytes,
    out: Path,
    report: CutReport,
) -> None:
    reader = _Reader({_name(packed): source for packed, source in chosen}, stream, receipt)
    file: CutFile | None = None
    fd = -1
    try:
        for piece in cuts.pieces([x[0] for x in chosen], reader.head, reader.chunk, reader.life):
            if piece.begins_file:
                _finish(fd)
                fd = -1
                file = CutFile(_numbered(out, len(report.files) + 1))
                fd = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                report.files.append(file)
            assert file is not None
            write_all(fd, piece.data)
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

    def __init__(self, where: dict[tuple[int, int], Source], stream: bytes, receipt: bytes) -> None:
        self._where = where
        self._stream = stream
        self._receipt = receipt
        self._fd = -1
        self._of: tuple[int, int, int] | None = None

    def life(self, row: PackedRow) -> tuple[int, int, int]:
        """Numbers and epochs are each disk's own."""
        return id(self._where[_name(row)]), row.segment, row.epoch

    def head(self, row: PackedRow) -> bytes:
        fd = self._open(row)
        head = SegmentFile(fd, os.fstat(fd).st_size).head()
        self._where[_name(row)].check(fd)
        if head is None:
            raise StorageError(f"segment {row.segment} has no head")
        return head

    def chunk(self, row: PackedRow) -> bytes:
        fd = self._open(row)
        data = os.pread(fd, row.row.chunk_bytes, row.row.offset)
        self._where[_name(row)].check(fd)
        return data

    def _open(self, row: PackedRow) -> int:
        life = self.life(row)
        if life != self._of:
            self.close()
            self._fd = self._where[_name(row)].open(self._stream, row, self._receipt)
            self._of = life
        return self._fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._of = -1, None


def _name(packed: PackedRow) -> tuple[int, int]:
    return packed.row.run, packed.row.sequence


def _numbered(out: Path, number: int) -> Path:
    return out if number == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")


def _finish(fd: int) -> None:
    if fd >= 0:
        os.fsync(fd)
        os.close(fd)
