"""Masks that a camera has: rows of the catalog and who may set them."""

from __future__ import annotations

from pathlib import Path

import lmdb
import pytest

from vonggac.errors import Invalid, Missing, Refused
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.masks import CORNERS_MAX, HELD_MAX, CameraMasks, Corners, may_set_masks
from vonggac.registry.people import Person, Role

AN = Person("ab" * 16, Role.COMMANDER)
TREE: Corners = ((0.6, 0.0), (1.0, 0.0), (1.0, 0.35))
ROW = Camera(b"c" * 16, "cam1", (), 1)
EMPTY = CameraMasks(ROW.id)


def named(masks: CameraMasks, *names: str) -> CameraMasks:
    for name in names:
        masks = masks.with_mask(name, TREE, AN, "An", 7)
    return masks


def test_a_mask_says_what_it_hides_where_who_made_it_and_when() -> None:
    made = EMPTY.with_mask("  cây   phượng ", ((1 / 3, 0.0), *TREE[1:]), AN, "An", 7)

    (mask,) = made.held
    assert (mask.number, mask.name, mask.made_by, mask.made_name, mask.made_ns) == (
        (1, "cây phượng", AN.name, "An", 7)
    )
    assert mask.corners == ((0.3333, 0.0), *TREE[1:])


def test_a_number_is_never_given_again() -> None:
    masks = named(EMPTY, "cây", "cờ").without_mask(2).without_mask(1)
    assert masks.held == ()

    assert [mask.number for mask in named(masks, "cờ").held] == [3]


@pytest.mark.parametrize(
    ("name", "corners", "field"),
    [
        ("", TREE, "name"),
        ("CÂY", TREE, "name"),
        ("cờ\u202e", TREE, "name"),
        ("x" * 65, TREE, "name"),
        ("cờ", TREE[:2], "region"),
        ("cờ", TREE * 7, "region"),
        ("cờ", (*TREE[:2], (float("nan"), 0.1)), "region"),
    ],
)
def test_a_mask_that_is_none_is_refused(name: str, corners: Corners, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        named(EMPTY, "cây").with_mask(name, corners, AN, "An", 7)

    assert refused.value.field == field


def test_a_camera_has_so_many_and_no_more() -> None:
    assert len(TREE * 7) > CORNERS_MAX
    full = named(EMPTY, *map(str, range(HELD_MAX)))
    with pytest.raises(Refused, match="8 masks"):
        named(full, "một nữa")
    with pytest.raises(Missing):
        full.without_mask(HELD_MAX + 1)


@pytest.mark.parametrize("role", Role)
def test_who_looks_after_cameras_and_the_commander_set_masks(role: Role) -> None:
    may = role in (Role.COMMANDER, Role.TECHNICIAN, Role.LOCAL)
    assert may_set_masks(Person("x", role)) is may


def test_a_home_that_knew_no_masks_has_none_and_takes_them(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(ROW)
    with lmdb.open(str(home / "catalog"), max_dbs=8, readonly=True) as env:
        meta = env.open_db(b"meta", create=False)
        with env.begin() as txn:
            before = [bytes(key) for key, _ in txn.cursor(db=meta)]
    assert not [key for key in before if key.startswith(b"masks/")]

    with Catalog(home) as catalog:
        assert catalog.masks(ROW.id) == EMPTY
        catalog.put_masks(named(EMPTY, "cây"), EMPTY)
    with Catalog(home, is_readonly=True) as catalog:
        assert catalog.masks(ROW.id) == named(EMPTY, "cây")
        assert catalog.cameras() == [ROW] and catalog.hooks() == catalog.removed() == []


def test_of_two_who_change_masks_the_second_looks_again(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(ROW)
        catalog.put_masks(named(EMPTY, "cây"), EMPTY)
        with pytest.raises(Refused, match="changed meanwhile"):
            catalog.put_masks(named(EMPTY, "cờ"), EMPTY)
        assert catalog.masks(ROW.id) == named(EMPTY, "cây")


def test_masks_go_with_their_camera(home: Path) -> None:
    with Catalog(home) as catalog:
        catalog.add_camera(ROW)
        catalog.put_masks(named(EMPTY, "cây"), EMPTY)
        catalog.remove_camera("cam1")
        assert catalog.masks(ROW.id) == EMPTY
        with pytest.raises(Refused):
            catalog.put_masks(named(EMPTY, "cây"), EMPTY)
