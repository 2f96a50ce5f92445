"""`vonggac motion mask add|list|remove`: what searches of a camera's motion leave out."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from vonggac.errors import Invalid
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.masks import Mask
from vonggac.registry.people import local_person
from vonggac_appliance.cli_common import UsageError, camera_of, emit, group, leaf, table
from vonggac_appliance.cli_motion_search import points_of
from vonggac_appliance.clock import iso
from vonggac_appliance.motion_looks import Searcher
from vonggac_appliance.motion_masks import MotionMasks

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Put the commands beside the others of `motion`."""
    nested = group(commands, "mask", "what searches of a camera's motion leave out")
    made = leaf(
        nested,
        "add",
        "leave a tree or a flag out of searches of a camera, once that is logged",
        "vonggac motion mask add cam1 'cây phượng' --region 0.6,0,0.4,0.35",
        _add,
        has_json=True,
    )
    made.add_argument("camera", metavar="ID")
    made.add_argument("name", metavar="NAME", help="what is behind it")
    made.add_argument(
        "--region",
        required=True,
        metavar="REGION",
        help="x,y,width,height or the corners x,y x,y x,y … from 0 to 1",
    )
    shown = leaf(
        nested,
        "list",
        "show the masks of cameras: where, who made them, when",
        "vonggac motion mask list cam1",
        _list,
        has_json=True,
    )
    shown.add_argument("cameras", nargs="*", metavar="ID", help="all of them without")
    gone = leaf(
        nested,
        "remove",
        "search behind a mask again; the index has known it all along",
        "vonggac motion mask remove cam1 2",
        _remove,
    )
    gone.add_argument("camera", metavar="ID")
    gone.add_argument("mask", type=int, metavar="MASK", help="its number")


def _add(args: argparse.Namespace) -> int:
    camera = camera_of(args.home, args.camera)
    who = _who()
    with Catalog(args.home) as catalog:
        try:
            corners = tuple(points_of(args.region))
            mask = MotionMasks(args.home, catalog).add(
                who, camera.id, args.name, corners, who.person.name
            )
        except Invalid as error:
            raise UsageError(str(error)) from error
    emit(args, _facts(camera, mask), f"mask {mask.number} of {camera.code} is set")
    return 0


def _list(args: argparse.Namespace) -> int:
    wanted = [camera_of(args.home, code) for code in dict.fromkeys(args.cameras)]
    with Catalog(args.home, is_readonly=True) as catalog:
        cameras = wanted or catalog.cameras()
        rows = [(camera, mask) for camera in cameras for mask in catalog.masks(camera.id).held]
    lines = [
        (
            camera.code,
            str(mask.number),
            mask.name,
            mask.made_name,
            iso(mask.made_ns),
            " ".join(f"{x:g},{y:g}" for x, y in mask.corners),
        )
        for camera, mask in rows
    ]
    head = ("camera", "mask", "name", "made by", "at", "corners")
    facts = {"masks": [_facts(camera, mask) for camera, mask in rows]}
    emit(args, facts, table(head, lines) if lines else "no camera has a mask")
    return 0


def _remove(args: argparse.Namespace) -> int:
    camera = camera_of(args.home, args.camera)
    with Catalog(args.home) as catalog:
        mask = MotionMasks(args.home, catalog).remove(_who(), camera.id, args.mask)
    print(f"mask {mask.number} of {camera.code} is gone: searches look there again")
    return 0


def _who() -> Searcher:
    return Searcher(local_person(os.getuid()))


def _facts(camera: Camera, mask: Mask) -> dict[str, object]:
    return {
        "camera": camera.code,
        "mask": mask.number,
        "name": mask.name,
        "corners": [list(corner) for corner in mask.corners],
        "made_by": mask.made_by,
        "made_name": mask.made_name,
        "made": iso(mask.made_ns),
    }
