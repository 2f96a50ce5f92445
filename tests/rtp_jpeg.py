"""JPEG files and their RTP payloads (RFC 2435), independent of the code under test."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path


def payload(
    scan: bytes,
    offset: int = 0,
    *,
    q: int = 80,
    kind: int = 1,
    width: int = 320,
    height: int = 240,
    restart: int | None = None,
    tables: bytes | None = None,
    precision: int = 0,
) -> bytes:
    """A packet's payload (RFC 2435 3.1); `tables` only in a first one."""
    out = struct.pack(
        ">IBBBB", offset, kind + (64 if restart is not None else 0), q, width // 8, height // 8
    )
    if restart is not None:
        out += struct.pack(">HH", restart, 0xFFFF)
    if tables is not None:
        out += struct.pack(">BBH", 0, precision, len(tables)) + tables
    return out + scan


def segments(file: bytes) -> dict[int, list[bytes]]:
    """Marker segments before the scan, and the rest under 0 (ITU T.81 B.1.1.4)."""
    assert file[:2] == b"\xff\xd8"
    out: dict[int, list[bytes]] = {}
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", file, at)
        out.setdefault(marker & 0xFF, []).append(file[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == 0xFFDA:
            out[0] = [file[at:]]
            return out


def payloads_of(picture: bytes, size: int = 900) -> list[bytes]:
    """What a camera sends of a file of 352x288 with its tables and 4:2:0."""
    of = segments(picture)
    tables = b"".join(table[1:65] for table in of[0xDB])
    scan = of[0][0]
    first = payload(scan[:size], q=255, tables=tables, width=352, height=288)
    starts = range(size, len(scan), size)
    return [first, *(payload(scan[at : at + size], at, q=255) for at in starts)]


def encoded_pictures(program: Callable[[str], str], folder: Path) -> list[bytes]:
    """Five pictures of 352x288 from an encoder, with the Huffman tables of T.81 K.3."""
    path = folder / "one.mjpeg"
    source = ["-f", "lavfi", "-i", "testsrc2=size=352x288:rate=5:duration=1"]
    subprocess.run(
        [program("ffmpeg"), "-v", "error", *source, "-pix_fmt", "yuvj420p", "-huffman", "default",
         "-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg", path],
        check=True, timeout=60,
    )  # fmt: skip
    return [b"\xff\xd8" + part for part in path.read_bytes().split(b"\xff\xd8")[1:]]
