"""One stream's footage to seconds of motion: the decoder, the detector, and what breaks them."""

from __future__ import annotations

from vonggac.errors import MediaError, StorageError
from vonggac.media.chunk import VIDEO_TIMESCALE
from vonggac.motion.decode import Luma, LumaDecoder
from vonggac.motion.detect import Detector
from vonggac.motion.slots import Slot, Tier
from vonggac.playback.fmp4 import Picture
from vonggac.playback.still import entry_of
from vonggac_appliance.motion_reading import Footage

__all__ = ["Eyes"]


class Eyes:
    """Chunks are given in the order of recording. Not for two threads at once."""

    def __init__(self, stream: bytes, tier: Tier) -> None:
        self.stream = stream
        self.tier = tier
        self.lost = 0
        """Samples that could not be decoded."""
        self.what = ""
        """Why nothing can be decoded; empty: it can."""
        self.pixels = 0
        self.latest: tuple[int, bytes] | None = None
        """Wall time and means of the last picture of a chunk."""
        self.until_ns = 0
        """Of the newest footage all up to here was given; for who gives it."""
        self._detector = Detector(tier)
        self._decoder: LumaDecoder | None = None
        self._init = b""
        self._next: tuple[int, int] = (0, 0)
        """Run and sequence of the chunk that goes on with what was seen."""
        self._waits = True
        """For a sync sample."""
        self._seen_ns = 0

    def see(self, footage: Footage) -> list[Slot]:
        """The seconds that this chunk completes."""
        claim = footage.claim
        slots: list[Slot] = []
        is_new = footage.init != self._init
        if self.tier is Tier.FULL and (is_new or (claim.run, claim.sequence) != self._next):
            slots += self._break()
        if is_new:
            self._open(footage.init)
        self._next = claim.run, claim.sequence + 1
        if self._decoder is None:
            self.lost += 1
            return slots
        at = 0
        view = memoryview(footage.payload)
        for picture in footage.pictures:
            sample = view[at : at + picture.size_bytes]
            at += picture.size_bytes
            ticks = picture.media_ticks - claim.media_start_ticks
            wall_ns = claim.wall_start_ns + ticks * 1_000_000_000 // VIDEO_TIMESCALE
            slots += self._sample(picture, sample, wall_ns)
            if self.tier is Tier.KEY:
                break
        means = self._detector.means()
        self.latest = None if means is None else (self._seen_ns, means)
        return slots

    def so_far(self) -> list[Slot]:
        """What is known of the second that is still open; the rest of it comes as another slot."""
        return self._detector.finish()

    def end(self) -> list[Slot]:
        """What is known of the last second."""
        return [*self._break(), *self._detector.finish()]

    def _sample(self, picture: Picture, sample: memoryview, wall_ns: int) -> list[Slot]:
        if self._waits and not picture.is_sync:
            return []
        assert self._decoder is not None
        try:
            lumas = self._decoder.push(sample, wall_ns)
            if self.tier is Tier.KEY:
                lumas += self._decoder.finish()  # a decoder may hold one back for pictures to come
        except MediaError:
            self.lost += 1
            self._detector.part()
            self._waits = True
            return []
        self._waits = False
        return self._look(lumas)

    def _look(self, lumas: list[Luma]) -> list[Slot]:
        slots: list[Slot] = []
        for luma in lumas:
            self.pixels = luma.width * luma.height
            try:
                slots += self._detector.push(luma)
                self._seen_ns = luma.wall_ns
            except MediaError:
                self.lost += 1
        return slots

    def _break(self) -> list[Slot]:
        """What follows does not go on with what came."""
        slots = [] if self._decoder is None else self._look(self._decoder.finish())
        self._detector.part()
        self._waits = True
        return slots

    def _open(self, init: bytes) -> None:
        self._init = init
        try:
            self._decoder = LumaDecoder(entry_of(init), self.tier)
            self.what = ""
        except (MediaError, StorageError) as error:
            self._decoder = None
            self.what = str(error)
