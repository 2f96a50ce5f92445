"""A fragment as it can be served: bytes that lie in one piece, and when they were recorded."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Fragment"]


class Fragment(NamedTuple):
    """From a sync sample on, as much as lies in one piece in one segment, at most 10 s.

    A named tuple, for `vonggac._native.segment.rows_fragments` makes 43,200 of them for a day.
    """

    disk: int
    """Which one of the disks that were asked."""
    segment: int
    epoch: int
    offset: int
    """Of its first chunk in the segment; a multiple of 4 KiB."""
    size_bytes: int
    """To the end of the padding of its last chunk."""
    moof_start: int
    """Of its first chunk, from `offset`."""
    first_sample_end: int
    """From `offset`: `moof_start` to here serves the key frame alone."""
    last_chunk: int
    """Where its last chunk starts, from `offset`."""
    wall_start_ns: int
    wall_end_ns: int
    duration_ticks: int
    samples: int
    flags: int
    """`ChunkFlag` of all its chunks together."""
    kind: int
    """`SyncKind` of its first sample; NONE: it goes on with what the one before began."""
    run: int
    sequence: int
    """Of its first chunk."""
    chunks: int

    @property
    def end(self) -> int:
        """Offset in the segment of what follows."""
        return self.offset + self.size_bytes

    @property
    def next_sequence(self) -> int:
        """Of the chunk that follows in its run."""
        return self.sequence + self.chunks
