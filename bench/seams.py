"""What is missing where one run ends and the next begins: the pictures tell it, and no clock.

A loop that died is replaced within moments, and what its cameras sent meanwhile waits in their
sockets. But it is stamped when it is read, so a hole in time is the machine's as well.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from vonggac._native import segment as native
from vonggac.media.chunk import Codec, PackedRow
from vonggac.rtsp.annexb import nal_type
from vonggac.store.start import Reading, open_for_reading
from vonggac_appliance.camera_clip import Clip

_SLICES_BELOW = {Codec.H264: 6, Codec.H265: 32}


@dataclass(frozen=True, slots=True)
class Seam:
    """Between two runs of a stream."""

    at_ns: int
    """Where the run before ended; wall time."""
    missing: int
    """Pictures that were sent between its last and the next one's first, less than a whole clip."""


def seams(disk: Path, stream: bytes, clip: Clip) -> list[Seam]:
    """Of a camera that repeats a clip, on a disk that no recorder has; in the order of runs."""
    places = {
        nal: number
        for number, unit in enumerate(clip.units)
        for nal in unit
        if _is_slice(clip.codec, nal)
    }
    reading = open_for_reading(disk)
    try:
        rows = [
            row
            for value in reading.archive.packed_minutes(stream, 0, 1 << 62)
            for row in native.rows_unpack(value)
        ]
        rows.sort(key=lambda packed: (packed.row.run, packed.row.sequence))
        found = []
        for before, after in itertools.pairwise(rows):
            if before.row.run != after.row.run:
                last = places[_slices(reading, before, clip.codec)[-1]]
                first = places[_slices(reading, after, clip.codec)[0]]
                missing = (first - last - 1) % len(clip.units)
                found.append(Seam(before.row.wall_end_ns, missing))
        return found
    finally:
        reading.close()


def _slices(reading: Reading, packed: PackedRow, codec: Codec) -> list[bytes]:
    """Of a chunk, in order."""
    fd = reading.disk.open_segment(packed.segment, writable=False)
    try:
        data = os.pread(fd, packed.row.chunk_bytes, packed.row.offset)
    finally:
        os.close(fd)
    view = native.chunk_parse(data)
    if view is None:
        raise RuntimeError(f"no chunk at byte {packed.row.offset} of segment {packed.segment}")
    payload = data[view.payload_offset :][: view.claim.video_bytes]
    nals, at = [], 0
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 4])
        nals.append(payload[at + 4 : at + 4 + size])
        at += 4 + size
    return [nal for nal in nals if _is_slice(codec, nal)]


def _is_slice(codec: Codec, nal: bytes) -> bool:
    return nal_type(codec, nal) < _SLICES_BELOW[codec]
