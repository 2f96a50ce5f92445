"""Pictures of one stream to slots: thin over native/src/motion_change.c, which says how. Pure."""

from __future__ import annotations

from vonggac._native.motion import Motion
from vonggac.motion.decode import Luma
from vonggac.motion.slots import Slot, Tier

__all__ = ["MEANS_COLUMNS", "MEANS_ROWS", "Detector"]

MEANS_COLUMNS = 128
MEANS_ROWS = 72


class Detector:
    """One stream; holds 0.2 MB. Pictures are given in order of presentation."""

    def __init__(self, tier: Tier) -> None:
        self._tier = tier
        self._motion = Motion()

    def push(self, luma: Luma) -> list[Slot]:
        """The seconds that this picture completes.

        A second in which nothing could be compared has no slot. With key frames alone, what changed
        between two of them stands in all seconds after the first of them, up to that of the second.
        MediaError: a picture or a time that cannot be; nothing changed then.
        """
        completed = self._motion.push(
            luma.plane, luma.stride, luma.width, luma.height, luma.wall_ns, luma.bits
        )
        return [self._slot(*slot) for slot in completed]

    def finish(self) -> list[Slot]:
        """What is known of the second that is still open: none or one.

        May be asked at any time; what comes of that second later is another slot.
        """
        slot = self._motion.finish()
        return [] if slot is None else [self._slot(*slot)]

    def part(self) -> None:
        """What comes is not to be compared with what came: another run, or lost pictures."""
        self._motion.part()

    def means(self) -> bytes | None:
        """Of the latest picture: `MEANS_ROWS` rows of `MEANS_COLUMNS` mean levels."""
        return self._motion.latest()

    def _slot(self, second: int, cells: bytes, is_global: bool) -> Slot:
        return Slot(second, cells, self._tier, is_global)
