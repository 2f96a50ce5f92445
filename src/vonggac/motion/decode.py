"""Samples to luma planes, by libavcodec, on the caller's thread alone. No I/O.

The loop filter stays on: without it pictures drift until the next key frame, and at night four of
five cells would be false (docs/design/motion.md). Of key frames alone there is nothing to drift.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from vonggac.errors import MediaError
from vonggac.motion.slots import Tier

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Luma", "LumaDecoder", "decoding_options", "luma_of"]

_PIXELS_MAX = 36_000_000
"""The highest levels have 35,651,584 (6.2; H.264 A.3.1, H.265 A.4.1), and libavcodec rounds widths
up. Headers alone may tell of eight times as many, and it would make room for sixteen of them."""
_SAMPLE_ENTRY_BYTES = 86
"""VisualSampleEntry with its box header (ISO/IEC 14496-12 12.1.3)."""
_BOX_BYTES = 8
_CODECS = {
    b"avc1": ("h264", b"avcC"),
    b"avc3": ("h264", b"avcC"),
    b"hvc1": ("hevc", b"hvcC"),
    b"hev1": ("hevc", b"hvcC"),
    b"mp4v": ("mjpeg", b"esds"),
}
"""Of libavcodec, and the box that has its configuration. `mp4v` is MJPEG in the ring alone."""
_LUMA_FIRST = re.compile(r"(?:yuvj?4\d\dp|gray|nv\d\d)(?:(9|10|12|14|16)le)?")
"""Pixel formats whose first plane is luma and nothing else, with its bits where they are not 8."""


@dataclass(frozen=True, slots=True)
class Luma:
    """The luma of a picture, and when it was taken."""

    wall_ns: int
    """UTC of the box, since 1970."""
    plane: Buffer
    stride: int
    """Bytes from one row to the next."""
    width: int
    height: int
    bits: int = 8
    """Of a sample; more than 8 are two bytes, little-endian."""


@functools.lru_cache(maxsize=64)
def _bits(format_name: str) -> int:
    found = _LUMA_FIRST.fullmatch(format_name)
    if found is None:
        raise MediaError("unsupported", f"pictures of the format {format_name}")
    return int(found[1] or 8)


def luma_of(frame: VideoFrame, wall_ns: int) -> Luma:
    """The first plane of a decoded picture, not copied. MediaError: it is not luma."""
    bits = _bits(frame.format.name)
    plane = frame.planes[0]
    return Luma(wall_ns, plane, plane.line_size, frame.width, frame.height, bits)


def decoding_options(tier: Tier) -> dict[str, str]:
    """Of libavcodec."""
    return {"skip_loop_filter": "all"} if tier is Tier.KEY else {}


class LumaDecoder:
    """One sample entry of one stream. `entry`: with its box header, as in `moov`. Of `Tier.KEY` it
    is given nothing but sync samples.

    MediaError: a codec or a configuration that is not known here.
    """

    def __init__(self, entry: bytes, tier: Tier = Tier.FULL) -> None:
        name, box = _CODECS.get(entry[4:8], ("", b""))
        if not name:
            raise MediaError("unsupported", f"sample entry {entry[4:8]!r}", 4)
        size = int.from_bytes(entry[_SAMPLE_ENTRY_BYTES : _SAMPLE_ENTRY_BYTES + 4], "big")
        config = entry[_SAMPLE_ENTRY_BYTES + _BOX_BYTES : _SAMPLE_ENTRY_BYTES + size]
        if entry[_SAMPLE_ENTRY_BYTES + 4 : _SAMPLE_ENTRY_BYTES + 8] != box or not config:
            raise MediaError("value", f"{name} without its {box.decode()}", _SAMPLE_ENTRY_BYTES)
        context = av.CodecContext.create(name, "r")
        assert isinstance(context, VideoCodecContext)
        context.thread_count = 1
        context.options = {"max_pixels": str(_PIXELS_MAX), **decoding_options(tier)}
        if name != "mjpeg":
            context.extradata = config
        self._context = context

    def push(self, sample: Buffer, wall_ns: int) -> list[Luma]:
        """The pictures that come out, in order of presentation, with the times they were given.

        A plane is libavcodec's own memory and lives as long as its `Luma`. MediaError: the sample
        cannot be decoded; what follows may be given all the same.
        """
        packet = av.Packet(cast(bytes, sample))  # any buffer, but its stub says bytes
        if packet.size == 0:  # libavcodec would take it for the end
            raise MediaError("short", "a sample without bytes")
        packet.pts = wall_ns
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError as error:
            raise MediaError("value", f"libavcodec: {error.strerror}") from error
        return _lumas(frames)

    def finish(self) -> list[Luma]:
        """The pictures that were held back; the next sample has to be a sync sample."""
        try:
            frames = self._context.decode(None)
        except av.FFmpegError:  # nothing was opened yet, or its last samples were damaged
            frames = []
        if self._context.is_open:
            self._context.flush_buffers()
        return _lumas(frames)


def _lumas(frames: Sequence[VideoFrame]) -> list[Luma]:
    return [luma_of(f, f.pts) for f in frames if f.pts is not None and not f.is_corrupt]
