"""Masks that a camera has: left out of searches and heat pictures, told, and never of the index."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from audit_rig import audit_run, chain_of, vonggac
from footage_maker import CAMERA, CAMERA_ROW, SUB, make_home
from motion_page_rig import Moved, index_of
from vonggac.errors import Invalid, Missing, Refused, Unavailable
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.masks import Corners
from vonggac.registry.people import Person, Purpose, PurposeCode, Role, local_person
from vonggac_appliance import motion_words
from vonggac_appliance.messages_motion import MotionCovered, MotionHits, MotionQuery, Watched
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, Searcher
from vonggac_appliance.motion_masks import MotionMasks

_S = 1_000_000_000
_BEGIN_S = (int(time.time()) - 3600) // 120 * 120
_TREE = (0.0, 0.0, 0.25, 0.25)
_GATE = (0.5, 0.5, 0.25, 0.25)
_TREE_CORNERS: Corners = ((0.0, 0.0), (0.25, 0.0), (0.25, 0.25), (0.0, 0.25))
_OTHER = Camera(
    b"O" * 16, "cam2", (Stream(b"o" * 16, "sub", "rtsp://127.0.0.1/"),), 1,
    owner_kind=OwnerKind.STATE,
)  # fmt: skip
_CASE = Purpose(PurposeCode.CRIME, "2026/17")
_AN = Searcher(Person("ab" * 16, Role.COMMANDER), "0123456789abcdef", "192.168.1.7", "Firefox")


@dataclass(slots=True)
class Rig:
    home: Path
    catalog: Catalog
    looks: MotionLooks
    masks: MotionMasks

    def query(self, *cameras: Watched) -> MotionQuery:
        chosen = list(cameras) or [Watched(CAMERA)]
        return MotionQuery(chosen, _BEGIN_S * _S, (_BEGIN_S + 600) * _S)

    def hits(self, query: MotionQuery, *, has_masks: bool = True) -> list[int]:
        """Seconds of the ten minutes in which a hit begins; the camera's masks as they are told."""
        permit = self.looks.permit(_AN, _CASE, query, has_masks=has_masks)
        with MotionClient(self.home) as client:
            told = list(client.search(permit.query, permit.receipts))
        named = {one.camera: one.masks for one in told if isinstance(one, MotionCovered)}
        assert named == {one.camera: one.kept for one in permit.query.cameras}
        found = [hit for one in told if isinstance(one, MotionHits) for hit in one.hits]
        return sorted(hit.from_s - _BEGIN_S for hit in found)

    def words(self) -> str:
        return str(chain_of(self.home)[-1]["search"])


@pytest.fixture
def rig(home: Path) -> Iterator[Rig]:
    """The tree moves at 100, the gate at 200; of the other camera both at 300."""
    seen = {
        SUB: [Moved(_BEGIN_S + 100, _TREE), Moved(_BEGIN_S + 200, _GATE)],
        b"o" * 16: [Moved(_BEGIN_S + 300, (0.0, 0.0, 1.0, 1.0))],
    }
    with audit_run(home), Catalog(home) as catalog:
        for row in (CAMERA_ROW, _OTHER):
            catalog.add_camera(row)
        with index_of(home, catalog, seen):
            yield Rig(home, catalog, MotionLooks(home, catalog), MotionMasks(home, catalog))


def test_what_lies_behind_a_mask_is_not_found_and_found_again_without_it(rig: Rig) -> None:
    assert rig.hits(rig.query()) == [100, 200]

    mask = rig.masks.add(_AN, CAMERA, "cây phượng", _TREE_CORNERS, "An")

    assert rig.hits(rig.query()) == [200]
    assert rig.words() == "motion in the whole picture, without its masks 1"
    assert rig.hits(rig.query(), has_masks=False) == [100, 200]
    assert rig.words() == "motion in the whole picture"
    rig.masks.remove(_AN, CAMERA, mask.number)
    assert rig.hits(rig.query()) == [100, 200]


def test_each_camera_has_its_own_and_one_line_names_them(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
    both = rig.query(Watched(_OTHER.id), Watched(CAMERA))

    assert rig.hits(both) == [200, 300]
    assert rig.words() == "motion in the whole picture, without masks 1 of camera 2"
    assert chain_of(rig.home)[-1]["object"] == "cam2, cam1"
    rig.masks.add(_AN, _OTHER.id, "cờ", _TREE_CORNERS, "An")
    rig.masks.add(_AN, _OTHER.id, "đồng hồ", _TREE_CORNERS, "An")
    assert rig.hits(both) == [200, 300]
    assert rig.words() == (
        "motion in the whole picture, without masks 1 2 of camera 1, 1 of camera 2"
    )


def test_a_heat_picture_is_cold_behind_a_mask(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
    counts = {}
    for has_masks in (True, False):
        permit = rig.looks.permit(_AN, _CASE, rig.query(), is_heat=True, has_masks=has_masks)
        with MotionClient(rig.home) as client:
            (heat,) = client.heat(permit.query, permit.receipts)
        assert heat.masks == ([1] if has_masks else [])
        counts[has_masks] = (heat.counts[0], heat.counts[20 * 64 + 40])
    assert counts == {True: (0, 1), False: (1, 1)}


def test_a_region_that_lies_behind_masks_is_refused_and_says_so(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
    behind = rig.query(Watched(CAMERA, [[(0.1, 0.1), (0.2, 0.1), (0.2, 0.2)]]))

    with pytest.raises(Invalid) as refused:
        rig.hits(behind)

    assert refused.value.field == "masks"
    assert rig.hits(behind, has_masks=False) == [100]


def test_a_mask_hides_no_marks(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
    query = msgspec.structs.replace(rig.query(), marks=[])

    permit = rig.looks.permit(_AN, _CASE, query)

    assert permit.query.cameras[0].kept == []
    assert rig.words() == "marks of all kinds in the whole picture"


def test_who_asks_does_not_choose_which_masks_hold(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")

    permit = rig.looks.permit(_AN, _CASE, rig.query(Watched(CAMERA, kept=[7])))

    assert permit.query.cameras[0].kept == [1]
    other = rig.query(Watched(CAMERA))
    with MotionClient(rig.home) as client, pytest.raises(Refused):
        list(client.search(other, permit.receipts))


def test_a_mask_that_is_taken_away_meanwhile_ends_the_search(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
    permit = rig.looks.permit(_AN, _CASE, rig.query())
    rig.masks.remove(_AN, CAMERA, 1)

    with MotionClient(rig.home) as client, pytest.raises(Refused, match="search again"):
        list(client.search(permit.query, permit.receipts))


def test_a_mask_stands_in_the_chain_with_its_corners_and_who_made_it(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây phượng", _TREE_CORNERS, "An")
    line = chain_of(rig.home)[-1]
    assert (line["action"], line["actor"], line["role"]) == (
        ("motion mask add", "ab" * 16, "commander")
    )
    assert line["object"] == "cam1, mask 1 «cây phượng»: 0,0 0.25,0 0.25,0.25 0,0.25"
    assert (line["address"], line["result"]) == ("192.168.1.7", "allowed")

    rig.masks.remove(_AN, CAMERA, 1)

    line = chain_of(rig.home)[-1]
    assert (line["action"], line["object"]) == ("motion mask remove", "cam1, mask 1 «cây phượng»")


def test_of_two_who_make_a_mask_at_once_one_is_told_no_and_the_chain_says_so(rig: Rig) -> None:
    def meanwhile() -> int:
        rig.masks.add(_AN, CAMERA, "cờ", _TREE_CORNERS, "An")
        return 7

    slow = MotionMasks(rig.home, rig.catalog, clock=meanwhile)
    with pytest.raises(Refused, match="changed meanwhile"):
        slow.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")

    assert [mask.name for mask in rig.catalog.masks(CAMERA).held] == ["cờ"]
    first, second, back = chain_of(rig.home)[-3:]
    assert "mask 1 «cờ»" in first["object"] and first["result"] == "allowed"
    assert second["object"] == back["object"] and "mask 1 «cây»" in second["object"]
    assert back["result"].startswith("not done: ")


def test_nobody_hides_all_of_a_picture(rig: Rig) -> None:
    left: Corners = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    right: Corners = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
    rig.masks.add(_AN, CAMERA, "trái", left, "An")

    with pytest.raises(Invalid, match="nothing of the picture") as refused:
        rig.masks.add(_AN, CAMERA, "phải", right, "An")

    assert refused.value.field == "region"
    assert rig.hits(rig.query()) == [200]


@pytest.mark.parametrize("role", [Role.AREA_OFFICER, Role.DETECTIVE, Role.OPERATOR, Role.AUDITOR])
def test_who_does_not_look_after_cameras_sets_none_and_that_is_a_line(rig: Rig, role: Role) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
    areas = (CAMERA_ROW.area,) if role is Role.AREA_OFFICER else ()
    who = replace(_AN, person=Person("cd" * 16, role, areas))

    with pytest.raises(Refused, match="commander or a technician"):
        rig.masks.add(who, CAMERA, "cờ", _TREE_CORNERS, "Bình")
    with pytest.raises(Refused):
        rig.masks.remove(who, CAMERA, 1)

    assert str(chain_of(rig.home)[-1]["result"]).startswith("refused: ")
    assert len(rig.masks.of(who.person, CAMERA).held) == 1, "seen by whoever knows the camera"


def test_a_camera_that_somebody_may_not_know_has_no_masks_for_him(rig: Rig) -> None:
    stranger = Person("cd" * 16, Role.AREA_OFFICER, ("tổ 99",))
    for camera in (CAMERA, b"?" * 16, b""):
        with pytest.raises(Missing):
            rig.masks.of(stranger, camera)


def test_no_mask_is_in_force_that_the_chain_does_not_tell_of(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(CAMERA_ROW)
        with pytest.raises(Unavailable):
            MotionMasks(home, catalog).add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
        assert catalog.masks(CAMERA).held == ()


def test_sixteen_cameras_with_all_the_masks_there_may_be_have_one_line() -> None:
    cameras = [
        Watched(bytes([n]) * 16, [[(0, 0), (1, 0), (1, 1)]], kept=list(range(1, 9)))
        for n in range(1, 17)
    ]
    query = MotionQuery(cameras, 0, _S)

    ((words, ids),) = motion_words.groups(query)

    assert len(ids) == 16
    motion_words.check(query, 2 * _S)
    assert words.endswith("1 2 3 4 5 6 7 8 of camera 16")


def test_commands_set_list_and_remove_them(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_home(home)
    add = ("motion", "mask", "add", "cam1", "cây phượng", "--region")
    with audit_run(home):
        assert vonggac(home, "motion", "mask", "list") == 0
        assert "no camera has a mask" in capsys.readouterr().out
        assert vonggac(home, *add, "0,0,0.25,0.25", "--json") == 0
        made = json.loads(capsys.readouterr().out)
        assert (made["mask"], made["name"]) == (1, "cây phượng")
        assert made["made_by"] == local_person(os.getuid()).name
        for wrong in ("0,0,1,1", "0,0 1,1 1,0 0,1", "x"):
            assert vonggac(home, *add, wrong) == 2
        assert vonggac(home, "motion", "mask", "list", "cam1", "--json") == 0
        assert json.loads(capsys.readouterr().out)["masks"] == [made]
        assert vonggac(home, "motion", "mask", "remove", "cam1", "2") == 1
        assert vonggac(home, "motion", "mask", "remove", "cam1", "1") == 0
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.masks(CAMERA).held == ()


def test_a_search_by_command_tells_what_it_left_out(rig: Rig) -> None:
    rig.masks.add(_AN, CAMERA, "cây", _TREE_CORNERS, "An")
    search = ("motion", "search", "cam1", "--from", "-2h", "--to", "now", "--purpose", "vụ 17")
    # Processes of their own, as this one has the catalog open.
    line = [sys.executable, "-m", "vonggac_appliance", "--home", str(rig.home), *search]

    told = subprocess.run(line, capture_output=True, text=True, check=True)
    whole = subprocess.run([*line, "--no-masks", "--json"], capture_output=True, check=True)

    assert len(told.stdout.splitlines()) == 1
    assert "not searched: what lies behind mask 1 of cam1" in told.stderr
    *hits, done = map(json.loads, whole.stdout.splitlines())
    assert len(hits) == 2 and done["masks"] == {}
