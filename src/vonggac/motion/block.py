"""Two minutes of a stream's motion, and the records of the log that hold them (docs/ref/motion.md).

A record is 28 bytes of head, a body and a CRC-32C; it says its own length and its stream. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vonggac._native.segment import crc32c
from vonggac._native.tiles import Grid
from vonggac.errors import MediaError
from vonggac.motion.query import BLOCK_SECONDS
from vonggac.motion.slots import Slot, Tier

__all__ = [
    "BLOCK_SECONDS",
    "GLOBAL",
    "RECORD_MAX_BYTES",
    "Block",
    "Forgotten",
    "PackedBlock",
    "code_of",
    "decode",
    "encode",
    "forget_record",
    "grid_of",
    "merge",
    "pack",
    "records",
    "slots_of",
]

GLOBAL = 4
RECORD_MAX_BYTES = 128 * 1024
"""Above what 120 seconds can take in which every cell moves."""

STREAM_BYTES = 16
NUMBER_MAX = (1 << 32) - 1
_MAGIC = b"vgmo"
_HEAD = struct.Struct(">4sB3xI16s")
_NUMBER = struct.Struct(">I")
_RANGE = struct.Struct(">qq")
_CRC = struct.Struct(">I")
_CODE_BYTES = BLOCK_SECONDS // 2
_BLOCK, _FORGOTTEN = 1, 2
_CODES = frozenset((0, *Tier, *(tier | GLOBAL for tier in Tier)))


@dataclass(frozen=True, slots=True)
class Block:
    """The slots that are known of the 120 seconds from `number * 120` on, in their order."""

    stream: bytes
    number: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class PackedBlock:
    """The same as it is kept: a code for each second (`code_of`), and the set of its strips."""

    stream: bytes
    number: int
    codes: bytes
    strips: bytes


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Everything that stands before it in the logs of [from_s, to_s) of a stream counts no more."""

    stream: bytes
    from_s: int
    to_s: int


def code_of(slot: Slot) -> int:
    """What the index keeps of a slot beside its cells; 0 would be: nothing is known."""
    return slot.tier | (GLOBAL if slot.is_global else 0)


def slots_of(grid: Grid, codes: bytes, starts_s: int) -> tuple[Slot, ...]:
    """The known slots of a grid whose first one is the second `starts_s`."""
    return tuple(
        Slot(starts_s + at, grid.cells(at), Tier(code & ~GLOBAL), bool(code & GLOBAL))
        for at, code in enumerate(codes)
        if code
    )


def grid_of(packed: PackedBlock) -> Grid:
    """Its cells and codes. MediaError: the strips are none."""
    grid = Grid(BLOCK_SECONDS)
    grid.unpack(packed.strips)
    grid.set_codes(packed.codes)
    return grid


def pack(grid: Grid, stream: bytes, number: int) -> PackedBlock:
    """A grid of 120 slots as it is kept."""
    return PackedBlock(stream, number, grid.get_codes(), grid.pack())


def encode(block: Block | PackedBlock) -> bytes:
    """One record. ValueError: a slot that is none of the block's seconds."""
    if isinstance(block, Block):
        block = _packed(block)
    codes = block.codes
    halves = bytes(codes[at] | codes[at + 1] << 4 for at in range(0, BLOCK_SECONDS, 2))
    return _record(_BLOCK, block.stream, _NUMBER.pack(block.number) + halves + block.strips)


def forget_record(forgotten: Forgotten) -> bytes:
    """One record."""
    body = _RANGE.pack(forgotten.from_s, forgotten.to_s)
    return _record(_FORGOTTEN, forgotten.stream, body)


def decode(record: bytes) -> Block:
    """The block of a record. MediaError: it is none, or torn."""
    found = [one for _, one in records(record)]
    if len(found) != 1 or not isinstance(found[0], PackedBlock):
        raise MediaError("value", "a record of a block")
    packed = found[0]
    grid = grid_of(packed)
    return Block(
        packed.stream,
        packed.number,
        slots_of(grid, packed.codes, packed.number * BLOCK_SECONDS),
    )


def merge(one: Block, other: Block) -> Block:
    """Both: of a second that is in both the lower tier, of the same tier the cells of either."""
    if (one.stream, one.number) != (other.stream, other.number):
        raise ValueError("two blocks of the same stream and time")
    grid = grid_of(_packed(one))
    grid.merge(grid_of(_packed(other)), 0)
    return Block(
        one.stream, one.number, slots_of(grid, grid.get_codes(), one.number * BLOCK_SECONDS)
    )


def records(log: bytes) -> Iterator[tuple[int, PackedBlock | Forgotten]]:
    """(offset, record) of every whole record of a log's bytes, and nothing of what is torn.

    Behind something that is no record the next one is looked for: a power cut may leave a hole.
    """
    at = log.find(_MAGIC)
    while at >= 0:
        found = _record_at(log, at)
        if found is not None:
            size, value = found
            yield at, value
            at += size
        else:
            at += 1
        at = log.find(_MAGIC, at)


def _packed(block: Block) -> PackedBlock:
    grid = Grid(BLOCK_SECONDS)
    for slot in block.slots:
        at = slot.second - block.number * BLOCK_SECONDS
        if not 0 <= at < BLOCK_SECONDS:
            raise ValueError(f"second {slot.second} is not in block {block.number}")
        grid.put(at, slot.cells, code_of(slot))
    return pack(grid, block.stream, block.number)


def _record(kind: int, stream: bytes, body: bytes) -> bytes:
    assert len(stream) == STREAM_BYTES
    size = _HEAD.size + len(body) + _CRC.size
    record = _HEAD.pack(_MAGIC, kind, size, stream) + body
    return record + _CRC.pack(crc32c(record))


def _record_at(log: bytes, at: int) -> tuple[int, PackedBlock | Forgotten] | None:
    """The record that begins there and its bytes; None: there is no whole one."""
    if len(log) - at < _HEAD.size + _CRC.size:
        return None
    _, kind, size, stream = _HEAD.unpack_from(log, at)
    if not _HEAD.size + _CRC.size <= size <= min(RECORD_MAX_BYTES, len(log) - at):
        return None
    record = log[at : at + size]
    if _CRC.unpack_from(record, size - _CRC.size)[0] != crc32c(record[: -_CRC.size]):
        return None
    body = record[_HEAD.size : -_CRC.size]
    if kind == _FORGOTTEN and len(body) == _RANGE.size:
        return size, Forgotten(stream, *_RANGE.unpack(body))
    if kind == _BLOCK and len(body) >= _NUMBER.size + _CODE_BYTES:
        halves = body[_NUMBER.size : _NUMBER.size + _CODE_BYTES]
        codes = bytes(_both(halves))
        if _CODES.issuperset(codes):
            strips = body[_NUMBER.size + _CODE_BYTES :]
            return size, PackedBlock(stream, _NUMBER.unpack_from(body)[0], codes, strips)
    return None


def _both(halves: bytes) -> Iterable[int]:
    for byte in halves:
        yield byte & 15
        yield byte >> 4
