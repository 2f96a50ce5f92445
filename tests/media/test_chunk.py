"""The values of the segment format, and that C and Python number them alike."""

from __future__ import annotations

import re
from dataclasses import fields
from enum import IntEnum
from pathlib import Path

import pytest

from vonggac.media import chunk
from vonggac.media.chunk import ChunkFlag, Claim, Codec, GapReason, Place, Row, SyncKind


def numbers_of(header: str, prefix: str) -> dict[str, int]:
    """The constants of a C header that start with `prefix`: `VG_X = 3` and `VG_X = 1 << 3`."""
    found = re.findall(rf"\b{prefix}([A-Z0-9_]+) = (\d+)(?: << (\d+))?", header)
    return {name: int(number) << int(shift or 0) for name, number, shift in found}


@pytest.mark.parametrize(
    ("enum", "header", "prefix"),
    [
        (Codec, "nal.h", "VG_CODEC_"),
        (SyncKind, "nal.h", "VG_SYNC_"),
        (GapReason, "segment.h", "VG_GAP_"),
    ],
    ids=["codec", "sync kind", "gap reason"],
)
def test_c_and_python_number_alike(
    root: Path, enum: type[IntEnum], header: str, prefix: str
) -> None:
    text = (root / "native/include/vg" / header).read_text()
    assert numbers_of(text, prefix) == {member.name: member.value for member in enum}


def test_c_and_python_have_the_same_flags(root: Path) -> None:
    text = (root / "native/include/vg/segment.h").read_text()
    claims = {
        name: number
        for name, number in numbers_of(text, "VG_CLAIM_").items()
        if name not in {"SIZE", "FIRST_SIZE"}
    }
    flags = claims | numbers_of(text, "VG_ROW_")
    assert flags == {flag.name: flag.value for flag in ChunkFlag}


def test_c_and_python_have_the_same_sizes(root: Path) -> None:
    text = (root / "native/include/vg/segment.h").read_text()
    assert numbers_of(text, "VG_")["BLOCK"] == chunk.BLOCK_BYTES
    assert numbers_of(text, "VG_FORMAT_")["VERSION"] == chunk.FORMAT_VERSION


def test_every_reason_has_words() -> None:
    assert [reason.words for reason in GapReason] == [
        "unknown", "camera off", "network", "refused", "wrong password", "no video", "bad stream",
        "crashes the recorder", "another device", "box stopped", "disk", "agreement ended",
        "paused", "flood", "clock set",
    ]  # fmt: skip
    assert chunk.gap_word(2) == "network"
    assert chunk.gap_word(200) == "unknown"


def test_a_row_is_claim_and_place() -> None:
    claim = Claim(
        flags=ChunkFlag.DAMAGED,
        camera=bytes(16),
        stream=bytes(16),
        run=5,
        sequence=6,
        wall_start_ns=7,
        media_start_ticks=8,
        kind=SyncKind.CRA,
        video_bytes=9,
        video_sha256=bytes(32),
        previous_sha256=bytes(32),
        duration_ticks=10,
        samples=11,
    )
    place = Place(bytes(16), 1, 2, 4096, 104, 8192, 600, 3)

    row = chunk.row_of(claim, place, 20, ChunkFlag.BROKEN)

    assert row == Row(
        4096, 8192, 104, 600, 7, 20, 10, 11, ChunkFlag.DAMAGED | ChunkFlag.BROKEN, 2, 5, 6
    )


def test_values_cannot_be_changed() -> None:
    for kind in (chunk.Sample, Claim, Place, chunk.ChunkView, Row, chunk.PackedRow):
        assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert kind.__slots__ == tuple(field.name for field in fields(kind))


def test_every_name_is_exported() -> None:
    assert all(hasattr(chunk, name) for name in chunk.__all__)
