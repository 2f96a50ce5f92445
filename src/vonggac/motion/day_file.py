"""A UTC day of a stream's motion as one file (docs/ref/motion.md): written whole, never changed.

    "vgmotion" | u16 version | u16 0 | stream 16 | u32 day | directory 42 x 16 | u32 CRC-32C
    known | summary | strips of the tiles 0..39

Each part is a frame of zstd; behind that of a strip, which has its masks and times, stand its rows
as they are: they would hardly get smaller, and unpacking is most of what a search costs. So masks
and times are packed only where that leaves little of them; else their frame holds them as they
are. The directory says of each part the bytes of its frame, what these unpack to, the bytes of its
rows, and the CRC-32C of all that is here. Head, known ranges and summary are kept in memory; of the
strips a search reads those that it needs.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vonggac._native.segment import crc32c
from vonggac._native.summaries import Summary
from vonggac._native.tiles import DAY_SLOTS, STRIP_MAX_BYTES, TILES, Grid
from vonggac._native.zstd import Unpacker, compress
from vonggac.errors import MediaError
from vonggac.motion.block import BLOCK_SECONDS

__all__ = [
    "BESIDE",
    "DayFile",
    "Part",
    "assemble",
    "load",
    "pack",
    "parts_of",
    "read_grid",
    "runs",
    "stored",
    "sync_directory",
    "write",
]

VERSION = 1
BESIDE = ".new"
"""Of a file that is being written."""
_MAGIC = b"vgmotion"
_START = struct.Struct(">8sHH16sI")
_ENTRY = struct.Struct(">IIII")
_CRC = struct.Struct(">I")
_STRIP_HEAD = struct.Struct(">III")
_KNOWN = struct.Struct(">IIB")
_DIRECTORY = _ENTRY.size * (2 + TILES)
_HEAD_BYTES = _START.size + _DIRECTORY + _CRC.size
_SUMMARY_MAX = TILES * (1 + STRIP_MAX_BYTES // BLOCK_SECONDS)
_READ_AHEAD = 128 * 1024
"""Head, known ranges and summary of nearly every day lie within it."""
_WORTH_UNPACKING = 8
"""How many times smaller masks and times have to get: unpacking is slow, copying is not."""
_BYTES_A_CELL = 0.5
"""Of a strip, for each cell and second in which it moved; what would take more is packed."""
_FRAME_START = bytes.fromhex("28b52ffd a0")
"""Magic number; one segment, whose size stands in 4 bytes, without dictionary and checksum."""
_BLOCK_MAX = 1 << 17
_Entry = tuple[int, int, int, int]
_SAME = re.compile(rb"(.)\1*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DayFile:
    """What is kept in memory of a file."""

    path: Path
    stream: bytes
    day: int
    """Days since 1970-01-01."""
    size_bytes: int
    known: bytes
    """Packed ranges (`known_ranges`)."""
    summary: Summary
    """Which cells moved in which two minutes."""
    strips_at: int
    directory: bytes
    """Of the strips."""

    def known_ranges(self) -> list[tuple[int, int, int]]:
        """(from, to, code) in seconds of the day, rising; elsewhere nothing is known."""
        return list(_KNOWN.iter_unpack(self.known))


def pack(stream: bytes, day: int, grid: Grid) -> bytes:
    """The file of a grid of 86,400 slots."""
    return assemble(stream, day, parts_of(grid))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file as it stands there."""

    frame: bytes
    frame_unpacks_to: int
    rows: bytes = b""


def parts_of(grid: Grid) -> list[Part]:
    """Everything that follows the head of a grid's file."""
    known = b"".join(_KNOWN.pack(start, end, code) for code, start, end in runs(grid.get_codes()))
    parts = [_packed(known), _packed(grid.summary(BLOCK_SECONDS).pack())]
    for tile in range(TILES):
        strip = grid.strip(tile)
        rows_at = len(strip) - _STRIP_HEAD.unpack_from(strip)[2] if strip else 0
        parts.append(_strip(strip[:rows_at], strip[rows_at:]))
    return parts


def _packed(content: bytes) -> Part:
    return Part(compress(content) if content else b"", len(content))


def _strip(head: bytes, rows: bytes) -> Part:
    """As it is searched fastest, as long as it is not too large for the cells that it has."""
    packed = _packed(head)
    frame = stored(head)
    cells = int.from_bytes(rows, "big").bit_count()
    is_large = len(frame) + len(rows) > _BYTES_A_CELL * cells
    if is_large or len(packed.frame) * _WORTH_UNPACKING < len(head):
        return replace(packed, rows=rows)
    return Part(frame, len(head), rows)


def stored(content: bytes) -> bytes:
    """A frame of zstd that holds some bytes as they are (RFC 8878, 3.1.1: raw blocks)."""
    parts = [_FRAME_START, len(content).to_bytes(4, "little")] if content else []
    for at in range(0, len(content), _BLOCK_MAX):
        block = content[at : at + _BLOCK_MAX]
        is_last = at + len(block) == len(content)
        parts += [(len(block) << 3 | is_last).to_bytes(3, "little"), block]
    return b"".join(parts)


def assemble(stream: bytes, day: int, parts: list[Part]) -> bytes:
    """The file of a day with these parts."""
    contents = [part.frame + part.rows for part in parts]
    directory = b"".join(
        _ENTRY.pack(len(part.frame), part.frame_unpacks_to, len(part.rows), crc32c(content))
        for part, content in zip(parts, contents, strict=True)
    )
    head = _START.pack(_MAGIC, VERSION, 0, stream, day) + directory
    return head + _CRC.pack(crc32c(head)) + b"".join(contents)


def runs(codes: bytes) -> Iterator[tuple[int, int, int]]:
    """(code, from, to) of the slots that follow each other with the same code, but for code 0."""
    for found in _SAME.finditer(codes):
        if found[1] != b"\0":
            yield found[1][0], found.start(), found.end()


def write(path: Path, content: bytes) -> None:
    """Puts a file in place of the one there, whole or not at all. OSError.

    The new name is not durable before its directory is synced.
    """
    beside = path.with_suffix(BESIDE)
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def sync_directory(path: Path) -> None:
    """Waits until the names in a directory are on the disk. OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def load(path: Path, unpacker: Unpacker) -> DayFile:
    """The head of a file, its known ranges and its summary. MediaError, OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size_bytes = os.fstat(fd).st_size
        start = os.pread(fd, _READ_AHEAD, 0)
        stream, day, entries = _head(start, size_bytes)
        (known_size, *_), (summary_size, *_) = entries[:2]
        wanted = _HEAD_BYTES + known_size + summary_size
        if len(start) < wanted:
            start += os.pread(fd, wanted - len(start), len(start))
    finally:
        os.close(fd)
    at = _HEAD_BYTES
    known = _part(start[at : at + known_size], entries[0], DAY_SLOTS * _KNOWN.size, unpacker)
    at += known_size
    summary = _part(start[at : at + summary_size], entries[1], _SUMMARY_MAX, unpacker)
    directory = start[_START.size + 2 * _ENTRY.size : _START.size + _DIRECTORY]
    made = DayFile(path, stream, day, size_bytes, known, Summary(summary), wanted, directory)
    _expect_ranges(made)
    return made


def read_grid(file: DayFile, unpacker: Unpacker) -> Grid:
    """Everything in a file. MediaError, OSError."""
    grid = Grid(DAY_SLOTS)
    codes = bytearray(DAY_SLOTS)
    for start, end, code in file.known_ranges():
        codes[start:end] = bytes((code,)) * (end - start)
    grid.set_codes(codes)
    content = file.path.read_bytes()
    at = file.strips_at
    for tile, entry in enumerate(_ENTRY.iter_unpack(file.directory)):
        size = entry[0] + entry[2]
        strip = _part(content[at : at + size], entry, STRIP_MAX_BYTES, unpacker)
        if strip:
            grid.spread(tile, strip)
        at += size
    return grid


def _head(start: bytes, size_bytes: int) -> tuple[bytes, int, list[_Entry]]:
    """Stream, day and directory. MediaError: they are damaged, or the file is not whole."""
    if len(start) < _HEAD_BYTES:
        raise MediaError("short", "head of a day of the motion index", len(start))
    magic, version, _, stream, day = _START.unpack_from(start)
    if magic != _MAGIC:
        raise MediaError("value", "magic of a day of the motion index")
    at = _HEAD_BYTES - _CRC.size
    if _CRC.unpack_from(start, at)[0] != crc32c(start[:at]):
        raise MediaError("value", "CRC-32C of the head of a day", at)
    if version > VERSION:  # and no bit that flipped
        raise MediaError("unsupported", f"version {version} of a day of the motion index", 8)
    entries: list[_Entry] = list(_ENTRY.iter_unpack(start[_START.size : at]))
    if size_bytes != _HEAD_BYTES + sum(frame + rows for frame, _, rows, _ in entries):
        raise MediaError("short", "a day of the motion index has the size of its parts", size_bytes)
    return stream, day, entries


def _part(content: bytes, entry: _Entry, most: int, unpacker: Unpacker) -> bytes:
    """A part as it was before it was packed."""
    frame, raw, rows, crc = entry
    if len(content) != frame + rows or raw + rows > most:
        raise MediaError("limit", "size of a part of a day", raw + rows)
    if not content:
        return b""
    if crc32c(content) != crc:
        raise MediaError("value", "CRC-32C of a part of a day")
    return unpacker.unpack(content[:frame], raw) + content[frame:]


def _expect_ranges(file: DayFile) -> None:
    if len(file.known) % _KNOWN.size:
        raise MediaError("value", "known ranges of a day", len(file.known))
    last = 0
    for start, end, code in file.known_ranges():
        if not last <= start < end <= DAY_SLOTS or not code & 3:
            raise MediaError("value", "known ranges of a day rise", start)
        last = end
