"""libavcodec without anything around it: the decode that the index's cost is measured against.

The library is the one that PyAV brings, called by ctypes: two calls a sample. Its structures are
not looked at, but for where a packet has its bytes (which is so since libavcodec 59).
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence

import av

_CODECS = {"h264": 27, "hevc": 173}
"""enum AVCodecID, which is part of the interface."""
_PACKET_DATA = 24
"""Offset of AVPacket.data: behind buf, pts and dts."""
_START = b"\0\0\0\1"


def _library() -> ctypes.CDLL:
    assert av.library_versions["libavcodec"] >= (59, 0, 0)
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "/libavcodec" in line}
    library = ctypes.CDLL(paths.pop())
    for name in ("avcodec_find_decoder", "avcodec_alloc_context3", "av_packet_alloc"):
        getattr(library, name).restype = ctypes.c_void_p
    library.avcodec_alloc_context3.argtypes = [ctypes.c_void_p]
    library.avcodec_open2.argtypes = [ctypes.c_void_p] * 3
    library.av_new_packet.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.av_packet_unref.argtypes = [ctypes.c_void_p]
    library.avcodec_send_packet.argtypes = [ctypes.c_void_p] * 2
    library.avcodec_receive_frame.argtypes = [ctypes.c_void_p] * 2
    return library


def _frame() -> ctypes.c_void_p:
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "/libavutil" in line}
    library = ctypes.CDLL(paths.pop())
    library.av_frame_alloc.restype = ctypes.c_void_p
    return ctypes.c_void_p(library.av_frame_alloc())


def start_codes(sample: bytes, sets: bytes) -> bytes:
    """A sample with lengths of four bytes as one with start codes (H.264 annex B), `sets` first."""
    parts, at = [sets], 0
    while at < len(sample):
        size = int.from_bytes(sample[at : at + 4], "big")
        parts += [_START, sample[at + 4 : at + 4 + size]]
        at += 4 + size
    return b"".join(parts)


def decode(name: str, samples: Sequence[bytes]) -> tuple[float, int]:
    """Seconds of CPU for decoding all of them, and how many pictures came. One thread."""
    library, frame = _library(), _frame()
    context = library.avcodec_alloc_context3(library.avcodec_find_decoder(_CODECS[name]))
    if library.avcodec_open2(context, None, None) != 0:
        raise RuntimeError("libavcodec did not open")
    packet = library.av_packet_alloc()
    pictures = 0
    began_s = time.thread_time()
    for sample in samples:
        if library.av_new_packet(packet, len(sample)) != 0:
            raise MemoryError
        to = ctypes.c_void_p.from_address(packet + _PACKET_DATA).value
        assert to is not None
        ctypes.memmove(to, sample, len(sample))
        library.avcodec_send_packet(context, packet)
        library.av_packet_unref(packet)
        while library.avcodec_receive_frame(context, frame) == 0:
            pictures += 1
    library.avcodec_send_packet(context, None)
    while library.avcodec_receive_frame(context, frame) == 0:
        pictures += 1
    return time.thread_time() - began_s, pictures
