"""Annex B byte streams: NAL units and access units of files, for simulated cameras and benches.

What cameras send is taken apart natively (`vg/nal.h`), as parameter sets are.
"""

from __future__ import annotations

from collections.abc import Sequence

from vonggac.media.chunk import Codec

_START_CODE = b"\x00\x00\x01"

# H.265 7.4.2.4.4: parameter sets, AUD, prefix SEI, 41..44 and 48..55 begin an access unit.
_H265_OPENING = frozenset((32, 33, 34, 35, 39, *range(41, 45), *range(48, 56)))
# H.264 7.4.1.2.3: SEI, SPS, PPS, AUD, 14..18.
_H264_OPENING = frozenset((6, 7, 8, 9, *range(14, 19)))


def split_annexb(stream: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream (H.264 B.1, H.265 B.1), without start codes.

    Zeros behind a NAL unit (trailing_zero_8bits, the long start code's first byte) are dropped:
    no NAL unit ends with a zero byte.
    """
    units: list[bytes] = []
    start = stream.find(_START_CODE)
    while start >= 0:
        start += len(_START_CODE)
        end = stream.find(_START_CODE, start)
        unit = stream[start:] if end < 0 else stream[start:end]
        unit = unit.rstrip(b"\x00")
        if unit:
            units.append(unit)
        start = end
    return units


def nal_type(codec: Codec, unit: bytes) -> int:
    """nal_unit_type of a NAL unit that is not empty."""
    return unit[0] & 0x1F if codec is Codec.H264 else unit[0] >> 1 & 0x3F


def is_vcl(codec: Codec, unit: bytes) -> bool:
    """Whether the NAL unit holds a slice (H.264 table 7-1: 1 to 5; H.265 table 7-1: below 32)."""
    kind = nal_type(codec, unit)
    return 1 <= kind <= 5 if codec is Codec.H264 else kind < 32


def _is_first_slice(codec: Codec, unit: bytes) -> bool:
    """first_mb_in_slice is 0 (H.264 7.3.3), first_slice_segment_in_pic_flag 1 (H.265 7.3.6.1)."""
    at = 1 if codec is Codec.H264 else 2
    return len(unit) > at and bool(unit[at] & 0x80)


def access_units(codec: Codec, units: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """NAL units grouped into access units (H.264 7.4.1.2.3, H.265 7.4.2.4.4)."""
    groups: list[tuple[bytes, ...]] = []
    current: list[bytes] = []
    has_picture = False
    opening = _H264_OPENING if codec is Codec.H264 else _H265_OPENING
    for unit in units:
        vcl = is_vcl(codec, unit)
        begins = _is_first_slice(codec, unit) if vcl else nal_type(codec, unit) in opening
        if has_picture and begins:
            groups.append(tuple(current))
            current, has_picture = [], False
        current.append(unit)
        has_picture = has_picture or vcl
    if current:
        groups.append(tuple(current))
    return groups
