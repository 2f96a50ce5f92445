"""The socket `motion`: a real index, askers of every kind."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from audit_rig import audit_run
from vonggac.errors import Invalid, Refused, Unavailable
from vonggac.evidence.receipt import Permit, Receipt, search_digest, write
from vonggac.motion import region
from vonggac.motion.episodes import Found
from vonggac.motion.index import MotionIndex
from vonggac.motion.query import Ask, Query
from vonggac.motion.search import Search
from vonggac.motion.slots import Slot, Tier, cells_of
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode, local_person
from vonggac_appliance import motion_words
from vonggac_appliance.messages_motion import (
    AskMotion,
    MotionCoarse,
    MotionCovered,
    MotionDone,
    MotionHeat,
    MotionHit,
    MotionHits,
    MotionQuery,
    MotionRefused,
    MotionReply,
    MotionStatusReply,
    Points,
    Watched,
    motion_path,
)
from vonggac_appliance.motion_answers import MotionAnswers
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, Searcher
from vonggac_appliance.motion_server import MotionServer
from vonggac_appliance.secrets import receipt_key
from vonggac_appliance.sockets import ipc_path

_S = 1_000_000_000
_BEGIN_S = (int(time.time()) - 7200) // 120 * 120
_LEFT: Points = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]
_CROSSING: Points = [(0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)]
_RIGHT: Points = [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]


class Rig:
    """A server in a thread, over an hour of two cameras."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self.home = home
        self.cameras = [_camera(f"cam{n}") for n in (1, 2)]
        for camera in self.cameras:
            catalog.add_camera(camera)
        self.index = MotionIndex(home / "motion", max_bytes=1 << 30)
        self.looks = MotionLooks(home, catalog)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.untold: set[bytes] = set()
        self.begins_s: dict[bytes, int] = {}
        """Of streams: before it there is no footage any more."""
        self.answers = answers = MotionAnswers(
            home,
            self.index,
            catalog,
            may_tell=lambda camera: camera not in self.untold,
            begins_s=lambda stream: self.begins_s.get(stream, 0),
        )
        self.server = MotionServer(
            home, self._context, answers, _status, lambda asked: None, silent_s=1.0
        )
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        """Before it the index may be filled."""
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.server.close()
        self._context.term()
        self.index.close()

    def _run(self) -> None:
        while not self._is_over.is_set():
            self.server.socket.poll(0 if self.server.turn() else 20)
            self.server.receive()

    def move(self, camera: int, second: int, column: int, seconds: int = 1) -> None:
        """A cell of the first row moves in these seconds of the hour."""
        stream = self.cameras[camera].streams[0].id
        at = range(_BEGIN_S + second, _BEGIN_S + second + seconds)
        self.index.add(stream, [Slot(s, cells_of([column]), Tier.FULL) for s in at])

    def query(self, *cameras: int, **more: Any) -> MotionQuery:
        watched = [Watched(self.cameras[n].id) for n in cameras]
        asked = MotionQuery(watched, _BEGIN_S * _S, (_BEGIN_S + 3600) * _S)
        return msgspec.structs.replace(asked, **more)

    def receipts(self, query: MotionQuery, *, is_heat: bool = False) -> list[bytes]:
        who = Searcher(local_person(os.getuid()))
        purpose = Purpose(PurposeCode.OTHER, "thử")
        return list(self.looks.permit(who, purpose, query, is_heat=is_heat).receipts)

    def ask(self, query: MotionQuery) -> list[MotionReply]:
        with MotionClient(self.home) as client:
            return list(client.search(query, self.receipts(query)))

    def hits(self, query: MotionQuery) -> list[tuple[int, int, int]]:
        """Camera, and from and to in seconds of the hour."""
        ids = [camera.id for camera in self.cameras]
        found = [hit for one in self.ask(query) if isinstance(one, MotionHits) for hit in one.hits]
        return [(ids.index(h.camera), h.from_s - _BEGIN_S, h.to_s - _BEGIN_S) for h in found]


def _camera(code: str) -> Camera:
    streams = (Stream(os.urandom(16), "sub", "rtsp://127.0.0.1/sub"),)
    return Camera(os.urandom(16), code, streams, 1, owner_kind=OwnerKind.STATE)


def _status(number: int) -> MotionStatusReply:
    return MotionStatusReply(number, [], 0, 500, 0, 0, 0)


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    with audit_run(home), Catalog(home) as catalog, contextlib.closing(Rig(home, catalog)) as made:
        yield made


def test_the_coarse_comes_first_and_the_hits_from_the_newest_on(rig: Rig) -> None:
    rig.move(0, 100, 3, seconds=4)
    rig.move(1, 2000, 3)
    rig.move(0, 3000, 60)
    rig.begin()

    answers = rig.ask(rig.query(0, 1))

    kinds = [kind for kind, _ in itertools.groupby(answers, key=type)]
    assert kinds == [MotionCovered, MotionCoarse, MotionHits, MotionDone]
    assert rig.hits(rig.query(0, 1)) == [(0, 3000, 3001), (1, 2000, 2001), (0, 100, 104)]
    done = answers[-1]
    assert isinstance(done, MotionDone)
    assert (done.cameras, done.seconds_searched, done.is_limited) == (2, 6, False)
    coarse = [one for one in answers if isinstance(one, MotionCoarse)]
    assert any((_BEGIN_S, _BEGIN_S + 120) in one.ranges for one in coarse)


def test_regions_masks_hours_and_a_limit_narrow_it(rig: Rig) -> None:
    rig.move(0, 100, 3)
    rig.move(0, 500, 60)
    rig.begin()
    camera = rig.cameras[0].id
    from_minute = ((_BEGIN_S + 480) // 60 + 420) % 1440

    left = rig.query(cameras=[Watched(camera, [_LEFT])])
    masked = rig.query(cameras=[Watched(camera, [], [_LEFT])])
    late = rig.query(0, hours=(from_minute, (from_minute + 5) % 1440))

    assert rig.hits(left) == [(0, 100, 101)]
    assert rig.hits(masked) == [(0, 500, 501)]
    assert rig.hits(late) == [(0, 500, 501)]
    assert rig.hits(rig.query(0, cells_min=2)) == []
    assert rig.hits(rig.query(0, limit=1)) == [(0, 500, 501)]
    done = rig.ask(rig.query(0, limit=1))[-1]
    assert isinstance(done, MotionDone) and done.is_limited


def test_a_hit_says_how_much_moved_and_when_most(rig: Rig) -> None:
    stream = rig.cameras[0].streams[0].id
    slots = [
        Slot(_BEGIN_S + 10, cells_of([1]), Tier.FULL),
        Slot(_BEGIN_S + 11, cells_of([1, 2, 3]), Tier.KEY, is_global=True),
    ]
    rig.index.add(stream, slots)
    rig.begin()

    (hits,) = [one for one in rig.ask(rig.query(0)) if isinstance(one, MotionHits)]

    camera = rig.cameras[0].id
    assert hits.hits == [
        MotionHit(camera, _BEGIN_S + 10, _BEGIN_S + 12, _BEGIN_S + 11, 3, "key", False)
    ]


def test_an_agreement_that_ends_ends_what_is_being_told_of_its_camera(rig: Rig) -> None:
    for second in range(0, 3600, 8):
        rig.move(0, second, 3)
        rig.move(1, second + 4, 3)
    query = rig.query(0, 1, limit=100_000)
    answers = rig.answers.search(1, query)
    first = next(one for one in answers if isinstance(one, MotionHits))
    assert {hit.camera for hit in first.hits} == {camera.id for camera in rig.cameras}

    rig.untold.add(rig.cameras[0].id)

    rest = [hit for one in answers if isinstance(one, MotionHits) for hit in one.hits]
    assert {hit.camera for hit in rest} == {rig.cameras[1].id}
    (*_, heat, _, _) = (one for one in rig.answers.heat(1, query) if one is not None)
    assert isinstance(heat, MotionHeat) and (heat.seconds, sum(heat.counts)) == (0, 0)
    again = list(rig.answers.search(1, rig.query(0)))
    assert [type(one) for one in again if one] == [MotionCovered, MotionDone]


def test_a_search_and_a_heat_picture_of_many_days_that_find_nothing_stop_at_each(
    rig: Rig,
) -> None:
    stream = rig.cameras[0].streams[0].id
    for day in range(6):
        at = range(_BEGIN_S - day * 86_400, _BEGIN_S - day * 86_400 + 120)
        rig.index.add(stream, [Slot(s, cells_of([s % 40]), Tier.FULL) for s in at])
    rig.index.flush()
    rig.index.compact()
    query = rig.query(0, from_ns=(_BEGIN_S - 6 * 86_400) * _S, cells_min=2)

    steps = Search(rig.index).steps(
        Query((Ask(stream, region.EVERYWHERE),), _BEGIN_S - 6 * 86_400, _BEGIN_S + 120, 2)
    )
    told = list(steps)

    assert sum(one is None for one in told) >= 12, "after each day, of blocks and of seconds"
    assert not any(isinstance(one, Found) for one in told)
    assert sum(one is None for one in rig.answers.heat(1, query)) >= 6


def test_what_has_no_footage_any_more_is_told_no_more(rig: Rig) -> None:
    rig.move(0, 600, 3, 10)
    rig.move(0, 1000, 3, 10)
    rig.move(0, 2000, 3, 10)
    begins_s = rig.begins_s[rig.cameras[0].streams[0].id] = _BEGIN_S + 1004
    rig.begin()
    query = rig.query(0)

    told = rig.ask(query)

    assert rig.hits(query) == [(0, 2000, 2010), (0, 1004, 1010)]
    (covered,) = [one for one in told if isinstance(one, MotionCovered)]
    coarse = [span for one in told if isinstance(one, MotionCoarse) for span in one.ranges]
    spans = [*covered.ranges, *coarse]
    assert min(from_s for from_s, _ in spans) == begins_s
    with MotionClient(rig.home) as client:
        (heat,) = client.heat(query, rig.receipts(query, is_heat=True))
    assert heat.counts[3] == 6 + 10


def test_nothing_is_told_of_what_moved_beside_the_range_or_before_the_footage(rig: Rig) -> None:
    rig.move(0, 960, 3, 10)
    rig.move(0, 1200, 3, 10)
    rig.index.flush()
    rig.index.compact()
    rig.begin()

    def coarse(query: MotionQuery) -> list[tuple[int, int]]:
        told = [one for one in rig.ask(query) if isinstance(one, MotionCoarse)]
        return [(a - _BEGIN_S, b - _BEGIN_S) for one in told for a, b in one.ranges]

    assert coarse(rig.query(0)) == [(960, 1080), (1200, 1320)]
    since = rig.query(0, from_ns=(_BEGIN_S + 975) * _S)
    assert coarse(since) == [(1200, 1320)]
    assert coarse(rig.query(0, from_ns=since.from_ns, to_ns=since.from_ns + 60 * _S)) == []
    rig.begins_s[rig.cameras[0].streams[0].id] = _BEGIN_S + 975
    assert coarse(rig.query(0)) == [(1200, 1320)]


def test_what_is_told_no_more_takes_nothing_of_a_limit(rig: Rig) -> None:
    rig.move(0, 2000, 3)
    rig.move(1, 1000, 3)
    rig.begins_s[rig.cameras[0].streams[0].id] = _BEGIN_S + 3000
    rig.begin()

    assert rig.hits(rig.query(0, 1, limit=1)) == [(1, 1000, 1001)]
    assert rig.hits(rig.query(0, 1)) == [(1, 1000, 1001)]


def test_what_a_search_finds_damaged_it_says_was_not_searched(rig: Rig) -> None:
    rig.move(0, 600, 3, 10)
    rig.index.flush()
    rig.index.compact()
    (path,) = (rig.home / "motion").glob("days/*/*.motion")
    whole = path.read_bytes()
    at = len(whole) - 1
    rig.begin()
    asked = rig.query(0)
    (before,) = [one for one in rig.ask(asked) if isinstance(one, MotionDone)]
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]))

    told = rig.ask(asked)

    first, again = [one for one in told if isinstance(one, MotionCovered)]
    assert first.ranges and not again.ranges
    assert isinstance(told[-1], MotionDone)
    assert (before.seconds_searched, told[-1].seconds_searched) == (10, 0)
    assert not any(isinstance(one, MotionHits) and one.hits for one in told)


def test_what_is_said_again_of_damage_says_nothing_of_an_agreement_that_ended(rig: Rig) -> None:
    for camera in (0, 1):
        rig.move(camera, 600, 3, 10)
    rig.index.flush()
    rig.index.compact()
    stream = rig.cameras[0].streams[0].id
    (path,) = (rig.home / "motion").glob(f"days/{stream.hex()}/*.motion")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    told = rig.answers.search(1, rig.query(0, 1))
    first = [next(told), next(told)]

    rig.untold.add(rig.cameras[1].id)
    again = [one for one in told if isinstance(one, MotionCovered)]

    assert all(isinstance(one, MotionCovered) and one.ranges for one in first)
    assert [one.ranges for one in again] == [[], []]


def test_heat_counts_the_seconds_of_each_cell(rig: Rig) -> None:
    rig.move(0, 100, 3, seconds=5)
    rig.move(0, 200, 3, seconds=2)
    rig.begin()
    query = rig.query(0)

    with MotionClient(rig.home) as client:
        (heat,) = client.heat(query, rig.receipts(query, is_heat=True))
        with pytest.raises(Refused):
            client.heat(query, rig.receipts(query))

    assert heat.seconds == 7
    assert {cell: n for cell, n in enumerate(heat.counts) if n} == {3: 7}


def test_heat_counts_a_second_once_that_both_streams_of_a_camera_were_indexed_for(rig: Rig) -> None:
    """As around the moment in which a sub-stream stays away."""
    both = (Stream(os.urandom(16), "main", "rtsp://127.0.0.1/main"), *_camera("cam3").streams)
    rig.cameras.append(Camera(os.urandom(16), "cam3", both, 1, owner_kind=OwnerKind.STATE))
    rig.looks._catalog.add_camera(rig.cameras[2])
    for stream, column in zip(both, (3, 4), strict=True):
        at = range(_BEGIN_S + 100, _BEGIN_S + 105)
        rig.index.add(stream.id, [Slot(s, cells_of([3, column]), Tier.FULL) for s in at])
    rig.begin()
    query = rig.query(2)

    with MotionClient(rig.home) as client:
        (heat,) = client.heat(query, rig.receipts(query, is_heat=True))

    assert heat.seconds == 5
    assert {cell: n for cell, n in enumerate(heat.counts) if n} == {3: 5, 4: 5}


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
    rig.cameras += [_camera(f"more{n}") for n in range(20)]
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
