"""RTP and RTCP packets without what they show: which bytes of one may be kept. All others are zero.

Kept is what tells how packets become access units: headers of RTP, of payload formats and of NAL
units, two fields of each slice, parameter sets. No byte of slice data is, nor of sound, nor text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vonggac._native.parse import h264_sps, h265_sps, rtp_parse
from vonggac.errors import MediaError
from vonggac.media.chunk import Codec

__all__ = ["Pieces", "scrub_rtcp", "scrub_rtp"]

Pieces = dict[int, bytes]
"""What is kept: bytes by their place in the packet."""

_SET_MAX_BYTES = 128
"""Of a parameter set; larger ones, and SPS that cannot be read, are zeroed but for the header."""
_STOP_BIT = b"\x80"
"""Ends what was zeroed: zeros at a NAL unit's end are no part of it (H.264 7.4.1)."""
_START_CODE = re.compile(rb"\x00\x00\x01")
_H264_SLICES = (1, 2, 5)
_JPEG_HEADER_BYTES = 8
_JPEG_TABLES_MAX_BYTES = 256


def scrub_rtcp(data: bytes) -> Pieces:
    """Headers and numbers of reports (RFC 3550 6.4); names, reasons and all else are zero."""
    kept: Pieces = {}
    at = 0
    while at + 4 <= len(data):
        size = 4 + 4 * int.from_bytes(data[at + 2 : at + 4])
        kind, count = data[at + 1], data[at] & 0x1F
        fields = {200: 28 + 24 * count, 201: 8 + 24 * count, 202: 8, 203: 4 + 4 * count}
        kept[at] = data[at : at + min(size, fields.get(kind, 4))]
        at += size
    return kept


def scrub_rtp(data: bytes, codec: Codec | None, *, has_donl: bool = False) -> Pieces:
    """`codec`: of the video whose packet it is; None: its header alone is kept."""
    try:
        packet = rtp_parse(data)
    except MediaError:
        return {0: data[: 12 if data[:1] and data[0] >> 6 == 2 else 1]}  # another one is text
    payload = packet.payload
    size = len(payload)
    start = _payload_start(data, size)
    kept: Pieces = {0: data[:12]}
    if data[0] & 0x10 and start >= 16:  # an extension: its kind and length
        extension = 12 + 4 * (data[0] & 0x0F)
        kept[extension] = data[extension : extension + 4]
    if data[0] & 0x20:  # padding: its count
        kept[len(data) - 1] = data[-1:]
    if codec is None or size == 0:
        return kept
    for at, piece in _of_payload(bytes(payload), codec, has_donl):
        if piece:
            kept[start + at] = piece
    return kept


def _payload_start(data: bytes, size: int) -> int:
    """Where the payload of `size` bytes begins (RFC 3550 5.1, 5.3.1)."""
    start = 12 + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    return min(start, len(data) - size)


def _of_payload(data: bytes, codec: Codec, has_donl: bool) -> Iterator[tuple[int, bytes]]:
    if codec is Codec.MJPEG:
        yield from _jpeg(data)
    elif codec is Codec.H264:
        yield from _h264(data)
    else:
        yield from _h265(data, has_donl)


def _jpeg(data: bytes) -> Iterator[tuple[int, bytes]]:
    """RFC 2435: its headers, and the tables, which are the quality's and not the picture's."""
    end = _JPEG_HEADER_BYTES
    if len(data) > 4 and data[4] >= 64:
        end += 4
    if len(data) > 5 and data[5] >= 128 and data[1:4] == b"\0\0\0":
        size = int.from_bytes(data[end + 2 : end + 4])
        end += 4 + (size if size <= _JPEG_TABLES_MAX_BYTES else 0)
    yield 0, data[:end]
    if data[end : end + 2] == b"\xff\xd8":  # a whole file where its scan should be
        yield end, b"\xff\xd8"


def _h264(data: bytes) -> Iterator[tuple[int, bytes]]:
    """RFC 6184 5: single units, STAP-A, FU-A."""
    kind = data[0] & 0x1F
    if kind == 24:
        yield 0, data[:1]
        yield from _aggregate(data, 1, Codec.H264)
    elif kind in (28, 29):
        head = 2 if kind == 28 else 4
        yield 0, data[:head]
        inner = bytes((data[0] & 0xE0 | data[1] & 0x1F,)) if len(data) > 1 else b""
        yield from _fragment(data, head, inner, data[1:2], Codec.H264)
    elif kind in (25, 26, 27):
        yield 0, data[:1]
    else:
        yield from _units(data, 0, Codec.H264)


def _h265(data: bytes, has_donl: bool) -> Iterator[tuple[int, bytes]]:
    """RFC 7798 4.4: single units, AP, FU."""
    kind = data[0] >> 1 & 0x3F
    if kind == 48:
        yield 0, data[:2]
        if not has_donl:
            yield from _aggregate(data, 2, Codec.H265)
    elif kind == 49:
        is_start = len(data) > 2 and data[2] & 0x80
        head = 5 if has_donl and is_start else 3
        yield 0, data[:head]
        inner = bytes((data[0] & 0x81 | (data[2] & 0x3F) << 1, data[1])) if len(data) > 2 else b""
        yield from _fragment(data, head, inner, data[2:3], Codec.H265)
    elif kind == 50 or has_donl:
        yield 0, data[: 4 if has_donl else 2]
    else:
        yield from _units(data, 0, Codec.H265)


def _aggregate(data: bytes, at: int, codec: Codec) -> Iterator[tuple[int, bytes]]:
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2])
        yield at, data[at : at + 2]
        at += 2
        yield from _units(data[at : at + size], at, codec)
        at += size


def _fragment(
    data: bytes, head: int, inner: bytes, bits: bytes, codec: Codec
) -> Iterator[tuple[int, bytes]]:
    """What stands behind the headers; `inner` is the NAL unit header that they stand for."""
    rest = data[head:]
    flags = bits[0] if bits else 0
    if flags & 0x80:
        for at, piece in _unit(inner + rest, codec):
            if at >= len(inner):
                yield head + at - len(inner), piece
            elif len(piece) > len(inner) - at:
                yield head, piece[len(inner) - at :]
    yield from _inside(rest, head, codec)
    if flags & 0x40 and len(rest) > 4:
        yield len(data) - 1, _STOP_BIT


def _units(data: bytes, base: int, codec: Codec) -> Iterator[tuple[int, bytes]]:
    """A NAL unit, or several with start codes between them, which is not allowed and sent."""
    cuts = [match.start() for match in _START_CODE.finditer(data)]
    starts = [0, *(cut + 3 for cut in cuts)]
    for cut in cuts:
        yield base + cut, b"\0\0\1"
    for start, end in zip(starts, [*cuts, len(data)], strict=True):
        for at, piece in _unit(data[start:end], codec):
            yield base + start + at, piece


def _inside(data: bytes, base: int, codec: Codec) -> Iterator[tuple[int, bytes]]:
    """Start codes within a fragment, and the NAL units behind them."""
    first = _START_CODE.search(data)
    if first is not None:
        yield base + first.start(), b"\0\0\1"
        yield from _units(data[first.end() :], base + first.end(), codec)


def _unit(nal: bytes, codec: Codec) -> Iterator[tuple[int, bytes]]:
    """What is kept of one NAL unit: the header, and what its kind lets know."""
    header = 1 if codec is Codec.H264 else 2
    kept = nal[:header]
    if len(nal) > header:
        kept += _body(nal, codec)
    yield 0, kept
    if len(nal) > len(kept) + 1:
        yield len(nal) - 1, _STOP_BIT


def _body(nal: bytes, codec: Codec) -> bytes:
    if codec is Codec.H265:
        kind = nal[0] >> 1 & 0x3F
        if kind < 32:
            return bytes((nal[2] & 0x80,))  # first_slice_segment_in_pic_flag (7.3.6.1)
        # H.264 that is declared as H.265 has slices that look like sets, but for these bits.
        is_base = nal[0] & 0x81 == 0 and nal[1] == 1
        is_set = kind in (32, 34) and is_base and len(nal) <= _SET_MAX_BYTES
        return nal[2:] if is_set or (kind == 33 and _is_sps(nal, codec)) else b""
    kind = nal[0] & 0x1F
    if kind in _H264_SLICES:
        return _slice_fields(nal[1:5])
    if kind == 6:
        return _recovery_point(nal[1:])
    if kind == 9:
        return nal[1:2]
    is_set = kind in (8, 13) and len(nal) <= _SET_MAX_BYTES
    return nal[1:] if is_set or (kind in (7, 15) and _is_sps(nal, codec)) else b""


def _is_sps(nal: bytes, codec: Codec) -> bool:
    try:
        (h264_sps if codec is Codec.H264 else h265_sps)(nal)
    except MediaError:
        return False
    return len(nal) <= _SET_MAX_BYTES


def _slice_fields(data: bytes) -> bytes:
    """first_mb_in_slice and slice_type (H.264 7.3.3) and no bit more: ue(v) each."""
    bits = int.from_bytes(data.ljust(4, b"\0"))
    at = 0
    for _ in range(2):
        zeros = 0
        while at + zeros < 32 and not bits >> (31 - at - zeros) & 1:
            zeros += 1
        at += 2 * zeros + 1
    used = min(at, 32)
    mask = ((1 << used) - 1) << (32 - used)
    return (bits & mask).to_bytes(4)[: min(len(data), (used + 7) // 8)]


def _recovery_point(data: bytes) -> bytes:
    """A recovery point that stands first (H.264 D.1.8); of other SEI nothing, texts are in them."""
    if len(data) >= 3 and data[0] == 6 and data[1] <= 8:
        return data[: 2 + data[1]]
    return b""
