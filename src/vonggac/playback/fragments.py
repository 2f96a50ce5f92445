"""Which fragments a player gets for a range, in which order, and where its timeline breaks. Pure.

Fragments come in the order of recording (run, sequence), whatever a clock did meanwhile. What a
player cannot decode, since the sync sample it refers to is not there, is left out and told.
Fragments are looked at by stretches: a day has 43,200 of them, and some 500 segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from vonggac._native.playlist import Fragments, fragments_of
from vonggac.media.chunk import ChunkFlag, SyncKind
from vonggac.media.fragment import Fragment

__all__ = ["MARGIN_NS", "PARTS_MAX", "Playable", "Stretch", "playable"]

MARGIN_NS = 600 * 1_000_000_000
"""How far before a range its first sync sample is looked for: smart codecs send one in minutes."""
PARTS_MAX = 8
"""Segments that one fragment may lie in; what a camera sends beyond without a key frame is left
out.
"""
_GROWING_NS = 20 * 1_000_000_000
"""A camera that sends nothing for 5 s is connected anew: after this nothing joins its run."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Fragments [start, stop) that follow each other in one segment and run, each from its sync
    sample on.
    """

    fragments: Fragments
    start: int
    stop: int
    rest: tuple[Fragment, ...] = ()
    """Of a stretch of one: what lies of it in other segments, in order."""
    is_break: bool = False
    """A new timeline begins here: another run or segment, or something is missing before it."""

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[Fragment]:
        return (self.fragments[at] for at in range(self.start, self.stop))

    @property
    def first(self) -> Fragment:
        return self.fragments[self.start]

    @property
    def last(self) -> Fragment:
        """The part that ends it."""
        return self.rest[-1] if self.rest else self.fragments[self.stop - 1]

    @property
    def next_sequence(self) -> int:
        return self.last.next_sequence

    def shorter(self) -> Stretch | None:
        """Without its last fragment; None: nothing is left."""
        if len(self) == 1:
            return None
        return Stretch(self.fragments, self.start, self.stop - 1, (), self.is_break)

    def alone(self) -> Stretch:
        """Its last fragment, which begins a timeline if nothing of the stretch is before it."""
        is_break = self.is_break and len(self) == 1
        return Stretch(self.fragments, self.stop - 1, self.stop, self.rest, is_break)


@dataclass(frozen=True, slots=True)
class Playable:
    """What a player gets, in its order."""

    stretches: list[Stretch]
    undecodable: tuple[tuple[int, int], ...] = ()
    """Recorded ranges (ns) that refer to pictures which are not there."""

    def until(self, is_growing: bool, now_ns: int) -> Playable:
        """Without the last fragment while chunks may still join it: a list never takes back."""
        if not is_growing or not self.stretches:
            return self
        last = self.stretches[-1].last
        if last.flags & ChunkFlag.END or now_ns - last.wall_end_ns > _GROWING_NS:
            return self
        left = self.stretches[-1].shorter()
        return replace(self, stretches=[*self.stretches[:-1], *([left] if left else [])])


def playable(found: Iterable[Fragments], from_ns: int) -> Playable:
    """What may be played from `from_ns` on, of fragments of a range that begins MARGIN_NS earlier:
    whole from the sync sample before it. `found`: those of each disk.
    """
    walk = _Walk(from_ns)
    for stretch in _arranged(found):
        walk.take(stretch)
    return walk.finish()


def _arranged(found: Iterable[Fragments]) -> Iterator[Stretch]:
    """In the order of recording, nothing twice.

    The index keeps minutes: where the clock went back, a minute has parts of two runs, and several
    disks answer one after the other.
    """
    stretches: list[tuple[int, int, Stretch]] = []
    for fragments in found:
        start = 0
        while start < len(fragments):
            stop = fragments.stretch(start)
            first = fragments[start]
            stretches.append((first.run, first.sequence, Stretch(fragments, start, stop)))
            start = stop
    stretches.sort(key=lambda known: known[:2])
    before = (-1, -1)
    for run, _, stretch in stretches:
        left: Stretch | None = stretch
        if run == before[0]:
            left = _behind(stretch, before[1])
        if left is not None:
            before = (run, left.next_sequence)
            yield left


def _behind(stretch: Stretch, sequence: int) -> Stretch | None:
    """From the fragment on that begins at a sequence or later: what was handed over to a second
    disk before the first had acknowledged it is on both.
    """
    if stretch.first.sequence >= sequence:
        return stretch
    for at, fragment in zip(range(stretch.start, stretch.stop), stretch, strict=True):
        if fragment.sequence >= sequence:
            return replace(stretch, start=at)
    return None


def _follows(before: Fragment, fragment: Fragment) -> bool:
    return before.run == fragment.run and before.next_sequence == fragment.sequence


def _joined(first: Fragment, second: Fragment) -> Fragment:
    return first._replace(
        size_bytes=first.size_bytes + second.size_bytes,
        last_chunk=first.size_bytes + second.last_chunk,
        wall_end_ns=max(first.wall_end_ns, second.wall_end_ns),
        duration_ticks=first.duration_ticks + second.duration_ticks,
        samples=first.samples + second.samples,
        flags=first.flags | second.flags,
        chunks=first.chunks + second.chunks,
    )


@dataclass(slots=True)
class _Walk:
    """Goes along the stretches; a fragment without a sync sample may go on with the last one."""

    from_ns: int
    kept: list[Stretch] = field(default_factory=list)
    undecodable: list[tuple[int, int]] = field(default_factory=list)

    def take(self, stretch: Stretch) -> None:
        first = stretch.first
        last = self.kept[-1].last if self.kept else None
        if first.kind != SyncKind.NONE:
            self._begin(stretch, first)
        elif last is None or not _follows(last, first):
            self._leave_out(first)
        elif first[:3] == last[:3] and first.offset == last.end:
            self._extend(_joined(last, first))
        elif len(self.kept[-1].rest) + 1 < PARTS_MAX:
            self._go_on(first)
        else:
            self._leave_out(first)

    def finish(self) -> Playable:
        self._drop_untouched()
        return Playable(self.kept, tuple(self.undecodable))

    def _begin(self, stretch: Stretch, first: Fragment) -> None:
        self._drop_untouched()
        # The last one stays: it may go on behind, in another segment.
        start = stretch.fragments.first_after(stretch.start, stretch.stop - 1, self.from_ns)
        before = self.kept[-1] if self.kept else None
        is_break = before is not None and not (
            start == stretch.start
            and _follows(before.last, first)
            and first[:3] == before.first[:3]
        )
        self.kept.append(Stretch(stretch.fragments, start, stretch.stop, (), is_break))

    def _extend(self, changed: Fragment) -> None:
        """The last part is longer than it was."""
        alone = self._part()
        if alone.rest:
            self.kept.append(replace(alone, rest=(*alone.rest[:-1], changed)))
        else:
            self.kept.append(replace(alone, fragments=fragments_of([changed]), start=0, stop=1))

    def _go_on(self, part: Fragment) -> None:
        """The last fragment has another part."""
        alone = self._part()
        self.kept.append(replace(alone, rest=(*alone.rest, part)))

    def _part(self) -> Stretch:
        """Takes the last fragment out, to be put back changed."""
        last = self.kept.pop()
        left = last.shorter()
        if left is not None:
            self.kept.append(left)
        return last.alone()

    def _leave_out(self, fragment: Fragment) -> None:
        if fragment.wall_end_ns > self.from_ns:
            self.undecodable.append((fragment.wall_start_ns, fragment.wall_end_ns))

    def _drop_untouched(self) -> None:
        """Takes the last fragment out again when it ends before the range."""
        if not self.kept:
            return
        last = self.kept[-1]
        end_ns = max(last.fragments[last.stop - 1].wall_end_ns, last.last.wall_end_ns)
        if end_ns <= self.from_ns:
            self.kept.pop()
            left = last.shorter()
            if left is not None:
                self.kept.append(left)
