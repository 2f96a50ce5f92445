"""A ring on a simulated disk, and how the disk is judged by the model (torn_model.py)."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from interpose.files import Files
from interpose.preload import Tape
from interpose.simulated_disk import SimulatedDisk
from store.maker import BOX, SECOND_NS, FakeChunk, FakeStream, again
from store.torn_judge import judge
from store.torn_model import Broken, Key, Made, Model
from vonggac.errors import StorageError
from vonggac.store.batch import Batch
from vonggac.store.journal import Lock, OpenGap, SegmentState
from vonggac.store.rebuild_whole import rebuild
from vonggac.store.start import Started, start
from vonggac.store.tombstone import Rule


class DiskFailed(Exception):
    """A write or sync of a tick has failed: the keeper ends here."""


@dataclass(slots=True)
class World:
    """One disk and who writes to it. `folder` lies in the directory that is recorded."""

    folder: Path
    tape: Tape
    disk: SimulatedDisk
    model: Model
    streams: list[FakeStream]
    stopped: set[bytes] = field(default_factory=set)
    """Streams in a gap: they bring nothing until their next run, which names it."""
    runs: int = 10
    started: Started | None = None
    waiting: list[FakeChunk] = field(default_factory=list)
    worst_loss_s: int = 0

    @classmethod
    def on(cls, files: Files, folder: Path, tape: Tape, streams: int) -> World:
        files.write_to(folder)
        tape.take()
        made = [FakeStream(number) for number in range(streams)]
        for stream in made:
            stream.begin(1)
        return cls(folder, tape, SimulatedDisk(files, folder), Model(), made)

    def after(self, image: Files, folder: Path) -> World:
        """This world's disk in another one, whose power has just come back."""
        image.write_to(folder)
        self.tape.take()
        streams = [replace(s, sent=[]) for s in self.streams]
        disk = SimulatedDisk(image, folder)
        return World(folder, self.tape, disk, self.model.copy(), streams, runs=self.runs)

    def discard(self) -> None:
        """Takes the process away, and its files."""
        self.let_go()
        self.tape.take()
        shutil.rmtree(self.folder)

    def let_go(self) -> None:
        """What a killed process leaves: all written, nothing finished."""
        if self.started is not None:
            self.started.ring.archive.index.close()
            self.started.ring.close()
            self.started.ring.disk.close()
            self.started = None

    def follow(self) -> None:
        """The simulated disk hears of what was done."""
        for call in self.tape.take():
            self.disk.feed(call)

    # --- recording

    def start(self, found: Iterable[Key] = (), is_suspect: bool = False) -> None:
        """`found`: what was seen on the disk before."""
        self.started = start(self.folder, BOX, is_suspect=is_suspect)
        self.model.forget_wishes(found)
        self._settle_erasing()
        self.model.may_lack_index = self.started.rebuild is not None
        self.started.ring.spares.expected_streams = len(self.streams)

    def begin_runs(self, step_s: int) -> None:
        """The power came back: what was in arenas is gone, cameras are connected anew."""
        self.waiting = []
        self.model.recent = []
        for stream in self.streams:
            self.begin_run(stream, step_s)

    def begin_run(self, stream: FakeStream, step_s: int) -> None:
        self.runs += 1
        assert self.started is not None
        gap = self.started.ring.gaps.get(stream.stream)
        told = (0, 0) if gap is None else (gap.start_ns, gap.reason)
        self.stopped.discard(stream.stream)
        stream.begin(self.runs, stream.wall_ns + step_s * SECOND_NS, told)

    def second(self, sizes: list[int]) -> None:
        """A chunk of that size of each stream (0: none), and the ticks it takes to write them."""
        fresh = self.make(sizes)
        self.tick(fresh)
        for _ in range(3):
            if self.waiting:
                self.tick([])

    def make(self, sizes: list[int]) -> list[FakeChunk]:
        self.model.second += 1
        made = []
        for stream, size in zip(self.streams, sizes, strict=False):
            if size and stream.stream not in self.stopped:
                chunk = stream.chunk(size)
                made.append(chunk)
                key = (chunk.stream, chunk.run, chunk.sequence)
                sha256, start_ns = stream.sent[-1][2], chunk.wall_end_ns - SECOND_NS
                known = Made(sha256, start_ns, chunk.wall_end_ns, self.model.second)
                self.model.made[key] = known
                self.model.recent.append(key)
        return made

    def tick(self, chunks: list[FakeChunk]) -> None:
        self.settle(self.write(chunks))

    def settle(self, batch: Batch[FakeChunk]) -> None:
        """The part of a tick that follows its sync: here is where things are acknowledged."""
        assert self.started is not None
        ring = self.started.ring
        ring.finish(batch)
        for placed in batch.placed:
            claim = placed.claim
            where = (placed.segment, placed.epoch, placed.row.offset)
            self.model.durable[claim.stream, claim.run, claim.sequence] = where
        for sealed in batch.sealed:
            self.model.sealed[sealed.segment.number, sealed.segment.epoch] = sealed.order
        if batch.has_journal:
            self.model.locks = ring.durable_locks
            self.model.gaps = dict(ring.gaps)
            self.model.may_lack_index = ring.is_index_lost
        self._settle_erasing()
        self.waiting = batch.waiting
        self.step_rebuild()

    def _settle_erasing(self) -> None:
        assert self.started is not None
        ring = self.started.ring
        if ring.eraser.is_settled:
            assert not ring.eraser.faults
            is_withdrawn, ring.eraser.returned_bytes = ring.eraser.returned_bytes > 0, 0
            self.model.settle_erasing(ring.locks, is_withdrawn=is_withdrawn)

    def write(self, chunks: list[FakeChunk]) -> Batch[FakeChunk]:
        """The part of a tick that the disk sees."""
        assert self.started is not None
        ring = self.started.ring
        batch = ring.plan((c, again(c)) for c in [*self.waiting, *chunks])
        if batch.refused:
            raise Broken(f"1: refused {batch.refused}")
        self._judge_reuse(batch)
        outcome = batch.run()
        if outcome.errno:
            raise DiskFailed(outcome.sentence())
        return batch

    def _judge_reuse(self, batch: Batch[FakeChunk]) -> None:
        """Promises 5 and 7, before anything is written: never what is locked, never an epoch again,
        and the oldest first.
        """
        assert self.started is not None
        taken = {spare.number for spare in batch.reserved}
        lives = {where[:2] for where in self.model.durable.values()} - self.model.given_up
        locks = self.started.ring.locks
        for life in [life for life in lives if life[0] in taken]:
            if self.model.is_locked(life, locks):
                raise Broken(f"5: segment {life[0]} is locked and was taken")
            order = self.model.sealed.get(life)
            for other in [o for o in lives if o[0] not in taken and order is not None]:
                if self.started.ring.eraser.holds(other[1]):
                    continue
                is_older = self.model.sealed.get(other, 1 << 64) < (order or 0)
                if is_older and not self.model.may_be_pinned(other, locks):
                    raise Broken(f"7: segment {life[0]} was taken before {other[0]}, sealed before")
            self.model.given_up.add(life)
        for spare in batch.reserved:
            if spare.epoch in self.model.opened:
                raise Broken(f"7: epoch {spare.epoch} is given a second time")
        for opened in batch.opened:
            assert self.started is not None
            epoch = self.started.ring.open[opened.number].epoch
            if self.model.opened.setdefault(epoch, opened.number) != opened.number:
                raise Broken(f"7: epoch {epoch} is used in two segments")

    def commit(self) -> None:
        assert self.started is not None
        ring = self.started.ring
        if not ring.can_commit:
            return
        frozen = ring.freeze()
        try:
            ring.archive.index.commit(frozen)
        except StorageError:
            ring.commit_failed()
            self.model.may_lack_index = True
        else:
            ring.committed(frozen)

    def step_rebuild(self) -> None:
        assert self.started is not None
        for _ in range(6):
            if self.started.rebuild is not None and not self.started.rebuild.step():
                self.started.rebuild = None
                self.started.ring.rebuilt()
                self.model.sealed.clear()  # from here on the order of opening counts
                self.commit()

    def rebuild_offline(self) -> None:
        """As `disk rebuild` does, while nobody records."""
        self.let_go()
        self.model.may_lack_index = True
        rebuild(self.folder, BOX)
        self.model.sealed.clear()

    def lock(self, chance: random.Random) -> None:
        """Two seconds of what is durable; nobody is told before the tick is over."""
        assert self.started is not None
        gone = self.model.erasing | self.model.erased
        keys = [
            key
            for key, where in self.model.durable.items()
            if where[:2] not in self.model.given_up and key not in gone
        ]
        if keys and len(self.model.locks) < 2:
            key = chance.choice(keys)
            from_ns = self.model.made[key].start_ns
            number = len(self.model.locks).to_bytes(16, "big")
            lock = Lock(number, key[0], from_ns, from_ns + 2 * SECOND_NS)
            self.started.ring.hold((*self.started.ring.locks, lock))

    def erase(self, chance: random.Random) -> None:
        """The front of a sealed segment has expired."""
        assert self.started is not None
        ring = self.started.ring
        self._settle_erasing()  # a commit may have been the last of the wish before
        lives = {w[:2] for w in self.model.durable.values()} - self.model.given_up
        for number, epoch in sorted(lives):
            row = ring.archive.segment(number)
            if row is None or (row.state, row.epoch) != (SegmentState.SEALED, epoch):
                continue
            if ring.can_commit and ring.eraser.is_settled and ring.is_filed(number):
                rows = ring.archive.rows_of_segment(number, row)
                rows = rows[: chance.randrange(1, max(len(rows), 2))]
                if not self.model.may_be_pinned((number, epoch), ring.locks):
                    ring.eraser.wish(number, epoch, rows, Rule("expired", 1, "default"))
                    self.model.erasing |= {(row.stream, r.run, r.sequence) for r in rows}
                    return

    def open_gap(self, chance: random.Random) -> None:
        """A stream stops; its next run will name the gap."""
        assert self.started is not None
        stream = chance.choice(self.streams)
        if stream.stream not in self.stopped and stream.sequence:
            gap = OpenGap(stream.camera, stream.stream, stream.wall_ns, 2)
            self.started.ring.open_gap(gap)
            self.stopped.add(stream.stream)

    def judge(self) -> list[Key]:
        """Compares the disk with the model. Broken, or what was found."""
        return judge(self.folder, self.streams, self.model)

    def loss_s(self, found: Iterable[Key]) -> int:
        """The most seconds of a stream that were made since the last cut and are not there."""
        there = set(found)
        lost: dict[bytes, set[int]] = {}
        for key in self.model.recent:
            if key not in there and key not in self.model.durable:
                lost.setdefault(key[0], set()).add(self.model.made[key].second)
        return max(map(len, lost.values()), default=0)
