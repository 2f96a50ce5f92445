"""How many cells of a region move, slot by slot (docs/ref/motion.md)."""

from typing_extensions import Buffer

class Region:
    """The cells that a search asks for."""

    tiles: int
    """The tiles that have one, as bits."""
    def __init__(self, cells: Buffer) -> None: ...

class Counts:
    """How many cells of a region move in each of some slots, and what is known of those."""

    slots: int
    bytes_read: int
    """From files, since it was made."""
    def __init__(self, slots: int) -> None: ...
    def clear(self) -> None:
        """Nothing is counted, and nothing known of any slot."""

    def know(self, start: int, stop: int, code: int) -> None:
        """Says what is known of the slots [start, stop)."""

    def add_set(self, region: Region, data: Buffer, at: int = 0) -> int:
        """Counts in the strips of a set whose first slot is `at`. MediaError.

        Gives the tiles that have a hit, as bits.
        """

    def add_file(
        self, path: bytes, region: Region, tiles: int, offset: int, directory: Buffer
    ) -> None:
        """Counts in those tiles of a file whose first strip is at `offset`. MediaError, OSError.

        `tiles`: as bits; `directory`: of the strips, 16 bytes a tile.
        """

    def episodes(self, start: int, stop: int, at_least: int, gap: int) -> bytes:
        """Episodes of [start, stop) in order: structs `=IIIHB?` of from, to (excluded), strongest,
        cells, tier and whether all of it is global.
        """
