"""Disks larger than any bench may be: real indexes, heads and tables, and holes where video lies.

What is simulated is said by each function; everything that reads it is the recorder's own code.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import lmdb
from packed_rows import KINDS, MINUTE_NS, START_NS, day

from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Claim, PackedRow, Row, Sample, SyncKind, row_of
from vonggac.store import disk as disks
from vonggac.store import index as indexes
from vonggac.store import journal
from vonggac.store.archive import Archive
from vonggac.store.index import Index, Table
from vonggac.store.index_values import RunRow, SegmentRow
from vonggac.store.journal import SegmentState

SEGMENT_BYTES = 32 << 20
BOX = bytes(range(16))
SPS = bytes.fromhex("6764000aacd9422684000003000400000300503c489658")
PPS = bytes.fromhex("68ebe3cb22c0")
_DAY_NS = 86_400_000_000_000
_AT_ONCE = 10_000
_RUNS_A_DAY = 50
"""A camera on a poor line."""
_FILES = 4096
"""Segments that really have a file: those which are next in the order of reuse."""


def make_large(where: Path, segments: int) -> None:
    """Turns a freshly formatted disk into a full one of so many segments.

    Index and journal are as they would be; of the segments only the next to be reused and the last
    one are files, and those are holes.
    """
    identity = disks.Identity.from_json((where / disks.IDENTITY_NAME).read_bytes(), where)
    identity = replace(identity, segments=segments)
    (where / disks.IDENTITY_NAME).write_bytes(identity.to_json())
    for number in {*range(min(segments, _FILES)), segments - 1}:  # the last one is looked for
        path = disks.segment_path(where, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.truncate(identity.segment_bytes)
    shutil.rmtree(where / disks.INDEX_NAME)
    (where / disks.INDEX_NAME).mkdir()
    epoch = identity.era << 40
    env, tables = _open_env(where, identity)
    with env.begin(write=True) as txn:
        rows = _segment_rows(segments, epoch)
        order = (
            ((segments + 1 + number).to_bytes(8, "big"), number.to_bytes(4, "big"))
            for number in range(segments)
        )
        for table, items in ((Table.SEGMENTS, rows), (Table.ORDER, order)):
            with txn.cursor(tables[table]) as cursor:
                cursor.putmulti(items, append=True)
    env.close()
    os.truncate(where / disks.INDEX_NAME / indexes.DATA_NAME, _map_bytes(identity))
    index = Index.open(where / disks.INDEX_NAME, identity.disk, _map_bytes(identity), writable=True)
    number = index.commit_now(epoch + segments, 2 * segments)
    index.close()
    snapshot = journal.Snapshot(
        generation=2,
        disk=identity.disk,
        highest_epoch=epoch + segments,
        seal_order=2 * segments,
        index_commits=number,
    )
    offset, data = journal.encode(snapshot)
    with (where / disks.JOURNAL_NAME).open("r+b") as file:
        os.pwrite(file.fileno(), data, offset)


def _segment_rows(segments: int, epoch: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values as the archive writes them, some at a time."""
    for first in range(0, segments, _AT_ONCE):
        index = Index.in_memory(bytes(16))
        archive = Archive(index)
        for number in range(first, min(first + _AT_ONCE, segments)):
            start_ns = START_NS + number * 64 * 10**9
            row = SegmentRow(
                SegmentState.SEALED,
                epoch + number,
                b"c" * 16,
                number.to_bytes(16, "big"),
                b"e" * 32,
                start_ns,
                start_ns + 64 * 10**9,
                segments + 1 + number,
                64,
                SEGMENT_BYTES - 8192,
            )
            archive.put_segment(number, row)
        yield from index.items(Table.SEGMENTS, b"", b"\xff" * 4)


def _map_bytes(identity: disks.Identity) -> int:
    return indexes.map_bytes(identity.segments, identity.segment_bytes)


def _open_env(where: Path, identity: disks.Identity) -> tuple[lmdb.Environment, dict[Table, Any]]:
    env = lmdb.open(
        str(where / disks.INDEX_NAME),
        map_size=_map_bytes(identity),
        max_dbs=len(Table),
        sync=False,
        lock=True,
    )
    tables = {table: env.open_db(table.encode()) for table in Table}
    with env.begin(write=True) as txn:
        meta = indexes.Meta(identity.disk, 0, identity.era << 40, identity.segments)
        txn.put(b"index", meta.encode(), db=tables[Table.META])
    return env, tables


@dataclass(slots=True)
class Sealed:
    """Writes sealed segments without their video: head, the chunk heads a rebuild reads, table."""

    where: Path
    disk: bytes
    epoch: int

    def write(self, number: int, stream: bytes, run: int, chunk_bytes: int, sequence: int) -> int:
        """One segment of `chunk_bytes` a second; gives its chunks."""
        head = native.head_write(1, (), (SPS,), (PPS,), 90_000, False)
        padded = -(-chunk_bytes // 4096) * 4096
        count = (SEGMENT_BYTES - len(head) - 4096) // (padded + 64)
        rows: list[Row] = []
        with disks.segment_path(self.where, number).open("r+b") as file:
            os.pwrite(file.fileno(), head, 0)
            at = len(head)
            previous = bytes(32)
            for place in range(count):
                claim = self._claim(stream, run, sequence + place, chunk_bytes, previous)
                if place in (0, count - 1):
                    made, previous = native.chunk_head_write(claim, _samples(chunk_bytes))
                    put = native.chunk_place(
                        made, place * 90_000, place + 1, self.disk, number, self.epoch + number, at
                    )
                    claim, _ = native.claim_read(made)
                    os.pwrite(file.fileno(), made, at)
                    row = row_of(claim, put, claim.wall_start_ns + 10**9)
                else:
                    row = replace(
                        rows[-1],
                        offset=at,
                        sequence=sequence + place,
                        wall_start_ns=claim.wall_start_ns,
                        wall_end_ns=claim.wall_start_ns + 10**9,
                        kind=claim.kind,
                    )
                rows.append(row)
                at += row.chunk_bytes
            table = native.table_write(rows, SEGMENT_BYTES)
            gap = SEGMENT_BYTES - len(table) - at
            os.pwrite(file.fileno(), gap.to_bytes(4, "big") + b"free", at)
            os.pwrite(file.fileno(), table, SEGMENT_BYTES - len(table))
        return count

    def _claim(
        self, stream: bytes, run: int, sequence: int, chunk_bytes: int, previous: bytes
    ) -> Claim:
        return Claim(
            flags=int(ChunkFlag.CLOCK_SYNCED | (ChunkFlag.FIRST if sequence == 0 else 0)),
            camera=stream[::-1],
            stream=stream,
            run=run,
            sequence=sequence,
            wall_start_ns=START_NS + sequence * 10**9,
            media_start_ticks=sequence * 90_000,
            kind=SyncKind.IDR if sequence % 2 == 0 else SyncKind.NONE,
            video_bytes=chunk_bytes - 2048,
            video_sha256=b"v" * 32,
            previous_sha256=bytes(32) if sequence == 0 else previous,
        )


def _samples(chunk_bytes: int) -> list[Sample]:
    size = (chunk_bytes - 2048) // 25
    last = chunk_bytes - 2048 - 24 * size
    return [Sample(size if i < 24 else last, 3600, 0, i == 0) for i in range(25)]


def minutes_of_days(days: int) -> Iterator[tuple[int, list[PackedRow]]]:
    """(minute, rows) of a stream with a sync sample every 2 s, day after day."""
    first = list(day(KINDS[1]))
    for number in range(days):
        shift_ns = number * _DAY_NS
        for minute, group in groupby(first, key=lambda p: p.row.wall_start_ns // MINUTE_NS):
            rows = list(group)
            if shift_ns:
                rows = [_later(packed, shift_ns) for packed in rows]
            yield minute + shift_ns // MINUTE_NS, rows


def _later(packed: PackedRow, shift_ns: int) -> PackedRow:
    row = packed.row
    start_ns, end_ns = row.wall_start_ns + shift_ns, row.wall_end_ns + shift_ns
    return replace(packed, row=replace(row, wall_start_ns=start_ns, wall_end_ns=end_ns))


def index_of_days(folder: Path, streams: int, days: int) -> tuple[Index, int]:
    """An index with `days` of `streams`, and how many bytes its rows take.

    The streams' values are the same; keys are put in order, as copying an index would. Each stream
    has 50 runs a day.
    """
    one = Archive(Index.in_memory(b"d" * 16))
    for _, rows in minutes_of_days(days):
        for packed in rows:
            one.add_row(b"", packed)
        one.file_tails()
    values = list(one.index.items(Table.ROWS, b"", b"\xff" * 4))
    folder.mkdir()
    size = 2 * streams * len(values) * 4096 + (64 << 20)
    size = -(-size // (1 << 20)) << 20
    env = lmdb.open(str(folder), map_size=size, max_dbs=len(Table), sync=False)
    tables = {table: env.open_db(table.encode()) for table in Table}
    with env.begin(write=True) as txn:
        meta = indexes.Meta(b"d" * 16, 1, 0, 0)
        txn.put(b"index", meta.encode(), db=tables[Table.META])
        with txn.cursor(tables[Table.ROWS]) as cursor:
            for number in range(streams):
                key = number.to_bytes(16, "big")
                cursor.putmulti([(key + m, v) for m, v in values], append=True)
        rows_bytes = _bytes_of(txn.stat(tables[Table.ROWS]))
    env.close()
    os.truncate(folder / indexes.DATA_NAME, size)
    found = Index.open(folder, b"d" * 16, size, writable=True)
    archive = Archive(found)
    for number in range(streams):
        for run in range(days * _RUNS_A_DAY):
            start_ns = START_NS + run * _DAY_NS // _RUNS_A_DAY
            end_ns = start_ns + _DAY_NS // _RUNS_A_DAY - 10**9
            archive.put_run(number.to_bytes(16, "big"), RunRow(run + 1, start_ns, end_ns, 99))
    found.commit_now(1, 1)
    return found, rows_bytes


def rows_bytes_as_recorded(folder: Path, streams: int, hours: int) -> float:
    """Bytes in the file for each stream-day when minutes grow and are committed every 10 s."""
    folder.mkdir()
    indexes.create(folder, b"d" * 16, 1 << 30)
    index = Index.open(folder, b"d" * 16, 1 << 30, writable=True)
    archive = Archive(index)
    for number, (_, rows) in enumerate(minutes_of_days(1)):
        if number == hours * 60:
            break
        for part in range(0, len(rows), 15):
            for stream in range(streams):
                for packed in rows[part : part + 15]:
                    archive.add_row(stream.to_bytes(16, "big"), packed)
            archive.file_tails()
            index.commit_now(1, 1)
    index.close()
    env = lmdb.open(str(folder), map_size=1 << 30, max_dbs=len(Table), readonly=True)
    with env.begin() as txn:
        found = _bytes_of(txn.stat(env.open_db(Table.ROWS.encode(), txn=txn, create=False)))
    env.close()
    return found / streams * 24 / hours


def _bytes_of(stat: Mapping[str, Any]) -> int:
    pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
    return int(pages * stat["psize"])
