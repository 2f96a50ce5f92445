"""The order of RTP packets that came as datagrams (native/include/vg/rtp_order.h)."""

from __future__ import annotations

from random import Random

import pytest

from vonggac._native.rtp_order import RtpOrder

MS = 1_000_000
WAIT_MS = 50


class Receiver:
    """Pushes packets and lists what is given on, in order."""

    def __init__(self) -> None:
        self.order = RtpOrder()
        self.given: list[int] = []
        self.now_ms = 1

    def push(self, sequence: int, after_ms: int = 1) -> str:
        self.now_ms += after_ms
        sequence &= 0xFFFF
        place = self.order.push(sequence, self.now_ms * MS)
        while place == "full":
            self.given.append(self._must())
            place = self.order.push(sequence, self.now_ms * MS)
        if place == "next":
            self.given.append(sequence)
        self.pull()
        return str(place)

    def _must(self) -> int:
        sequence = self.order.pull(self.now_ms * MS, True)
        assert sequence is not None
        return int(sequence)

    def pull(self) -> None:
        while (sequence := self.order.pull(self.now_ms * MS)) is not None:
            self.given.append(sequence)

    def wait(self, ms: int = 2 * WAIT_MS) -> list[int]:
        self.now_ms += ms
        self.pull()
        return self.given


@pytest.fixture
def receiver() -> Receiver:
    """One that has begun at 100."""
    one = Receiver()
    one.push(100)
    one.wait()
    return one


def test_what_comes_in_order_never_waits(receiver: Receiver) -> None:
    assert [receiver.push(101 + n) for n in range(3000)] == ["next"] * 3000
    assert receiver.given == [(100 + n) & 0xFFFF for n in range(3001)]


def test_a_packet_that_was_overtaken_takes_its_place(receiver: Receiver) -> None:
    assert [receiver.push(n) for n in (103, 102, 101)] == ["hold", "hold", "next"]
    assert receiver.given == [100, 101, 102, 103]


def test_the_first_packets_wait_for_those_they_overtook() -> None:
    receiver = Receiver()
    for sequence in (502, 500, 501, 503):
        assert receiver.push(sequence) == "hold"
    assert receiver.given == []
    assert receiver.wait() == [500, 501, 502, 503]


def test_a_hole_is_given_up_after_50_ms_and_not_before(receiver: Receiver) -> None:
    receiver.push(102)
    assert receiver.wait(WAIT_MS - 1) == [100]
    assert receiver.wait(1) == [100, 102]
    assert receiver.push(103) == "next"


def test_each_hole_has_its_own_50_ms(receiver: Receiver) -> None:
    receiver.push(102)
    receiver.push(104, 30)
    assert receiver.wait(20) == [100, 102]
    assert receiver.wait(30) == [100, 102, 104]


def test_what_comes_twice_or_too_late_is_told_apart(receiver: Receiver) -> None:
    receiver.push(102)
    assert receiver.push(102) == "duplicate"
    receiver.wait()
    assert receiver.push(102) == "duplicate"
    assert receiver.push(101) == "late"
    assert receiver.given == [100, 102]


def test_sequence_numbers_go_round() -> None:
    receiver = Receiver()
    receiver.push(65534)
    receiver.wait()
    for sequence in (0, 65535, 2, 1):
        receiver.push(sequence)
    assert receiver.given == [65534, 65535, 0, 1, 2]


def test_a_long_loss_is_no_new_count(receiver: Receiver) -> None:
    assert receiver.push(101 + 2000) == "next"
    assert receiver.push(101 + 2001) == "next"


def test_without_room_the_oldest_hole_is_given_up_at_once(receiver: Receiver) -> None:
    for sequence in range(102, 102 + 1023):
        assert receiver.push(sequence, 0) == "hold"
    assert receiver.push(102 + 1023, 0) == "hold"
    assert receiver.given == [100, *range(102, 102 + 1024)]


def test_a_single_packet_from_nowhere_changes_nothing(receiver: Receiver) -> None:
    assert receiver.push(30_000) == "odd"
    assert receiver.push(101) == "next"
    assert receiver.push(60_000) == "odd"
    assert receiver.push(102) == "next"


@pytest.mark.parametrize("start", [30_000, 60_000])
def test_a_camera_that_counts_anew_is_followed_from_the_third_packet(
    receiver: Receiver, start: int
) -> None:
    receiver.push(102)  # waits, and is given before what comes of the new count
    assert [receiver.push(start + n) for n in range(5)] == ["odd", "odd", "next", "next", "next"]
    assert receiver.given == [100, 102, start + 2, start + 3, start + 4]


def test_a_camera_that_counts_anew_close_by_is_followed_too() -> None:
    receiver = Receiver()
    for n in range(500):
        receiver.push(1000 + n)
    receiver.wait()
    places = [receiver.push(1100 + n) for n in range(20)]
    assert places == ["duplicate"] * 15 + ["next"] * 5


@pytest.mark.parametrize("seed", range(20))
def test_whatever_arrives_within_50_ms_is_given_once_and_in_order(seed: int) -> None:
    """2 % lost, 5 % twice, each delayed by up to 49 ms of its own."""
    random = Random(seed)
    first = random.randrange(65536)
    arrivals = []
    for n in range(4000):
        sent_ms = 3 * n
        if n == 0 or random.random() > 0.02:
            arrivals.append((sent_ms + random.randrange(WAIT_MS), n))
            if random.random() < 0.05:
                arrivals.append((sent_ms + random.randrange(WAIT_MS), n))
    receiver = Receiver()
    for at_ms, n in sorted(arrivals):
        receiver.push(first + n, at_ms + 1 - receiver.now_ms)
    receiver.wait()
    assert receiver.given == [(first + n) & 0xFFFF for n in sorted({n for _, n in arrivals})]
