"""The footage of a look: playlists, byte ranges, stills, each within what the look allows.

Nothing is kept of a playlist. A range that is asked for is checked against the segment itself: it
begins where a chunk begins, ends where one ends, and the claims in between lie inside of the look.
Every piece is read, the segment's life checked, and only then given out.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vonggac.errors import Missing, Refused, StorageError, TooMany, Unavailable
from vonggac.media.chunk import VIDEO_TIMESCALE
from vonggac.playback import playlist as lists
from vonggac.playback import still as stills
from vonggac.playback.fragments import MARGIN_NS, Playable, playable
from vonggac.registry.camera import Stream
from vonggac.registry.catalog import Catalog
from vonggac_appliance import look_ranges
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.look import Look
from vonggac_appliance.look_index import Found, LookIndex, disk_name
from vonggac_appliance.look_leases import Leased, LeasePool, Place
from vonggac_appliance.look_ranges import Chunk, RangeRead

__all__ = ["LookFootage", "NoSuchRange", "Part", "RangeRead", "Segment", "Shown"]

Which = Literal["media", "iframes"]
Deliver = Callable[[str, bytes, int, int], None]
"""Look, stream, from, to: so much was really sent."""

_LISTS_MAX = 2
"""Made at once: a day's list is 4 MB of text, and packed again."""
_LIST_WAIT_S = 5.0
_SETTLED_NS = 15 * 1_000_000_000
"""What is older is durable; a range that ends later may still grow."""
_SAMPLE_NS = 120 * 1_000_000_000


class NoSuchRange(Refused):
    """The segment does not have these bytes."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as an address names it."""

    disk: str
    """The first 8 hex digits of its id."""
    segment: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes [start, end) of a segment."""

    segment: Segment
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a range can be played now."""

    playable: Playable
    found: Found
    is_growing: bool
    is_ended: bool


class LookFootage:
    """Reads what looks show, on all disks. Thread-safe; one a process."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        deliver: Deliver,
        is_open: Callable[[str], bool],
        clock: Clock = wall_ns,
    ) -> None:
        self._catalog = catalog
        self._deliver = deliver
        self._clock = clock
        self.leases = LeasePool(home, is_open)
        self._index = LookIndex(home, catalog)
        self._lists = threading.BoundedSemaphore(_LISTS_MAX)
        self._disks: dict[str, bytes] = {}
        """By name: a disk that was taken out has no keeper that would lease."""

    # --- what there is

    def shown_from(self, streams: tuple[Stream, ...], from_ns: int, to_ns: int) -> int:
        """Where the earliest fragment begins that `from_ns` lies in, of all streams."""
        end_ns = min(to_ns, from_ns + 1_000_000_000)
        starts = [from_ns]
        for stream in streams:
            found = self._index.found(stream.id, from_ns - MARGIN_NS, end_ns, must_answer=False)
            shown = playable(found.fragments, from_ns)
            starts += [stretch.first.wall_start_ns for stretch in shown.stretches]
        return min(starts)

    def shown(self, look: Look, stream: Stream, from_ns: int, to_ns: int) -> Shown:
        """What a list of [from_ns, to_ns) has. Refused outside of the look."""
        if from_ns < look.from_ns or to_ns > look.to_ns:
            raise Refused("the range reaches outside of the look")
        now_ns = self._clock()
        if not self._lists.acquire(timeout=_LIST_WAIT_S):
            raise TooMany("many lists are being made at this moment", 2.0)
        try:
            return self._shown(look, stream, from_ns, to_ns, now_ns)
        finally:
            self._lists.release()

    def _shown(self, look: Look, stream: Stream, from_ns: int, to_ns: int, now_ns: int) -> Shown:
        found = self._index.asked(stream.id, from_ns - MARGIN_NS, to_ns)
        # Of what kind a list is, it stays: what might grow when the look began is an EVENT.
        is_growing = to_ns > look.opened_ns - _SETTLED_NS
        is_ended = not is_growing or now_ns > to_ns + _SETTLED_NS
        shown = playable(found.fragments, from_ns).until(not is_ended, now_ns)
        return Shown(shown, found, is_growing, is_ended)

    def playlist(self, look: Look, stream: Stream, which: Which, from_ns: int, to_ns: int) -> bytes:
        """The list for playing, or that of key frames. Refused outside of the look."""
        shown = self.shown(look, stream, from_ns, to_ns)
        firsts = [stretch.first for stretch in shown.playable.stretches]
        heads = self._index.heads(stream.id, shown.found.disks, firsts)
        write = lists.media if which == "media" else lists.iframes
        return write(
            shown.playable,
            lists.Names(shown.found.names, heads),
            is_growing=shown.is_growing,
            is_ended=shown.is_ended,
        )

    def master(self, look: Look, stream: Stream, query: str) -> str:
        """The list of the two. `query`: what their addresses end with."""
        found = self._sample(look, stream)
        sample = [*itertools.chain.from_iterable(found.fragments)]
        ticks = sum(fragment.duration_ticks for fragment in sample)
        size = sum(fragment.size_bytes for fragment in sample)
        bits_per_s = size * 8 * VIDEO_TIMESCALE // max(ticks, 1)
        return lists.master(self._video(stream, found), bits_per_s, query)

    def _video(self, stream: Stream, found: Found) -> lists.Video | None:
        """Codec and size of the newest footage; None where there is none."""
        newest = found.newest
        if newest is None:
            return None
        for name in self._index.heads(stream.id, found.disks, [newest]).values():
            head = self._index.head(stream.id, name)
            return None if head is None else stills.video_of(head)
        return None

    def videos(self, look: Look) -> dict[str, lists.Video | None]:
        """By stream; None where nothing is recorded, or cannot be read now."""
        found: dict[str, lists.Video | None] = {}
        for stream in look.streams:
            try:
                found[stream.name] = self._video(stream, self._sample(look, stream))
            except (Refused, StorageError, Unavailable):
                found[stream.name] = None
        return found

    # --- bytes

    def head(self, stream: Stream, name: str) -> bytes:
        """`ftyp` and `moov` by the name that a list gave it. Missing: none did."""
        head = self._index.head(stream.id, name)
        if head is None:
            raise Missing("no list has named such a head")
        return head

    def init(self, look: Look, stream: Stream, name: Segment) -> bytes:
        """`ftyp` and `moov` of a segment. Gone, Refused, Missing."""
        with self.leases.lent(look.id, self._place(name), stream.id, look.receipt) as leased:
            head = _head(leased)
            leased.check()
        return stills.init_of(head)

    def still(self, look: Look, stream: Stream, at_ns: int) -> bytes:
        """The key frame before `at_ns` as an MP4. Missing where nothing is recorded then."""
        if not look.from_ns <= at_ns < look.to_ns:
            raise Refused("that moment lies outside of the look")
        found = self._index.found(stream.id, at_ns - MARGIN_NS, at_ns + 1)
        shown = playable(found.fragments, at_ns)
        if not shown.stretches:
            raise Missing("nothing is recorded at that moment")
        first = shown.stretches[0].first
        place = Place(found.disks[first.disk], first.segment, first.epoch)
        with self.leases.lent(look.id, place, stream.id, look.receipt) as leased:
            picture = stills.still(
                _head(leased), leased.file.read(first.offset, first.first_sample_end)
            )
            leased.check()
        length_ns = (first.wall_end_ns - first.wall_start_ns) // max(first.samples, 1)
        self._deliver(look.id, stream.id, first.wall_start_ns, first.wall_start_ns + length_ns)
        return picture

    def range(self, look: Look, stream: Stream, name: Segment, start: int, end: int) -> RangeRead:
        """Bytes [start, end) of a segment: whole chunks, or a key frame from its `moof` on.

        Gone: the segment was used again. Refused: outside of the look. NoSuchRange: not so large.
        """
        leased = self.leases.borrow(look.id, self._place(name), stream.id, look.receipt)
        try:
            chunks = self._allowed(look, leased, start, end)
            return RangeRead(
                look_ranges.blocks(leased, chunks, start, end),
                end - start,
                leased.file.size,
                lambda a, b: self._sent(look.id, stream.id, chunks, a, b),
                lambda: self.leases.give_back(leased),
            )
        except BaseException:
            self.leases.give_back(leased)
            raise

    def joined(self, look: Look, stream: Stream, parts: Sequence[Part]) -> RangeRead:
        """A fragment that lies in several segments, on the timeline of the first. As `range`.

        Each segment counts decode times from its own start; those of the later parts go on where
        the part before ends, as in a cut. Samples and claims are what they were.
        """
        held: list[Leased] = []

        def close() -> None:
            for leased in held:
                self.leases.give_back(leased)

        try:
            chunks: list[list[Chunk]] = []
            for part in parts:
                place = self._place(part.segment)
                held.append(self.leases.borrow(look.id, place, stream.id, look.receipt))
                found = self._allowed(look, held[-1], part.start, part.end)
                if (part.start, part.end) != (found[0].start, found[-1].end):
                    raise Refused("a fragment is whole chunks")
                chunks.append(found)
            size = sum(part.end - part.start for part in parts)
            spans = [chunk for found in chunks for chunk in found]
            look_ranges.in_order(spans)

            def sent(start: int, end: int) -> None:
                """Here chunks are counted, not bytes: a block is one."""
                for chunk in spans[start:end]:
                    self._deliver(look.id, stream.id, chunk.from_ns, chunk.to_ns)

            blocks = look_ranges.joined(held, chunks)
            return RangeRead(blocks, size, size, sent, close)
        except BaseException:
            close()
            raise

    def _allowed(self, look: Look, leased: Leased, start: int, end: int) -> list[Chunk]:
        """The chunks of a range, all of which lie inside of the look."""
        if end > leased.file.size:
            raise NoSuchRange("the segment is not so large")
        chunks = look_ranges.chunks(leased, start, end)
        if not all(look.shown_from_ns <= c.from_ns < look.to_ns for c in chunks):
            raise Refused("the range reaches outside of the look")
        return chunks

    def _sent(self, look_id: str, stream: bytes, chunks: list[Chunk], start: int, end: int) -> None:
        """Bytes are time, in proportion: the part of a chunk that was sent is that much of it."""
        for chunk in chunks:
            first, last = max(start, chunk.start), min(end, chunk.end)
            if first < last:
                length_ns = chunk.to_ns - chunk.from_ns
                size = chunk.end - chunk.start
                from_ns = chunk.from_ns + length_ns * (first - chunk.start) // size
                to_ns = chunk.from_ns + length_ns * (last - chunk.start) // size
                self._deliver(look_id, stream, from_ns, to_ns)

    # --- the disks

    def _place(self, name: Segment) -> Place:
        known = self._disks.get(name.disk)
        if known is None:
            self._disks = {disk_name(disk.uuid): disk.uuid for disk in self._catalog.disks()}
            known = self._disks.get(name.disk)
        if known is None:
            raise Missing("there is no such disk")
        return Place(known, name.segment, name.epoch)

    def _sample(self, look: Look, stream: Stream) -> Found:
        """Some fragments of the newest two minutes, else of all of the look."""
        end_ns = min(look.to_ns, self._clock())
        from_ns = max(look.from_ns, end_ns - _SAMPLE_NS)
        found = self._index.found(stream.id, from_ns, max(end_ns, from_ns + 1))
        if found.newest is None and from_ns > look.from_ns:
            found = self._index.found(stream.id, look.from_ns, max(end_ns, look.from_ns + 1))
        return found

    def forget(self) -> None:
        """Lets go of what nobody asks for any more. Each second."""
        self._index.forget()
        self.leases.close_idle()


def _head(leased: Leased) -> bytes:
    head = leased.file.head()
    if head is None:
        raise StorageError(f"segment {leased.place.segment} has no head")
    return head
