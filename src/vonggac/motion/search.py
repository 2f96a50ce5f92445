"""Where something moved: two-minute blocks from memory first, then the seconds from the files.

Days from the newest to the oldest; nothing is read of a day before its turn, so a search that is
closed costs no more than what it told.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

from vonggac._native.summaries import Blocks
from vonggac._native.tile_counts import Counts, Region
from vonggac._native.tiles import DAY_SLOTS, TILES, Grid
from vonggac.errors import MediaError
from vonggac.motion.block import PackedBlock
from vonggac.motion.day_file import DayFile, runs
from vonggac.motion.episodes import (
    DayFound,
    Found,
    PackedEpisodes,
    newest_first_by_days,
)
from vonggac.motion.query import BLOCK_SECONDS, DAY_SECONDS, Ask, Coarse, Query, windows
from vonggac.motion.ranges import union, within

__all__ = ["Search", "Source"]

_Range = tuple[int, int]


class Source(Protocol):
    """What a search asks of the index."""

    def days(self, stream: bytes) -> set[int]: ...
    def file_of(self, stream: bytes, day: int) -> DayFile | None: ...
    def blocks(self, stream: bytes, day: int) -> list[tuple[int, PackedBlock]]: ...
    def grid(self, stream: bytes, day: int) -> Grid: ...
    def damage(self, stream: bytes, day: int, what: str) -> object: ...


class Search:
    """Searches an index; keeps the memory that counting takes between searches."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seconds = Counts(DAY_SLOTS)
        self._block = Counts(BLOCK_SECONDS)

    @property
    def bytes_read(self) -> int:
        """From files, since the index was opened."""
        return self._seconds.bytes_read

    def run(self, query: Query) -> Iterator[Coarse | Found]:
        """Every Coarse of the query, newest day first; then its episodes, the newest first."""
        return (found for found in self.steps(query) if found is not None)

    def steps(self, query: Query) -> Iterator[Coarse | Found | None]:
        """The same, and None after each day: a search that finds nothing stops there as well."""
        yield from self._block_steps(query)
        yield from newest_first_by_days(self.days(query), query.gap_s)

    def blocks(self, query: Query) -> Iterator[Coarse]:
        """Every Coarse of the query, newest day first; nothing is read from the disk."""
        return (found for found in self._block_steps(query) if found is not None)

    def _block_steps(self, query: Query) -> Iterator[Coarse | None]:
        regions = _regions(query)
        for day, ranges in self._days(query, windows(query)):
            whole = Blocks(_whole_blocks(ranges))
            for ask, region in regions:
                found = self._coarse(ask.stream, day, region, ranges, whole, query.at_least)
                if found:
                    yield Coarse(ask.stream, day, tuple(found))
            yield None

    def days(self, query: Query) -> Iterator[DayFound]:
        """The episodes of each day, newest day first; what midnight cuts is in two days."""
        regions = _regions(query)
        for day, ranges in self._days(query, windows(query)):
            yield DayFound(day * DAY_SECONDS, self._exact(query, regions, day, ranges))

    def _coarse(
        self,
        stream: bytes,
        day: int,
        region: Region,
        ranges: list[_Range],
        whole: Blocks,
        at_least: int,
    ) -> list[_Range]:
        """What of the ranges may hold a hit, in unix seconds. Nothing is read from the disk: of
        what is only there, blocks that a range cuts wait for their seconds.
        """
        starts_s = day * DAY_SECONDS
        file = self._source.file_of(stream, day)
        found = file.summary.ranges(region, whole, at_least, starts_s) if file else []
        recent = self._source.blocks(stream, day)
        if not recent:
            return found
        for at, block in recent:
            self._block.clear()
            self._block.add_set(region, block.strips)
            found += (
                (starts_s + start, starts_s + end)
                for start, end in within(ranges, at, at + BLOCK_SECONDS)
                if self._block.episodes(start - at, end - at, at_least, 0)
            )
        return list(union(found))

    def count(self, stream: bytes, day: int, region: Region, tiles: int) -> Counts:
        """How many cells move in each second of a day; valid until the next call."""
        counts = self._seconds
        counts.clear()
        file = self._source.file_of(stream, day)
        blocks = self._source.blocks(stream, day)
        if file is not None and _overlap(file, blocks):
            grid = self._source.grid(stream, day)
            _know(counts, grid.get_codes(), 0)
            counts.add_set(region, grid.pack())
            return counts
        if file is not None:
            if tiles:
                self._count_file(file, region, tiles)
            for start, end, code in file.known_ranges():
                counts.know(start, end, code)
        for at, block in blocks:
            _know(counts, block.codes, at)
            counts.add_set(region, block.strips, at)
        return counts

    def _days(self, query: Query, spans: tuple[_Range, ...]) -> Iterator[tuple[int, list[_Range]]]:
        """The days that any stream has of the query, newest first, and what of each it means."""
        days = {day for ask in query.asks for day in self._source.days(ask.stream)}
        for day in sorted(days, reverse=True):
            starts_s = day * DAY_SECONDS
            inside = [(max(s - starts_s, 0), min(e - starts_s, DAY_SECONDS)) for s, e in spans]
            ranges = [(start, end) for start, end in inside if start < end]
            if ranges:
                yield day, ranges

    def _exact(
        self, query: Query, regions: list[tuple[Ask, Region]], day: int, ranges: list[_Range]
    ) -> dict[bytes, PackedEpisodes]:
        """The episodes of each stream in a day, from the oldest on."""
        found = {}
        blocks = Blocks(ranges)
        for ask, region in regions:
            file = self._source.file_of(ask.stream, day)
            tiles = file.summary.tiles(region, blocks, query.at_least) if file else 0
            if not tiles and not self._source.blocks(ask.stream, day):
                continue
            counts = self.count(ask.stream, day, region, tiles)
            packed = b"".join(
                counts.episodes(start, end, query.at_least, query.gap_s) for start, end in ranges
            )
            if packed:
                found[ask.stream] = PackedEpisodes(packed, day * DAY_SECONDS)
        return found

    def _count_file(self, file: DayFile, region: Region, tiles: int) -> None:
        """Counts in those tiles of a file; a tile that is damaged is told and left out."""
        path = os.fsencode(file.path)
        try:
            self._seconds.add_file(path, region, tiles, file.strips_at, file.directory)
        except (MediaError, OSError):
            self._count_each(path, file, region, tiles)

    def _count_each(self, path: bytes, file: DayFile, region: Region, tiles: int) -> None:
        self._seconds.clear()
        for tile in range(TILES):
            one = Counts(DAY_SLOTS)
            try:
                if tiles >> tile & 1:
                    one.add_file(path, region, 1 << tile, file.strips_at, file.directory)
                    self._seconds.add_file(path, region, 1 << tile, file.strips_at, file.directory)
            except (MediaError, OSError) as error:
                self._source.damage(file.stream, file.day, str(error))


def _regions(query: Query) -> list[tuple[Ask, Region]]:
    return [(ask, Region(ask.mask)) for ask in query.asks]


def _whole_blocks(ranges: list[_Range]) -> list[_Range]:
    """The blocks that lie in a range with all their seconds: a summary tells of a cut one what
    moved outside of the range as well, which nobody asked and no line says.
    """
    cut = ((-(-start // BLOCK_SECONDS), end // BLOCK_SECONDS) for start, end in ranges)
    return [(one * BLOCK_SECONDS, last * BLOCK_SECONDS) for one, last in cut if one < last]


def _know(counts: Counts, codes: bytes, at: int) -> None:
    for code, start, end in runs(codes):
        counts.know(at + start, at + end, code)


def _overlap(file: DayFile, blocks: list[tuple[int, PackedBlock]]) -> bool:
    """Whether a second of the blocks is known in the file too."""
    if not blocks:
        return False
    known = file.known_ranges()
    return any(
        any(block.codes[max(start - at, 0) : max(end - at, 0)])
        for at, block in blocks
        for start, end, _ in known
        if start < at + BLOCK_SECONDS and at < end
    )
