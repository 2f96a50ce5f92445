"""What is learnt about cameras outlives the recorder, and a refused login is not said again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from vonggac.ingest.lockout import Lockout, refused
from vonggac.media.chunk import GapReason
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Keepalive, Learnt, SessionRule
from vonggac.rtsp.leftover import Held
from vonggac.rtsp.url import UrlForm
from vonggac_appliance import kept_rows, learnt_store
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.learnt_store import LearntStore

A, B = b"a" * 16, b"b" * 16
S = 1_000_000_000
EVERYTHING = Learnt(
    "udp", Keepalive.RTCP, Scheme.DIGEST_SHA256, UrlForm.IN_PATH, SessionRule.LATEST
)


def test_everything_that_was_learnt_outlives_the_recorder(home: Path) -> None:
    store = LearntStore(home)
    memory = store.of(A)
    memory.learnt, memory.login = EVERYTHING, b"login"
    memory.habits.update([Habit.CSEQ, Habit.CSEQ, Habit.GARBAGE])
    memory.refused()
    store.close()

    again = LearntStore(home)
    kept = again.of(A)
    again.close()
    assert kept.learnt == EVERYTHING
    assert kept.habits == {Habit.CSEQ: 2, Habit.GARBAGE: 1}
    assert kept.lockout == memory.lockout


def test_facts_are_written_at_once_and_counts_within_a_minute(home: Path) -> None:
    store = LearntStore(home)
    store.turn(1000.0)
    store.of(A).habits[Habit.GARBAGE] += 1
    store.turn(1001.0)
    assert A not in store.written
    store.turn(1061.0)
    assert store.written[A].habits == {"garbage": 1}
    store.of(A).learnt = replace(Learnt(), transport="tcp")
    store.turn(1062.0)
    assert store.written[A].transport == "tcp"
    store.close()


def test_a_camera_that_is_forgotten_or_removed_leaves_nothing(home: Path) -> None:
    store = LearntStore(home)
    for camera in (A, B):
        store.of(camera).learnt = EVERYTHING
    store.turn(0.0)
    store.forget(A)
    assert store.of(A).learnt == Learnt()
    store.retain([A])
    store.close()
    assert learnt_store.read_stopped(home).keys() & {A, B} == set()


def test_a_backup_has_what_was_learnt_and_no_session(home: Path, tmp_path: Path) -> None:
    """A night later its number may be another viewer's."""
    store = LearntStore(home)
    memory = store.of(A)
    memory.learnt, memory.certificate = EVERYTHING, b"c" * 32
    memory.sessions.append(Held("rtsp://h/main", "rtsp://h/main", "1"))
    store.turn(0.0)
    packed = store.packed()
    store.close()

    (other := tmp_path / "other").mkdir()
    learnt_store.unpack(other, packed)
    again = LearntStore(other)
    kept = again.of(A)
    again.close()
    assert (kept.learnt, kept.certificate, kept.leftover) == (EVERYTHING, b"c" * 32, [])


def test_words_of_another_version_are_as_if_they_were_absent(home: Path) -> None:
    row = learnt_store.LearntRow(
        transport="quic", keepalive="PING", login="Kerberos", url_form="x", habits={"y": 1}
    )
    kept_rows.write_rows(home / "learnt", {A: learnt_store.encode(row)})
    again = LearntStore(home)
    assert (again.of(A).learnt, again.of(A).habits) == (Learnt(), {})
    again.close()


def test_a_home_that_cannot_hold_it_stops_nothing(home: Path) -> None:
    (home / "learnt").write_text("in the way")
    store = LearntStore(home)
    store.of(A).learnt = EVERYTHING
    store.turn(0.0)
    assert store.of(A).learnt == EVERYTHING
    store.close()


# -- Hints that no longer hold --


def test_hints_are_dropped_after_three_dialogues_for_nothing_and_the_floor_is_kept() -> None:
    memory = Memory(learnt=EVERYTHING)
    for _ in range(2):
        memory.came_to_nothing()
    memory.accepted()
    for _ in range(2):
        memory.came_to_nothing()
    assert memory.learnt == EVERYTHING
    memory.came_to_nothing()
    assert memory.learnt == Learnt(scheme=Scheme.DIGEST_SHA256)


def test_a_stream_that_does_not_exist_costs_the_other_no_hint() -> None:
    memory = Memory(learnt=EVERYTHING, sessions=[Held("rtsp://h/main", "rtsp://h/main", "1")])
    for _ in range(9):
        memory.came_to_nothing()
    assert memory.learnt == EVERYTHING


# -- A refused login --


def test_a_refused_login_waits_for_minutes_and_another_one_does_not() -> None:
    lockout = refused(None, b"login", 1000 * S)
    assert lockout.wait_s(b"login", 1001 * S) == 119.0
    assert lockout.wait_s(b"login", 1120 * S) == 0.0
    assert lockout.wait_s(b"other", 1001 * S) == 0.0
    assert refused(lockout, b"login", 2000 * S).wait_s(b"login", 2000 * S) == 240.0
    assert refused(lockout, b"other", 2000 * S).failures == 1


def test_a_clock_that_was_set_back_makes_nobody_wait_twice() -> None:
    lockout = Lockout(b"login", 1, 9000 * S).looked_at(1000 * S)
    assert lockout.wait_s(b"login", 1000 * S) == 120.0
    assert lockout.looked_at(1121 * S).wait_s(b"login", 1121 * S) == 0.0


def test_a_refusal_in_the_future_is_waited_for_from_now_on() -> None:
    year_ns = 365 * 86_400 * S
    memory = Memory(login=b"login", lockout=Lockout(b"login", 1, time.time_ns() + year_ns))

    async def try_it() -> None:
        async with memory.turn():
            raise AssertionError("it was asked")

    with pytest.raises(SessionFailed):
        asyncio.run(try_it())
    assert memory.lockout is not None
    assert memory.lockout.at_ns <= time.time_ns()


def test_the_next_stream_asks_no_camera_that_has_just_refused() -> None:
    memory = Memory(login=b"login")

    async def one() -> None:
        async with memory.turn():
            await asyncio.sleep(0)
            memory.refused()

    async def both() -> list[BaseException | None]:
        return await asyncio.gather(one(), one(), return_exceptions=True)

    first, second = asyncio.run(both())
    assert first is None
    assert isinstance(second, SessionFailed)
    assert (second.reason, second.is_refused) == (GapReason.WRONG_PASSWORD, False)
    assert second.wait_s is not None and 0 < second.wait_s <= 120
    assert memory.refusals_max == 1


def test_a_login_that_was_changed_is_tried_at_once() -> None:
    memory = Memory(login=b"login")
    memory.refused()
    memory.login = b"changed"

    async def try_it() -> None:
        async with memory.turn():
            memory.accepted()

    asyncio.run(try_it())
    assert (memory.lockout, memory.refusals_max) == (None, 2)


def test_streams_of_a_proven_login_do_not_wait_for_each_other() -> None:
    memory = Memory()
    memory.accepted()

    async def both() -> None:
        async with memory.turn(), asyncio.timeout(10), memory.turn():
            pass

    asyncio.run(both())


def test_streams_take_turns_again_once_a_login_was_refused_in_mid_session() -> None:
    memory = Memory()
    memory.accepted()
    memory.doubted()

    async def both() -> None:
        async with memory.turn(), asyncio.timeout(0.1), memory.turn():
            pass

    with pytest.raises(TimeoutError):
        asyncio.run(both())


def test_until_when_a_login_waits_is_shown() -> None:
    memory = Memory(login=b"login")
    memory.refused()
    shown = learnt_store.told(learnt_store.row_of(memory))
    assert shown.refused_until_ns > time.time_ns()
