"""A disk that hangs is noticed from outside, and one that only takes its time is not."""

from __future__ import annotations

import asyncio

from vonggac_appliance.keeper_watch import HANGS_S, HangWatch

DEADLINE_S = 30.0


def test_a_write_that_does_not_end_is_told_once_and_makes_the_disk_doubtful() -> None:
    async def scene() -> None:
        told = asyncio.Event()
        count = 0

        def hang() -> None:
            nonlocal count
            count += 1
            told.set()

        watch = HangWatch(hang)
        watch.writes(True)
        assert not watch.hangs and not watch.is_doubtful
        await asyncio.wait_for(told.wait(), DEADLINE_S)
        assert watch.hangs and watch.is_doubtful and count == 1
        watch.hung()
        assert not watch.hangs, "it was given up"
        assert watch.is_doubtful, "and is no refuge for a while"

    asyncio.run(scene())


def test_a_write_that_ends_in_time_is_never_told() -> None:
    async def scene() -> None:
        told: list[bool] = []
        watch = HangWatch(lambda: told.append(True))
        watch.writes(True)
        watch.writes(False)
        watch.writes(True)
        watch.stop()
        await asyncio.sleep(HANGS_S + 0.3)  # that nothing comes is the point
        assert told == [] and not watch.is_doubtful

    asyncio.run(scene())
