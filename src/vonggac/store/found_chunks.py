"""What chunks that were found on a disk say to the archive: their rows, runs and streams."""

from __future__ import annotations

from dataclasses import replace

from vonggac.media.chunk import ChunkFlag, PackedRow, Row, row_of
from vonggac.store.archive import Archive
from vonggac.store.index_values import RunRow, StreamRow
from vonggac.store.segment import Found


def rows_of(chunks: list[Found], table: list[Row] | None = None) -> list[Row]:
    """Rows of chunks that follow each other; an end is the next start where that is known.

    `table`: of the sealed segment they lie in, which knows ends and *continues* exactly.
    """
    sealed = {row.offset: row for row in table or ()}
    rows: list[Row] = []
    for number, found in enumerate(chunks):
        claim = found.view.claim
        exact = sealed.get(found.view.place.offset)
        if exact is not None:
            broken = int(ChunkFlag.BROKEN) if found.is_broken else 0
            rows.append(replace(exact, flags=exact.flags | broken))
            continue
        end_ns = claim.wall_start_ns + claim.duration_ticks * 1_000_000_000 // claim.timescale
        if number + 1 < len(chunks):
            following = chunks[number + 1].view.claim
            if (following.run, following.sequence) == (claim.run, claim.sequence + 1):
                end_ns = following.wall_start_ns
        flags = int(ChunkFlag.BROKEN) if found.is_broken else 0
        rows.append(row_of(claim, found.view.place, end_ns, flags))
    return rows


def file_rows(
    archive: Archive, number: int, epoch: int, stream: bytes, chunks: list[Found], rows: list[Row]
) -> None:
    """Adds found chunks to rows, runs and streams."""
    for found, row in zip(chunks, rows, strict=True):
        archive.add_row(stream, PackedRow(number, epoch, row))
        note_run(archive, found, row)
    if not chunks:
        return
    newest = max(rows, key=lambda r: (r.run, r.sequence))
    note_stream(archive, stream, chunks[-1].view.claim.camera, newest)


def note_stream(archive: Archive, stream: bytes, camera: bytes, newest: Row) -> None:
    """A stream is recorded up to this row, if not further."""
    known = archive.stream(stream)
    if known is None or (known.run, known.sequence) < (newest.run, newest.sequence):
        is_inband = bool(newest.flags & ChunkFlag.INBAND) or (known is not None and known.is_inband)
        end_ns = newest.wall_end_ns
        archive.put_stream(
            stream, StreamRow(camera, newest.run, newest.sequence, end_ns, is_inband)
        )


def note_run(archive: Archive, found: Found, row: Row) -> None:
    """Begins or extends the run that a chunk belongs to."""
    claim = found.view.claim
    known = archive.run(claim.stream, claim.run)
    if known is None:
        known = RunRow(claim.run, row.wall_start_ns, row.wall_end_ns, claim.sequence)
    if claim.flags & ChunkFlag.FIRST:
        known = replace(
            known,
            wall_start_ns=claim.wall_start_ns,
            predecessor_run=claim.predecessor_run,
            gap_reason=claim.gap_reason,
            gap_start_ns=claim.gap_start_ns,
        )
    if claim.sequence >= known.last_sequence:
        known = replace(known, last_sequence=claim.sequence, wall_end_ns=row.wall_end_ns)
    archive.put_run(claim.stream, known)
