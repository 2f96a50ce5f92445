"""Packed rows of the index (native/include/vg/rows.h, docs/ref/segment-format.md).

All raise MediaError where bytes are no value of the index.
"""

from collections.abc import Sequence, Set

from typing_extensions import Buffer

from vonggac.media.chunk import PackedRow, Row

def rows_pack(rows: Sequence[PackedRow]) -> bytes:
    """Rows as one value of the index, at most 65 535."""

def rows_append(packed: Buffer, rows: Sequence[PackedRow]) -> bytes:
    """A value of the index with `rows` behind what it holds: the bytes of packing all of them."""

def rows_merge(packed: Buffer, rows: Sequence[PackedRow]) -> bytes:
    """A value of the index with `rows` among what it holds, by run and sequence."""

def rows_split(packed: Buffer, wall_ns: int) -> tuple[bytes | None, bytes | None]:
    """A value of the index as two: rows that start before `wall_ns`, and the others; None: there
    are none.
    """

def rows_unpack(packed: Buffer) -> list[PackedRow]:
    """The rows of one value of the index."""

def rows_of(packed: Buffer, segment: int, epoch: int) -> list[Row]:
    """Rows of this life of a segment in one value of the index."""

def rows_without(
    packed: Buffer, segment: int, epoch: int, offsets: Set[int] | None = None
) -> bytes | None:
    """A value of the index without the rows of this life of a segment that lie at `offsets` (None:
    all of them). None: it has no others.
    """

def rows_flag(packed: Buffer, segment: int, epoch: int, offset: int, flags: int) -> bytes:
    """A value of the index with `flags` added to one row, where it has that row."""

def rows_spans(
    packed: Sequence[bytes], from_ns: int, to_ns: int
) -> list[tuple[int, int, int, int]]:
    """Ranges of contiguous rows that touch [from_ns, to_ns): (start_ns, end_ns, samples, bytes).

    Rows are contiguous when they follow each other in a run, or lie less than 1 ms apart.
    Ranges are not clipped to the question, so that `samples` and `bytes` belong to them whole.
    """
