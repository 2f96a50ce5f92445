"""Live pictures as fragments: decode times without delay, one media time over a whole view."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragment_reader import Told, browsers_keep, read
from segment_maker import SegmentMaker, Stream, encode, output_of
from vonggac.errors import MediaError
from vonggac.media.chunk import Codec
from vonggac.playback.fmp4 import (
    START_TICKS,
    Picture,
    Shown,
    ViewLine,
    reorder_depth,
    ring_chunk,
)
from vonggac.playback.still import init_of

FRAME = 3600


def show(line: ViewLine, ticks: list[int]) -> list[Told]:
    """One fragment for each picture, the first of which is a key frame."""
    return [
        sample
        for n, at in enumerate(ticks)
        for sample in read(line.add([Picture(at, 1, n == 0)], b"x").data)
    ]


def test_a_stream_without_b_pictures_decodes_when_it_is_shown() -> None:
    line = ViewLine()
    line.begin(0)
    told = show(line, [n * FRAME for n in range(50)])
    assert [sample.shown for sample in told] == [START_TICKS + n * FRAME for n in range(50)]
    assert all(sample.decode == sample.shown and sample.duration == FRAME for sample in told)


def test_reordered_pictures_decode_before_they_are_shown_and_wait_for_none() -> None:
    order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11]  # a pyramid: depth 2
    line = ViewLine()
    line.begin(2)
    told = show(line, [n * FRAME for n in order])
    assert [sample.shown - START_TICKS for sample in told] == [n * FRAME for n in order]
    assert all(sample.decode <= sample.shown for sample in told)
    steps = [b.decode - a.decode for a, b in itertools.pairwise(told)]
    assert set(steps) == {FRAME}


def test_a_stream_that_does_not_tell_its_depth_is_learnt_from() -> None:
    order = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9]
    line = ViewLine()
    line.begin(-1)
    told = show(line, [n * FRAME for n in order])
    assert browsers_keep(told)
    assert all(sample.decode <= sample.shown for sample in told[4:])


@given(
    depth=st.integers(0, 3),
    steps=st.lists(st.integers(1, 400_000), min_size=1, max_size=60),
    seed=st.integers(0, 1000),
)
def test_whatever_comes_in_a_browser_throws_nothing_away(
    depth: int, steps: list[int], seed: int
) -> None:
    """Pictures that are late, lost, or stamped anyhow, in an order that the depth allows."""
    at, ticks = 0, []
    for step in steps:
        ticks.append(at)
        at += step
    random, left, order = Random(seed), ticks[1:], ticks[:1]
    while left:
        order.append(left.pop(random.randrange(min(depth + 1, len(left)))))
    line = ViewLine()
    line.begin(depth)
    told = show(line, order)
    assert browsers_keep(told)
    assert [sample.shown - START_TICKS for sample in told] == order


def test_a_lost_picture_makes_no_break_and_is_caught_up_with() -> None:
    line = ViewLine()
    line.begin(0)
    ticks = [n * FRAME for n in range(60) if not 20 <= n < 30]
    told = show(line, ticks)
    assert browsers_keep(told)
    assert [sample.shown - START_TICKS for sample in told] == ticks
    assert told[-1].decode == told[-1].shown
    assert {sample.duration for sample in told} == {FRAME}


def test_slow_pictures_last_as_long_as_they_do() -> None:
    line = ViewLine()
    line.begin(0)
    told = show(line, [n * 90_000 for n in range(30)])
    assert told[-1].duration == 90_000
    assert told[-1].decode == told[-1].shown


def test_another_run_goes_on_where_the_one_before_ended() -> None:
    line = ViewLine()
    line.begin(0)
    first = show(line, [1_000_000 + n * FRAME for n in range(10)])
    line.begin(0)
    second = show(line, [n * FRAME for n in range(10)])
    assert second[0].shown == first[-1].shown + FRAME
    assert second[0].decode > first[-1].decode
    assert line.end_ticks == START_TICKS + 20 * FRAME


def test_a_fragment_says_where_it_stands() -> None:
    line = ViewLine()
    line.begin(0)
    shown = line.add([Picture(500, 2, True), Picture(500 + FRAME, 3, False)], b"aabbb")
    assert (shown.start_ticks, shown.duration_ticks) == (START_TICKS, 2 * FRAME)
    assert read(shown.data)[1].size == 3


def test_a_chunk_that_is_none_or_not_whole_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        ring_chunk(bytes(4096))


@pytest.fixture(scope="module", params=[(Codec.H264, 0), (Codec.H264, 3), (Codec.H265, 3)])
def stream(
    request: pytest.FixtureRequest,
    program: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Stream:
    codec, b_frames = request.param
    return encode(program("ffmpeg"), codec, tmp_path_factory.mktemp("encoded"), 5, b_frames)


def test_the_depth_stands_in_the_sample_entry(stream: Stream) -> None:
    ticks = [unit.presentation_ticks for unit in stream.units]
    needed = max(sum(1 for b in ticks[:n] if b > at) for n, at in enumerate(ticks))
    assert reorder_depth(SegmentMaker(stream).head) >= needed


def whole_view(stream: Stream, ring_chunks: int) -> tuple[bytes, list[Shown]]:
    """A viewer who comes in the middle: chunks of the ring, then unit after unit."""
    maker = SegmentMaker(stream)
    maker.add_all()
    line = ViewLine()
    line.begin(reorder_depth(maker.head))
    shown, taken = [], 0
    for row in maker.rows[:ring_chunks]:
        at = row.offset - len(maker.head)
        claim, pictures, payload = ring_chunk(bytes(maker.body[at : at + row.chunk_bytes]))
        assert claim.sequence == row.sequence
        shown.append(line.add(pictures, payload))
        taken += len(pictures)
    for unit in stream.units[taken:]:
        payload = maker.payload_of(unit)
        picture = Picture(unit.presentation_ticks, len(payload), unit.is_sync)
        shown.append(line.add([picture], payload))
    return init_of(maker.head), shown


@pytest.mark.parametrize("ring_chunks", [0, 2])
def test_ring_and_loop_make_one_film_of_which_nothing_is_missing(
    stream: Stream, ring_chunks: int, program: Callable[[str], str], tmp_path: Path
) -> None:
    init, shown = whole_view(stream, ring_chunks)
    told = [sample for one in shown for sample in read(one.data)]
    assert len(told) == len(stream.units)
    assert browsers_keep(told)
    assert all(sample.decode <= sample.shown for sample in told)
    first = stream.units[0].presentation_ticks
    assert [s.shown - START_TICKS for s in told] == [
        u.presentation_ticks - first for u in stream.units
    ]

    film = tmp_path / "film.mp4"
    film.write_bytes(init + b"".join(one.data for one in shown))
    arguments = ("-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames")
    probe = json.loads(output_of(program("ffprobe"), *arguments, "-of", "json", str(film)))
    assert int(probe["streams"][0]["nb_read_frames"]) == len(stream.units)
