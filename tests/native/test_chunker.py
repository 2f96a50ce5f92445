"""From access units to chunks (vg/chunker.h): what a chunk holds, and where it ends."""

from __future__ import annotations

import hashlib

import pytest

from chunker_rig import FRAME, FRAME_NS, START_NS, Stream
from loop_rig import PPS, SPS
from vonggac._native import segment
from vonggac.errors import MediaError
from vonggac.media.chunk import ChunkFlag, GapReason, SyncKind


def test_nothing_is_kept_before_the_first_sync_sample() -> None:
    s = Stream()
    s.picture()
    s.picture()
    s.sync()
    s.end()
    assert s.nals == [b"\x65sync"]
    assert s.chunker.state()[2] == 2


def test_a_sync_sample_starts_a_chunk() -> None:
    s = Stream()
    for _ in range(3):
        s.sync()
        for _ in range(49):
            s.picture()
    s.end()
    assert [c.samples for c in s.claims] == [50, 50, 50]
    assert [c.kind for c in s.claims] == [SyncKind.IDR] * 3
    assert [c.duration_ticks for c in s.claims] == [50 * FRAME] * 3


def test_the_chain_of_claims_holds_and_hashes_are_of_the_payload() -> None:
    s = Stream()
    s.sync()
    s.tick()
    s.picture()
    s.tick()
    s.picture()
    s.end()
    previous = bytes(32)
    for claim, chunk, payload in s.chunks():
        assert claim.previous_sha256 == previous
        assert claim.video_sha256 == hashlib.sha256(payload).digest()
        assert claim.video_bytes == len(payload)
        _claim, previous = segment.claim_read(chunk.head)
    assert [c.sequence for c in s.claims] == [0, 1, 2]


def test_a_run_that_begins_again_is_a_chain_and_a_time_of_its_own() -> None:
    s = Stream()
    s.sync()
    s.tick()
    s.picture()
    closed, is_new = s.chunker.begin_again(6, GapReason.CLOCK_SET)
    assert is_new and len(closed) == 1
    s.headers += closed
    hour_ns = 3600 * 1_000_000_000
    for kind in (SyncKind.IDR, SyncKind.NONE, SyncKind.IDR):
        s.picture(((5, b"\x65"),), kind, late_ns=-hour_ns)
    s.end()
    _, end, first, second = s.claims
    assert (end.run, end.sequence, bool(end.flags & ChunkFlag.END)) == (5, 1, True)
    assert (first.run, first.sequence, first.media_start_ticks) == (6, 0, 0)
    assert first.flags & ChunkFlag.FIRST
    assert not first.flags & (ChunkFlag.REFERENCES_LOST | ChunkFlag.REANCHORED)
    assert (first.predecessor_run, first.gap_reason) == (5, GapReason.CLOCK_SET)
    assert first.gap_start_ns == s.chunks()[1][1].wall_end_ns
    assert first.previous_sha256 == bytes(32)
    assert first.wall_start_ns == START_NS + 3 * FRAME_NS - hour_ns
    assert (second.run, second.sequence, second.samples) == (6, 1, 1)
    assert second.wall_start_ns == first.wall_start_ns + 2 * FRAME_NS


def test_a_run_that_begins_again_amid_a_gop_says_that_references_are_elsewhere() -> None:
    s = Stream()
    s.sync()
    s.headers += s.chunker.begin_again(6, GapReason.CLOCK_SET)[0]
    s.picture()
    s.sync()
    s.end()
    lost = [bool(c.flags & ChunkFlag.REFERENCES_LOST) for c in s.claims]
    assert lost == [False, True, False]


def test_a_run_in_which_nothing_was_kept_does_not_end_when_it_begins_again() -> None:
    s = Stream()
    s.picture()
    assert s.chunker.begin_again(6, GapReason.CLOCK_SET) == ([], False)
    s.sync()
    s.end()
    (claim,) = s.claims
    assert (claim.run, claim.sequence, claim.predecessor_run) == (5, 0, 0)


def test_the_head_parses_once_it_is_placed() -> None:
    s = Stream()
    s.sync()
    s.picture()
    s.end()
    _claim, chunk, payload = s.chunks()[0]
    head = bytearray(chunk.head)
    place = segment.chunk_place(head, 0, 1, b"d" * 16, 3, 9, 4096)
    view = segment.chunk_parse(bytes(head) + payload)
    assert view is not None
    assert view.claim.samples == 2
    assert place.chunk_bytes >= len(head) + len(payload)


def test_a_new_anchor_of_wall_time_is_a_new_chunk() -> None:
    s = Stream()
    s.sync()
    for _ in range(10):
        s.picture()
    for _ in range(60):
        s.picture(late_ns=60_000_000_000)
    s.end()
    first, second = s.claims
    assert not first.flags & ChunkFlag.REANCHORED
    assert second.flags & ChunkFlag.REANCHORED
    assert second.wall_start_ns - first.wall_start_ns > 60_000_000_000


def test_an_all_intra_stream_is_cut_at_ticks_alone() -> None:
    s = Stream()
    for n in range(100):
        s.sync()
        if n % 25 == 24:
            s.tick()
    per_second = [c.samples for c in s.claims]
    assert per_second[-2:] == [25, 25]


def test_a_chunk_ends_at_four_mebibytes_and_one_picture_may_be_larger() -> None:
    s = Stream()
    s.sync()
    for _ in range(5):
        s.picture([(1, b"\x41" + bytes(1_500_000))])
    s.picture([(1, b"\x41" + bytes(5_000_000))])
    s.end()
    sizes = [c.video_bytes for c in s.claims]
    assert [c.samples for c in s.claims] == [3, 2, 1, 1]
    assert max(sizes[:-1]) <= 4 << 20 < sizes[-1]


def test_without_room_the_rest_of_the_gop_is_dropped() -> None:
    s = Stream(blocks=8)  # one for the states
    s.sync()
    for _ in range(3):
        s.picture([(1, b"\x41" + bytes(80_000))])
    with pytest.raises(MediaError, match="arena is full"):
        s.picture([(1, b"\x41" + bytes(300_000))])
    # The chunk up to there is closed and can be taken.
    s.headers += s.tick()
    kept = s.chunker.state()[1]
    with pytest.raises(MediaError):
        s.picture()
    assert s.chunker.state()[1] == kept
    assert s.chunker.state()[3] == 2


def test_a_run_starts_with_its_predecessor() -> None:
    s = Stream(predecessor_run=4, gap_reason=GapReason.NETWORK, gap_start_ns=START_NS - 5)
    s.sync()
    s.tick()
    s.picture()
    s.end()
    first, last = s.claims
    assert first.flags & ChunkFlag.FIRST
    assert not last.flags & ChunkFlag.FIRST
    assert (first.predecessor_run, first.gap_reason) == (4, GapReason.NETWORK)
    assert last.flags & ChunkFlag.END


def test_after_lost_references_the_middle_of_a_gop_is_kept_and_flagged() -> None:
    s = Stream(references_lost=True, sps=[SPS], pps=[PPS])
    s.picture()
    s.picture()
    s.tick()
    s.sync()
    s.end()
    first, second = s.claims
    assert first.flags & ChunkFlag.REFERENCES_LOST
    assert first.kind == SyncKind.NONE
    assert not second.flags & ChunkFlag.REFERENCES_LOST


def test_damage_is_flagged() -> None:
    s = Stream()
    s.sync()
    s.tick()
    s.picture(damaged=True)
    s.end()
    assert [bool(c.flags & ChunkFlag.DAMAGED) for c in s.claims] == [False, True]


def test_no_start_without_usable_sets() -> None:
    s = Stream()
    with pytest.raises(MediaError, match="parameter sets missing"):
        s.sync(sets=[])
    with pytest.raises(MediaError, match="parameter sets missing"):
        s.sync(sets=[(7, b"\x67"), (8, PPS)])
    s.sync()
    s.end()
    assert s.nals == [b"\x65sync"]
