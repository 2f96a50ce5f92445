"""Sound to be sent and found again: frames as cameras send them, made by ffmpeg or by hand."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

from segment_maker import output_of
from vonggac.media.sound import Sound, SoundCodec

PCMA = Sound(SoundCodec.PCMA, 1, 8000, 8000)
PCMU = Sound(SoundCodec.PCMU, 1, 8000, 8000)
OPUS = Sound(SoundCodec.OPUS, 2, 48_000, 48_000)
AAC = Sound(
    SoundCodec.AAC, 1, 16_000, 16_000, bytes.fromhex("1408"), 1024, size_bits=13, index_bits=3,
    delta_bits=3,
)  # fmt: skip
"""AAC-LC, 16 kHz, mono."""
LATM = replace(AAC, codec=SoundCodec.LATM, size_bits=0, index_bits=0, delta_bits=0)
FRAME_BYTES = 160
"""Of G.711: 20 ms at 8 kHz."""


def g711(frames: int, seed: int = 0) -> list[bytes]:
    """Frames of which no two are alike."""
    return [
        hashlib.shake_128(f"{seed} {number}".encode()).digest(FRAME_BYTES)
        for number in range(frames)
    ]


def aac(ffmpeg: str, seconds: int) -> list[bytes]:
    """Access units of a rising tone, as ADTS has them, without their headers."""
    tone = f"aevalsrc=sin(300*t*t):s=16000:d={seconds}"
    data = output_of(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", tone),
        *("-c:a", "aac", "-b:a", "32k", "-f", "adts", "-"),
    )
    units = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at + 3 : at + 6]) >> 5 & 0x1FFF
        units.append(data[at + 7 : at + size])
        at += size
    return units


def adts(units: list[bytes]) -> bytes:
    """The same as a file."""
    return b"".join(adts_header(len(unit)) + unit for unit in units)


def adts_header(unit_bytes: int) -> bytes:
    """ISO/IEC 14496-3 1.A.3.2: LC, 16 kHz, mono, no CRC."""
    size = unit_bytes + 7
    return bytes.fromhex("fff1") + ((0x60 << 32) | 1 << 30 | size << 13 | 0x7FF << 2).to_bytes(5)


def opus(ffmpeg: str, seconds: int, folder: Path) -> list[bytes]:
    """Packets of 20 ms, out of the pages of an Ogg file (RFC 3533 6), without its two headers."""
    path = folder / "tone.opus"
    tone = f"aevalsrc=sin(300*t*t):s=48000:d={seconds}"
    output_of(
        *(ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", tone),
        *("-c:a", "libopus", "-b:a", "32k", str(path)),
    )
    data = path.read_bytes()
    packets = [b""]
    at = 0
    while at < len(data):
        lengths = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(lengths)
        for length in lengths:
            packets[-1] += data[at : at + length]
            at += length
            if length < 255:
                packets.append(b"")
    return packets[2:-1]


def au_headers(*sizes: int) -> bytes:
    """RFC 3640 3.2.1, as in AAC-hbr: 13 bits of size, 3 of index."""
    return (16 * len(sizes)).to_bytes(2) + b"".join((size << 3).to_bytes(2) for size in sizes)


def latm(*units: bytes) -> bytes:
    """ISO/IEC 14496-3 1.7.3.1: an element, each access unit behind its length."""
    return b"".join(
        b"\xff" * (len(unit) // 255) + bytes([len(unit) % 255]) + unit for unit in units
    )


def rtp(number: int, payload: bytes, payload_type: int = 8) -> bytes:
    """A packet of G.711: the timestamp is where its number says."""
    stamp = number * FRAME_BYTES & 0xFFFFFFFF
    return struct.pack(">BBHII", 0x80, payload_type, number & 0xFFFF, stamp, 0x50) + payload
