"""Takes segment files and cuts apart, box by box, without the library where it is possible."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vonggac._native import segment
from vonggac.media.chunk import BLOCK_BYTES, Claim

_CONTAINERS = {
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf",
}  # fmt: skip
_ENTRY_BOXES = {b"avc1", b"avc3", b"hvc1", b"hev1"}
_ENTRY_HEAD_BYTES = 78
"""VisualSampleEntry before the boxes in it (ISO/IEC 14496-12 12.1.3)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk as it lies in a file."""

    path: Path
    claim: Claim
    decode_ticks: int
    """`tfdt`."""
    entry: str
    sets: frozenset[bytes]
    """Parameter sets of the sample entry in force."""
    samples: tuple[tuple[int, int, int], ...]
    """Size, duration, composition offset."""
    payload: bytes

    @property
    def nals(self) -> list[bytes]:
        """NAL units behind their four bytes of length."""
        out, at = [], 0
        while at < len(self.payload):
            size = int.from_bytes(self.payload[at : at + 4])
            out.append(self.payload[at + 4 : at + 4 + size])
            at += 4 + size
        assert at == len(self.payload)
        return out


def walk_file(path: Path) -> list[Found]:
    """The chunks of a segment or of a cut; [] for a segment that nobody has opened."""
    data = path.read_bytes()
    if data[4:8] != b"ftyp":
        return []
    at, entry, sets = _head(data)
    out = []
    while at < len(data) and (view := segment.chunk_parse(data, at)) is not None:
        claim, place = view.claim, view.place
        start = at + view.payload_offset
        payload = data[start : start + claim.video_bytes]
        assert hashlib.sha256(payload).digest() == claim.video_sha256
        decode, samples = _fragment(data, at, at + place.chunk_bytes)
        assert sum(size for size, _, _ in samples) == len(payload)
        out.append(Found(path, claim, decode, entry, sets, samples, payload))
        at += place.chunk_bytes
    return out


def walk_ring(disk: Path) -> dict[bytes, list[Found]]:
    """Every chunk of a disk by stream, in the order of recording. No run, no sequence is twice."""
    streams: dict[bytes, list[Found]] = {}
    for path in sorted(disk.glob("segments/*/*.mp4")):
        for found in walk_file(path):
            streams.setdefault(found.claim.stream, []).append(found)
    for chunks in streams.values():
        chunks.sort(key=_order)
        orders = [_order(found) for found in chunks]
        assert len(orders) == len(set(orders))
        sequences: dict[int, list[int]] = {}
        for run, sequence in orders:
            sequences.setdefault(run, []).append(sequence)
        assert all(told == list(range(len(told))) for told in sequences.values())
    return streams


def _order(found: Found) -> tuple[int, int]:
    return found.claim.run, found.claim.sequence


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, and start and end of what it holds, of each box and of those in containers."""
    while start + 8 <= end:
        size, kind = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8]
        assert size >= 8, kind
        yield kind, start + 8, start + size
        if kind in _CONTAINERS:
            yield from _boxes(data, start + 8, start + size)
        elif kind == b"stsd":
            yield from _boxes(data, start + 16, start + size)
        elif kind in _ENTRY_BOXES:
            yield from _boxes(data, start + 8 + _ENTRY_HEAD_BYTES, start + size)
        start += size


def _head(data: bytes) -> tuple[int, str, frozenset[bytes]]:
    """Where the first chunk lies, the sample entry's name and its parameter sets."""
    end = int.from_bytes(data[:4])
    end += int.from_bytes(data[end : end + 4])
    entry, sets = "", frozenset[bytes]()
    for kind, start, stop in _boxes(data, 0, end):
        if kind in _ENTRY_BOXES:
            entry = kind.decode()
        elif kind == b"avcC":
            sets = _avc_sets(data[start:stop])
        elif kind == b"hvcC":
            sets = _hevc_sets(data[start:stop])
    return -(-end // BLOCK_BYTES) * BLOCK_BYTES, entry, sets


def _avc_sets(box: bytes) -> frozenset[bytes]:
    """ISO/IEC 14496-15 5.3.3.1.2."""
    found, at = [], 5
    for mask in (0x1F, 0xFF):
        count = box[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(box[at : at + 2])
            found.append(box[at + 2 : at + 2 + size])
            at += 2 + size
    return frozenset(found)


def _hevc_sets(box: bytes) -> frozenset[bytes]:
    """ISO/IEC 14496-15 8.3.3.1.2."""
    found, at = [], 23
    for _ in range(box[22]):
        count = int.from_bytes(box[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            size = int.from_bytes(box[at : at + 2])
            found.append(box[at + 2 : at + 2 + size])
            at += 2 + size
    return frozenset(found)


def _fragment(data: bytes, start: int, end: int) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """`tfdt`, and size, duration and composition offset of every sample (8.8.7, 8.8.8, 8.8.12)."""
    decode, usual, samples = 0, (0, 0), []
    for kind, at, _ in _boxes(data, start, end):
        flags = int.from_bytes(data[at + 1 : at + 4])
        if kind == b"tfdt":
            decode = int.from_bytes(data[at + 4 : at + 4 + (8 if data[at] else 4)])
        elif kind == b"tfhd":
            values = at + 8 + 8 * bool(flags & 1) + 4 * bool(flags & 2)
            duration = int.from_bytes(data[values : values + 4]) if flags & 8 else 0
            values += 4 * bool(flags & 8)
            usual = (duration, int.from_bytes(data[values : values + 4]) if flags & 0x10 else 0)
        elif kind == b"trun":
            samples += _trun(data, at, flags, usual)
    return decode, tuple(samples)


def _trun(
    data: bytes, at: int, flags: int, usual: tuple[int, int]
) -> Iterator[tuple[int, int, int]]:
    (count,) = struct.unpack_from(">I", data, at + 4)
    at += 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    for _ in range(count):
        duration, size, offset = usual[0], usual[1], 0
        if flags & 0x100:
            (duration,) = struct.unpack_from(">I", data, at)
            at += 4
        if flags & 0x200:
            (size,) = struct.unpack_from(">I", data, at)
            at += 4
        at += 4 * bool(flags & 0x400)
        if flags & 0x800:
            (offset,) = struct.unpack_from(">i", data, at)
            at += 4
        yield size, duration, offset
