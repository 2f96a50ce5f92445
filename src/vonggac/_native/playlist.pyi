"""Fragments of the index and the text of playlists (native/include/vg/playlist.h)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from vonggac.media.fragment import Fragment

RANGES: Final[int]
"""Entries are whole fragments, each a range of its segment."""
KEYS: Final[int]
"""Entries are their first samples, from `moof` on."""
FILES: Final[int]
"""Entries are the address alone."""
STEPS_S: Final[int]
"""Durations are told in so many parts of a second."""

class Fragments:
    """Fragments of one disk, in the order in which they were added."""

    disk: int
    """Which one of the disks that were asked."""

    def __getitem__(self, at: int) -> Fragment: ...
    def __iter__(self) -> Iterator[Fragment]: ...
    def __len__(self) -> int: ...
    def stretch(self, start: int) -> int:
        """Where the stretch that begins at `start` stops: fragments that begin with a sync sample
        and follow each other in one run and one life of one segment. One without is alone.
        """

    def first_after(self, start: int, stop: int, wall_ns: int) -> int:
        """The first in [start, stop) that ends after a time; `stop` where none does."""

    def flagged(self, start: int, stop: int, flags: int) -> list[Fragment]:
        """Those in [start, stop) that have any of the flags (`ChunkFlag`)."""

def rows_fragments(packed: Sequence[bytes], from_ns: int, to_ns: int, disk: int = 0) -> Fragments:
    """Fragments of the rows that touch [from_ns, to_ns), in the order of the values.

    A fragment that lasts more than 10 s, or that goes on in another segment, is several.
    """

def fragments_of(fragments: Iterable[Fragment]) -> Fragments:
    """The same as a sequence in C. All of one disk."""

class ListText:
    """The lines of a playlist, being written."""

    @property
    def longest_steps(self) -> int:
        """The longest duration, in units of 10 us."""

    @property
    def text(self) -> bytes:
        """All lines so far."""

    def tag(self, line: str) -> None:
        """A line that is no entry."""

    def entries(
        self, kind: int, tells: bool, fragments: Fragments, start: int, stop: int, uri: str
    ) -> None:
        """The entries of fragments [start, stop), each with the address `uri`.

        `tells`: wall time, before the first; before others where it is not as durations say.
        """

class MapPieces:
    """The map between wall time and the player's, being made."""

    def add(self, breaks: bool, fragments: Fragments, start: int, stop: int) -> None:
        """Fragments [start, stop); `breaks`: the first begins a piece whatever its time."""

    def pieces(self) -> list[tuple[int, int, int, int]]:
        """(wall_start_ns, wall_end_ns, start_ticks, end_ticks) of each."""
