"""A stream that was moved from one disk to another is read as one, each chunk once and whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.maker import START_NS, Bench, FakeStream, again, make_disk
from vonggac._native import segment as native
from vonggac.errors import Refused, Unavailable
from vonggac.media.chunk import ChunkFlag, PackedRow, Row
from vonggac.playback.once import in_time, once
from vonggac.store.timeline import Tail, timeline
from vonggac_appliance import footage

SECOND_NS = 1_000_000_000
MINUTE = 60
FAR_NS = 1 << 62


def row(sequence: int, run: int = 7, flags: int = 0, segment: int = 1) -> PackedRow:
    start_ns = START_NS + sequence * SECOND_NS
    return PackedRow(
        segment,
        1,
        Row(
            offset=4096 * (1 + sequence),
            chunk_bytes=4096,
            moof_bytes=200,
            first_sample_end=900,
            wall_start_ns=start_ns,
            wall_end_ns=start_ns + SECOND_NS,
            duration_ticks=90_000,
            samples=10,
            flags=flags,
            run=run,
            sequence=sequence,
            kind=1 if sequence % 2 == 0 else 0,
        ),
    )


def packed(rows: list[PackedRow]) -> list[bytes]:
    """A value a minute, as an index keeps them."""
    minutes: dict[int, list[PackedRow]] = {}
    for one in rows:
        minutes.setdefault(one.row.wall_start_ns // (MINUTE * SECOND_NS), []).append(one)
    return [native.rows_pack(value) for value in minutes.values()]


def names(values: list[bytes]) -> list[tuple[int, int]]:
    return [(p.row.run, p.row.sequence) for value in values for p in native.rows_unpack(value)]


@given(
    st.lists(st.integers(0, 200), unique=True).map(sorted),
    st.lists(st.integers(0, 200), unique=True).map(sorted),
    st.sets(st.integers(0, 200)),
)
def test_each_chunk_stands_once_and_a_whole_one_before_a_broken_one(
    first: list[int], second: list[int], broken: set[int]
) -> None:
    disks = [
        packed([row(n, flags=int(ChunkFlag.BROKEN) if n in broken else 0) for n in first]),
        packed([row(n, segment=2) for n in second]),
    ]
    one, two = once(disks, 0, FAR_NS)

    assert sorted(names(one) + names(two)) == [(7, n) for n in sorted({*first, *second})]
    twice = {*first} & {*second}
    assert not {n for _, n in names(one)} & twice & broken


def test_what_does_not_overlap_is_given_as_it_is() -> None:
    disks = [packed([row(n) for n in range(100)]), packed([row(n) for n in range(100, 200)])]
    assert once(disks, 0, FAR_NS) == disks


@dataclass
class Moved:
    """A stream of 13 s: 0 to 7 on the first disk, of which 7 has rotted; 5 to 12 on the second."""

    disks: list[tuple[Path, bytes]]
    stream: FakeStream


@pytest.fixture
def moved(tmp_path: Path) -> Moved:
    stream = FakeStream(1)
    stream.begin(7)
    chunks = [stream.chunk() for _ in range(13)]
    disks = []
    for name, own in (("one", chunks[:8]), ("two", chunks[5:])):
        disks.append((tmp_path / name, make_disk(tmp_path / name).disk))
        bench = Bench.open(tmp_path / name)
        bench.prime(1)
        for chunk in own:
            bench.tick([again(chunk)])
        (open_segment,) = bench.ring.open.values()
        rotten = bench.disk.segment_path(open_segment.number)
        last = open_segment.rows()[-1]
        bench.crash()
        if name == "one":  # it hung while it wrote this, and its arena held something else by then
            with rotten.open("r+b") as file:
                file.seek(last.offset + 20_000)
                file.write(b"another chunk")
    return Moved(disks, stream)


def test_a_moved_stream_is_one_range_without_a_gap(moved: Moved, tmp_path: Path) -> None:
    line = footage.timeline_of(tmp_path, moved.disks, moved.stream.stream, 0, FAR_NS)

    ((from_ns, to_ns, frames),) = [(r.from_ns, r.to_ns, r.frames) for r in line.ranges]
    assert (from_ns, to_ns, frames) == (START_NS, START_NS + 13 * SECOND_NS, 130)


def test_a_moved_stream_is_cut_whole(moved: Moved, tmp_path: Path) -> None:
    out = tmp_path / "cut.mp4"
    stream = moved.stream
    report = footage.cut(tmp_path, moved.disks, stream.stream, START_NS, stream.wall_ns, b"", out)
    data = out.read_bytes()
    found = []
    at = 0
    while at < len(data):
        view = native.chunk_parse(data, at) if data[at + 4 : at + 8] == b"prft" else None
        if view is None:
            at += int.from_bytes(data[at : at + 4])
            continue
        start = at + view.payload_offset
        found.append(native.sha256(data[start : start + view.claim.video_bytes]))
        at += view.place.chunk_bytes

    assert report.broken == 0 and report.missing == ()
    assert found == [sha256 for _, _, sha256 in stream.sent]


def test_a_disk_that_is_away_hides_nothing_of_the_others(moved: Moved, tmp_path: Path) -> None:
    gone = tmp_path / "two"
    gone.rename(tmp_path / "pulled")
    stream = moved.stream
    found = footage.found_of(tmp_path, moved.disks, stream.stream, START_NS, stream.wall_ns)

    assert [(r.from_ns, r.to_ns) for r in found.line.ranges] == [
        (START_NS, START_NS + 8 * SECOND_NS)
    ]
    assert found.missing == (gone,)
    out = tmp_path / "cut.mp4"
    span = START_NS, START_NS + 3 * SECOND_NS
    assert footage.cut(tmp_path, moved.disks, stream.stream, *span, b"", out).missing == (gone,)

    later = stream.wall_ns + SECOND_NS, stream.wall_ns + 2 * SECOND_NS
    with pytest.raises(Unavailable, match="does not answer"):
        footage.cut(tmp_path, moved.disks, stream.stream, *later, b"", tmp_path / "no")
    with pytest.raises(Refused, match="nothing is recorded"):
        footage.cut(tmp_path, moved.disks[:1], stream.stream, *later, b"", tmp_path / "no")


@pytest.mark.parametrize("is_first_asked_first", [True, False])
@pytest.mark.parametrize("moved_at", [30, 60, 61, 100])
def test_a_run_that_went_to_another_disk_has_no_hole_whichever_is_asked_first(
    moved_at: int, is_first_asked_first: bool
) -> None:
    def guessed(one: PackedRow) -> PackedRow:
        """The last chunk before a tick guesses its end, here 5 ms too early."""
        return replace(one, row=replace(one.row, wall_end_ns=one.row.wall_end_ns - 5_000_000))

    before = packed([*map(row, range(moved_at - 1)), guessed(row(moved_at - 1))])
    after = packed([row(n, segment=2) for n in range(moved_at, 150)])
    disks = [before, after] if is_first_asked_first else [after, before]
    to_ns = START_NS + 150 * SECOND_NS
    values = in_time(once(disks, START_NS, to_ns), START_NS, to_ns)
    line = timeline(values, [], START_NS, to_ns, Tail(to_ns, to_ns))

    assert len(line.ranges) == 1
    assert not line.gaps
