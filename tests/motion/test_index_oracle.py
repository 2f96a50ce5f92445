"""Whatever happens to the index, it answers as boolean arrays would that are looked through."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vonggac.motion import region
from vonggac.motion.block import BLOCK_SECONDS
from vonggac.motion.episodes import Episode, Found
from vonggac.motion.heat import heat_of_day
from vonggac.motion.index import MotionIndex
from vonggac.motion.query import DAY_SECONDS, Ask, Coarse, Query, windows
from vonggac.motion.slots import Slot, Tier, active_cells, cells_of

MIDNIGHT = 20_780 * DAY_SECONDS
SPAN = 3 * BLOCK_SECONDS
"""Three blocks on either side of a midnight."""
STREAMS = (b"a" * 16, b"b" * 16)


class Truth:
    """One stream: a bool for each second and cell, the tier of each second, its globalness."""

    def __init__(self) -> None:
        self.cells = np.zeros((2 * SPAN, 2304), dtype=bool)
        self.tiers = np.zeros(2 * SPAN, dtype=int)
        self.globals = np.zeros(2 * SPAN, dtype=bool)

    def add(self, slot: Slot) -> None:
        at = slot.second - MIDNIGHT + SPAN
        if self.tiers[at] and self.tiers[at] < slot.tier:
            return
        if self.tiers[at] > slot.tier:
            self.cells[at] = False
            self.globals[at] = False
        self.tiers[at] = slot.tier
        self.cells[at, active_cells(slot.cells)] = True
        self.globals[at] |= slot.is_global

    def forget(self, from_s: int, to_s: int) -> None:
        part = slice(max(from_s - MIDNIGHT + SPAN, 0), max(to_s - MIDNIGHT + SPAN, 0))
        self.cells[part] = False
        self.tiers[part] = 0
        self.globals[part] = False

    def merge(self, other: Truth) -> None:
        """What another stream tells of the same picture: the better tier, or both."""
        for at in np.flatnonzero(other.tiers):
            if not self.tiers[at] or other.tiers[at] <= self.tiers[at]:
                is_same = other.tiers[at] == self.tiers[at]
                self.cells[at] = other.cells[at] | (self.cells[at] & is_same)
                self.tiers[at] = other.tiers[at]

    def counts(self, mask: bytes) -> NDArray[np.int64]:
        wanted = np.zeros(2304, dtype=bool)
        wanted[active_cells(mask)] = True
        return (self.cells & wanted).sum(axis=1)

    def episodes(self, query: Query, mask: bytes) -> list[Episode]:
        """The slow way: second by second."""
        counts = self.counts(mask)
        hits = [
            at
            for start, end in windows(query)
            for at in range(2 * SPAN)
            if start <= at + MIDNIGHT - SPAN < end and counts[at] >= query.at_least
        ]
        groups: list[list[int]] = []
        for at in hits:
            if groups and at - groups[-1][-1] - 1 <= query.gap_s:
                groups[-1].append(at)
            else:
                groups.append([at])
        return [self._episode(group, counts) for group in groups]

    def _episode(self, group: list[int], counts: NDArray[np.int64]) -> Episode:
        most = max(group, key=lambda at: (counts[at], -at))
        starts_s = MIDNIGHT - SPAN
        return Episode(
            starts_s + group[0],
            starts_s + group[-1] + 1,
            starts_s + most,
            int(counts[most]),
            Tier(max(self.tiers[group])),
            bool(self.globals[group].all()),
        )


@st.composite
def slots(draw: st.DrawFn) -> list[Slot]:
    """Some seconds in a row, from anywhere: the clock may have been set back."""
    first = draw(st.integers(-SPAN, SPAN - 1))
    seconds = min(draw(st.sampled_from([1, 3, 130, 260])), SPAN - first)
    tier = draw(st.sampled_from(Tier))
    rng = random.Random(draw(st.integers(0, 1000)))
    share = draw(st.sampled_from([0.0, 0.05, 0.6]))
    made = []
    for second in range(first, first + seconds):
        few = rng.sample(range(2304), rng.choice([1, 3, 40])) if rng.random() < share else []
        is_global = rng.random() < 0.02
        made.append(Slot(MIDNIGHT + second, cells_of(few), tier, is_global))
    return made


ranges = st.tuples(st.integers(-SPAN, SPAN), st.integers(1, 2 * SPAN)).map(
    lambda r: (MIDNIGHT + r[0], MIDNIGHT + r[0] + r[1])
)
deeds = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(STREAMS), slots()),
    st.tuples(st.just("forget"), st.sampled_from(STREAMS), ranges),
    st.tuples(st.sampled_from(["flush", "compact", "step", "restart", "crash"])),
)
lonely = st.tuples(
    st.just("add"),
    st.sampled_from(STREAMS),
    st.integers(-SPAN, SPAN - 1).map(
        lambda at: [Slot(MIDNIGHT + at, cells_of(range(0, 2304, 7)), Tier.FULL)]
    ),
)
"""A second in which something moves everywhere, mostly the only one of its block."""
shapes = st.sampled_from(
    [
        region.EVERYWHERE,
        region.rectangle(0, 0, 0.5, 0.5),
        region.rectangle(0.3, 0.4, 0.3, 0.59),
        region.rectangle(0.99, 0.99, 0.01, 0.01),
        region.polygon([(0.1, 0.1), (0.9, 0.2), (0.4, 0.9)]),
    ]
)
queries = st.builds(
    Query,
    asks=st.tuples(st.builds(Ask, st.just(STREAMS[0]), shapes),
                   st.builds(Ask, st.just(STREAMS[1]), shapes)),
    from_s=st.integers(MIDNIGHT - SPAN - 5, MIDNIGHT),
    to_s=st.integers(MIDNIGHT + 1, MIDNIGHT + SPAN + 5),
    at_least=st.sampled_from([1, 2, 20]),
    hours=st.sampled_from([None, (23 * 3600, 60), (30, 0), (86_300, 86_400)]),
    gap_s=st.sampled_from([0, 2, 150]),
)  # fmt: skip


@contextmanager
def reopened(folder: Path) -> Iterator[list[MotionIndex]]:
    """The index of a folder in a list, in which another may take its place."""
    held = [MotionIndex(folder, max_bytes=1 << 30)]
    try:
        yield held
    finally:
        held[0].close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
@given(st.lists(deeds, min_size=1, max_size=7), st.lists(queries, min_size=1, max_size=3))
def test_a_search_finds_what_looking_through_all_seconds_finds(
    done: list[tuple[object, ...]], asked: list[Query]
) -> None:
    truths = {stream: Truth() for stream in STREAMS}
    with TemporaryDirectory() as folder, reopened(Path(folder)) as held:
        for deed in done:
            act(held, truths, deed, Path(folder))
        for query in asked:
            check(held[0], truths, query)
        for stream, truth in truths.items():
            known = np.zeros(2 * SPAN, dtype=int)
            for part in held[0].covered(stream, MIDNIGHT - SPAN, MIDNIGHT + SPAN):
                start = MIDNIGHT - SPAN
                known[part.from_s - start : part.to_s - start] = part.tier
            assert (known == truth.tiers).all()
            heat = heat_around_midnight(held[0], {stream: 0}, 100, 77)
            assert heat == truth.cells[SPAN - 100 : SPAN + 77].sum(axis=0).tolist()
        one, other = (truths[stream] for stream in STREAMS)
        both = heat_around_midnight(
            held[0], dict(zip(STREAMS, (0, MIDNIGHT - 50), strict=True)), 99, 5
        )
        other.forget(0, MIDNIGHT - 50)
        one.merge(other)
        assert both == one.cells[SPAN - 99 : SPAN + 5].sum(axis=0).tolist()


def heat_around_midnight(
    index: MotionIndex, begins_s: dict[bytes, int], before: int, behind: int
) -> list[int]:
    from_s, to_s = MIDNIGHT - before, MIDNIGHT + behind
    days = (MIDNIGHT // DAY_SECONDS - 1, MIDNIGHT // DAY_SECONDS)
    one, next_one = (heat_of_day(index, begins_s, day, from_s, to_s) for day in days)
    return [a + b for a, b in zip(one, next_one, strict=True)]


def act(
    held: list[MotionIndex], truths: dict[bytes, Truth], deed: tuple[object, ...], folder: Path
) -> None:
    match deed:
        case ("add", bytes(stream), list(told)):
            held[0].add(stream, told)
            for slot in told:
                truths[stream].add(slot)
        case ("forget", bytes(stream), (int(from_s), int(to_s))):
            held[0].forget(stream, from_s, to_s)
            truths[stream].forget(from_s, to_s)
        case ("flush",):
            held[0].flush()
        case ("compact",):
            assert held[0].compact() == []
        case ("step",):
            held[0].compact_step()
        case ("restart",):
            held[0].close()
            held[0] = MotionIndex(folder, max_bytes=1 << 30)
        case ("crash",):  # nothing is written any more; what was open is not to be lost here
            held[0].flush()
            held[0] = MotionIndex(folder, max_bytes=1 << 30)


def check(index: MotionIndex, truths: dict[bytes, Truth], query: Query) -> None:
    answers = list(index.search(query))
    coarse = [answer for answer in answers if isinstance(answer, Coarse)]
    found = [answer for answer in answers if isinstance(answer, Found)]
    assert answers == [*coarse, *found]

    wanted = [
        Found(ask.stream, episode)
        for ask in query.asks
        for episode in truths[ask.stream].episodes(query, ask.mask)
    ]
    begins = [found_one.episode.from_s for found_one in found]
    assert begins == sorted(begins, reverse=True)
    assert set(found) == set(wanted) and len(found) == len(wanted)

    spans = windows(query)
    told = [(one.stream, span) for one in coarse for span in one.ranges]
    assert all(any(start <= s and e <= end for start, end in spans) for _, (s, e) in told)
    for one in wanted:
        second = one.episode.strongest_s
        block_s = second // BLOCK_SECONDS * BLOCK_SECONDS
        if any(start <= block_s and block_s + BLOCK_SECONDS <= end for start, end in spans):
            assert any(one.stream == stream and s <= second < e for stream, (s, e) in told)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
@given(st.lists(st.one_of(lonely, lonely, deeds), min_size=1, max_size=5), queries, st.booleans())
def test_no_answer_tells_what_moved_outside_of_the_range_and_hours_that_were_asked(
    done: list[tuple[object, ...]], query: Query, is_filed: bool
) -> None:
    """The same search of an index in which nothing ever moved there has the same answers."""
    if is_filed:
        done = [*done, ("flush",), ("compact",)]
    told = []
    for deeds_done in (done, [still_outside_of(windows(query), deed) for deed in done]):
        with TemporaryDirectory() as folder, reopened(Path(folder)) as held:
            for deed in deeds_done:
                act(held, {stream: Truth() for stream in STREAMS}, deed, Path(folder))
            told.append(set(held[0].search(query)))
    assert told[0] == told[1]


def still_outside_of(
    spans: tuple[tuple[int, int], ...], deed: tuple[object, ...]
) -> tuple[object, ...]:
    """The same deed, but outside of these ranges nothing moved."""
    match deed:
        case ("add", stream, list(told)):
            return (
                "add",
                stream,
                [
                    slot
                    if any(start <= slot.second < end for start, end in spans)
                    else Slot(slot.second, cells_of([]), slot.tier)
                    for slot in told
                ],
            )
    return deed
