"""Reads the fragments of a live view box by box: nothing is taken from fixed places."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """A sample as the fragment tells it."""

    decode: int
    duration: int
    size: int
    is_sync: bool
    shown: int


def read(data: bytes) -> list[Told]:
    """The samples of one fragment."""
    boxes = dict(walk(data))
    assert list(boxes) == [b"moof", b"mdat"]
    traf = dict(walk(dict(walk(boxes[b"moof"]))[b"traf"]))
    decode = struct.unpack(">IQ", traf[b"tfdt"])[1]
    trun = traf[b"trun"]
    flags, count, offset = struct.unpack_from(">III", trun)
    assert flags == 1 << 24 | 0xF01
    assert data[offset - 4 : offset] == b"mdat"
    told = []
    for n in range(count):
        duration, size, sample_flags, composition = struct.unpack_from(">IIIi", trun, 12 + 16 * n)
        is_sync = not sample_flags & 0x10000
        told.append(Told(decode, duration, size, is_sync, decode + composition))
        decode += duration
    assert sum(sample.size for sample in told) == len(boxes[b"mdat"])
    return told


def walk(data: bytes) -> list[tuple[bytes, bytes]]:
    """Type and content of the boxes that follow each other in `data`."""
    found = []
    while data:
        size, kind = struct.unpack_from(">I4s", data)
        found.append((kind, data[8:size]))
        data = data[size:]
    return found


def browsers_keep(told: Sequence[Told]) -> bool:
    """Media Source Extensions, coded frame processing, step 6: no break without a key frame."""
    return all(
        after.is_sync or 0 < after.decode - before.decode <= 2 * before.duration
        for before, after in itertools.pairwise(told)
    )
