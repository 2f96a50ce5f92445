"""A day's file holds the same whichever way it was packed; a search finds in it what is there."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vonggac._native.summaries import Blocks, Summary
from vonggac._native.tile_counts import Region
from vonggac._native.tiles import DAY_SLOTS, Grid
from vonggac._native.zstd import Unpacker, compress
from vonggac.errors import MediaError
from vonggac.motion import day_file, region
from vonggac.motion.day_file import Part
from vonggac.motion.episodes import Found
from vonggac.motion.index import MotionIndex
from vonggac.motion.query import BLOCK_SECONDS, DAY_SECONDS, Ask, Coarse, Query, windows

STREAM = b"s" * 16
DAY = 20_780
STARTS_S = DAY * DAY_SECONDS
REGIONS = {
    "whole": region.EVERYWHERE,
    "one cell": region.rectangle(0.501, 0.501, 0.001, 0.001),
    "a line across": region.rectangle(0, 0.5, 1, 0.001),
    "a line down": region.rectangle(0.5, 0, 0.001, 1),
    "lowest row": region.rectangle(0, 0.99, 1, 0.01),
    "triangle": region.polygon([(0.1, 0.1), (0.9, 0.2), (0.4, 0.9)]),
}


def busy_day(seed: int) -> tuple[list[int], NDArray[np.bool_], Grid]:
    """Some seconds of a day, the cells that move in each, and their grid: bodies that stay or go
    by, lonely cells, whole pictures, and hours of nothing.
    """
    rng = random.Random(seed)
    seconds, second = [], 3
    while second < DAY_SECONDS:
        seconds.append(second)
        second += rng.choice([1, 1, 1, 1, 2, 7, 60, 255, 256, 257, rng.choice([300, 9000])])
    cells = np.zeros((len(seconds), 36, 64), dtype=bool)
    noise = np.random.default_rng(seed)
    for at in range(len(seconds)):
        kind = rng.random()
        top, left = rng.randrange(36), rng.randrange(64)
        if kind < 0.1:
            cells[at, top, left] = True
        elif kind < 0.12:
            cells[at] = True
        else:
            shape = cells[at, top : top + 14, left : left + 9].shape
            cells[at, top : top + 14, left : left + 9] = noise.random(shape) < rng.choice([0.6, 2])
    grid = Grid(DAY_SLOTS)
    packed = np.packbits(cells.reshape(len(seconds), -1), axis=1, bitorder="little")
    for at, second in enumerate(seconds):
        grid.put(second, packed[at].tobytes(), 1)
    grid.set_codes(b"\1" * DAY_SLOTS)
    return seconds, cells.reshape(len(seconds), -1), grid


def index_of(folder: Path, parts: list[Part]) -> MotionIndex:
    home = folder / "days" / STREAM.hex()
    home.mkdir(parents=True)
    (home / "2026-11-23.motion").write_bytes(day_file.assemble(STREAM, DAY, parts))
    index = MotionIndex(folder, max_bytes=1 << 30)
    assert index.streams() == {STREAM} and index.damages == []
    return index


def packed_as_before(parts: list[Part]) -> list[Part]:
    """Each part's frame packed, as files had them that were written before."""
    unpacker = Unpacker()
    raw = [unpacker.unpack(one.frame, one.frame_unpacks_to) if one.frame else b"" for one in parts]
    return [
        replace(one, frame=compress(content) if content else b"")
        for one, content in zip(parts, raw, strict=True)
    ]


def hits(query: Query, mask: bytes, seconds: list[int], cells: NDArray[np.bool_]) -> list[int]:
    wanted = np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little").astype(bool)
    counts = (cells & wanted).sum(axis=1)
    inside = [(start - STARTS_S, end - STARTS_S) for start, end in windows(query)]
    return [
        second
        for second, count in zip(seconds, counts, strict=True)
        if count >= query.at_least and any(start <= second < end for start, end in inside)
    ]


def has_whole_block(query: Query, second: int) -> bool:
    """Whether all of a second's block is asked for: before the seconds no other one is told."""
    block_s = second // BLOCK_SECONDS * BLOCK_SECONDS
    return any(start <= block_s and block_s + BLOCK_SECONDS <= end for start, end in windows(query))


@pytest.mark.parametrize("is_old", [False, True], ids=["as now", "packed, as before"])
def test_odd_regions_are_searched_to_the_second(tmp_path: Path, is_old: bool) -> None:
    seconds, cells, grid = busy_day(1)
    parts = day_file.parts_of(grid)
    index = index_of(tmp_path, packed_as_before(parts) if is_old else parts)
    for name, mask in REGIONS.items():
        for at_least in (1, 2, 20, 126):
            for hours in (None, (20 * 3600, 2 * 3600), (7 * 3600 + 61, 7 * 3600 + 300)):
                query = Query(
                    (Ask(STREAM, mask),), STARTS_S, STARTS_S + DAY_SECONDS,
                    at_least=at_least, hours=hours, gap_s=0,
                )  # fmt: skip
                answers = list(index.search(query))
                found = [one.episode for one in answers if isinstance(one, Found)]
                told = {
                    second - STARTS_S
                    for one in found
                    for second in range(one.from_s, one.to_s)
                }  # fmt: skip
                wanted = hits(query, mask, seconds, cells)
                assert told == set(wanted), (name, at_least, hours)
                blocks = [span for one in answers if isinstance(one, Coarse)
                          for span in one.ranges]  # fmt: skip
                assert all(
                    any(start <= STARTS_S + at < end for start, end in blocks)
                    for at in wanted
                    if has_whole_block(query, STARTS_S + at)
                )
    assert index.damages == []


def test_strips_are_packed_where_that_helps_or_they_would_be_large() -> None:
    rng = np.random.default_rng(2)

    def first_tile(share: float, every: int) -> Part:
        """A day in whose first tile that share of the cells moves, every few seconds."""
        grid = Grid(DAY_SLOTS)
        for second in range(0, DAY_SLOTS, every):
            cells = np.zeros((36, 64), dtype=bool)
            cells[:8, :8] = rng.random((8, 8)) < share
            gap = int(rng.integers(every)) if share < 1 else 0
            grid.put(second + gap, np.packbits(cells, bitorder="little").tobytes(), 1)
        return day_file.parts_of(grid)[2]

    busy, lonely, blinking = first_tile(0.5, 20), first_tile(0.02, 20), first_tile(1, 20)
    assert len(busy.frame) > busy.frame_unpacks_to
    assert len(lonely.frame) < lonely.frame_unpacks_to * 0.9  # a cell a second: as small as it gets
    assert len(blinking.frame) < blinking.frame_unpacks_to / 50


@pytest.mark.parametrize("size", [1, 131_071, 131_072, 131_073, 400_000])
def test_a_frame_of_bytes_as_they_are_is_one_of_zstd(size: int) -> None:
    content = random.Random(size).randbytes(size)
    frame = day_file.stored(content)
    assert Unpacker().unpack(frame, size) == content
    assert len(frame) <= size + 9 + 3 * (1 + size // 131_072)
    with pytest.raises(MediaError):
        Unpacker().unpack(frame[:-1], size)


def test_a_summary_takes_half_of_the_memory_of_its_set() -> None:
    """Over two minutes a body fills whole rows, which take a bit each."""
    rng = np.random.default_rng(4)
    blocks = Grid(720)
    for block in range(0, 720, 2):
        cells = np.zeros((36, 64), dtype=bool)
        cells[4:30, :] = rng.random((26, 64)) < 0.99
        blocks.put(block, np.packbits(cells, bitorder="little").tobytes(), 1)
    packed = blocks.pack()
    summary = Summary(packed)
    assert summary.size_bytes < len(packed) * 0.55
    everywhere, all_day = Region(region.EVERYWHERE), Blocks([(0, DAY_SECONDS)])
    assert len(summary.ranges(everywhere, all_day, 1, 0)) == 360
    assert summary.ranges(everywhere, Blocks([(119, 241)]), 1, 1000) == [(1000, 1120), (1240, 1360)]
    assert summary.ranges(everywhere, all_day, 2304, 0) == []
    assert summary.tiles(everywhere, Blocks([(120, 240)]), 1) == 0
    with pytest.raises(MediaError):
        Summary(packed[:-1])
    with pytest.raises(IndexError):
        Blocks([(0, DAY_SECONDS + 1)])
