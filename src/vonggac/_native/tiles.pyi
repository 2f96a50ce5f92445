"""Grids of motion and the strips they are kept as (docs/ref/motion.md).

A code says what is known of a slot: 0 nothing, else the tier, 4 more where it is global.
MediaError: bytes are no strip or set.
"""

from typing_extensions import Buffer

TILES: int
DAY_SLOTS: int
STRIP_MAX_BYTES: int

class Grid:
    """The cells of some slots that follow each other, and what is known of each."""

    slots: int
    def __init__(self, slots: int) -> None: ...
    def put(self, slot: int, cells: Buffer, code: int) -> None:
        """Adds a slot: the lower tier of two wins, of the same tier the cells of both are kept."""

    def cells(self, slot: int) -> bytes:
        """The cells of a slot."""

    def merge(self, other: Grid, at: int) -> None:
        """Adds the slots of another one from the slot `at` on, by the rule of `put`."""

    def forget(self, start: int, stop: int) -> None:
        """Nothing is known of the slots [start, stop) any more."""

    def get_codes(self) -> bytes:
        """The code of every slot."""

    def set_codes(self, codes: Buffer) -> None:
        """Says what is known of every slot; the cells stay."""

    def strip(self, tile: int) -> bytes:
        """A tile's strip; nothing where nothing moves in it."""

    def spread(self, tile: int, data: Buffer) -> None:
        """ORs a strip into a tile."""

    def pack(self) -> bytes:
        """The strips of all tiles as a set."""

    def unpack(self, data: Buffer) -> None:
        """ORs the strips of a set into their tiles."""

    def summary(self, step: int) -> Grid:
        """The cells that move in any of `step` slots, for each `step` slots; without codes."""

    def heat(self, start: int, stop: int) -> list[int]:
        """In how many of the slots [start, stop) each of the 2304 cells moves."""
