"""The table that seals a segment, and its entries."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native import segment
from vonggac.errors import MediaError
from vonggac.media.chunk import Row, TableIsLonger

SEGMENT_BYTES = 16 << 20
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
ROWS = st.builds(
    Row, U32, U32, U32, U32, I64, I64, U32, U32, U32, st.integers(0, 255), U64, U64
)  # fmt: skip

SIX = [
    Row(4096 * n, 4096, 488, 9000, n * 10**9, (n + 1) * 10**9, 90_000, 25, 0x20, 1, 77, n)
    for n in range(1, 7)
]


@given(ROWS)
def test_an_entry_has_64_bytes_and_every_field(row: Row) -> None:
    entry = segment.entry_write(row)
    assert len(entry) == 64
    assert segment.entry_read(entry) == row


def test_an_entry_of_another_size_is_short() -> None:
    with pytest.raises(MediaError, match="entry of the table"):
        segment.entry_read(bytes(63))


@given(st.lists(ROWS, max_size=20), st.binary(max_size=100))
def test_a_table_is_read_from_the_end_of_its_segment(rows: list[Row], before: bytes) -> None:
    table = segment.table_write(rows, SEGMENT_BYTES)
    assert len(table) == segment.table_bytes(len(rows))
    assert segment.table_read(before + table, SEGMENT_BYTES) == rows


def test_a_table_is_one_box_with_its_footer_last() -> None:
    table = segment.table_write(SIX, SEGMENT_BYTES)
    assert struct.unpack_from(">I4s", table) == (len(table), b"uuid")
    magic, version, entry, count, offset, sha256, zero, crc = struct.unpack(
        ">8sHHIQ32sII", table[-64:]
    )
    assert (magic, version, entry, count) == (b"vgtable\0", 1, 64, 6)
    assert offset == SEGMENT_BYTES - len(table)
    assert sha256 == hashlib.sha256(table[24:-64]).digest()
    assert (zero, crc) == (0, segment.crc32c(table[-64:-4]))


def test_too_short_an_end_says_how_much_it_needs() -> None:
    table = segment.table_write(SIX, SEGMENT_BYTES)
    with pytest.raises(TableIsLonger) as caught:
        segment.table_read(table[-64:], SEGMENT_BYTES)
    assert caught.value.kind == "short"
    assert caught.value.count == 6
    assert caught.value.needed_bytes == len(table)
    with pytest.raises(TableIsLonger) as caught:
        segment.table_read(b"", SEGMENT_BYTES)
    assert caught.value.needed_bytes <= 4096


def test_an_open_segment_has_no_table() -> None:
    with pytest.raises(MediaError, match="magic of the table"):
        segment.table_read(bytes(4096), SEGMENT_BYTES)


def test_every_changed_byte_is_noticed() -> None:
    table = segment.table_write(SIX, SEGMENT_BYTES)
    for n in range(len(table)):
        spoiled = bytearray(table)
        spoiled[n] ^= 1 << n % 8
        with pytest.raises(MediaError):
            segment.table_read(spoiled, SEGMENT_BYTES)


def test_a_table_of_another_segment_size_is_not_believed() -> None:
    table = segment.table_write(SIX, SEGMENT_BYTES)
    with pytest.raises(MediaError, match="count and offset"):
        segment.table_read(table, 2 * SEGMENT_BYTES)


def test_a_newer_table_is_unsupported() -> None:
    table = bytearray(segment.table_write(SIX, SEGMENT_BYTES))
    table[-64 + 9] = 2
    table[-4:] = segment.crc32c(table[-64:-4]).to_bytes(4, "big")
    with pytest.raises(MediaError) as caught:
        segment.table_read(table, SEGMENT_BYTES)
    assert caught.value.kind == "unsupported"


def test_a_table_larger_than_its_segment_is_refused() -> None:
    with pytest.raises(MediaError) as caught:
        segment.table_write(SIX, 256)
    assert caught.value.kind == "limit"


@given(st.binary(max_size=200))
def test_any_bytes_are_no_table(data: bytes) -> None:
    with pytest.raises(MediaError):
        segment.table_read(data, SEGMENT_BYTES)
