"""Which fragments a player gets for a range, in which order, and where its timeline breaks. Pure.

Fragments come in the order of recording (run, sequence), whatever a clock did meanwhile. What a
player cannot decode, since the sync sample it refers to is not there, is left out and told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from vonggac.media.chunk import ChunkFlag, SyncKind
from vonggac.media.fragment import Fragment

__all__ = ["MARGIN_NS", "PARTS_MAX", "Playable", "playable"]

MARGIN_NS = 600 * 1_000_000_000
"""How far before a range its first sync sample is looked for: smart codecs send one in minutes."""
PARTS_MAX = 8
"""Segments that one fragment may lie in; what a camera sends beyond without a key frame is left
out.
"""
_GROWING_NS = 20 * 1_000_000_000
"""A camera that sends nothing for 5 s is connected anew: after this nothing joins its run."""
_by_recording = itemgetter(Fragment._fields.index("run"), Fragment._fields.index("sequence"))


@dataclass(frozen=True, slots=True)
class Playable:
    """What a player gets: fragments, each from its sync sample on. Indices are those of
    `fragments`.
    """

    fragments: list[Fragment]
    """Whole, or their beginning where they go on in another segment."""
    rest: dict[int, tuple[Fragment, ...]]
    """What lies in other segments of a fragment, in order."""
    breaks: frozenset[int]
    """A new timeline begins here: another run or segment, or something is missing before it."""
    undecodable: tuple[tuple[int, int], ...] = ()
    """Recorded ranges (ns) that refer to pictures which are not there."""

    def parts(self, at: int) -> tuple[Fragment, ...]:
        """All of a fragment."""
        return (self.fragments[at], *self.rest.get(at, ()))

    def until(self, is_growing: bool, now_ns: int) -> Playable:
        """Without the last fragment while chunks may still join it: a list never takes back."""
        if not is_growing or not self.fragments:
            return self
        number = len(self.fragments) - 1
        last = self.parts(number)[-1]
        if last.flags & ChunkFlag.END or now_ns - last.wall_end_ns > _GROWING_NS:
            return self
        return Playable(
            self.fragments[:number],
            {at: rest for at, rest in self.rest.items() if at < number},
            frozenset(at for at in self.breaks if at < number),
            self.undecodable,
        )


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
            kept.append(fragment)
            following += fragment.chunks
            continue
        walk.take(fragment)
        # What `take` has to look at each time: a fragment before the range, one in two segments.
        run, following = fragment.run, fragment.sequence + fragment.chunks
        is_plain = bool(kept) and kept[-1] is fragment and fragment.wall_end_ns > from_ns
        line = fragment[:3] if is_plain else None
    return walk.finish()


def _arranged(found: list[Fragment]) -> Sequence[Fragment]:
    """In the order of recording, nothing twice.

    The index keeps minutes: where the clock went back, a minute has parts of two runs, and several
    disks answer one after the other.
    """
    keys = list(map(_by_recording, found))
    if all(map(tuple.__lt__, keys, keys[1:])):
        return found
    ordered: list[Fragment] = []
    for fragment in sorted(found, key=_by_recording):
        before = ordered[-1] if ordered else None
        is_twice = before is not None and before.run == fragment.run
        if before is not None and is_twice and fragment.sequence < before.next_sequence:
            continue  # handed over to a second disk before the first had acknowledged it
        ordered.append(fragment)
    return ordered


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
    """Goes along the fragments and their continuations."""

    from_ns: int
    kept: list[Fragment] = field(default_factory=list)
    rest: dict[int, tuple[Fragment, ...]] = field(default_factory=dict)
    breaks: set[int] = field(default_factory=set)
    undecodable: list[tuple[int, int]] = field(default_factory=list)

    def take(self, fragment: Fragment) -> None:
        last = self._last()
        if fragment.kind != SyncKind.NONE:
            self._begin(fragment)
        elif last is None or not _follows(last, fragment):
            self._leave_out(fragment)
        elif fragment[:3] == last[:3] and fragment.offset == last.end:
            self._put_last(_joined(last, fragment))
        elif len(self.rest.get(len(self.kept) - 1, ())) + 1 < PARTS_MAX:
            at = len(self.kept) - 1
            self.rest[at] = (*self.rest.get(at, ()), fragment)
        else:
            self._leave_out(fragment)

    def finish(self) -> Playable:
        self._drop_untouched()
        return Playable(self.kept, self.rest, frozenset(self.breaks), tuple(self.undecodable))

    def _last(self) -> Fragment | None:
        """The part that was taken last."""
        if not self.kept:
            return None
        rest = self.rest.get(len(self.kept) - 1)
        return rest[-1] if rest else self.kept[-1]

    def _put_last(self, changed: Fragment) -> None:
        at = len(self.kept) - 1
        if at in self.rest:
            self.rest[at] = (*self.rest[at][:-1], changed)
        else:
            self.kept[at] = changed

    def _begin(self, fragment: Fragment) -> None:
        self._drop_untouched()
        last = self._last()
        if last is not None and not (
            _follows(last, fragment) and fragment[:3] == self.kept[-1][:3]
        ):
            self.breaks.add(len(self.kept))
        self.kept.append(fragment)

    def _leave_out(self, fragment: Fragment) -> None:
        if fragment.wall_end_ns > self.from_ns:
            self.undecodable.append((fragment.wall_start_ns, fragment.wall_end_ns))

    def _drop_untouched(self) -> None:
        """Takes the last fragment out again when it ends before the range."""
        last = self._last()
        at = len(self.kept) - 1
        if last is None or max(f.wall_end_ns for f in (self.kept[at], last)) > self.from_ns:
            return
        self.rest.pop(at, None)
        self.kept.pop()
        self.breaks.discard(at)
