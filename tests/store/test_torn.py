"""A power cut in a tick: of its blocks any may have reached the disk, in any order.

The model beside the ring is a list of what was acknowledged. Hypothesis chooses what happens.
"""

from __future__ import annotations

import os
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.maker import Bench, FakeChunk, FakeStream, again, make_disk
from vonggac._native import segment as native
from vonggac.store.batch import Batch
from vonggac.store.check import check
from vonggac.store.start import open_for_reading

BLOCK = 4096
Key = tuple[bytes, int, int]

STEPS = st.one_of(
    st.tuples(st.just("tick"), st.integers(1, 3), st.sampled_from([3_000, 700_000, 3_500_000])),
    st.tuples(st.just("commit"), st.just(0), st.just(0)),
    st.tuples(st.just("crash"), st.just(0), st.just(0)),
    st.tuples(st.just("cut"), st.integers(0, 2**32), st.integers(0, 100)),
    st.tuples(st.just("run"), st.integers(0, 2), st.integers(-3600, 3600)),
)


@dataclass(slots=True)
class World:
    where: Path
    bench: Bench
    streams: list[FakeStream]
    runs: int = 3
    durable: dict[Key, tuple[int, int]] = field(default_factory=dict)
    """Acknowledged: (segment, epoch) it lies in."""
    was_cut: bool = False
    waiting: list[FakeChunk] = field(default_factory=list)

    def plan(self, chunks: list[FakeChunk]) -> Batch[FakeChunk]:
        return self.bench.ring.plan((c, again(c)) for c in [*self.waiting, *chunks])

    def tick(self, chunks: list[FakeChunk]) -> None:
        batch = self.plan(chunks)
        assert batch.run().errno == 0
        assert not batch.refused
        self.bench.ring.finish(batch)
        for placed in batch.placed:
            claim = placed.claim
            key = (claim.stream, claim.run, claim.sequence)
            self.durable[key] = (placed.segment, placed.epoch)
        self.waiting = batch.waiting

    def cut(self, chunks: list[FakeChunk], seed: int, percent: int) -> None:
        """The power goes in the middle of the writes; then nothing is left but the disk."""
        batch = self.plan(chunks)
        chance = random.Random(seed)
        for fd, offset, parts in batch.writes:
            data = b"".join(bytes(part) for part in parts)
            for at in range(0, len(data), BLOCK):
                if chance.randrange(100) < percent:
                    os.pwrite(fd, data[at : at + BLOCK], offset + at)
        for spare in batch.zeros:
            if chance.randrange(100) < percent:
                os.pwrite(spare.fd, bytes(1 << 20), 0)
        self.was_cut = True
        self.waiting = batch.waiting + batch.durable  # the arena outlives a keeper, not a cut
        self.reopen()

    def reopen(self) -> None:
        self.bench.crash()
        self.verify()
        self.bench = Bench.open(self.where)
        if self.was_cut:
            # What was in the arenas is gone with the power: the streams begin new runs.
            for stream in self.streams:
                self.begin(stream, 1)
            self.waiting = []

    def begin(self, stream: FakeStream, step_s: int) -> None:
        self.runs += 1
        stream.begin(self.runs, stream.wall_ns + step_s * 10**9)

    def verify(self) -> None:
        reading = open_for_reading(self.where)
        rows = dict(reading.archive.segments())
        found: list[Key] = []
        for stream in self.streams:
            for value in reading.archive.packed_minutes(stream.stream, 0, 1 << 62):
                found += [
                    (stream.stream, r.row.run, r.row.sequence) for r in native.rows_unpack(value)
                ]
        reading.close()
        assert len(found) == len(set(found))
        kept = {k for k, (number, epoch) in self.durable.items() if rows[number].epoch == epoch}
        assert kept <= set(found), sorted(kept - set(found))
        assert len(rows) == reading.disk.identity.segments
        made = {(s.stream, run, n): sha256 for s in self.streams for run, n, sha256 in s.sent}
        assert set(found) <= set(made)
        problems = check(self.where, is_deep=True).problems
        # A cut may tear a hole between two chunks that were never acknowledged, and payloads.
        allowed = ("no chunk", "follows", "does not have its hash") if self.was_cut else ()
        assert [p for p in problems if not any(a in p.what for a in allowed)] == []


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(STEPS, min_size=8, max_size=30))
def test_what_was_acknowledged_is_there_whatever_a_cut_tears(
    steps: list[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "disk"
        make_disk(where)
        streams = [FakeStream(number) for number in range(3)]
        world = World(where, Bench.open(where), streams)
        for number, stream in enumerate(streams):
            stream.begin(number + 1)
        for what, first, second in steps:
            if what == "tick":
                world.tick([stream.chunk(second) for stream in streams[:first]])
            elif what == "commit":
                world.bench.commit()
            elif what == "run":
                world.begin(streams[first], second)
            elif what == "crash":
                world.reopen()
            else:
                world.cut([stream.chunk(200_000) for stream in streams], first, second)
        world.reopen()
        world.bench.crash()
