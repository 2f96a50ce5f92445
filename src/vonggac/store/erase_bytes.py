"""What erasing a chunk writes, and what an intent says of it (docs/ref/journal.md). Reads only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from vonggac._native import segment as native
from vonggac.errors import MediaError, StorageError
from vonggac.media.chunk import BLOCK_BYTES, ChunkFlag, Row
from vonggac.store.journal import EraseIntent
from vonggac.store.segment import Life, SegmentFile

__all__ = ["blocks_of", "intents_of", "is_hit", "middle_of", "rows_without", "table_without"]

INTENTS_MAX = 256
SHARED_BYTES_MAX = 192 << 10
"""Of one part: the journal's slot of 1 MiB holds open segments and locks as well."""


def intents_of(
    file: SegmentFile, life: Life, rows: Sequence[Row]
) -> tuple[tuple[EraseIntent, ...], list[Row], list[str]]:
    """An intent a chunk, as many as the journal has room for, and the rows they are of; and why
    others are left: one damaged head does not keep its neighbours.
    """
    intents: list[EraseIntent] = []
    taken: list[Row] = []
    faults: list[str] = []
    room = SHARED_BYTES_MAX
    for row in sorted(rows, key=lambda r: r.offset):
        try:
            intent = _intent_of(file, life, row)
        except StorageError as error:
            faults.append(str(error))
            continue
        room -= len(intent.shared)
        if room < 0 or len(intents) == INTENTS_MAX:
            break
        intents.append(intent)
        taken.append(row)
    return tuple(intents), taken, faults


def _intent_of(file: SegmentFile, life: Life, row: Row) -> EraseIntent:
    view = file.chunk_of(life, row.offset)
    if view is None:
        raise StorageError(f"no whole chunk at {row.offset}")
    told = (view.claim.run, view.claim.sequence, view.claim.wall_start_ns)
    if told != (row.run, row.sequence, row.wall_start_ns):
        # Promise 5: by the row it was decided that no lock holds this chunk.
        raise StorageError(f"the index does not say of {row.offset} what its chunk says")
    offset = row.offset + view.payload_offset
    size = view.claim.video_bytes + view.claim.audio_bytes
    first = offset - offset % BLOCK_BYTES
    end = offset + size
    before = file.read(first, offset - first)
    behind = file.read(end, -end % BLOCK_BYTES).rstrip(b"\0")
    return EraseIntent(life.number, life.epoch, offset, size, before + behind)


def blocks_of(intent: EraseIntent) -> list[tuple[int, bytes]]:
    """The blocks at both ends, which the payload shares with what stays: (offset, bytes)."""
    before = intent.offset % BLOCK_BYTES
    end = intent.offset + intent.size
    behind = -end % BLOCK_BYTES
    first, last = intent.offset - before, end + behind
    head, tail = intent.shared[:before], intent.shared[before:].ljust(behind, b"\0")
    if last - first <= 2 * BLOCK_BYTES:
        return [(first, head + bytes(intent.size) + tail)]
    blocks = [(first, head + bytes(BLOCK_BYTES - before))]
    if behind:
        blocks.append((last - BLOCK_BYTES, bytes(BLOCK_BYTES - behind) + tail))
    return blocks


def middle_of(intent: EraseIntent) -> tuple[int, int]:
    """The whole blocks between them: (offset, size), a size of 0 where there are none."""
    first = intent.offset - intent.offset % BLOCK_BYTES
    end = intent.offset + intent.size
    behind = -end % BLOCK_BYTES
    last = end + behind
    if last - first <= 2 * BLOCK_BYTES:
        return first, 0
    start = first + BLOCK_BYTES
    return start, (last - BLOCK_BYTES if behind else last) - start


def table_without(file: SegmentFile, intents: Sequence[EraseIntent]) -> bytes:
    """The segment's table with these chunks marked; empty where there is no table."""
    rows = rows_without(file, intents)
    return native.table_write(rows, file.size) if rows else b""


def rows_without(file: SegmentFile, intents: Sequence[EraseIntent]) -> list[Row]:
    """The rows of that table, whether or not it has been written yet.

    A crash may have torn it: each entry lies in one sector and is whole, while the hash is not.
    """
    return [
        replace(row, flags=row.flags | ChunkFlag.ERASED) if is_hit(intents, row) else row
        for row in _entries(file)
    ]


def _entries(file: SegmentFile) -> list[Row]:
    whole = file.table()
    if whole is not None:
        return whole
    footer = file.read(file.size - 64, 64)
    count = int.from_bytes(footer[12:16], "big")
    offset = int.from_bytes(footer[16:24], "big")
    size = native.table_bytes(count)
    if footer[:8] != b"vgtable\0" or size > file.size or offset != file.size - size:
        return []
    entries = file.read(offset + size - 64 - 64 * count, 64 * count)
    try:
        return [native.entry_read(entries[i : i + 64]) for i in range(0, len(entries), 64)]
    except MediaError:
        return []


def is_hit(intents: Sequence[EraseIntent], row: Row) -> bool:
    """Whether an intent lies in this chunk; `intents` are in the order of their offsets."""
    found = bisect_left(intents, row.offset, key=lambda intent: intent.offset)
    return found < len(intents) and intents[found].offset < row.offset + row.chunk_bytes
