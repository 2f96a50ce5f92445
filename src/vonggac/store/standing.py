"""Whether a chunk that was found in a segment still lies there: what readers ask after each piece.

A segment is emptied as a whole before anything new is written into it (docs/design/storage.md), and
no life of a segment has the number of another one. So where a chunk's place still stands, nothing
that was read before belongs to a later life; and where its payload still begins, none of it was
erased before it was read.
"""

from __future__ import annotations

import struct

from vonggac.media.chunk import ChunkView
from vonggac.store.segment import SegmentFile

__all__ = ["stands"]

_PLACE = struct.Struct(">16sIQQIIII")
"""The last part of `uuid`, before `moof` (docs/ref/segment-format.md)."""
_BOX_BYTES = 8
_LENGTH_BYTES = 4


def stands(file: SegmentFile, view: ChunkView) -> bool:
    """Whether the chunk is in its place: life, offset and CRC are read again. StorageError."""
    place = view.place
    wanted = _PLACE.pack(
        place.disk,
        place.segment,
        place.epoch,
        place.offset,
        place.moof_bytes,
        place.chunk_bytes,
        place.first_sample_end,
        place.crc32c,
    )
    # One read for both: each lets another thread in, and is asked for with every piece.
    start = view.payload_offset - _BOX_BYTES - place.moof_bytes - _PLACE.size
    found = file.read(place.offset + start, view.payload_offset + _LENGTH_BYTES - start)
    # Erasing keeps the place and zeroes the payload, its first bytes first; a picture begins with
    # the length of a NAL unit, which is not 0.
    return found.startswith(wanted) and not found.endswith(bytes(_LENGTH_BYTES))
