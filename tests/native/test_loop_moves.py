"""A loop whose streams are moved from one keeper to another."""

from __future__ import annotations

import hashlib

import pytest

from loop_rig import Keeper, Rig, gop, later
from vonggac_appliance import loop_wire

STREAM = b"s" * 16
OTHER = b"t" * 16


def numbers(keeper: Keeper, stream: bytes = STREAM) -> list[tuple[int, int]]:
    return [(c.claim.run, c.claim.sequence) for c in keeper.chunks if c.claim.stream == stream]


def assert_one_chain(keepers: list[Keeper], stream: bytes, count: int) -> None:
    """Every chunk of the run is with one of them, linked to the one before, its hash its own."""
    by_number = {c.claim.sequence: c for k in keepers for c in k.chunks if c.claim.stream == stream}
    assert sorted(by_number) == list(range(count))
    previous = bytes(32)
    for sequence in range(count):
        received = by_number[sequence]
        assert received.claim.video_sha256 == hashlib.sha256(received.payload).digest()
        assert received.claim.previous_sha256 == previous
        previous = received.claim_sha256


def test_what_is_not_durable_goes_on_to_another_slot_in_the_same_run(rig: Rig) -> None:
    hanging = rig.keeper(0, acknowledges=None)
    camera = rig.attach(keeper=0)
    camera.send(gop(5, 1))
    camera.send(gop(5, 2))
    rig.until(lambda: len(hanging.chunks) >= 2)
    other = rig.keeper(1)

    rig.tell(loop_wire.move(0, 1))
    rig.until(lambda: hanging.is_closed)
    camera.send(gop(5, 3))
    ended = rig.detach()

    assert numbers(other) == [(1000, n) for n in range(ended.next_sequence)]
    assert_one_chain([other], STREAM, ended.next_sequence)


def test_a_stream_that_is_not_named_stays(rig: Rig) -> None:
    first = rig.keeper(0)
    second = rig.keeper(1)
    moved = rig.attach(STREAM, keeper=0, run=1)
    stays = rig.attach(OTHER, keeper=0, run=2)
    for camera in (moved, stays):
        camera.send(gop(5, 1))
    rig.until(lambda: len(numbers(first)) >= 1 and len(numbers(first, OTHER)) >= 1)

    rig.tell(loop_wire.move(loop_wire.ANY_SLOT, 1, [STREAM]))
    for camera in (moved, stays):
        camera.send(gop(5, 2))
    ends = [rig.detach(STREAM, 1), rig.detach(OTHER, 2)]

    assert numbers(second, OTHER) == []
    assert_one_chain([first, second], STREAM, ends[0].next_sequence)
    assert_one_chain([first], OTHER, ends[1].next_sequence)


def test_a_late_acknowledgement_frees_nothing_that_was_moved(rig: Rig) -> None:
    hanging = rig.keeper(0, acknowledges=None)
    camera = rig.attach(keeper=0)
    camera.send(gop(5, 1))
    camera.send(gop(5, 2))
    rig.until(lambda: len(hanging.chunks) >= 1)
    waiting = rig.keeper(1, acknowledges=None)

    rig.tell(loop_wire.move(0, 1))
    rig.until(lambda: hanging.is_closed and len(waiting.chunks) >= len(hanging.chunks))
    handed = [c.header for c in hanging.chunks]
    with pytest.raises(BrokenPipeError):  # nobody listens there any more
        hanging.acknowledge(handed, 1)
    rig.keeper(0)
    again = rig.keeper(1)  # the slot's next connection gets all of it once more
    rig.until(lambda: {c.header for c in again.chunks} >= set(handed))


def test_what_a_predecessor_sent_is_moved_too_and_counted_where_it_lies(rig: Rig) -> None:
    hanging = rig.keeper(0, acknowledges=None)
    camera = rig.attach(keeper=0)
    camera.send(gop(5, 1))
    camera.send(gop(5, 2))
    rig.until(lambda: len(hanging.chunks) >= 1)
    sent = [c.header for c in hanging.chunks]
    rig.kill()
    rig.start()
    other = rig.keeper(1)

    rig.tell(loop_wire.move(loop_wire.ANY_SLOT, 1, [STREAM]))

    rig.until(lambda: [c.header for c in other.chunks][: len(sent)] == sent)


def test_a_slot_that_cannot_be_is_refused_and_nothing_moves(rig: Rig) -> None:
    keeper = rig.keeper(0)
    camera = rig.attach(keeper=0)
    rig.tell(loop_wire.move(0, 64))
    rig.tell(loop_wire.move(0, 1, [STREAM])[:-1])
    camera.send(gop(5, 1))
    camera.send(later(5, 1))
    ended = rig.detach()
    assert_one_chain([keeper], STREAM, ended.next_sequence)
