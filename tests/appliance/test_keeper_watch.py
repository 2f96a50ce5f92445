"""A disk that hangs is noticed from outside, and one that only takes its time is not."""

from __future__ import annotations

import asyncio

from vonggac_appliance.keeper_watch import HangWatch

DEADLINE_S = 30.0


def test_a_write_that_does_not_end_is_told_once_and_one_that_ended_never() -> None:
    async def scene() -> None:
        told = asyncio.Event()
        count = 0

        def hang() -> None:
            nonlocal count
            count += 1
            told.set()

        ended: list[bool] = []
        other = HangWatch(lambda: ended.append(True))
        other.writes(True)
        other.writes(False)
        watch = HangWatch(hang)
        watch.writes(True)
        assert not watch.hangs and not watch.is_doubtful
        await asyncio.wait_for(told.wait(), DEADLINE_S)
        assert watch.hangs and watch.is_doubtful and count == 1
        assert ended == [] and not other.is_doubtful
        watch.hung()
        assert not watch.hangs, "it was given up"
        assert watch.is_doubtful, "and is no refuge for a while"

    asyncio.run(scene())
