"""The pictures alone of footage that has sound, byte for byte as long: what a page is given.

A browser's media source refuses all of a stream that has a track whose codec it does not play, and
who looks was allowed to look. So boxes of the second track become `free`, and they and what was
heard become zeros; every offset stays what the index says. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vonggac.media.chunk import ChunkView

__all__ = ["head_without_sound", "without_sound"]

_BOX = struct.Struct(">I4s")
_FREE = b"free"
_TRAF_PICTURES_BYTES = 88
"""Of `moof` before the samples of the pictures: what segment-format.md draws."""
_SAMPLE_BYTES = 16
_MDAT_HEADER_BYTES = 8


def head_without_sound(head: bytes) -> bytes:
    """`ftyp` and `moov` with the first track alone; as it is where there is no second."""
    changed = bytearray(head)
    for kind, start, end in _boxes(head, 0, len(head)):
        if kind == b"moov":
            _hide_second(changed, b"trak", start + _BOX.size, end)
            for inner, at, behind in _boxes(head, start + _BOX.size, end):
                if inner == b"mvex":
                    _hide_second(changed, b"trex", at + _BOX.size, behind)
    return bytes(changed)


def without_sound(view: ChunkView, data: bytes, at: int) -> bytes:
    """`data`: bytes that lie from `at` on, from the start of the chunk; it may reach beyond it."""
    if view.sound_start_ticks is None:
        return data
    claim = view.claim
    moof = view.payload_offset - _MDAT_HEADER_BYTES - view.place.moof_bytes
    second = moof + _TRAF_PICTURES_BYTES + _SAMPLE_BYTES * claim.samples
    changed = bytearray(data)
    traf_bytes = view.payload_offset - _MDAT_HEADER_BYTES - second
    _put(changed, second + 4 - at, _FREE + bytes(traf_bytes - _BOX.size))
    _put(changed, view.payload_offset + claim.video_bytes - at, bytes(claim.audio_bytes))
    return bytes(changed)


def _hide_second(changed: bytearray, wanted: bytes, start: int, end: int) -> None:
    found = [(at, behind) for kind, at, behind in _boxes(changed, start, end) if kind == wanted]
    for at, behind in found[1:]:
        _put(changed, at + 4, _FREE + bytes(behind - at - _BOX.size))


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of each box; up to one that cannot be."""
    while start + _BOX.size <= end:
        size, kind = _BOX.unpack_from(data, start)
        if size < _BOX.size or start + size > end:
            return
        yield kind, start, start + size
        start += size


def _put(into: bytearray, at: int, what: bytes) -> None:
    """`what` at `at`, as far as it lies inside."""
    first, last = max(at, 0), min(at + len(what), len(into))
    if first < last:
        into[first:last] = what[first - at : last - at]
