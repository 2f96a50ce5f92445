"""A loop's arena when its disk does not keep up, and when it has caught up again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from loop_rig import PPS, SPS, Keeper, Rig, gop
from vonggac._native.arena import BLOCK_BYTES
from vonggac.media.chunk import GapReason, SyncKind
from vonggac_appliance import loop_wire
from vonggac_appliance.loop_wire import FLAG_WAITS_FOR_ROOM, LoopEvent

STREAM = b"s" * 16


def pictures(seed: int, size: int) -> list[bytes]:
    return [nal for nals in gop(10, seed, size) for nal in nals if nal not in (SPS, PPS)]


def catch_up(keeper: Keeper) -> None:
    """As a keeper that hung: everything it was given is durable, and so is what follows."""
    keeper.acknowledges = 1
    keeper.acknowledge([c.header for c in keeper.chunks], 1)


def test_a_run_without_room_keeps_nothing_more_and_the_next_one_begins_with_a_key_frame(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(blocks=24)
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    for n in range(12):
        camera.send(gop(10, n, size=20_000))
    rig.until(lambda: bool(rig.events(LoopEvent.NO_ROOM)))
    rig.tell(loop_wire.detach(STREAM, GapReason.DISK))
    rig.until(lambda: rig.ended(1000) is not None)
    ended = rig.ended(1000)
    assert ended is not None

    camera = rig.attach(
        run=1001,
        predecessor=1000,
        reason=GapReason.DISK,
        gap_start_ns=ended.last_wall_end_ns,
        flags=FLAG_WAITS_FOR_ROOM,
    )
    camera.send(gop(10, 40, size=5_000))
    rig.until(lambda: rig.stats().dropped == 9)  # the tenth may go on
    assert rig.stats().next_sequence == 0
    catch_up(keeper)
    camera.send(gop(10, 50, size=5_000)[1:] + gop(10, 51, size=5_000))
    rig.detach(run=1001)
    kept = [c for c in keeper.chunks if c.claim.run == 1001]

    assert [nal for c in kept for nal in c.nals] == pictures(51, 5_000)
    assert kept[0].claim.kind == SyncKind.IDR
    assert kept[0].claim.gap_reason == GapReason.DISK
    assert kept[0].claim.gap_start_ns == ended.last_wall_end_ns
    assert ended.next_sequence == sum(c.claim.run == 1000 for c in keeper.chunks)
    assert len(rig.events(LoopEvent.NO_ROOM)) == 1


def test_a_camera_is_read_while_there_is_no_room(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(blocks=24)
    rig.keeper(acknowledges=None)
    camera = rig.attach(flags=FLAG_WAITS_FOR_ROOM, mtu_bytes=50_000)
    for n in range(12):
        camera.send(gop(10, n, size=20_000))
    rig.until(lambda: bool(rig.events(LoopEvent.NO_ROOM)))
    before = rig.stats()

    for n in range(10):  # 2 MB: ten times what the socket holds
        camera.send(gop(10, n, size=20_000))
    rig.until(lambda: rig.stats().access_units >= before.access_units + 90)

    assert rig.stats().next_sequence == before.next_sequence
    assert rig.ended(1000) is None
    assert not rig.events(LoopEvent.STALLED)


def test_a_parent_that_hangs_costs_the_name_of_the_hole_only(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(blocks=24)
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach()
    for n in range(12):
        camera.send(gop(10, n, size=20_000))
    rig.until(lambda: bool(rig.events(LoopEvent.NO_ROOM)))
    catch_up(keeper)
    kept = rig.stats().next_sequence

    until_s = time.monotonic() + 30
    while rig.stats().next_sequence == kept and time.monotonic() < until_s:
        camera.send(gop(5, 60))
        rig.turn(0.1)

    rig.until(lambda: any(c.claim.sequence >= kept for c in keeper.chunks))
    first = next(c for c in keeper.chunks if c.claim.sequence == kept)
    assert (first.claim.run, first.claim.kind) == (1000, SyncKind.IDR)


def test_memory_that_a_busy_moment_needed_goes_back_to_the_system(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(blocks=128, calm_s=1)
    keeper = rig.keeper(acknowledges=None)
    camera = rig.attach(mtu_bytes=50_000)

    def allocated() -> int:
        return os.fstat(rig.arena).st_blocks * 512

    for n in range(10):
        camera.send(gop(10, n, size=40_000))
    rig.until(lambda: allocated() > 60 * BLOCK_BYTES)
    held = len(keeper.chunks)
    catch_up(keeper)
    rig.until(lambda: allocated() < 25 * BLOCK_BYTES)

    camera.send(gop(10, 99, size=5_000))
    rig.detach()
    assert [nal for c in keeper.chunks[held:] for nal in c.nals][-10:] == pictures(99, 5_000)
