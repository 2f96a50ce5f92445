"""The socket `motion`: askers of every kind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from motion_answers_rig import SILENT_S, Rig, camera_of, motion_answers
from vonggac.errors import Invalid, Refused, Unavailable
from vonggac.evidence.receipt import Permit, Receipt, search_digest, write
from vonggac_appliance import motion_words
from vonggac_appliance.messages_motion import (
    AskMotion,
    MotionDone,
    MotionHits,
    MotionQuery,
    MotionRefused,
    MotionReply,
    Points,
    Watched,
    motion_path,
)
from vonggac_appliance.motion_answers import MotionAnswers
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.secrets import receipt_key
from vonggac_appliance.sockets import ipc_path

_S = 1_000_000_000
_CROSSING: Points = [(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)]


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with motion_answers(home) as made:
        yield made


def test_who_closes_an_iterator_has_cancelled(rig: Rig) -> None:
    for second in range(0, 3600, 10):
        rig.move(0, second, 3)
    rig.begin()
    query = rig.query(0, limit=100_000)
    receipts = rig.receipts(query)

    with MotionClient(rig.home) as client:
        under_way = [client.search(query, receipts) for _ in range(8)]
        for one in under_way:
            next(one)
        for one in under_way:
            one.close()  # type: ignore[attr-defined]
        assert isinstance(list(client.search(query, receipts))[-1], MotionDone)


def test_who_asks_and_does_not_read_is_held_up_bounded_and_forgotten(rig: Rig) -> None:
    """Of nine searches the ninth is refused, of each other one eight answers are sent."""
    rig.cameras += [camera_of(f"more{n}") for n in range(20)]
    for camera in rig.cameras[2:]:
        rig.looks._catalog.add_camera(camera)
    rig.begin()
    query = rig.query(*range(22))
    receipts = rig.receipts(query)
    with (
        zmq.Context() as context,
        context.socket(zmq.DEALER) as dealer,
        ipc_path(motion_path(rig.home)) as address,
    ):
        dealer.linger = 0
        dealer.connect(address)
        for number in range(9):
            dealer.send(msgspec.msgpack.encode(AskMotion(number, query, receipts)))
        told = [msgspec.msgpack.decode(dealer.recv(), type=MotionReply) for _ in range(8 * 8 + 1)]
        assert not dealer.poll(300), "no more is sent ahead"
        refused = [one for one in told if isinstance(one, MotionRefused)]
        assert [(one.number, one.code) for one in refused] == [(8, "busy")]
        until_s = time.monotonic() + 60
        while rig.server.searches:
            assert time.monotonic() < until_s
            time.sleep(0.05)  # it forgets in silence


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xc1", b"\x81\xa4type\xa4what", b"\x80", b"\x91" * 60_000, b"\x81\xa1z\xa2\xff\xfe"],
    ids=["nothing", "no MessagePack", "another type", "no type", "brackets", "no UTF-8"],
)
def test_what_is_no_question_is_refused_and_ends_nobody(rig: Rig, raw: bytes) -> None:
    rig.begin()
    with (
        zmq.Context() as context,
        context.socket(zmq.DEALER) as dealer,
        ipc_path(motion_path(rig.home)) as address,
    ):
        dealer.linger = 0
        dealer.connect(address)
        dealer.send(raw)
        assert dealer.poll(60_000)
        answer = msgspec.msgpack.decode(dealer.recv(), type=MotionReply)
        assert isinstance(answer, MotionRefused) and answer.code == "malformed"
        dealer.send_multipart([b"two", b"frames"])
    with MotionClient(rig.home) as client:
        assert client.status().cpu_budget_permille == 500


def test_a_question_that_makes_no_sense_is_refused_with_the_reason(rig: Rig) -> None:
    rig.begin()
    receipts = rig.receipts(rig.query(0))
    with MotionClient(rig.home) as client, pytest.raises(Refused, match="1 to 2304 cells"):
        list(client.search(rig.query(0, cells_min=0), receipts))
    query = rig.query(cameras=[Watched(rig.cameras[0].id, [_CROSSING])])
    with MotionClient(rig.home) as client, pytest.raises(Invalid, match="crosses"):
        list(client.search(query, [receipt_for(rig, query)]))


def receipt_for(rig: Rig, query: MotionQuery) -> bytes:
    """As the audit chain would write it, of what nobody checked."""
    ((words, cameras),) = motion_words.groups(query)
    receipt = Receipt(
        1,
        search_digest(words),
        cameras,
        query.from_ns,
        query.to_ns,
        Permit.SEARCH,
        time.time_ns() + 60 * _S,
    )
    return write(receipt_key(rig.home), receipt)


@pytest.mark.parametrize("given", [[], [bytes(150)] * 8], ids=["none", "not of the chain"])
def test_without_a_receipt_nothing_is_made_of_a_question(rig: Rig, given: list[bytes]) -> None:
    rig.begin()
    query = rig.query(cameras=[Watched(rig.cameras[0].id, [_CROSSING])])
    with MotionClient(rig.home) as client, pytest.raises(Refused, match="no receipt"):
        list(client.search(query, given))
    nonsense = rig.query(0, cells_min=0)
    with MotionClient(rig.home) as client, pytest.raises(Refused, match="no receipt"):
        list(client.search(nonsense, given))


def test_without_the_process_the_client_says_so_at_once(home: Path) -> None:
    with pytest.raises(Unavailable, match="`vonggac motion run` is not running"):
        MotionClient(home)


class Slow(MotionAnswers):
    """It works for longer than anybody may be silent, and says nothing meanwhile."""

    def search(self, number: int, query: MotionQuery) -> Iterator[MotionReply | None]:
        for _ in range(3):
            until_s = time.monotonic() + 1.2 * SILENT_S
            while time.monotonic() < until_s:
                yield None
            yield MotionHits(number, [])
        yield MotionDone(number, 1, 0, 0)


def test_who_waits_for_an_answer_is_not_taken_for_silent(home: Path) -> None:
    with motion_answers(home, Slow) as rig:
        rig.begin()
        query = rig.query(0)
        with MotionClient(rig.home, deadline_s=10 * SILENT_S) as client:
            told = list(client.search(query, rig.receipts(query)))
    assert [type(one) for one in told] == [MotionHits, MotionHits, MotionHits, MotionDone]
