"""Who may know of few cameras is told their alarms, however many others there are."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from box_rig import Box
from vonggac.registry.camera import Camera, OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, Role
from vonggac_appliance.alarm_list import SHOWN_MAX, AlarmList
from vonggac_appliance.alarm_store import AlarmStore

COMMANDER = Person("An", Role.COMMANDER)
OFFICER = Person("Bình", Role.AREA_OFFICER, ("Tổ 3",))


@pytest.mark.parametrize("is_running", [True, False], ids=["recorder", "no recorder"])
def test_alarms_of_others_take_no_place_in_what_one_is_told(
    tmp_path: Path, is_running: bool
) -> None:
    box = Box(tmp_path / "home", "256M")
    with contextlib.ExitStack() as stack:
        stack.callback(box.discard)
        catalog = stack.enter_context(Catalog(box.home))
        for code, area in (("cam1", "Tổ 1"), ("cam3", "Tổ 3")):
            kind = OwnerKind.STATE
            camera = Camera(os.urandom(16), code, (), 1, area=area, owner_kind=kind)
            catalog.add_camera(camera)
        store = AlarmStore(box.home)
        own = store.note("view-covered", "cam3", "needs a look", 1, (1, 2))
        for number in range(SHOWN_MAX + 1):
            store.note("lock-review", f"lock {number}, cam1", "is reviewed", 10 + number)
        store.close()
        if is_running:
            stack.enter_context(box.running())
            box.until_answered()
        alarms = AlarmList(box.home, catalog)

        told = alarms.of(OFFICER)

        assert (list(told.rows), told.is_recorder_answering) == ([own], is_running)
        assert len(alarms.of(COMMANDER).rows) == SHOWN_MAX
        assert alarms.open_of(COMMANDER, "cam3") == alarms.open_of(OFFICER, "cam3") == (own,)
        assert alarms.open_of(OFFICER, "cam1") == ()
