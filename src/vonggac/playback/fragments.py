"""Which fragments a player gets for a range, in which order, and where its timeline breaks. Pure.

Fragments come in the order of recording (run, sequence), whatever a clock did meanwhile. What a
player cannot decode, since the sync sample it refers to is not there, is left out and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from vonggac.media.chunk import ChunkFlag, SyncKind
from vonggac.media.fragment import Fragment

__all__ = ["MARGIN_NS", "Joint", "Playable", "playable"]

MARGIN_NS = 600 * 1_000_000_000
"""How far before a range its first sync sample is looked for: smart codecs send one in minutes."""
FRAGMENT_TICKS_MAX = 10 * 90_000
_GROWING_NS = 20 * 1_000_000_000
"""A camera that sends nothing for 5 s is connected anew: after this nothing joins its run."""
_by_recording = itemgetter(Fragment._fields.index("run"), Fragment._fields.index("sequence"))


@dataclass(frozen=True, slots=True)
class Joint:
    """Where a fragment that goes on in another segment hangs on: its decode times go on there.

    Every segment counts decode times from 0. A player would need a new sync sample for a new
    timeline; so those of the continuation are moved to where its beginning ends.
    """

    disk: int
    segment: int
    epoch: int
    last_chunk: int
    """Offset of the last chunk of the fragment's beginning, in that segment."""
    ticks: int
    """Of whole segments that lie in between (a fragment larger than a segment)."""
    first_chunk: int
    """Offset of the first continued chunk, in the segment of the continuation."""


@dataclass(frozen=True, slots=True)
class Playable:
    """What a player gets. Indices are those of `fragments`."""

    fragments: list[Fragment]
    breaks: frozenset[int]
    """A new timeline begins here: another run or segment, or something is missing before it."""
    joints: dict[int, Joint]
    undecodable: tuple[tuple[int, int], ...] = ()
    """Recorded ranges (ns) that refer to pictures which are not there."""

    def until(self, is_growing: bool, now_ns: int) -> Playable:
        """Without the last fragment while chunks may still join it: a list never takes back."""
        if not is_growing or not self.fragments:
            return self
        last = self.fragments[-1]
        if last.flags & ChunkFlag.END or now_ns - last.wall_end_ns > _GROWING_NS:
            return self
        rest = self.fragments[:-1]
        joints = {at: joint for at, joint in self.joints.items() if at < len(rest)}
        breaks = frozenset(at for at in self.breaks if at < len(rest))
        return Playable(rest, breaks, joints, self.undecodable)

    def __iter__(self) -> Iterator[Fragment]:
        return iter(self.fragments)


def playable(found: list[Fragment], from_ns: int, to_ns: int) -> Playable:
    """What may be played of [from_ns, to_ns), from fragments of a range that begins MARGIN_NS
    earlier and ends at `to_ns`: whole from the sync sample before `from_ns`.
    """
    walk = _Walk(from_ns)
    kept = walk.kept
    line: tuple[int, ...] | None = None
    run = following = -1
    for fragment in _arranged(found):
        # Nearly all of a day's 43,200 begin with a sync sample and follow the one before.
        if (
            fragment.kind
            and fragment.sequence == following
            and fragment.run == run
            and fragment[:3] == line
        ):
            walk.group = len(kept)
            kept.append(fragment)
            following += fragment.chunks
            continue
        walk.take(fragment)
        # What `take` has to look at each time: a group before the range, one over two segments.
        run, following = fragment.run, fragment.sequence + fragment.chunks
        is_plain = walk.joint is None and bool(kept) and kept[-1] is fragment
        line = walk.line if is_plain and fragment.wall_end_ns > from_ns else None
    return walk.finish()


def _arranged(found: list[Fragment]) -> Sequence[Fragment]:
    """In the order of recording, nothing twice.

    The index keeps minutes: where the clock went back, a minute has parts of two runs, and several
    disks answer one after the other. Parts that a minute's end has parted are joined again.
    """
    keys = list(map(_by_recording, found))
    if all(map(tuple.__lt__, keys, keys[1:])):
        return found
    ordered: list[Fragment] = []
    for fragment in sorted(found, key=_by_recording):
        before = ordered[-1] if ordered else None
        if before is None or before.run != fragment.run:
            ordered.append(fragment)
        elif fragment.sequence < before.next_sequence:
            continue  # handed over to a second disk before the first one had acknowledged it
        elif _continues_bytes(before, fragment):
            ordered[-1] = _joined(before, fragment)
        else:
            ordered.append(fragment)
    return ordered


def _continues_bytes(before: Fragment, fragment: Fragment) -> bool:
    return (
        fragment.kind == SyncKind.NONE
        and fragment[:3] == before[:3]
        and fragment.offset == before.end
        and fragment.sequence == before.next_sequence
        and before.duration_ticks + fragment.duration_ticks <= FRAGMENT_TICKS_MAX
    )


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
    """Goes along the fragments; a *group* is a sync sample's fragment and what continues it."""

    from_ns: int
    kept: list[Fragment] = field(default_factory=list)
    breaks: set[int] = field(default_factory=set)
    joints: dict[int, Joint] = field(default_factory=dict)
    undecodable: list[tuple[int, int]] = field(default_factory=list)
    line: tuple[int, int, int] | None = None
    """Disk, segment and epoch whose decode times the player follows."""
    group: int = 0
    """Index of the present group's first fragment."""
    is_touched: bool = True
    """Whether the present group reaches into the range."""
    joint: Joint | None = None

    def take(self, fragment: Fragment) -> None:
        before = self.kept[-1] if self.kept else None
        if fragment.kind != SyncKind.NONE:
            self._begin(fragment)
        elif before is None or not _follows(before, fragment):
            self._leave_out(fragment)
            return
        else:
            self._continue(before, fragment)
        if not self.is_touched:
            self.is_touched = fragment.wall_end_ns > self.from_ns

    def finish(self) -> Playable:
        self._drop_untouched()
        return Playable(self.kept, frozenset(self.breaks), self.joints, tuple(self.undecodable))

    def _begin(self, fragment: Fragment) -> None:
        self._drop_untouched()
        if self.kept and not (_follows(self.kept[-1], fragment) and fragment[:3] == self.line):
            self.breaks.add(len(self.kept))
        self.group = len(self.kept)
        self.line = fragment[:3]
        self.joint = None
        self.is_touched = False
        self.kept.append(fragment)

    def _continue(self, before: Fragment, fragment: Fragment) -> None:
        if fragment[:3] != before[:3]:
            ticks = 0
            base = before
            if self.joint is not None:  # the group fills a whole segment
                inside = [f for f in self.kept[self.group :] if f[:3] == before[:3]]
                ticks = self.joint.ticks + sum(f.duration_ticks for f in inside)
                base = next(f for f in reversed(self.kept) if f[:3] == self.line)
            self.joint = Joint(*base[:3], base.offset + base.last_chunk, ticks, fragment.offset)
        if self.joint is not None:
            self.joints[len(self.kept)] = self.joint
        self.kept.append(fragment)

    def _leave_out(self, fragment: Fragment) -> None:
        if fragment.wall_end_ns > self.from_ns:
            self.undecodable.append((fragment.wall_start_ns, fragment.wall_end_ns))

    def _drop_untouched(self) -> None:
        """Takes the last group out again when it ends before the range."""
        if self.is_touched:
            return
        for at in range(self.group, len(self.kept)):
            self.joints.pop(at, None)
        del self.kept[self.group :]
        self.breaks.discard(self.group)
        self.is_touched = True
