"""From access units to chunks (vg/chunker.h), with every time given by the test."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import pytest

from loop_rig import PPS, SPS, split_lengths
from vonggac._native import segment
from vonggac._native.arena import BLOCK_BYTES, ArenaChunk, ArenaReader, format_arena
from vonggac._native.chunker import Chunker
from vonggac.errors import MediaError
from vonggac.media.chunk import ChunkFlag, Claim, Codec, GapReason, SyncKind

FRAME = 3600
FRAME_NS = 40_000_000
START_NS = 1_763_700_000_000_000_000
SETS = [(7, SPS), (8, PPS)]
Nals = Sequence[tuple[int, bytes]]


class Stream:
    """A chunker, its arena, and a camera that is always on time."""

    def __init__(self, *, blocks: int = 400, **start: object) -> None:
        self.memory = os.memfd_create("arena", os.MFD_CLOEXEC)
        os.ftruncate(self.memory, blocks * BLOCK_BYTES)
        format_arena(self.memory)
        self.chunker = Chunker(
            self.memory,
            Codec.H264,
            camera=b"c" * 16,
            stream=b"s" * 16,
            run=5,
            **start,  # type: ignore[arg-type]
        )
        self.reader = ArenaReader(self.memory, blocks * BLOCK_BYTES)
        self.blocks = blocks
        self.pictures = 0
        self.headers: list[int] = []

    def picture(
        self,
        nals: Nals = ((1, b"\x41picture"),),
        kind: SyncKind = SyncKind.NONE,
        *,
        at: int | None = None,
        late_ns: int = 0,
        **more: bool,
    ) -> list[int]:
        """One access unit at picture `at` (default: the next); gives the chunks it closed."""
        n = self.pictures if at is None else at
        self.pictures += 1
        arrival = START_NS + self.pictures * FRAME_NS + late_ns
        closed = self.chunker.push(nals, n * FRAME + 1000, kind, arrival, **more)
        self.headers += closed
        return closed

    def sync(self, kind: SyncKind = SyncKind.IDR, sets: Nals = SETS) -> list[int]:
        return self.picture([*sets, (5, b"\x65sync")], kind)

    def tick(self) -> list[int]:
        closed = self.chunker.tick()
        self.headers += closed
        return closed

    def end(self) -> list[int]:
        closed = self.chunker.end()
        self.headers += closed
        return closed

    def chunks(self) -> list[tuple[Claim, ArenaChunk, bytes]]:
        read = [self.reader.chunk(header) for header in self.headers]
        return [(segment.claim_read(c.head)[0], c, b"".join(c.payload)) for c in read]

    @property
    def claims(self) -> list[Claim]:
        return [claim for claim, _chunk, _payload in self.chunks()]

    @property
    def nals(self) -> list[bytes]:
        return [nal for _, _, payload in self.chunks() for nal in split_lengths(payload)]


def samples_of(chunk: ArenaChunk) -> list[tuple[int, int, int]]:
    """(duration, bytes, composition offset) from the trun."""
    head = bytes(chunk.head)
    at = head.index(b"trun") + 16
    count = int.from_bytes(head[at - 8 : at - 4])
    rows = [head[at + 16 * n : at + 16 * n + 16] for n in range(count)]
    return [
        (
            int.from_bytes(r[:4]),
            int.from_bytes(r[4:8]),
            int.from_bytes(r[12:16], signed=True),
        )
        for r in rows
    ]


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


def test_at_a_tick_the_last_sample_takes_the_previous_spacing() -> None:
    s = Stream()
    s.sync()
    for _ in range(9):
        s.picture()
    s.tick()
    assert s.claims[0].duration_ticks == 10 * FRAME


def test_the_error_of_a_tick_goes_into_the_next_duration() -> None:
    s = Stream()
    s.sync()
    s.picture()
    s.tick()  # guesses 3600 for the second picture
    s.chunker.push([(1, b"a")], 1000 + 2 * FRAME + 500, 0, START_NS + 3 * FRAME_NS)
    s.chunker.push([(1, b"a")], 1000 + 3 * FRAME + 500, 0, START_NS + 4 * FRAME_NS)
    s.end()
    second = samples_of(s.chunks()[1][1])
    assert second[0][0] == FRAME + 500
    assert sum(c.duration_ticks for c in s.claims) == 4 * FRAME + 500


def test_a_stall_is_a_hole_and_no_long_sample() -> None:
    s = Stream()
    s.sync()
    for _ in range(24):
        s.picture()
    s.tick()
    s.pictures += 75  # three seconds in which nothing came
    s.picture()
    s.picture()
    s.end()
    first, second = s.claims
    assert first.duration_ticks == 25 * FRAME
    assert second.media_start_ticks == 100 * FRAME
    assert second.duration_ticks == 2 * FRAME
    assert abs(second.wall_start_ns - first.wall_start_ns - 4_000_000_000) < 5 * FRAME_NS


def test_b_pictures_keep_their_presentation_times() -> None:
    high = bytes.fromhex(
        "6764000dacd94141"  # High, 320x180, nothing told about reordering
        "fa10000003001000000303c8f14299600000"
    )
    s = Stream(sps=[high], pps=[PPS])
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]
    s.picture([(5, b"i")], SyncKind.IDR, at=0)
    for n in order[1:]:
        s.picture([(1, b"b%d" % n)], at=n)
    s.end()
    times = []
    for claim, chunk, _payload in s.chunks():
        decode = claim.media_start_ticks
        for duration, _bytes, offset in samples_of(chunk):
            times.append(decode + offset)
            decode += duration
    assert times == [n * FRAME for n in order]


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


def test_equal_timestamps_are_spaced_by_arrival() -> None:
    s = Stream()
    s.sync()
    for _ in range(100):
        s.picture(at=0)
    s.end()
    assert 96 * FRAME < sum(c.duration_ticks for c in s.claims) < 102 * FRAME
    walls = [c.wall_start_ns for c in s.claims]
    assert walls == sorted(walls)


def test_two_fields_with_one_timestamp_stay_together() -> None:
    s = Stream()
    s.sync()
    for n in range(1, 11):
        s.picture(at=n)
        s.picture(at=n)
    s.picture(at=11)
    s.end()
    durations = [d for _, chunk, _ in s.chunks() for d, _, _ in samples_of(chunk)]
    assert durations[1:-1] == [1, FRAME - 1] * 10


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
