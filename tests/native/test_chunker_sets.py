"""Parameter sets that are equal, change, or come back (vg/chunker.h)."""

from __future__ import annotations

import hashlib

from chunker_rig import SETS, Stream
from loop_rig import PPS, SPS
from vonggac.media.chunk import ChunkFlag, SyncKind


def test_equal_sets_are_dropped_and_flagged_and_other_nals_stay() -> None:
    s = Stream()
    s.picture([(9, b"\x09\xf0"), *SETS, (6, b"\x06sei"), (5, b"\x65")], SyncKind.IDR)
    s.end()
    assert s.nals == [b"\x09\xf0", b"\x06sei", b"\x65"]
    assert s.claims[0].flags & ChunkFlag.SETS_DROPPED
    assert s.chunker.state()[4] == 2


def other_pps(n: int) -> bytes:
    return PPS + bytes([n + 1])


def test_a_differing_set_is_a_new_entry_at_the_sync_sample() -> None:
    s = Stream()
    s.sync()
    s.picture()
    s.sync(sets=[(7, SPS), (8, other_pps(0))])
    s.end()
    (_, a, _), (_, b, _) = s.chunks()
    assert a.entry_sha256 != b.entry_sha256
    assert hashlib.sha256(b.segment_head).digest() == b.entry_sha256
    assert other_pps(0) in b.segment_head
    assert other_pps(0) not in a.segment_head
    assert s.nals == [b"\x65sync", b"\x41picture", b"\x65sync"]


def test_a_set_that_differs_between_sync_samples_stays_in_band_until_then() -> None:
    s = Stream()
    s.sync()
    s.picture([(8, other_pps(0)), (1, b"\x41")])
    s.sync(sets=[])
    s.end()
    assert s.nals == [b"\x65sync", other_pps(0), b"\x41", b"\x65sync"]
    assert s.chunker.state()[5] == 2


def test_three_changes_in_ten_minutes_put_the_sets_in_band() -> None:
    s = Stream()
    s.sync()
    for n in range(5):
        for _ in range(49):
            s.picture()
        s.sync(sets=[(7, SPS), (8, other_pps(n))])
    s.end()
    entries = [chunk.entry_sha256 for _, chunk, _ in s.chunks()]
    assert len(dict.fromkeys(entries)) == 4
    assert [bool(c.flags & ChunkFlag.INBAND) for c in s.claims] == [False] * 3 + [True] * 3
    assert s.nals.count(other_pps(4)) == 1
    assert b"avc3" in s.chunks()[-1][1].segment_head


def test_three_changes_in_more_than_ten_minutes_do_not() -> None:
    s = Stream()
    s.sync()
    for n in range(4):
        for _ in range(301):
            s.tick()
        s.sync(sets=[(7, SPS), (8, other_pps(n))])
    assert s.chunker.state()[6] is False
    assert s.chunker.state()[5] == 5


def test_timestamps_do_not_make_the_ten_minutes_pass() -> None:
    s = Stream()
    s.sync()
    for n in range(4):
        for _ in range(90):
            s.pictures += 99  # four seconds of media time, and no tick
            s.picture()
        s.sync(sets=[(7, SPS), (8, other_pps(n))])
    assert s.chunker.state()[6] is True


def test_timestamps_cannot_make_a_chunk_of_every_sync_sample() -> None:
    """Each takes two blocks of the arena, and the neighbours need them."""
    s = Stream()
    for n in range(300):
        s.picture([*SETS, (5, b"\x65sync")], SyncKind.IDR, at=50 * n)
    assert len(s.headers) <= 40
    s.tick()
    before = len(s.headers)
    for n in range(300, 303):
        s.picture([*SETS, (5, b"\x65sync")], SyncKind.IDR, at=50 * n)
    assert len(s.headers) == before + 2
    s.end()
    assert s.nals == [b"\x65sync"] * 303


def test_a_set_whose_turn_comes_again_stands_in_band_again() -> None:
    """Two SPS in turns within a GOP (rtsp.md row 103): whoever reads on needs both."""
    s = Stream()
    s.sync()
    s.picture([(8, other_pps(0)), (1, b"\x41a")])
    s.picture([(8, PPS), (1, b"\x41b")])
    s.picture([(8, PPS), (1, b"\x41c")])
    s.sync()
    s.end()
    assert s.nals == [
        *(b"\x65sync", other_pps(0), b"\x41a", PPS, b"\x41b", b"\x41c"),
        b"\x65sync",
    ]
    assert s.chunker.state()[5] == 1


def test_an_entry_that_has_no_room_leaves_the_old_one_whole() -> None:
    s = Stream()
    s.sync()
    s.sync(sets=[(7, SPS), (8, PPS + b"\x55" * 32_400)])
    s.end()
    (_, first, _), (_, second, _) = s.chunks()
    assert second.segment_head == first.segment_head
    assert hashlib.sha256(second.segment_head).digest() == second.entry_sha256
