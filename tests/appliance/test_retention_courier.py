"""Limits on their way to the keepers, and tombstones on theirs to the ledger."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import cast

import pytest
from msgspec import structs

from audit_rig import audit_run
from vonggac.evidence import ledger
from vonggac.registry.camera import Camera, OwnerKind, Retention, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.retention import Classes, ClassLimits
from vonggac_appliance.clock_watch import ClockWatch
from vonggac_appliance.graves import graves_of
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Retention as Limits
from vonggac_appliance.messages_keeper import Tombstones, TombstonesKept
from vonggac_appliance.retention_courier import RetentionCourier

STREAM = b"s" * 16
CLASSES = Classes(ClassLimits(30, None, 5), {})
LONG_S = 30.0


class Listener:
    """A keeper as far as it is told of limits and of the ledger."""

    uuid, path, is_ready = "d", "/disk", True

    def __init__(self) -> None:
        self.said: list[Limits] = []
        self.kept: asyncio.Queue[int] = asyncio.Queue()

    def tell(self, kind: Kind, body: object) -> None:
        if isinstance(body, Limits):
            self.said.append(body)
        if isinstance(body, TombstonesKept):
            self.kept.put_nowait(body.upto)


@pytest.fixture
def box(home: Path) -> Path:
    streams = (Stream(STREAM, "main", "rtsp://127.0.0.1/x"),)
    with Catalog(home) as catalog:
        catalog.add_camera(Camera(b"c" * 16, "cam1", streams, 0, owner_kind=OwnerKind.STATE))
    return home


def courier_of(box: Path, catalog: Catalog, keeper: Listener) -> RetentionCourier:
    keepers = [cast(Keeper, keeper)]
    watch = ClockWatch(box, lambda *_: None)
    return RetentionCourier(box, catalog, CLASSES, lambda: keepers, watch)


def limit(catalog: Catalog, days_max: int) -> None:
    (known,) = catalog.cameras()
    limits = Retention(days_max=days_max, set_by="an", set_ns=1)
    catalog.change_camera(structs.replace(known, retention=limits))


def test_a_confirmation_lapses_when_a_limit_changes(box: Path) -> None:
    keeper = Listener()
    with Catalog(box) as catalog:
        courier = courier_of(box, catalog, keeper)
        courier.follow()
        limit(catalog, 9)
        courier.confirm()
        courier.follow()
        assert keeper.said[-1].is_confirmed, "of the limit that was set before"

        limit(catalog, 3)
        courier.follow()
    last = keeper.said[-1]
    assert [kept.days_max for kept in last.cameras.values()] == [3] and not last.is_confirmed


def test_tombstones_reach_a_ledger_that_starts_after_them(
    box: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry: ledger.Entry = {
        "at_ns": 99,
        "by": "camera",
        "days": 3,
        "from_ns": 10,
        "rule": "expired",
        "stream": STREAM.hex(),
        "to_ns": 20,
    }
    sent = Tombstones(b"d" * 16, 7, [ledger.canonical_text(entry)])

    async def send() -> int:
        keeper, is_refused = Listener(), asyncio.Event()
        loop = asyncio.get_running_loop()

        class Notice(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                loop.call_soon_threadsafe(is_refused.set)

        notice = Notice()
        logging.getLogger("vonggac.record").addHandler(notice)
        try:
            with Catalog(box) as catalog:
                courier_of(box, catalog, keeper).tombstones(cast(Keeper, keeper), sent)
                await asyncio.wait_for(is_refused.wait(), LONG_S)
                with audit_run(box):
                    return await asyncio.wait_for(keeper.kept.get(), LONG_S)
        finally:
            logging.getLogger("vonggac.record").removeHandler(notice)

    assert asyncio.run(send()) == 7
    assert len(graves_of(box, {STREAM}, 0, 1 << 62)) == 1
    assert "tombstones wait for the ledger" in caplog.text


def test_a_keeper_that_began_anew_is_not_told_of_what_it_sent_before(box: Path) -> None:
    keeper = Listener()
    sent = Tombstones(b"d" * 16, 7, ["{}"])

    async def send() -> None:
        with Catalog(box) as catalog, audit_run(box):
            courier = courier_of(box, catalog, keeper)
            courier.tombstones(cast(Keeper, keeper), sent)
            courier.ready(cast(Keeper, keeper))
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    asyncio.run(send())
    assert keeper.kept.empty()
