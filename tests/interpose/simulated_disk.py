"""A disk that has lost its power: what of a recorded tape may lie on it.

What was synced is there. Of each later write it keeps all, nothing, or any of its sectors of 512
bytes, in any order. Names and sizes come back up to any moment, as a journaling file system has
it: what was done to them later is undone, what was done earlier stands.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from interpose.files import File, Files
from interpose.preload import Call

SECTOR_BYTES = 512
_DATA = "wdz"
_NAMES = "ctaurk"
_SYNCS = "sfg"


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that no sync covers yet."""

    call: Call
    number: int
    """Of the file."""
    name: str
    new_name: str = ""

    @property
    def is_data(self) -> bool:
        return self.call.what in _DATA

    @property
    def sectors(self) -> range:
        """Which of its bytes' sectors it writes, counted from its first."""
        return range(-(-max(len(self.call.data), self.call.length) // SECTOR_BYTES))


Kept = dict[int, range | list[int]]
"""Index in `pending`: the sectors of that write that reached the disk."""


@dataclass(slots=True)
class SimulatedDisk:
    """`durable` and what is pending above it. Fed with the calls of a tape in their order."""

    durable: Files
    folder: Path
    """Where the recorded process has the files."""
    pending: list[Pending] = field(default_factory=list)
    _live: dict[str, int] = field(default_factory=dict)
    _next: int = 0

    def __post_init__(self) -> None:
        self._live = dict(self.durable.names)
        self._next = max(self.durable.files, default=0) + 1

    def feed(self, call: Call) -> None:
        """The call has returned."""
        if call.what in _SYNCS:
            self._sync(call)
            return
        name = os.path.relpath(call.path, self.folder)
        if call.what == "k":
            return  # directories are made where files need them
        if call.what == "l":
            raise NotImplementedError("a sync that failed says nothing about what is on a disk")
        if call.what == "c":
            self._live[name] = self._next
            self._next += 1
        number = self._live[name]
        new_name = ""
        if call.what == "u":
            del self._live[name]
        elif call.what == "r":
            new_name = os.path.relpath(os.fsdecode(call.data), self.folder)
            self._live[new_name] = self._live.pop(name)
        self.pending.append(Pending(call, number, name, new_name))
        if call.what == "d":
            self._settle([len(self.pending) - 1])

    def in_flight(self, call: Call) -> None:
        """The call has begun: what it writes may be there or not."""
        if call.what not in _SYNCS:
            plain = Call("w", call.path, call.offset, call.length, call.data)
            self.feed(plain if call.what == "d" else call)

    def landed(self) -> None:
        """The call that is in flight, a write that is its own sync, has returned."""
        self._settle([len(self.pending) - 1])

    def _sync(self, call: Call) -> None:
        if call.what == "s":
            self._settle(range(len(self.pending)))
            return
        name = os.path.relpath(call.path, self.folder)
        number = self._live.get(name)
        own = [i for i, p in enumerate(self.pending) if p.number == number]
        names = [i for i, p in enumerate(self.pending) if not p.is_data]
        last = max((i for i in own if not self.pending[i].is_data), default=-1)
        self._settle(sorted({*own, *(i for i in names if i <= last)}))

    def _settle(self, which: Iterable[int]) -> None:
        settled = set(which)
        done = [p for i, p in enumerate(self.pending) if i in settled]
        self.pending = [p for i, p in enumerate(self.pending) if i not in settled]
        self.durable = _apply(self.durable, done, {i: p.sectors for i, p in enumerate(done)})

    # --- images

    def everything(self) -> Files:
        """As if all of it had been synced."""
        kept = {i: p.sectors for i, p in enumerate(self.pending) if p.is_data}
        return _apply(self.durable, self.pending, kept)

    def any_image(self, chance: random.Random) -> Files:
        """Names up to some moment; of each write something; in some order."""
        names = [i for i, p in enumerate(self.pending) if not p.is_data]
        upto = chance.choice([-1, *names, *(names[-1:] * 3)]) if names else -1
        likely = chance.choice((0.1, 0.5, 0.9, 1.0))
        kept: Kept = {}
        for number, pending in enumerate(self.pending):
            if pending.is_data and chance.random() < likely:
                kept[number] = _torn(pending.sectors, chance)
        order = list(range(len(self.pending)))
        if chance.random() < 0.5:
            chance.shuffle(order)
        return _apply(self.durable, self.pending, kept, order, upto)

    def each_image(self, most: int) -> Iterator[Files]:
        """Every choice of kept, dropped and torn in two for each write and every moment of the
        names; where those are more than `most`, each write against all others.
        """
        writes = [i for i, p in enumerate(self.pending) if p.is_data]
        names = [i for i, p in enumerate(self.pending) if not p.is_data]
        for upto in (-1, *names):
            seen = set()
            for choice in _choices(len(writes), most):
                kept: Kept = {}
                for index, how in zip(writes, choice, strict=True):
                    sectors = self.pending[index].sectors
                    half = (len(sectors) + 1) // 2
                    kept[index] = (sectors[:0], sectors, sectors[:half], sectors[half:])[how]
                if tuple(kept.values()) not in seen:
                    seen.add(tuple(kept.values()))
                    yield _apply(self.durable, self.pending, kept, names_upto=upto)


_DROPPED, _KEPT, _FRONT, _BACK = range(4)


def _choices(count: int, most: int) -> Iterator[tuple[int, ...]]:
    if 4**count <= most:
        yield from product((_DROPPED, _KEPT, _FRONT, _BACK), repeat=count)
        return
    if 2**count <= most:
        yield from product((_DROPPED, _KEPT), repeat=count)
    for one in range(count):
        for rest, odd in ((_DROPPED, _KEPT), (_KEPT, _DROPPED), (_DROPPED, _BACK), (_KEPT, _FRONT)):
            yield tuple(odd if i == one else rest for i in range(count))


def _torn(sectors: range, chance: random.Random) -> range | list[int]:
    how = chance.random()
    if how < 0.4 or len(sectors) < 2:
        return sectors
    cut = chance.randrange(1, len(sectors))
    if how < 0.6:
        return sectors[:cut]
    if how < 0.75:
        return sectors[cut:]
    if how < 0.85:
        return [n for n in sectors if n != cut]
    return [n for n in sectors if chance.random() < 0.5]


def _apply(
    before: Files,
    done: Sequence[Pending],
    kept: Kept,
    order: Sequence[int] | None = None,
    names_upto: int | None = None,
) -> Files:
    """Names and sizes in their order, then the kept sectors of each write."""
    after = before.copy()
    owned: dict[int, File] = {}

    def own(number: int) -> File:
        if number not in owned:
            owned[number] = after.own(number)
        return owned[number]

    for index, pending in enumerate(done):
        if names_upto is not None and index > names_upto:
            break
        if not pending.is_data:
            _rename_or_resize(after, pending, own)
    for index in order if order is not None else range(len(done)):
        pending = done[index]
        sectors = kept.get(index, ())
        if pending.is_data and sectors and pending.number in after.files:
            _write_sectors(own(pending.number), pending, sectors)
    return after


def _rename_or_resize(after: Files, pending: Pending, own: Callable[[int], File]) -> None:
    call = pending.call
    if call.what == "c":
        after.files[pending.number] = File()
        after.names[pending.name] = pending.number
    elif call.what == "u":
        del after.names[pending.name]
    elif call.what == "r":
        after.names[pending.new_name] = after.names.pop(pending.name)
    elif call.what == "t":
        own(pending.number).resize(call.length)
    elif call.what == "a":
        file = own(pending.number)
        file.size = max(file.size, call.offset + call.length)


def _write_sectors(file: File, pending: Pending, sectors: Sequence[int]) -> None:
    call = pending.call
    if call.what == "z":
        if len(sectors) == len(pending.sectors):
            file.zero(call.offset, call.length)
            return
        for start, end in _ranges(sectors):
            file.zero(call.offset + start, min(end, call.length) - start)
        return
    if len(sectors) == len(pending.sectors):
        file.write(call.offset, call.data)
        return
    for start, end in _ranges(sectors):
        file.write(call.offset + start, call.data[start:end])


def _ranges(sectors: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbours together, in bytes."""
    start = end = -1
    for number in sectors:
        if number != end:
            if end > start:
                yield start * SECTOR_BYTES, end * SECTOR_BYTES
            start = number
        end = number + 1
    if end > start:
        yield start * SECTOR_BYTES, end * SECTOR_BYTES
