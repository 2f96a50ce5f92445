"""The footage of a look: playlists, byte ranges, stills, each within what the look allows.

Nothing is kept of a playlist. A range that is asked for is checked against the segment itself: it
begins where a chunk begins, ends where one ends, and the claims in between lie inside of the look.
Every piece is read, its lease renewed (which checks the epoch), and only then given out.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vonggac._native import segment as native
from vonggac.errors import Missing, Refused, StorageError, TooMany, Unavailable
from vonggac.media.chunk import VIDEO_TIMESCALE, ChunkView
from vonggac.media.fragment import Fragment
from vonggac.playback import playlist as lists
from vonggac.playback import still as stills
from vonggac.playback.fragments import MARGIN_NS, Playable, playable
from vonggac.registry.camera import Stream
from vonggac.registry.catalog import Catalog
from vonggac.store.segment import CHUNK_HEAD_BYTES_MAX, Life, SegmentFile
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.look import Look
from vonggac_appliance.look_leases import Leased, LeasePool, Place

__all__ = ["LookFootage", "NoSuchRange", "Part", "RangeRead", "Segment", "Shown", "disk_name"]

_Found = tuple[list[Fragment], tuple[str, ...], int]
"""Fragments of all disks, the disks' names, and how many disks do not answer."""
Which = Literal["media", "iframes"]
Deliver = Callable[[str, bytes, int, int], None]
"""Look, stream, from, to: so much was really sent."""

BLOCK_BYTES = 256 << 10
_CHECK_BLOCKS = 4
"""A renewal for so many blocks: a keeper has other things to do, and they wait unsent till then."""
_DEADLINE_S = 3.0
_LISTS_MAX = 2
"""Made at once: two days of fragments take 100 MB for a moment."""
_LIST_WAIT_S = 5.0
_SETTLED_NS = 15 * 1_000_000_000
"""What is older is durable; a range that ends later may still grow."""
_KEPT_S = 1.0
_KEPT_MAX = 4
"""A day's fragments are 24 MB of Python."""
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
    disks: tuple[str, ...]
    is_growing: bool
    is_ended: bool
    missing_disks: int
    """Disks that do not answer: what lies there is not listed."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: int
    end: int
    view: ChunkView

    @property
    def from_ns(self) -> int:
        return self.view.claim.wall_start_ns

    @property
    def to_ns(self) -> int:
        ticks = self.view.claim.duration_ticks
        return self.from_ns + ticks * 1_000_000_000 // VIDEO_TIMESCALE


class RangeRead:
    """Bytes of a segment, block by block; the first ones are read and checked already.

    To be closed. What was taken is delivered when the next block is asked for: then it was sent.
    """

    def __init__(
        self,
        blocks: Iterator[tuple[int, int, bytes]],
        size_bytes: int,
        segment_bytes: int,
        sent: Callable[[int, int], None],
        close: Callable[[], None],
    ) -> None:
        self.size_bytes = size_bytes
        self.segment_bytes = segment_bytes
        self._sent = sent
        self._close: Callable[[], None] | None = close
        self._blocks = blocks
        self._first: tuple[int, int, bytes] | None = next(blocks, None)
        self._given: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._given is not None:
            self._sent(*self._given)
            self._given = None
        found = self._first if self._first is not None else next(self._blocks, None)
        self._first = None
        if found is None:
            self.close()
            raise StopIteration
        self._given = found[:2]
        return found[2]

    def close(self) -> None:
        """Gives the segment back. May be called twice."""
        close, self._close = self._close, None
        if close is not None:
            close()


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
        self._home = home
        self._catalog = catalog
        self._deliver = deliver
        self._clock = clock
        self.leases = LeasePool(home, is_open)
        self._kept: dict[tuple[bytes, int, int], tuple[_Found, float]] = {}
        self._lock = threading.Lock()
        self._lists = threading.BoundedSemaphore(_LISTS_MAX)
        self._disks: dict[str, bytes] = {}
        """By name: a disk that was taken out has no keeper that would lease."""

    # --- what there is

    def shown_from(self, streams: tuple[Stream, ...], from_ns: int, to_ns: int) -> int:
        """Where the earliest fragment begins that `from_ns` lies in, of all streams."""
        end_ns = min(to_ns, from_ns + 1_000_000_000)
        starts = [from_ns]
        for stream in streams:
            found, _, _ = self._found(stream.id, from_ns - MARGIN_NS, end_ns, must_answer=False)
            starts += [f.wall_start_ns for f in playable(found, from_ns, end_ns).fragments]
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
        found, disks, missing = self._asked(stream.id, from_ns - MARGIN_NS, to_ns)
        # Of what kind a list is, it stays: what might grow when the look began is an EVENT.
        is_growing = to_ns > look.opened_ns - _SETTLED_NS
        is_ended = not is_growing or now_ns > to_ns + _SETTLED_NS
        shown = playable(found, from_ns, to_ns).until(not is_ended, now_ns)
        return Shown(shown, disks, is_growing, is_ended, missing)

    def playlist(self, look: Look, stream: Stream, which: Which, from_ns: int, to_ns: int) -> str:
        """The list for playing, or that of key frames. Refused outside of the look."""
        shown = self.shown(look, stream, from_ns, to_ns)
        write = lists.media if which == "media" else lists.iframes
        return write(
            shown.playable,
            shown.disks,
            is_growing=shown.is_growing,
            is_ended=shown.is_ended,
        )

    def master(self, look: Look, stream: Stream, query: str) -> str:
        """The list of the two. `query`: what their addresses end with."""
        found = self._sample(look, stream)
        ticks = sum(fragment.duration_ticks for fragment in found)
        size = sum(fragment.size_bytes for fragment in found)
        bits_per_s = size * 8 * VIDEO_TIMESCALE // max(ticks, 1)
        return lists.master(self.video(look, stream), bits_per_s, query)

    def video(self, look: Look, stream: Stream) -> lists.Video | None:
        """Codec and size of the newest footage of the look; None where there is none."""
        for fragment in reversed(self._sample(look, stream)):
            disks = [disk.uuid for disk in self._catalog.disks()]
            place = Place(disks[fragment.disk], fragment.segment, fragment.epoch)
            with self.leases.lent(look.id, place, stream.id, look.receipt) as leased:
                head = _head(leased)
                leased.check()
            return stills.video_of(head)
        return None

    def videos(self, look: Look) -> dict[str, lists.Video | None]:
        """By stream; None where nothing is recorded, or cannot be read now."""
        found: dict[str, lists.Video | None] = {}
        for stream in look.streams:
            try:
                found[stream.name] = self.video(look, stream)
            except (Refused, StorageError, Unavailable):
                found[stream.name] = None
        return found

    # --- bytes

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
        found, _, _ = self._found(stream.id, at_ns - MARGIN_NS, at_ns + 1)
        shown = playable(found, at_ns, at_ns + 1)
        if not shown.fragments:
            raise Missing("nothing is recorded at that moment")
        first = shown.fragments[0]
        disks = [disk.uuid for disk in self._catalog.disks()]
        place = Place(disks[first.disk], first.segment, first.epoch)
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
                _blocks(leased, start, end),
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
            chunks: list[list[_Chunk]] = []
            for part in parts:
                place = self._place(part.segment)
                held.append(self.leases.borrow(look.id, place, stream.id, look.receipt))
                found = self._allowed(look, held[-1], part.start, part.end)
                if (part.start, part.end) != (found[0].start, found[-1].end):
                    raise Refused("a fragment is whole chunks")
                chunks.append(found)
            _check_order([chunk for found in chunks for chunk in found])
            size = sum(part.end - part.start for part in parts)
            spans = [chunk for found in chunks for chunk in found]

            def sent(start: int, end: int) -> None:
                """Here chunks are counted, not bytes: a block is one."""
                for chunk in spans[start:end]:
                    self._deliver(look.id, stream.id, chunk.from_ns, chunk.to_ns)

            blocks = _joined(held, chunks)
            return RangeRead(blocks, size, size, sent, close)
        except BaseException:
            close()
            raise

    def _allowed(self, look: Look, leased: Leased, start: int, end: int) -> list[_Chunk]:
        """The chunks of a range, all of which lie inside of the look."""
        if end > leased.file.size:
            raise NoSuchRange("the segment is not so large")
        chunks = _chunks(leased, start, end)
        if not all(look.shown_from_ns <= c.from_ns < look.to_ns for c in chunks):
            raise Refused("the range reaches outside of the look")
        return chunks

    def _sent(
        self, look_id: str, stream: bytes, chunks: list[_Chunk], start: int, end: int
    ) -> None:
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

    def _sample(self, look: Look, stream: Stream) -> list[Fragment]:
        """Some fragments of the newest two minutes, else of all of the look."""
        end_ns = min(look.to_ns, self._clock())
        for from_ns in (max(look.from_ns, end_ns - _SAMPLE_NS), look.from_ns):
            found, _, _ = self._found(stream.id, from_ns, max(end_ns, from_ns + 1))
            if found:
                return found
        return []

    def _asked(self, stream: bytes, from_ns: int, to_ns: int) -> _Found:
        """As `_found`; a player that opens asks for three lists of one range at once."""
        key = (stream, from_ns, to_ns)
        with self._lock:
            kept, until_s = self._kept.get(key, (None, 0.0))
            if kept is not None and time.monotonic() < until_s:
                return kept
        found = self._found(stream, from_ns, to_ns)
        with self._lock:
            now_s = time.monotonic()
            fresh = {k: v for k, v in self._kept.items() if v[1] > now_s}
            while len(fresh) >= _KEPT_MAX:
                fresh.pop(next(iter(fresh)))
            self._kept = {**fresh, key: (found, now_s + _KEPT_S)}
        return found

    def forget(self) -> None:
        """Lets go of what nobody asks for any more. Each second."""
        with self._lock:
            now_s = time.monotonic()
            self._kept = {k: v for k, v in self._kept.items() if v[1] > now_s}
        self.leases.close_idle()

    def _found(
        self, stream: bytes, from_ns: int, to_ns: int, *, must_answer: bool = True
    ) -> _Found:
        """Fragments of all disks that answer, the disks' names, and how many do not."""
        disks = self._catalog.disks()
        found: list[Fragment] = []
        missing = 0
        for number, disk in enumerate(disks):
            try:
                with IndexClient(self._home, disk.uuid, _DEADLINE_S) as client:
                    packed, _ = client.rows(stream, from_ns, to_ns)
            except Unavailable:
                missing += 1
                continue
            found += native.rows_fragments(packed, from_ns, to_ns, number)
        if must_answer and missing and missing == len(disks):
            raise Unavailable("no disk answers: the recorder is not running")
        return found, tuple(disk_name(disk.uuid) for disk in disks), missing


def disk_name(disk: bytes) -> str:
    """What addresses call it."""
    return disk[:4].hex()


def _life(place: Place) -> Life:
    return Life(place.disk, place.segment, place.epoch)


def _head(leased: Leased) -> bytes:
    head = leased.file.head()
    if head is None:
        raise StorageError(f"segment {leased.place.segment} has no head")
    return head


def _chunks(leased: Leased, start: int, end: int) -> list[_Chunk]:
    """The chunks that make up a range. Refused where it is none that is ever listed."""
    found: list[_Chunk] = []
    at = start // 4096 * 4096  # a key frame's range begins within its chunk, before 4 KiB
    while at < end:
        view = leased.file.chunk_of(_life(leased.place), at)
        if view is None:
            leased.check()  # of a segment that was used again nothing is said but that
            raise Refused("no fragment lies there")
        found.append(_Chunk(at, at + view.place.chunk_bytes, view))
        at += view.place.chunk_bytes
    first = found[0] if found else None
    if first is None:
        raise Refused("no fragment lies there")
    if start == first.start and end == at:
        return found
    moof = first.view.payload_offset - 8 - first.view.place.moof_bytes
    if start == first.start + moof and end == first.start + first.view.place.first_sample_end:
        return found
    raise Refused("a range is whole chunks, or a key frame alone")


def _blocks(leased: Leased, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """The bytes as they lie there, each with where it begins and ends."""
    at = start
    while at < end:
        read: list[tuple[int, int, bytes]] = []
        while at < end and len(read) < _CHECK_BLOCKS:
            data = _read(leased.file, at, min(BLOCK_BYTES, end - at))
            read.append((at, at + len(data), data))
            at += len(data)
        leased.check()
        yield from read


def _check_order(chunks: Sequence[_Chunk]) -> None:
    """One run, one chunk after the other: nothing else is a fragment."""
    for before, chunk in itertools.pairwise(chunks):
        first, second = before.view.claim, chunk.view.claim
        if (first.run, first.sequence + 1) != (second.run, second.sequence):
            raise Refused("these do not continue each other")


def _joined(
    held: Sequence[Leased], chunks: Sequence[Sequence[_Chunk]]
) -> Iterator[tuple[int, int, bytes]]:
    """Chunk by chunk, on one timeline."""
    number = end_ticks = 0
    for leased, found in zip(held, chunks, strict=True):
        starts_at = found[0].view.decode_time_ticks
        by_ticks = end_ticks - starts_at if number else 0
        for chunk in found:
            data = _read(leased.file, chunk.start, chunk.end - chunk.start)
            leased.check()
            head = stills.moved(data[:CHUNK_HEAD_BYTES_MAX], by_ticks) if by_ticks else b""
            yield number, number + 1, head + data[len(head) :]
            number += 1
        last = found[-1].view
        end_ticks = last.decode_time_ticks + last.claim.duration_ticks + by_ticks


def _read(file: SegmentFile, at: int, size: int) -> bytes:
    data = file.read(at, size)
    if len(data) != size:
        raise StorageError(f"a segment ends at {at + len(data)}, before its last chunk does")
    return data
