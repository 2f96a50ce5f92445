"""The worked example of docs/ref/segment-format.md, made again and compared byte by byte."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from vonggac._native import segment
from vonggac._native.ring import free_header
from vonggac.media.chunk import (
    ChunkFlag,
    Claim,
    Codec,
    GapReason,
    PackedRow,
    Row,
    Sample,
    SyncKind,
    row_of,
)
from vonggac.media.sound import Sound, SoundCodec, SoundSamples

SEGMENT_BYTES = 16 << 20
SPS = bytes.fromhex("6742c00ada11e4")
PPS = bytes.fromhex("68ce3880")
VIDEO = bytes.fromhex("000000056588840af7") + bytes.fromhex("00000003419a22")
DISK = bytes.fromhex("d0" * 16)


def example_claim() -> Claim:
    """Two pictures of 64 x 48, the first of a run."""
    return Claim(
        flags=ChunkFlag.FIRST | ChunkFlag.SETS_DROPPED | ChunkFlag.CLOCK_SYNCED,
        camera=bytes.fromhex("ca" * 16),
        stream=bytes.fromhex("5e" * 16),
        run=1_763_700_000_000_000,
        sequence=0,
        wall_start_ns=1_763_700_000_250_000_000,
        media_start_ticks=0,
        kind=SyncKind.IDR,
        video_bytes=len(VIDEO),
        video_sha256=hashlib.sha256(VIDEO).digest(),
        previous_sha256=bytes(32),
        predecessor_run=1_763_600_000_000_000,
        gap_reason=GapReason.NETWORK,
        gap_start_ns=1_763_699_990_000_000_000,
    )


def example_rows() -> list[PackedRow]:
    """The example's chunk, and two more as they usually follow."""
    first = example_chunk()[1]
    second = Row(8192, 61_440, 488, 4_000, first.wall_end_ns, first.wall_end_ns + 10**9 + 7,
                 90_000, 25, 0x20, 0, first.run, 1)  # fmt: skip
    third = Row(69_632, 61_440, 488, 61_000, second.wall_end_ns, second.wall_end_ns + 10**9 - 3,
                90_000, 25, 0x30, 1, first.run, 2)  # fmt: skip
    return [PackedRow(7, 1 << 40 | 5, row) for row in (first, second, third)]


def example_head() -> bytes:
    """`ftyp` and `moov`, and the header of the `free` behind them."""
    head = segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, False)
    used = head.index(b"free") + 4
    assert head[used:] == bytes(4096 - used)
    return head[:used]


def example_chunk() -> tuple[bytes, Row]:
    """The chunk to the header of its padding, and its row."""
    samples = (Sample(9, 3600, 0, is_sync=True), Sample(7, 3600, 0))
    head, _ = segment.chunk_head_write(example_claim(), samples)
    place = segment.chunk_place(head, 0, 1, DISK, 7, 1 << 40 | 5, 4096)
    claim, _ = segment.claim_read(head)
    padding = place.chunk_bytes - len(head) - len(VIDEO)
    row = row_of(claim, place, claim.wall_start_ns + 80_000_000)
    return bytes(head) + VIDEO + free_header(padding), row


PCMA = Sound(SoundCodec.PCMA, 1, 8000, 8000)
HEARD = bytes(range(0xD0, 0xD8))
START_TICKS = -180


def example_sound_track() -> bytes:
    """The second `trak` of the same head with A-law at 8 kHz."""
    head = segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, False, PCMA)
    return head[head.rindex(b"trak") - 4 : head.index(b"mvex") - 4]


def example_sound() -> bytes:
    """The end of `moof` and all of `mdat`: two packets of 4 samples, from 2 ms before the
    pictures on.
    """
    audio = START_TICKS.to_bytes(8, signed=True) + HEARD
    claim = replace(
        example_claim(), audio_bytes=len(audio), audio_sha256=hashlib.sha256(audio).digest()
    )
    samples = (Sample(9, 3600, 0, is_sync=True), Sample(7, 3600, 0))
    sound = SoundSamples(START_TICKS, ((4, 45), (4, 45)))
    head, _ = segment.chunk_head_write(claim, samples, sound)
    segment.chunk_place(head, 90_000, 1, DISK, 7, 1 << 40 | 5, 4096)
    return bytes(head[head.rindex(b"traf") - 4 :]) + VIDEO + audio


def example_table() -> bytes:
    """The table of a segment that has only this chunk."""
    return segment.table_write([example_chunk()[1]], SEGMENT_BYTES)


def drawn(text: str, title: str) -> bytes:
    """The bytes of the hex drawing under a heading: an offset, bytes, two spaces, words."""
    block = text.split(f"\n### {title}\n", 1)[1].split("```", 2)[1]
    lines = re.findall(r"^[0-9a-f]{4,} {2}((?:[0-9a-f]{2} ?)+)(?: |$)", block, re.MULTILINE)
    return bytes.fromhex("".join(lines))


@pytest.mark.parametrize(
    ("title", "made"),
    [
        ("Example: head", example_head()),
        ("Example: chunk", example_chunk()[0]),
        ("Example: the sound's track", example_sound_track()),
        ("Example: sound", example_sound()),
        ("Example: table", example_table()),
        ("Example: packed rows", segment.rows_pack(example_rows())),
    ],
    ids=["head", "chunk", "track", "sound", "table", "packed rows"],
)
def test_the_document_shows_the_bytes_that_are_written(root: Path, title: str, made: bytes) -> None:
    text = (root / "docs/ref/segment-format.md").read_text()
    assert drawn(text, title).hex(" ", 16) == made.hex(" ", 16)


def test_the_examples_rows_are_read_back() -> None:
    rows = example_rows()
    assert segment.rows_unpack(segment.rows_pack(rows)) == rows
