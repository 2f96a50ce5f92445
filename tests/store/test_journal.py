"""Snapshots: what is written is read, and whatever is torn is never read as something else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import ConfigError, MediaError, StorageError
from vonggac.store.journal import (
    FILE_BYTES,
    SLOT_BYTES,
    EraseIntent,
    JournalSegment,
    Lock,
    OpenGap,
    SegmentState,
    Snapshot,
    decode,
    encode,
    newest,
)

U64 = st.integers(0, (1 << 64) - 1)
U32 = st.integers(0, (1 << 32) - 1)
I64 = st.integers(-(1 << 63), (1 << 63) - 1)
ID = st.binary(min_size=16, max_size=16)
U8 = st.integers(0, 255)
STATE = st.sampled_from(SegmentState)
SNAPSHOTS = st.builds(
    Snapshot,
    generation=U64,
    disk=ID,
    highest_epoch=U64,
    seal_order=U64,
    index_commits=U64,
    segments=st.tuples(st.builds(JournalSegment, U32, STATE, U64, ID, ID, U64)),
    gaps=st.lists(st.builds(OpenGap, ID, ID, I64, U8), max_size=3).map(tuple),
    locks=st.lists(st.builds(Lock, ID, ID, I64, I64), max_size=3).map(tuple),
    erase_intents=st.lists(
        st.builds(EraseIntent, U32, U64, U32, U32, st.binary(max_size=4096)), max_size=2
    ).map(tuple),
    inband_streams=st.lists(ID, max_size=3).map(tuple),
)
PLAIN = Snapshot(generation=4, disk=bytes(16), highest_epoch=1, seal_order=2)


def file_of(*snapshots: Snapshot) -> bytearray:
    data = bytearray(FILE_BYTES)
    for snapshot in snapshots:
        offset, written = encode(snapshot)
        data[offset : offset + len(written)] = written
    return data


@given(SNAPSHOTS)
def test_a_snapshot_comes_back(snapshot: Snapshot) -> None:
    offset, data = encode(snapshot)
    assert decode(data) == snapshot
    assert offset == snapshot.generation % 2 * SLOT_BYTES and len(data) % 4096 == 0


@given(SNAPSHOTS, st.data())
def test_one_wrong_byte_is_noticed(snapshot: Snapshot, data: st.DataObject) -> None:
    written = bytearray(encode(snapshot)[1])
    body_bytes = int.from_bytes(written[12:16], "big")
    at = data.draw(st.integers(0, 27 + body_bytes))
    written[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MediaError):
        decode(bytes(written))


@given(st.binary(max_size=300))
def test_rubbish_is_no_snapshot(data: bytes) -> None:
    with pytest.raises(MediaError):
        decode(data)


def test_the_newer_whole_one_holds() -> None:
    newer = replace(PLAIN, generation=5, highest_epoch=9)
    assert newest(bytes(file_of(PLAIN, newer))) == newer
    torn = file_of(PLAIN, newer)
    torn[SLOT_BYTES + 40] ^= 1
    assert newest(bytes(torn)) == PLAIN


def test_without_any_whole_one_a_person_is_told_what_to_do() -> None:
    with pytest.raises(StorageError, match="disk rebuild"):
        newest(bytes(FILE_BYTES))


def test_a_newer_version_is_refused() -> None:
    from vonggac._native.segment import crc32c

    data = bytearray(encode(PLAIN)[1])
    data[9] = 2
    body_bytes = int.from_bytes(data[12:16], "big")
    data[24:28] = bytes(4)
    data[24:28] = crc32c(bytes(data[: 28 + body_bytes])).to_bytes(4, "big")
    with pytest.raises(ConfigError, match="newer"):
        decode(bytes(data))


def test_a_snapshot_larger_than_its_slot_is_refused() -> None:
    segments = tuple(JournalSegment(n, SegmentState.OPEN, n) for n in range(30_000))
    with pytest.raises(StorageError, match="slot"):
        encode(replace(PLAIN, segments=segments))
