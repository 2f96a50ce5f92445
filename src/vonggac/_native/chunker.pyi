"""Time and chunks of a stream (native/include/vg/timeline.h, chunker.h), for tests and tools; the
loop calls them in C."""

from collections.abc import Sequence

from vonggac.media.sound import Sound

CLOCK_UNKNOWN: int

class Timeline:
    """Where a stream stands in media and wall time."""

    def media(self, rtp_timestamp: int) -> int:
        """The presentation time in ticks since the first call's."""

    def wall(self, decode_ticks: int, arrival_ns: int) -> tuple[int, bool]:
        """The wall time in ns, and whether it was set anew."""

    @property
    def outliers(self) -> int: ...

class Reorder:
    """Decode times from presentation times."""

    def __init__(self, depth: int) -> None: ...
    def push(self, presentation: int) -> list[int]:
        """The decode times that this makes known, oldest first."""

    def flush(self) -> list[int]:
        """All the others."""

    @property
    def depth(self) -> int: ...

class Chunker:
    """A stream's chunker on an arena of its own process; chunks are handed over as they close."""

    def __init__(
        self,
        arena_fd: int,
        codec: int,
        *,
        camera: bytes,
        stream: bytes,
        run: int,
        predecessor_run: int = 0,
        gap_reason: int = 0,
        gap_start_ns: int = 0,
        references_lost: bool = False,
        inband: bool = False,
        sps: Sequence[bytes] = (),
        pps: Sequence[bytes] = (),
        sound: Sound | None = None,
    ) -> None: ...
    def push(
        self,
        nals: Sequence[tuple[int, bytes]],
        timestamp: int,
        kind: int,
        arrival_ns: int,
        *,
        damaged: bool = False,
        leading: bool = False,
        clock_synced: bool = False,
        camera_clock_ns: int = ...,
    ) -> list[int]:
        """An access unit of (nal_unit_type, bytes); gives the header blocks it closed.

        Raises MediaError: kind limit without room, value and others where the sets are unusable.
        """

    def hear(
        self, data: bytes, timestamp: int, ticks: int, arrival_ns: int, camera_clock_ns: int = ...
    ) -> None:
        """A frame of sound, when its first sample came, if the chunker was given a `sound`."""

    def sounds(self) -> tuple[int, int]:
        """Frames of sound that stand in chunks, and those that were dropped."""

    def tick(self) -> list[int]:
        """A second ends; gives the header blocks it closed."""

    def end(self) -> list[int]:
        """The run ends; gives the header blocks it closed."""

    def begin_again(self, run: int, reason: int) -> tuple[list[int], bool]:
        """The run ends and another begins, in a time of its own.

        Gives the header blocks that the first one closed, and whether there is another: a run in
        which nothing was kept goes on.
        """

    def state(self) -> tuple[int, int, int, int, int, int, bool]:
        """Next sequence, samples, skipped before sync, dropped, sets dropped, entries, in band."""
