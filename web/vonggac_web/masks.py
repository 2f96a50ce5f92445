"""Masks of a camera over HTTP: what searches of its motion leave out."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, jsonify

from vonggac.registry.masks import CameraMasks, Mask, may_set_masks
from vonggac_appliance.messages_motion import Points
from vonggac_appliance.motion_page import searcher_of
from vonggac_web import guard
from vonggac_web.app import services
from vonggac_web.asked import body, camera_id

__all__ = ["blueprint"]

blueprint = Blueprint("masks", __name__, url_prefix="/api/v1/cameras/<camera>/masks")

_MS = 1_000_000


class _Ask(msgspec.Struct):
    name: str
    corners: Points


@blueprint.get("")
def list_masks(camera: str) -> Response:
    """Those that a camera has, and whether this person may change them."""
    person = guard.session().person
    masks: CameraMasks = services().motion.masks.of(person, camera_id(camera))
    return jsonify(masks=[_told(mask) for mask in masks.held], may_set=may_set_masks(person))


@blueprint.post("")
def add_mask(camera: str) -> tuple[Response, int]:
    """One more; its line in the audit chain comes first."""
    asked, session = body(_Ask), guard.session()
    mask = services().motion.masks.add(
        searcher_of(session, guard.caller()),
        camera_id(camera),
        asked.name,
        tuple(asked.corners),
        session.display_name,
    )
    return jsonify(_told(mask)), 201


@blueprint.delete("/<int:number>")
def remove_mask(camera: str, number: int) -> tuple[str, int]:
    """Searches look there again."""
    searcher = searcher_of(guard.session(), guard.caller())
    services().motion.masks.remove(searcher, camera_id(camera), number)
    return "", 204


def _told(mask: Mask) -> dict[str, object]:
    return {
        "number": mask.number,
        "name": mask.name,
        "corners": mask.corners,
        "made_by": mask.made_name,
        "made_ms": mask.made_ns // _MS,
    }
