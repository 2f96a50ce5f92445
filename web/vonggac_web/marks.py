"""Searches of marks over HTTP: what other people's programs say they saw, as what it is."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, jsonify

from vonggac_appliance.messages_motion import MarkFound, MotionQuery, Points, Watched
from vonggac_web import guard
from vonggac_web.app import services
from vonggac_web.asked import Time, body, camera_id, ns_of, purpose_of

__all__ = ["blueprint"]

blueprint = Blueprint("marks", __name__, url_prefix="/api/v1/marks")

_NS_PER_MS = 1_000_000


class _Watched(msgspec.Struct):
    camera: str
    regions: list[Points] = []
    masks: list[Points] = []


class _Ask(msgspec.Struct, rename={"from_": "from"}):
    cameras: list[_Watched]
    from_: Time = None
    to: Time = None
    kinds: list[str] = []
    """None: all."""
    hours: tuple[int, int] | None = None
    """Minutes of Vietnam's day in which a mark begins."""
    limit: int = 1000
    purpose: msgspec.Raw = msgspec.Raw(b"null")


@blueprint.post("/search")
def search() -> Response:
    """Log a search, then tell which marks there are, those that end last first."""
    asked = body(_Ask)
    marks, done = services().motion.marks(
        guard.session(), guard.caller(), purpose_of(asked.purpose), _query(asked)
    )
    return jsonify(
        marks=[_told(mark) for mark in marks],
        is_limited=done.is_limited,
        complete_from=done.complete_from_ns // _NS_PER_MS if done.is_limited else None,
    )


def _query(asked: _Ask) -> MotionQuery:
    return MotionQuery(
        [Watched(camera_id(one.camera), one.regions, one.masks) for one in asked.cameras],
        ns_of(asked.from_),
        ns_of(asked.to),
        hours=asked.hours,
        limit=asked.limit,
        marks=asked.kinds,
    )


def _told(mark: MarkFound) -> dict[str, object]:
    return {
        "camera": mark.camera.hex(),
        "from": mark.from_ns // _NS_PER_MS,
        "to": mark.to_ns // _NS_PER_MS,
        "kind": mark.kind,
        "box": mark.box,
        "score": mark.score,
        "hook": mark.hook,
        "name": mark.name,
    }
