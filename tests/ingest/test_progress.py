"""What a run's first claim says of the gap before it."""

from __future__ import annotations

from vonggac.ingest.progress import Opening, Progress
from vonggac.media.chunk import GapReason

S = 1_000_000_000


def test_a_stream_that_never_recorded_has_no_predecessor() -> None:
    assert Progress().begin(7, 100 * S) == Opening(0, GapReason.UNKNOWN, 0)


def test_a_first_try_that_fails_begins_the_gap() -> None:
    one = Progress()

    assert one.stopped(GapReason.CAMERA_OFF, 100 * S)
    assert not one.stopped(GapReason.CAMERA_OFF, 110 * S)
    assert one.begin(7, 120 * S) == Opening(0, GapReason.CAMERA_OFF, 100 * S)


def test_an_earlier_life_without_an_open_gap_reads_box_stopped() -> None:
    one = Progress()
    one.known(5, 100 * S, None, False, now_ns=500 * S)

    assert one.begin(7, 501 * S) == Opening(5, GapReason.BOX_STOPPED, 100 * S)


def test_a_gap_of_the_journal_goes_on() -> None:
    one = Progress()
    one.known(5, 100 * S, (100 * S, int(GapReason.REFUSED)), False, now_ns=500 * S)

    assert one.begin(7, 501 * S) == Opening(5, GapReason.REFUSED, 100 * S)


def test_a_gap_begins_where_the_run_ended() -> None:
    one = Progress()
    one.begin(7, 100 * S)
    one.durable(7, 109 * S, False)
    one.ended(7, 10, 110 * S)

    assert one.stopped(GapReason.NETWORK, 115 * S)
    assert one.begin(8, 120 * S) == Opening(7, GapReason.NETWORK, 110 * S)


def test_a_run_that_kept_nothing_leaves_its_gap_open() -> None:
    one = Progress()
    one.begin(7, 100 * S)
    one.durable(7, 110 * S, False)
    one.stopped(GapReason.NETWORK, 110 * S)
    one.begin(8, 120 * S)
    one.ended(8, 0, 0)
    one.stopped(GapReason.NO_VIDEO, 121 * S)

    assert one.begin(9, 122 * S) == Opening(7, GapReason.NETWORK, 110 * S)


def test_what_a_keeper_says_again_of_an_old_run_changes_nothing() -> None:
    one = Progress()
    one.begin(7, 100 * S)
    one.durable(7, 110 * S, False)
    one.stopped(GapReason.DISK, 111 * S)
    one.known(5, 90 * S, None, False, now_ns=112 * S)

    assert one.begin(8, 120 * S) == Opening(7, GapReason.DISK, 110 * S)


def test_recorded_time_adds_up_over_runs() -> None:
    one = Progress()
    one.begin(7, 100 * S)
    one.durable(7, 101 * S, False)
    one.durable(7, 110 * S, False)
    one.stopped(GapReason.NETWORK, 115 * S)
    one.begin(8, 120 * S)
    one.durable(8, 121 * S, False)
    one.durable(8, 124 * S, False)

    assert one.recorded_ns == 12 * S


def test_a_run_that_keeps_nothing_leaves_its_gap_open() -> None:
    one = Progress()
    one.begin(7, 100 * S)
    one.durable(7, 110 * S, False)
    one.stopped(GapReason.CRASHES, 111 * S)
    assert one.is_gap_open
    one.begin(8, 112 * S)
    assert one.is_gap_open
    one.durable(8, 113 * S, False)
    assert not one.is_gap_open


def test_a_run_that_goes_on_as_another_has_no_gap_and_counts_on() -> None:
    """The box's clock was set back by an hour: times of the two have nothing to do with each
    other."""
    hour, now = 3600 * S, 9000 * S
    one = Progress()
    one.stopped(GapReason.BOX_STOPPED, now)
    one.begin(7, now)
    one.durable(7, now + S, False)
    one.durable(7, now + 4 * S, False)
    one.durable(8, now - hour + 5 * S, False)  # a keeper may tell before the loop does
    assert one.recorded_ns == 3 * S
    one.went_on(8)
    assert not one.is_gap_open and one.gap is None
    one.durable(8, now - hour + 6 * S, False)
    one.durable(8, now - hour + 8 * S, False)
    assert one.recorded_ns == 5 * S
    one.stopped(GapReason.NETWORK, now - hour + 9 * S)
    assert one.gap is not None
    assert (one.gap.start_ns, one.gap.predecessor) == (now - hour + 8 * S, 8)
