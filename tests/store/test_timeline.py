"""Ranges and gaps with their reasons; leases; the order of layers of the index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from store.maker import START_NS
from vonggac._native import segment as native
from vonggac.errors import Refused
from vonggac.media.chunk import GapReason, PackedRow, Row
from vonggac.store.index import Index, Table, create
from vonggac.store.index_values import RunRow
from vonggac.store.lease import LEASE_MS, LEASES_MAX, Leases
from vonggac.store.timeline import Gap, Range, Tail, Timeline, explain, timeline, timeline_of_runs

S = 1_000_000_000


def rows(run: int, start_s: float, count: int, step_s: float = 1.0, shown_s: float = 1.0) -> bytes:
    """Chunks of a run; `shown_s`: what their media durations claim."""
    made = [
        PackedRow(
            1,
            5,
            Row(
                offset=4096 * (n + 1),
                chunk_bytes=4096,
                moof_bytes=100,
                first_sample_end=900,
                wall_start_ns=START_NS + int((start_s + n * step_s) * S),
                wall_end_ns=START_NS + int((start_s + (n + 1) * step_s) * S),
                duration_ticks=int(shown_s * 90_000),
                samples=25,
                flags=0,
                kind=1,
                run=run,
                sequence=n,
            ),
        )
        for n in range(count)
    ]
    return native.rows_pack(made)


def run_of(run: int, start_s: float, end_s: float, reason: int = 0) -> RunRow:
    start_ns, end_ns = START_NS + int(start_s * S), START_NS + int(end_s * S)
    return RunRow(run, start_ns, end_ns, 0, run - 1, reason, 0)


def ask(
    packed: Sequence[bytes], runs: Sequence[RunRow], from_s: float, to_s: float, tail: Tail
) -> Timeline:
    from_ns, to_ns = START_NS + int(from_s * S), START_NS + int(to_s * S)
    return timeline(packed, runs, from_ns, to_ns, tail)


def at(second: float) -> int:
    return START_NS + int(second * S)


RUNNING = Tail(at(10), at(11), is_keeper_running=True)


def test_a_stream_being_recorded_has_no_gap_at_its_end() -> None:
    line = ask([rows(1, 0, 10)], [run_of(1, 0, 10)], 0, 60, RUNNING)
    assert line.ranges == (Range(at(0), at(10), 250, 40_960),) and line.gaps == ()


def test_a_camera_that_claims_25_and_sends_21_leaves_no_phantom_gap() -> None:
    packed = [rows(1, 0, 8, step_s=25 / 21)]
    line = ask(packed, [run_of(1, 0, 9.5)], 0, 60, RUNNING)
    assert len(line.ranges) == 1 and line.gaps == ()


def test_a_gap_has_the_reason_of_the_run_that_ends_it() -> None:
    runs = [run_of(1, 0, 3), run_of(2, 7, 10, GapReason.CAMERA_OFF)]
    line = ask([rows(1, 0, 3), rows(2, 7, 3)], runs, 0, 60, RUNNING)
    assert line.gaps == (Gap(at(3), at(7), GapReason.CAMERA_OFF),)


def test_a_gap_that_is_still_open_has_the_journals_reason_and_ends_now() -> None:
    tail = Tail(at(3), at(40), (at(3), GapReason.NETWORK), is_keeper_running=True)
    line = ask([rows(1, 0, 3)], [run_of(1, 0, 3)], 0, 60, tail)
    assert line.gaps == (Gap(at(3), at(40), GapReason.NETWORK),)


def test_without_a_keeper_the_rest_reads_box_stopped() -> None:
    line = ask([rows(1, 0, 3)], [run_of(1, 0, 3)], 0, 60, Tail(at(3), at(40)))
    assert line.gaps == (Gap(at(3), at(40), GapReason.BOX_STOPPED),)


def test_a_gap_without_any_reason_reads_unknown() -> None:
    runs = [run_of(1, 0, 3), run_of(2, 7, 10)]
    line = ask([rows(1, 0, 3), rows(2, 7, 3)], runs, 0, 60, RUNNING)
    assert [gap.reason for gap in line.gaps] == [GapReason.UNKNOWN]


def test_nobody_explains_but_a_keeper_began_in_between() -> None:
    runs = [run_of(1, 0, 3), run_of(2, 7, 10), run_of(3, 12, 13)]
    explained = explain(runs, [(at(-5), at(3)), (at(6), at(20))])
    assert [r.gap_reason for r in explained] == [
        GapReason.UNKNOWN,
        GapReason.BOX_STOPPED,
        GapReason.UNKNOWN,
    ]


def test_the_end_of_the_question_amid_a_gap_takes_the_reason_of_the_later_run() -> None:
    runs = [run_of(1, 0, 3), run_of(2, 7, 10, GapReason.PAUSED)]
    line = ask([rows(1, 0, 3)], runs, 0, 5, Tail(at(10), at(60), is_keeper_running=True))
    assert line.gaps == (Gap(at(3), at(5), GapReason.PAUSED),)


def test_runs_alone_give_the_same_gaps_as_rows() -> None:
    runs = [run_of(1, 0, 3), run_of(2, 7, 10, GapReason.CAMERA_OFF)]
    by_rows = ask([rows(1, 0, 3), rows(2, 7, 3)], runs, -20, 60, RUNNING)
    by_runs = timeline_of_runs(runs, at(0), at(-20), at(60), RUNNING)
    assert by_runs.gaps == by_rows.gaps
    assert [(r.from_ns, r.to_ns) for r in by_runs.ranges] == [(at(0), at(3)), (at(7), at(10))]


def test_what_of_a_run_was_recycled_is_not_shown_as_recorded() -> None:
    line = timeline_of_runs([run_of(1, 0, 10)], at(6), at(-20), at(60), RUNNING)
    assert [(r.from_ns, r.to_ns) for r in line.ranges] == [(at(6), at(10))]
    assert timeline_of_runs([run_of(1, 0, 10)], None, at(-20), at(60), RUNNING).ranges == ()


def test_a_lease_runs_out_is_renewed_and_checks_the_epoch() -> None:
    leases = Leases()
    lease = leases.take(3, 7, now_ms=0)
    assert leases.holds(3, 7) and not leases.holds(3, 8)
    leases.renew(lease, 7, now_ms=LEASE_MS - 1)
    leases.renew(lease, 7, now_ms=2 * LEASE_MS - 2)
    with pytest.raises(Refused, match="given up"):
        leases.renew(lease, 8, now_ms=2 * LEASE_MS)
    with pytest.raises(Refused, match="run out"):
        leases.renew(lease, 7, now_ms=2 * LEASE_MS)
    short = leases.take(3, 8, now_ms=0)
    with pytest.raises(Refused, match="run out"):
        leases.renew(short, 8, now_ms=LEASE_MS)


def test_there_are_only_so_many_leases() -> None:
    leases = Leases()
    for number in range(LEASES_MAX):
        leases.take(number, 1, now_ms=0)
    with pytest.raises(Refused):
        leases.take(99, 1, now_ms=1)
    leases.take(99, 1, now_ms=LEASE_MS)


def test_the_index_shows_changes_before_during_and_after_their_commit(tmp_path: Path) -> None:
    size = 1 << 20
    create(tmp_path / "index", bytes(16), size)
    index = Index.open(tmp_path / "index", bytes(16), size, writable=True)

    def shown() -> list[tuple[bytes, bytes]]:
        return list(index.items(Table.RUNS, b"", b"\xff"))

    index.put(Table.RUNS, b"b", b"1")
    index.put(Table.RUNS, b"d", b"1")
    index.commit_now(0, 0)
    index.put(Table.RUNS, b"a", b"2")
    index.put(Table.RUNS, b"b", b"2")
    index.delete(Table.RUNS, b"d")
    frozen = index.freeze(0, 0)
    index.put(Table.RUNS, b"c", b"3")
    index.delete(Table.RUNS, b"a")
    expected = [(b"b", b"2"), (b"c", b"3")]
    assert shown() == expected and index.get(Table.RUNS, b"a") is None
    index.commit(frozen)
    assert shown() == expected
    index.settle()
    assert shown() == expected and index.get(Table.RUNS, b"d") is None
    index.close()
