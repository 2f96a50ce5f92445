"""What is told of footage that is gone: by segment and run, from when to when, by which rule.

A tombstone is written in the same commit of the index that takes the rows out, so that a crash
leaves either both or neither, and stays there until the home's ledger has it. docs/ref/audit.md
draws its line.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vonggac._native import segment as native
from vonggac.media.chunk import ChunkFlag, Row
from vonggac.store.index import Index, Table

__all__ = ["RECYCLED", "Rule", "bury", "kept", "lost", "pending", "waiting"]

_PREFIX = b"tombstone "
_ALL = (_PREFIX, _PREFIX + b"\xff" * 8)
_LAST = b"tombstones"
_LOST = b"tombstones lost"
_ROOM_BYTES = 512
_LEAST = 2000
_U64 = struct.Struct(">Q")
_TOLD_FLAGS = ~int(ChunkFlag.BROKEN | ChunkFlag.ERASED)


@dataclass(frozen=True, slots=True)
class Rule:
    """Why footage went."""

    word: str
    """`recycled`: the ring was full; `expired`: it was older than `days`."""
    days: int = 0
    by: str = ""
    """Who set the days: agreement, camera, class, default."""


RECYCLED = Rule("recycled")


def bury(
    index: Index,
    segment: tuple[int, int],
    owner: tuple[bytes, bytes],
    rows: Sequence[Row],
    rule: Rule,
    at_ns: int,
) -> None:
    """Tombstones for these rows, one for each unbroken part of a run.

    `segment`: number, epoch; `owner`: camera, stream.
    """
    if not rows:
        return
    number = _last(index)
    told = sorted(rows, key=lambda row: row.offset)
    table = native.sha256(b"".join(native.entry_write(_plain(row)) for row in told)).hex()
    for own in _stretches(told):
        number += 1
        entry: dict[str, int | str] = {
            "at_ns": at_ns,
            "by": rule.by,
            "camera": owner[0].hex(),
            "chunks": len(own),
            "days": rule.days,
            "disk": index.meta.disk.hex(),
            "epoch": segment[1],
            "first": own[0].sequence,
            "from_ns": min(row.wall_start_ns for row in own),
            "last": own[-1].sequence,
            "number": number,
            "rule": rule.word,
            "run": own[0].run,
            "segment": segment[0],
            "stream": owner[1].hex(),
            "table": table,
            "to_ns": max(row.wall_end_ns for row in own),
        }
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        index.put(Table.META, _PREFIX + _U64.pack(number), text.encode())
    index.put(Table.META, _LAST, _U64.pack(number))
    _bound(index, number)


def waiting(index: Index) -> int:
    """How many are not in the ledger yet; those count too that are not committed."""
    oldest = next(index.committed_items(Table.META, *_ALL), None)
    return 0 if oldest is None else _last(index) - _number(oldest[0]) + 1


def pending(index: Index, most: int) -> tuple[int, list[str]]:
    """The oldest tombstones that are committed and not in the ledger yet, and the last's number."""
    found: list[str] = []
    upto = 0
    for key, value in index.committed_items(Table.META, *_ALL):
        if len(found) == most:
            break
        if index.get(Table.META, key) is not None:
            found.append(value.decode())
            upto = _number(key)
    return upto, found


def kept(index: Index, upto: int) -> None:
    """The ledger has all up to this number: they are told no more."""
    first, last = _PREFIX + _U64.pack(0), _PREFIX + _U64.pack(upto)
    for key in [key for key, _ in index.items(Table.META, first, last)]:
        index.delete(Table.META, key)


def _stretches(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows in the order of their place, parted where a run or its numbering breaks off."""
    parts: list[list[Row]] = []
    for row in rows:
        if not parts or (row.run, row.sequence) != (parts[-1][-1].run, parts[-1][-1].sequence + 1):
            parts.append([])
        parts[-1].append(row)
    return parts


def lost(index: Index) -> int:
    """How many found no room, because the ledger took none for long."""
    value = index.get(Table.META, _LOST)
    return 0 if value is None else _U64.unpack(value)[0]


def _bound(index: Index, last: int) -> None:
    """Recording does not wait for a ledger that is down, and rows need their room: the oldest go.

    An eighth of the index: weeks on any disk but a tiny one.
    """
    most = max(index.size_bytes // 8 // _ROOM_BYTES, _LEAST)
    if last <= most:
        return
    gone = [key for key, _ in index.items(Table.META, _PREFIX, _PREFIX + _U64.pack(last - most))]
    for key in gone:
        index.delete(Table.META, key)
    if gone:
        index.put(Table.META, _LOST, _U64.pack(lost(index) + len(gone)))


def _number(key: bytes) -> int:
    number: int = _U64.unpack(key[len(_PREFIX) :])[0]
    return number


def _last(index: Index) -> int:
    value = index.get(Table.META, _LAST)
    return 0 if value is None else _U64.unpack(value)[0]


def _plain(row: Row) -> Row:
    """As the table had it when it was written: what was found wrong since is left out."""
    flags = row.flags & _TOLD_FLAGS
    return row if flags == row.flags else replace(row, flags=flags)
