"""A loop and its keepers: what is handed over, refused, and left by a loop that was killed."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import socket
import time
from collections.abc import Callable

from loop_rig import (
    DEADLINE_S,
    FRAME_TICKS,
    PPS,
    REFUSED,
    SPS,
    Camera,
    Keeper,
    Rig,
    gop,
    interleave,
    later,
    without_sets,
)
from vonggac.media.chunk import ChunkFlag, GapReason
from vonggac_appliance import loop_wire
from vonggac_appliance.loop_wire import LoopEvent

STREAM = b"s" * 16
OTHER = b"t" * 16


def has_ended(keeper: Keeper) -> bool:
    return bool(keeper.chunks[-1].claim.flags & ChunkFlag.END)


def test_a_new_keeper_gets_again_what_is_not_durable(rig: Rig) -> None:
    first = rig.keeper(acknowledges=None)
    camera = rig.attach()
    camera.send(gop(5, 1) + gop(5, 2) + gop(5, 3))
    rig.until(lambda: len(first.chunks) >= 2)
    first.acknowledge([first.chunks[0].header], 1)
    first.socket.close()
    first.is_closed = True
    rig.keepers.remove(first)
    second = rig.keeper()
    assert second.loop == (7, 0)
    rig.tell(loop_wire.detach(STREAM, 0))
    rig.until(lambda: bool(second.chunks) and has_ended(second))
    assert [c.claim.sequence for c in second.chunks] == list(range(1, len(second.chunks) + 1))
    kept = [*first.chunks[0].nals, *second.nals]
    assert kept == without_sets(camera.sent)


def test_chunks_wait_for_a_keeper_that_is_not_there_yet(rig: Rig) -> None:
    camera = rig.attach()
    camera.send(gop(5, 1) + gop(5, 2))
    rig.tell(loop_wire.detach(STREAM, 0))
    rig.until(lambda: rig.ended(1000) is not None)
    keeper = rig.keeper()
    rig.until(lambda: len(keeper.chunks) == 2)
    assert keeper.nals == without_sets(camera.sent)


def test_slots_are_separate(rig: Rig) -> None:
    zero, one = rig.keeper(0), rig.keeper(1)
    a = rig.attach(STREAM, keeper=0, run=1)
    b = rig.attach(OTHER, keeper=1, run=2)
    a.send(gop(5, 1))
    b.send(gop(5, 2))
    rig.detach(STREAM, 1)
    rig.detach(OTHER, 2)
    assert {c.chunk.stream for c in zero.chunks} == {STREAM}
    assert {c.chunk.stream for c in one.chunks} == {OTHER}


def test_a_successor_hands_over_what_a_killed_loop_had_sent(rig: Rig) -> None:
    silent = rig.keeper(acknowledges=None)
    ours, theirs = socket.socketpair()
    camera = rig.attach(connection=(ours, theirs))
    camera.send(gop(5, 1) + gop(5, 2) + gop(5, 3))
    rig.until(lambda: len(silent.chunks) >= 2)
    rig.kill()
    rig.keepers.remove(silent)
    rig.start()
    keeper = rig.keeper()
    assert keeper.loop == (7, 1)
    rig.until(lambda: len(keeper.chunks) >= len(silent.chunks))
    seen = [(c.claim.run, c.claim.sequence) for c in silent.chunks]
    assert [(c.claim.run, c.claim.sequence) for c in keeper.chunks][: len(seen)] == seen
    # The connection goes on in a new run, in the middle of a GOP, from the next whole packet.
    camera = Camera(ours, camera.packetiser, camera.timestamp)
    rig.attach(
        run=1001,
        predecessor=1000,
        reason=GapReason.CRASHES,
        flags=loop_wire.FLAG_REFERENCES_LOST,
        sets=((), [SPS], [PPS]),
        connection=(ours, theirs),
    )
    camera.send(later(5) + gop(5, 4))
    rig.detach(run=1001)
    new = [c.claim for c in keeper.chunks if c.claim.run == 1001]
    assert new[0].flags & ChunkFlag.REFERENCES_LOST
    assert (new[0].predecessor_run, new[0].gap_reason) == (1000, GapReason.CRASHES)
    assert not new[-1].flags & ChunkFlag.REFERENCES_LOST
    assert sum(c.samples for c in new) >= 9


def test_the_crash_page_names_the_stream_that_is_parsed(rig: Rig) -> None:
    """The loop is stopped until it is found parsing, and crashed there."""
    rig.keeper()
    rig.attach(OTHER, run=2).send(gop(2))
    loud = rig.attach(STREAM, run=1)
    loud.socket.setblocking(False)
    flood = b"".join(
        interleave(packet)
        for n, nals in enumerate(gop(200, size=20_000))
        for packet in loud.packetiser.access_unit(nals, n * FRAME_TICKS)
    )
    sent, until_s = 0, time.monotonic() + DEADLINE_S
    with mmap.mmap(rig.crash, mmap.PAGESIZE, prot=mmap.PROT_READ) as page:
        while time.monotonic() < until_s:
            with contextlib.suppress(BlockingIOError):
                sent += loud.socket.send(flood[sent % len(flood) :])
            rig.process.send_signal(signal.SIGSTOP)
            os.waitpid(rig.process.pid, os.WUNTRACED)
            if page[0] == 1 and page[8:24] == STREAM:
                break
            rig.process.send_signal(signal.SIGCONT)
        rig.process.send_signal(signal.SIGSEGV)
        rig.process.send_signal(signal.SIGCONT)
        assert rig.process.wait() == -signal.SIGSEGV
        assert (page[0], page[8:24]) == (1, STREAM)


def test_the_other_cameras_of_a_killed_loop_stay_connected(rig: Rig) -> None:
    rig.keeper()
    ours, theirs = socket.socketpair()
    camera = rig.attach(connection=(ours, theirs))
    camera.send(gop(3))
    rig.kill(signal.SIGSEGV)
    camera.send(later(1))  # nobody closed it: the parent has its own descriptor
    rig.start()
    rig.keeper()
    rig.attach(run=1001, connection=(ours, theirs))
    camera.send(gop(3, 2))
    assert rig.detach(run=1001).next_sequence >= 1


def test_a_disk_that_hangs_leaves_room_for_the_streams_of_the_others(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(blocks=64)
    rig.keeper(slot=0, acknowledges=None)
    rig.keeper(slot=1)
    hung = rig.attach(STREAM, keeper=0, run=1)
    well = rig.attach(OTHER, keeper=1, run=2)
    for n in range(12):
        hung.send(gop(4, n, size=100_000))
    rig.until(lambda: len(rig.events(LoopEvent.NO_ROOM)) > 0)
    well.send(gop(20, 1, size=2_000))
    ended = rig.detach(OTHER, run=2)
    assert ended.next_sequence > 0
    assert rig.events(LoopEvent.NO_ROOM, OTHER) == []
    assert rig.keepers[1].nals == without_sets(well.sent)


def test_what_a_predecessor_left_for_a_hanging_disk_counts_until_it_is_durable(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(blocks=64)
    first = rig.keeper(slot=0, acknowledges=None)
    hung = rig.attach(STREAM, keeper=0, run=1)
    for n in range(12):
        hung.send(gop(4, n, size=100_000))
    rig.until(lambda: len(rig.events(LoopEvent.NO_ROOM)) > 0 and len(first.chunks) > 0)
    rig.kill()
    rig.messages.clear()
    rig.start()
    second = rig.attach(STREAM, keeper=0, run=2, flags=loop_wire.FLAG_WAITS_FOR_ROOM)
    second.send(gop(4, 20))
    rig.until(lambda: rig.stats().dropped == 3)
    slow = rig.keeper(slot=0)
    deadline = time.monotonic() + 15
    while not any(c.chunk.run == 2 for c in slow.chunks) and time.monotonic() < deadline:
        second.send(gop(4, 21))
        rig.turn(0.3)
    assert any(c.chunk.run == 2 for c in slow.chunks)


def test_what_a_keeper_refuses_is_freed_and_told(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=REFUSED)
    camera = rig.attach()
    camera.send(gop(5))
    rig.detach()
    rig.until(lambda: bool(rig.events(LoopEvent.NO_ROOM)))
    assert rig.events(LoopEvent.NO_ROOM)[0].detail == "refused by the keeper"
    assert keeper.chunks


def test_an_acknowledgement_of_what_was_not_given_frees_nothing(rig: Rig) -> None:
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    camera.send(gop(5, 1) + gop(5, 2))
    rig.until(lambda: len(keeper.chunks) >= 1)
    header = keeper.chunks[0].header
    keeper.acknowledge([header, header, 0, 2**32 - 1, header + 1], 1)
    camera.send(gop(5, 3))
    rig.detach()
    assert keeper.nals == without_sets(camera.sent)
