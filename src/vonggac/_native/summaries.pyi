"""Summaries of days: which cells moved in which of a day's 720 blocks of two minutes, searched."""

from collections.abc import Iterable

from typing_extensions import Buffer

from vonggac._native.tile_counts import Region

class Blocks:
    """The blocks of a day that ranges [from, to) of its seconds touch."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None: ...

class Summary:
    """Of one day, made from the set of its blocks. MediaError: it is none."""

    size_bytes: int
    """Of memory."""
    def __init__(self, data: Buffer) -> None: ...
    def tiles(self, region: Region, blocks: Blocks, at_least: int) -> int:
        """The tiles that may have a cell of a hit, as bits."""

    def ranges(
        self, region: Region, blocks: Blocks, at_least: int, starts_s: int
    ) -> list[tuple[int, int]]:
        """The blocks that may hold a hit, joined: [from, to), from the second on that the day
        starts at.
        """
