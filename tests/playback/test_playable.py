"""Which fragments a player gets, and where its timeline breaks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from vonggac._native.playlist import fragments_of
from vonggac.media.chunk import ChunkFlag, SyncKind
from vonggac.media.fragment import Fragment
from vonggac.playback.fragments import PARTS_MAX, Playable, playable

SECOND_NS = 1_000_000_000
TICKS = 90_000
SIZE = 1 << 20


def fragment(
    sequence: int,
    *,
    at_s: float | None = None,
    sync: bool = True,
    seconds: int = 2,
    run: int = 1,
    segment: int = 0,
    disk: int = 0,
    offset: int | None = None,
    flags: int = 0,
) -> Fragment:
    """A chunk a second; sequence, place and wall time agree unless told otherwise."""
    start_ns = int((sequence if at_s is None else at_s) * SECOND_NS)
    return Fragment(
        disk=disk, segment=segment, epoch=9,
        offset=4096 + sequence * SIZE if offset is None else offset,
        size_bytes=seconds * SIZE, moof_start=335, first_sample_end=5000,
        last_chunk=(seconds - 1) * SIZE, wall_start_ns=start_ns,
        wall_end_ns=start_ns + seconds * SECOND_NS, duration_ticks=seconds * TICKS,
        samples=25 * seconds, flags=flags, kind=SyncKind.IDR if sync else SyncKind.NONE,
        run=run, sequence=sequence, chunks=seconds,
    )  # fmt: skip


def play(found: Sequence[Fragment], from_ns: int = 0) -> Playable:
    """What is played of these, each disk's in their order."""
    disks = sorted({f.disk for f in found})
    return playable([fragments_of(f for f in found if f.disk == disk) for disk in disks], from_ns)


def fragments(shown: Playable) -> list[Fragment]:
    """All of them; of one in several segments the first part."""
    return [fragment for stretch in shown.stretches for fragment in stretch]


def rest(shown: Playable) -> dict[int, tuple[Fragment, ...]]:
    """What lies of a fragment in other segments, by its number."""
    found, number = {}, 0
    for stretch in shown.stretches:
        number += len(stretch)
        if stretch.rest:
            found[number - 1] = stretch.rest
    return found


def parts(shown: Playable, number: int) -> list[Fragment]:
    return [fragments(shown)[number], *rest(shown).get(number, ())]


def breaks(shown: Playable) -> set[int]:
    """Numbers of the fragments that begin a timeline, but for the very first."""
    found, number = set(), 0
    for stretch in shown.stretches:
        if stretch.is_break:
            found.add(number)
        number += len(stretch)
    return found


def starts(shown: Playable) -> list[tuple[int, int]]:
    return [(f.run, f.sequence) for f in fragments(shown)]


def test_fragments_that_follow_each_other_are_one_timeline() -> None:
    shown = play([fragment(n) for n in (0, 2, 4)])
    assert starts(shown) == [(1, 0), (1, 2), (1, 4)]
    assert not breaks(shown) and not rest(shown) and not shown.undecodable


def test_another_run_breaks_the_timeline() -> None:
    shown = play([fragment(0), fragment(0, at_s=2, run=2, offset=4096 + 2 * SIZE)])
    assert breaks(shown) == {1}


def test_another_segment_breaks_the_timeline_at_its_first_sync_sample() -> None:
    shown = play([fragment(0), fragment(2, segment=1), fragment(4, segment=1)])
    assert breaks(shown) == {1} and not rest(shown)


def test_a_fragment_that_goes_on_in_the_next_segment_is_one() -> None:
    second = fragment(2, sync=False, segment=1, offset=4096)
    shown = play([fragment(0), second, fragment(4, segment=1)])
    assert starts(shown) == [(1, 0), (1, 4)]
    assert rest(shown) == {0: (second,)}
    assert breaks(shown) == {1}, "the next one counts its times from the segment's start"


def test_a_fragment_over_three_segments_has_three_parts() -> None:
    found = [
        fragment(0, seconds=2),
        fragment(2, sync=False, segment=1, offset=4096, seconds=2),
        fragment(4, sync=False, segment=1, offset=4096 + 2 * SIZE, seconds=1),
        fragment(5, sync=False, segment=2, offset=4096, seconds=2),
        fragment(7, sync=False, segment=2, offset=4096 + 2 * SIZE, seconds=2),
    ]
    shown = play(found)
    assert [(f.segment, f.chunks) for f in parts(shown, 0)] == [(0, 2), (1, 3), (2, 4)]
    assert not breaks(shown)


def test_what_a_camera_sends_without_a_key_frame_for_too_long_is_left_out() -> None:
    found = [fragment(0)]
    found += [fragment(n * 2, sync=False, segment=n, offset=4096) for n in range(1, 12)]
    shown = play([*found, fragment(24, segment=12)])
    assert starts(shown) == [(1, 0), (1, 24)] and len(parts(shown, 0)) == PARTS_MAX
    assert shown.undecodable[0][0] == 2 * PARTS_MAX * SECOND_NS and breaks(shown) == {1}


def test_what_begins_without_a_sync_sample_is_left_out_and_told() -> None:
    """A loop that was started anew in the middle of a GOP; a chunk that got lost."""
    shown = play([fragment(0, sync=False), fragment(2), fragment(4)])
    assert starts(shown) == [(1, 2), (1, 4)]
    assert shown.undecodable == ((0, 2 * SECOND_NS),)
    shown = play([fragment(0), fragment(3, sync=False), fragment(5)])
    assert starts(shown) == [(1, 0), (1, 5)]
    assert shown.undecodable == ((3 * SECOND_NS, 5 * SECOND_NS),)
    assert breaks(shown) == {1}


def test_a_range_begins_with_the_sync_sample_before_it() -> None:
    found = [
        fragment(0), fragment(2, seconds=10), fragment(12, sync=False, seconds=10),
        fragment(22), fragment(24),
    ]  # fmt: skip
    shown = play(found, 15 * SECOND_NS)
    assert starts(shown) == [(1, 2), (1, 22), (1, 24)]
    assert fragments(shown)[0].duration_ticks == 20 * TICKS
    assert not breaks(shown)


def test_what_ends_before_the_range_is_not_listed_wherever_it_was_recorded() -> None:
    """The box's clock was set back by 20 s: run 2 begins at a time that run 1 has already."""
    found = [fragment(n) for n in (20, 22, 24)]
    found += [fragment(n, at_s=4 + n, run=2, segment=3) for n in (0, 2, 18, 20)]
    shown = play(found, 22 * SECOND_NS)
    assert starts(shown) == [(1, 22), (1, 24), (2, 18), (2, 20)]
    assert breaks(shown) == {2}


def test_two_runs_in_one_minute_are_in_the_order_of_recording() -> None:
    """The index keeps minutes, so the two interleave; what a minute parted is joined."""
    one = [fragment(0, seconds=5), fragment(5, sync=False, seconds=5)]
    two = [fragment(0, at_s=1, run=2, segment=1), fragment(2, at_s=3, run=2, segment=1)]
    shown = play([one[0], two[0], one[1], two[1]])
    assert [(f.run, f.sequence, f.chunks) for f in fragments(shown)] == [
        (1, 0, 10),
        (2, 0, 2),
        (2, 2, 2),
    ]
    joined = fragments(shown)[0]
    assert (joined.end, joined.last_chunk) == (4096 + 10 * SIZE, 9 * SIZE)


def test_what_two_disks_have_is_shown_once() -> None:
    on_first = [fragment(0), fragment(2)]
    on_second = [fragment(2, disk=1), fragment(4, disk=1)]
    shown = play(on_first + on_second)
    assert [(f.disk, f.sequence) for f in fragments(shown)] == [(0, 0), (0, 2), (1, 4)]
    assert breaks(shown) == {2}


def test_the_last_fragment_is_kept_back_while_it_grows() -> None:
    found = [fragment(0), fragment(2)]
    shown = play(found)
    assert starts(shown.until(True, 5 * SECOND_NS)) == [(1, 0)]
    assert starts(shown.until(False, 5 * SECOND_NS)) == [(1, 0), (1, 2)]
    assert starts(shown.until(True, 60 * SECOND_NS)) == [(1, 0), (1, 2)]
    ended = play([found[0], fragment(2, flags=ChunkFlag.END)])
    assert starts(ended.until(True, 5 * SECOND_NS)) == [(1, 0), (1, 2)]


def test_nothing_recorded_is_nothing_played() -> None:
    assert not play([]).until(True, 0).stretches


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 12), st.booleans(), st.integers(0, 2)),
        max_size=12,
    ),
    st.integers(0, 40),
)
def test_whatever_is_found_plays_in_order_and_nothing_twice(
    pieces: list[tuple[int, int, bool, int]], from_s: int
) -> None:
    found = [
        fragment(2 * number, run=run, sync=sync, segment=segment, offset=4096)
        for run, number, sync, segment in pieces
    ]
    shown = play(found, from_s * SECOND_NS)
    chunks = [
        (part.run, part.sequence + n)
        for number in range(len(fragments(shown)))
        for part in parts(shown, number)
        for n in range(part.chunks)
    ]
    assert chunks == sorted(set(chunks))
    for number, first in enumerate(fragments(shown)):
        assert first.kind != SyncKind.NONE
        assert max(part.wall_end_ns for part in parts(shown, number)) > from_s * SECOND_NS
        of_it = parts(shown, number)
        assert all(a.next_sequence == b.sequence for a, b in itertools.pairwise(of_it))
        if number and number not in breaks(shown):
            before = parts(shown, number - 1)
            assert before[-1].next_sequence == first.sequence
            assert before[0][:3] == first[:3]
