"""Cameras behind one recorder share its account: wrong passwords count for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialled_camera import LOGIN, WRONG, Named, Serving, clip, serving
from quirk_camera import Asked, Reply, Visit
from vonggac.ingest.lockout import Lockout, Refusals
from vonggac.media.chunk import GapReason
from vonggac.rtsp.url import Credentials
from vonggac_appliance import camera_account
from vonggac_appliance.camera_account import Account, Accounts
from vonggac_appliance.camera_clip import Clip
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.learnt_store import LearntStore

S = 1_000_000_000
LOCKS_AT = 5
"""Refusals after which most accounts are locked."""


@pytest.fixture(scope="module")
def street() -> Clip:
    return clip()


@pytest.fixture
def recorder(street: Clip) -> Iterator[Serving]:
    """One that many cameras are behind."""
    with serving(Named(street, "IP Camera(C1214)")) as it:
        yield it


def channels(count: int) -> list[Memory]:
    accounts = Accounts()
    return [Memory(accounts=accounts, login=b"%d" % number) for number in range(count)]


def test_a_wrong_password_is_not_said_by_all_channels(recorder: Serving) -> None:
    failures = [recorder.call(memory, login=WRONG) for memory in channels(12)]
    reasons = {one.reason for one in failures if one is not None}
    assert (len(failures), reasons) == (12, {GapReason.WRONG_PASSWORD})
    assert recorder.quirk.refusals == 3 < LOCKS_AT
    last = failures[-1]
    assert last is not None and last.wait_s is not None
    assert 0 < last.wait_s <= 30  # not for minutes: another one's login may prove right
    assert not last.is_refused


def test_channels_that_come_at_once_take_turns(recorder: Serving) -> None:
    failures = recorder.call_together(channels(12), WRONG)
    assert None not in failures
    assert recorder.quirk.refusals == 3


class Slow(Named):
    """Takes its time to refuse, as devices do against guessing."""

    def spoil(self, asked: Asked, reply: Reply, visit: Visit) -> Reply | None:
        spoiled = super().spoil(asked, reply, visit)
        if reply.status != 401 or "authorization" not in asked.headers:
            return spoiled
        visit.later(0.5, spoiled.encode())
        return None


def test_a_recorder_that_is_slow_to_refuse_hears_no_more_logins_for_it(
    street: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_account, "_PATIENCE_S", 0.1)
    with serving(Slow(street, "IP Camera(C1214)")) as it:
        failures = it.call_together(channels(12), WRONG)
        assert None not in failures
        assert it.quirk.refusals == 3 < LOCKS_AT


def test_who_says_nothing_loses_its_turn_to_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_account, "_PATIENCE_S", 0.5)
    account = Account(b"key")

    async def run() -> None:
        silent = await account.enter(b"login")
        others = [asyncio.create_task(account.enter(b"login")) for _ in range(5)]
        done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        account.leave(silent)  # too late: it has none
        assert not [one for one in others if one.done() and one not in done]
        account.proves(b"login")
        async with asyncio.timeout(30):
            turns = await asyncio.gather(*others)
        assert sum(turn is not None for turn in turns) == 1

    asyncio.run(run())


def test_channels_with_the_right_password_all_play(recorder: Serving) -> None:
    assert recorder.call_together(channels(12), LOGIN) == [None] * 12
    assert recorder.quirk.refusals == 0


def test_one_channel_without_rights_keeps_no_other_from_playing(recorder: Serving) -> None:
    memories = channels(4)
    assert recorder.call(memories[0], login=WRONG) is not None
    assert [recorder.call(memory) for memory in memories[1:]] == [None] * 3
    refused = recorder.quirk.refusals
    assert recorder.call(memories[0], login=WRONG) is not None  # which waits by itself
    assert recorder.quirk.refusals == refused


def test_another_user_and_another_recorder_are_other_accounts(
    recorder: Serving, street: Clip
) -> None:
    memories = channels(4)
    for memory in memories[:3]:
        recorder.call(memory, login=WRONG)
    refused = recorder.quirk.refusals
    recorder.call(memories[3], login=Credentials("viewer", "x"))
    assert recorder.quirk.refusals > refused
    with serving(Named(street, "IP Camera(C9999)")) as other:
        assert other.call(channels(1)[0]) is None


def test_who_shares_a_refused_account_waits_after_a_restart_too(
    recorder: Serving, home: Path
) -> None:
    store = LearntStore(home)
    for number in range(3):
        memory = store.of(b"%016d" % number)
        memory.login = b"%d" % number
        assert recorder.call(memory, login=WRONG) is not None
    store.close()
    refused = recorder.quirk.refusals
    again = LearntStore(home)
    memory = again.of(b"%016d" % 7)
    memory.login = b"7"
    failure = recorder.call(memory, login=WRONG)
    again.close()
    assert failure is not None
    assert failure.reason is GapReason.WRONG_PASSWORD
    assert recorder.quirk.refusals == refused


def test_a_person_has_one_channel_tried_at_once(recorder: Serving) -> None:
    memories = channels(4)
    for memory in memories[:3]:
        recorder.call(memory, login=WRONG)
    memories[3].released()  # who never had a connection: nothing to be released from
    assert recorder.call(memories[3]) is not None
    memories[3].released()
    assert recorder.call(memories[3]) is None
    assert recorder.call(memories[2]) is None  # and with it all that did not refuse themselves


# -- The rule --


def test_an_account_waits_once_two_cameras_were_refused() -> None:
    refusals = Refusals()
    refusals.refuses(1, 1000 * S)
    assert (refusals.wait_s(1000 * S), refusals.connection_max) == (0.0, 1)
    refusals.refuses(1, 1001 * S)
    assert refusals.wait_s(1001 * S) == 0.0
    refusals.refuses(2, 1002 * S)
    assert refusals.wait_s(1002 * S) == 480.0
    assert refusals.wait_s(1482 * S) == 0.0


def test_a_login_that_is_taken_ends_the_count() -> None:
    refusals = Refusals()
    refusals.joins(1, Lockout(b"a", 3, 1000 * S))
    refusals.joins(2, Lockout(b"b", 1, 1005 * S))
    assert refusals.wait_s(1005 * S) == 480.0
    refusals.accepts()
    assert (refusals.wait_s(1005 * S), refusals.connection_max) == (0.0, 2)


def test_a_camera_that_is_gone_is_not_counted() -> None:
    refusals = Refusals()
    refusals.refuses(1, 1000 * S)
    refusals.refuses(2, 1000 * S)
    refusals.forgets(2)
    assert refusals.wait_s(1000 * S) == 0.0
    refusals.forgets(1)
    assert refusals.failures == 0


def test_a_clock_that_was_set_back_makes_no_account_wait_longer() -> None:
    refusals = Refusals()
    for camera in (1, 2):
        refusals.refuses(camera, 9000 * S)
    assert refusals.wait_s(1000 * S) == 240.0
    assert refusals.wait_s(1240 * S) == 0.0
