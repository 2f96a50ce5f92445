"""What the recorder tells its keepers of locks, over a real catalog; a keeper is played here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vonggac.registry.catalog import Catalog
from vonggac.registry.locks import Lock, LockedStream, Unlock
from vonggac_appliance.lock_courier import LockCourier
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Locks, LocksDurable
from vonggac_appliance.sockets import MESSAGE_BYTES_MAX

DAY_NS = 86_400 * 1_000_000_000
NOW_NS = 20_000 * DAY_NS
DISK = b"d" * 16


@dataclass
class Keeper:
    """Hears."""

    uuid: str = DISK.hex()
    path: str = "/srv/d"
    state: str = "recording"
    is_ready: bool = True
    heard: list[tuple[Kind, Any]] = field(default_factory=list)

    def tell(self, kind: Kind, body: msgspec.Struct) -> None:
        self.heard.append((kind, body))

    def names(self) -> list[list[bytes]]:
        """The locks of each message, which are forgotten."""
        told = [
            [r.lock for r in body.ranges] if isinstance(body, Locks) else body.locks
            for _, body in self.heard
        ]
        self.heard.clear()
        return told


@dataclass
class Desk:
    catalog: Catalog
    keeper: Keeper
    alarms: list[tuple[str, str, str]]
    courier: LockCourier
    now_ns: int = NOW_NS


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    with Catalog(home) as catalog:
        keeper, alarms = Keeper(), list[tuple[str, str, str]]()
        keepers: Any = lambda: [keeper]  # noqa: E731
        made: Desk
        courier = LockCourier(
            catalog, keepers, lambda *words: alarms.append(words), lambda: made.now_ns
        )
        made = Desk(catalog, keeper, alarms, courier)
        yield made


def name(number: int) -> bytes:
    return number.to_bytes(16, "big")


def lock(number: int) -> Lock:
    streams = tuple(LockedStream(s * 16, "main", 1 << 60, 1 << 61) for s in (b"m", b"s"))
    return Lock(
        id=name(number),
        number=number,
        camera=b"c" * 16,
        code="cam1",
        streams=streams,
        from_ns=1,
        to_ns=2,
        case="1",
        officer="An",
        reason="why",
        review_ns=NOW_NS + DAY_NS,
        made_by="local:0",
        made_ns=1,
    )


def removed(row: Lock) -> Lock:
    return msgspec.structs.replace(row, unlock=Unlock("x", "a", "commander", 1, "b", 2))


def durable(desk: Desk, *locks: bytes) -> None:
    keeper: Any = desk.keeper
    desk.courier.durable(keeper, LocksDurable(DISK, list(locks)))


def test_a_keeper_that_starts_hears_of_all_that_holds_also_when_that_is_nothing(desk: Desk) -> None:
    keeper: Any = desk.keeper
    desk.courier.read()
    desk.courier.ready(keeper)
    assert keeper.heard == [(Kind.LOCKS, Locks([]))]


def test_a_new_lock_is_told_and_a_removed_one_is_taken_out_where_it_stands(desk: Desk) -> None:
    desk.catalog.add_lock(lock(1), 0)
    desk.courier.follow()
    assert desk.keeper.names() == [[name(1), name(1)]]
    durable(desk, name(1))
    desk.courier.follow()
    assert desk.keeper.names() == []  # nothing is news
    desk.catalog.change_lock(lock(1), removed(lock(1)))
    desk.courier.follow()
    assert desk.keeper.names() == [[], [name(1)]]
    durable(desk)
    assert desk.keeper.names() == []


def test_a_disk_that_was_away_when_two_people_removed_a_lock_hears_of_it_later(desk: Desk) -> None:
    keeper: Any = desk.keeper
    desk.catalog.add_lock(removed(lock(1)), 0)
    desk.courier.read()
    desk.keeper.heard.clear()
    desk.courier.ready(keeper)
    assert [kind for kind, _ in keeper.heard] == [Kind.LOCKS]
    assert desk.courier.reply().disks[0].locks is None  # it has not told yet
    keeper.heard.clear()
    durable(desk, name(1))
    assert [kind for kind, _ in keeper.heard] == [Kind.UNLOCK]
    assert desk.courier.reply().disks[0].locks == [name(1)]


def test_a_lock_that_the_catalog_does_not_know_is_told_once_and_stays(desk: Desk) -> None:
    desk.courier.read()
    durable(desk, name(9))
    durable(desk, name(9))
    assert [(kind, subject) for kind, subject, _ in desk.alarms] == [("lock-unknown", "/srv/d")]
    assert desk.keeper.names() == []


def test_many_locks_come_in_messages_that_a_socket_takes(desk: Desk) -> None:
    for number in range(1, 301):
        assert desk.catalog.add_lock(lock(number), number - 1)
    desk.courier.read()
    bodies = [body for _, body in desk.keeper.heard]
    assert all(len(msgspec.msgpack.encode(body)) < MESSAGE_BYTES_MAX - 100 for body in bodies)
    assert [body.more for body in bodies] == [True, False]
    assert len({r.lock for body in bodies for r in body.ranges}) == 300


def test_an_overdue_review_is_an_alarm_once_a_day(desk: Desk) -> None:
    desk.catalog.add_lock(lock(1), 0)
    gone = msgspec.structs.replace(removed(lock(2)), number=2)
    desk.catalog.add_lock(gone, 1)
    for hours in range(0, 72, 6):
        desk.now_ns = NOW_NS + hours * DAY_NS // 24
        desk.courier.follow()
    assert [(kind, subject) for kind, subject, _ in desk.alarms] == [
        ("lock-review", "lock 1, cam1")
    ] * 2
