"""A key frame as a file of its own, and the decode time of a chunk. Pure.

A still shows what the camera sent: the first sample of a chunk, with the sample entry of its
segment, one second long. Nothing is decoded here.
"""

from __future__ import annotations

import struct

from vonggac._native import segment as native
from vonggac.errors import StorageError
from vonggac.media.chunk import VIDEO_TIMESCALE, Place
from vonggac.playback.pictures import head_without_sound
from vonggac.playback.playlist import Video

__all__ = ["entry_of", "init_of", "moved", "still", "video_of"]

_BOX = struct.Struct(">I4s")
_AVC = (b"avc1", b"avc3")
_HEVC = (b"hvc1", b"hev1")
_JPEG = b"mp4v"
_SAMPLE_ENTRY_BYTES = 86
"""VisualSampleEntry with its box header (ISO/IEC 14496-12 12.1.3)."""
_WIDTH = 32
"""In it; the height follows."""
_HEVC_LEVEL = 12
"""In a HEVCDecoderConfigurationRecord: general_level_idc (ISO/IEC 14496-15 8.3.3.1)."""
_SYNC_SAMPLE = 0x02000000


def init_of(head: bytes) -> bytes:
    """`ftyp` and `moov` of a segment for a page: the pictures' track, and no padding behind it."""
    at = 0
    for kind in (b"ftyp", b"moov"):
        size, found = _BOX.unpack_from(head, at) if at + 8 <= len(head) else (0, b"")
        if found != kind or size < 8 or at + size > len(head):
            raise StorageError("a segment's head is not what it was written as")
        at += size
    return head_without_sound(head[:at])


def entry_of(head: bytes) -> bytes:
    """The video sample entry in `moov`, with the boxes in it."""
    for name in (*_AVC, *_HEVC, _JPEG):
        at = head.find(name) - 4
        if at >= 0:
            entry = head[at : at + int.from_bytes(head[at : at + 4], "big")]
            if len(entry) > _SAMPLE_ENTRY_BYTES + 8:
                return entry
    raise StorageError("a segment's head has no sample entry that is known here")


def video_of(head: bytes) -> Video:
    """What the sample entry in a segment's head says to a browser."""
    entry = entry_of(head)
    name = entry[4:8].decode("ascii")
    width, height = struct.unpack_from(">HH", entry, _WIDTH)
    box = entry[_SAMPLE_ENTRY_BYTES + 8 :]
    if entry[4:8] == _JPEG:
        return Video("mp4v.6C", width, height)  # RFC 6381 3.3: the object type; no browser plays it
    if entry[4:8] in _AVC:
        return Video(f"{name}.{box[1:4].hex()}", width, height)
    return Video(f"{name}.{_hevc(box)}", width, height)


def _hevc(config: bytes) -> str:
    """ISO/IEC 14496-15 E.3, from a HEVCDecoderConfigurationRecord."""
    if len(config) < _HEVC_LEVEL + 1:
        raise StorageError("a segment's head ends within its HEVC configuration")
    space, tier, profile = config[1] >> 6, config[1] >> 5 & 1, config[1] & 31
    compatible = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    constraints = config[6:12].rstrip(b"\0")
    parts = [
        f"{('', 'A', 'B', 'C')[space]}{profile}",
        f"{compatible:X}",
        f"{'LH'[tier]}{config[_HEVC_LEVEL]}",
        *(f"{byte:X}" for byte in constraints),
    ]
    return ".".join(parts)


def still(head: bytes, chunk: bytes) -> bytes:
    """The first sample of a chunk as an MP4 that any player shows. `chunk`: up to its end at least.

    StorageError: there is no whole chunk.
    """
    view = native.chunk_parse(chunk)
    if view is None or len(chunk) < view.place.first_sample_end:
        raise StorageError("there is no whole key frame where the index says so")
    sample = chunk[view.payload_offset : view.place.first_sample_end]
    return init_of(head) + _fragment(sample)


def _fragment(sample: bytes) -> bytes:
    """`moof` and `mdat` of one sample that lasts a second."""
    mfhd = _box(b"mfhd", struct.pack(">II", 0, 1))
    tfhd = _box(b"tfhd", struct.pack(">II", 0x020000, 1))
    tfdt = _box(b"tfdt", struct.pack(">IQ", 1 << 24, 0))
    offset = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + 20 + 16 + 8
    fields = (1 << 24 | 0xF01, 1, offset, VIDEO_TIMESCALE, len(sample), _SYNC_SAMPLE, 0)
    trun = _box(b"trun", struct.pack(">IIiIIIi", *fields))
    moof = _box(b"moof", mfhd + _box(b"traf", tfhd + tfdt + trun))
    return moof + _box(b"mdat", sample)


def moved(head: bytes, by_ticks: int) -> bytes:
    """A chunk's head (`prft` to the header of `mdat`) with its decode time moved.

    As `cut` does: the keeper's own part changes, and the CRC with it; samples and claim do not.
    """
    view = native.chunk_parse(head)
    if view is None or view.decode_time_ticks + by_ticks < 0:
        raise StorageError("there is no chunk where the index says so")
    place: Place = view.place
    changed = bytearray(head[: view.payload_offset])
    time = view.decode_time_ticks + by_ticks
    number = view.claim.sequence & 0xFFFFFFFF
    native.chunk_place(changed, time, number, place.disk, place.segment, place.epoch, place.offset)
    return bytes(changed)


def _box(kind: bytes, body: bytes) -> bytes:
    return _BOX.pack(8 + len(body), kind) + body
