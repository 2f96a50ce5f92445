"""Chunks read whole, in the order of their place, each against the hashes that its claim names.

For `disk check --deep` and the scrub. A reader belongs to one thread and reads in large pieces into
one buffer, so that hashing is what it costs.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from vonggac._native import segment as native
from vonggac.errors import MediaError
from vonggac.media.chunk import ChunkView, Row
from vonggac.media.sound import starts_as_told
from vonggac.store.segment import Life, lies_here

PIECE_BYTES = 2 << 20
"""Small enough to stay in the processor's cache between reading and hashing."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A chunk that was read."""

    row: Row
    view: ChunkView | None
    """None: no whole head of this chunk lies there."""
    is_whole: bool
    """Its payload has the claimed hashes."""
    why: str = ""
    """What was wrong, a sentence; empty when nothing was."""


class PayloadReader:
    """One buffer, aligned as O_DIRECT wants it; it grows to the largest chunk."""

    def __init__(self) -> None:
        self._buffer = mmap.mmap(-1, PIECE_BYTES)

    def close(self) -> None:
        self._buffer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def look(
        self, fd: int, segment_bytes: int, life: Life, rows: Iterable[Row]
    ) -> Iterator[tuple[int, list[Looked]]]:
        """(bytes read, chunks) piece by piece; `rows` in the order of their offsets.

        A block that the disk cannot give costs the chunk it lies in, and no other.
        """
        for piece in _pieces(rows):
            start = piece[0].offset
            size = min(piece[-1].offset + piece[-1].chunk_bytes, segment_bytes) - start
            try:
                got = self._read(fd, start, max(size, 0))
            except OSError as error:
                if len(piece) > 1:
                    for row in piece:
                        yield from self.look(fd, segment_bytes, life, [row])
                    continue
                why = f"cannot be read: {error.strerror}"
                yield 0, [Looked(piece[0], None, False, why)]
                continue
            with memoryview(self._buffer)[:got] as data:
                looked = [_looked(data, row, start, life, segment_bytes) for row in piece]
            yield got, looked

    def _read(self, fd: int, start: int, size: int) -> int:
        if size > len(self._buffer):
            self._buffer.close()
            self._buffer = mmap.mmap(-1, size)
        done = 0
        while done < size:
            with memoryview(self._buffer)[done:size] as room:
                got = os.preadv(fd, [room], start + done)
            if not got:
                break
            done += got
        return done


def _pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows that lie beside each other, as many as one piece holds."""
    piece: list[Row] = []
    for row in rows:
        if piece:
            end = piece[-1].offset + piece[-1].chunk_bytes
            is_too_long = row.offset + row.chunk_bytes - piece[0].offset > PIECE_BYTES
            if row.offset != end or is_too_long:
                yield piece
                piece = []
        piece.append(row)
    if piece:
        yield piece


def _looked(data: memoryview, row: Row, start: int, life: Life, segment_bytes: int) -> Looked:
    at = row.offset - start
    with data[at : at + row.chunk_bytes] as chunk:
        try:
            view = native.chunk_parse(chunk)
        except MediaError:
            view = None
        if view is None or not lies_here(view, life, row.offset, segment_bytes):
            return Looked(row, None, False, "a row without a whole chunk")
        claim = view.claim
        video_end = view.payload_offset + claim.video_bytes
        with chunk[view.payload_offset : video_end] as video:
            is_whole = hashlib.sha256(video).digest() == claim.video_sha256
        with chunk[video_end : video_end + claim.audio_bytes] as audio:
            is_whole = is_whole and hashlib.sha256(audio).digest() == claim.audio_sha256
            is_whole = is_whole and starts_as_told(view.sound_start_ticks, audio)
    why = "" if is_whole else "the payload does not have its hash"
    return Looked(row, view, is_whole, why)
