"""Searches for motion over HTTP: what moved there is told line by line, as it is found."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, jsonify

from vonggac.errors import VonggacError
from vonggac_appliance.messages_motion import (
    MotionCoarse,
    MotionCovered,
    MotionDone,
    MotionHit,
    MotionHits,
    MotionQuery,
    MotionReply,
    Points,
    Watched,
)
from vonggac_appliance.motion_page import Told
from vonggac_web import guard
from vonggac_web.app import services
from vonggac_web.asked import Time, body, camera_id, ns_of, purpose_of
from vonggac_web.errors import code_and_status

__all__ = ["blueprint"]

blueprint = Blueprint("motion", __name__, url_prefix="/api/v1/motion")

_S_MS = 1000


class _Watched(msgspec.Struct):
    camera: str
    regions: list[Points] = []
    masks: list[Points] = []


class _Ask(msgspec.Struct, rename={"from_": "from"}):
    cameras: list[_Watched]
    from_: Time = None
    to: Time = None
    cells_min: int = 1
    hours: tuple[int, int] | None = None
    """Minutes of Vietnam's day."""
    limit: int = 1000
    kept_masks: bool = True
    """False: also behind the masks that cameras have."""
    purpose: msgspec.Raw = msgspec.Raw(b"null")


@blueprint.post("/search")
def search() -> Response:
    """Log a search, then tell what moved there: NDJSON. Closing the connection cancels it."""
    asked = body(_Ask)
    told = services().motion.search(
        guard.session(),
        guard.caller(),
        purpose_of(asked.purpose),
        _query(asked),
        has_masks=asked.kept_masks,
    )
    response = Response(_lines(told), mimetype="application/x-ndjson")
    response.call_on_close(told.close)
    return response


@blueprint.post("/heat")
def heat() -> Response:
    """Log it, then tell how often each cell of each camera moved."""
    asked = body(_Ask)
    told = services().motion.heat(
        guard.session(),
        guard.caller(),
        purpose_of(asked.purpose),
        _query(asked),
        has_masks=asked.kept_masks,
    )
    return jsonify(
        cameras=[
            {
                "camera": one.camera.hex(),
                "counts": one.counts,
                "seconds": one.seconds,
                "masks": one.masks,
            }
            for one in told
        ]
    )


def _query(asked: _Ask) -> MotionQuery:
    return MotionQuery(
        [Watched(camera_id(one.camera), one.regions, one.masks) for one in asked.cameras],
        ns_of(asked.from_),
        ns_of(asked.to),
        asked.cells_min,
        asked.hours,
        limit=asked.limit,
    )


def _lines(told: Told) -> Iterator[bytes]:
    """What goes wrong after the first line is the last line: the status was 200."""
    try:
        for answer in told:
            yield _line(_told(answer))
    except VonggacError as error:
        code, _ = code_and_status(error)
        yield _line({"kind": "error", "error": {"code": code, "what": str(error)}})


def _line(facts: dict[str, object]) -> bytes:
    return msgspec.json.encode(facts) + b"\n"


def _told(answer: MotionReply) -> dict[str, object]:
    match answer:
        case MotionCovered():
            return {
                "kind": "covered",
                "camera": answer.camera.hex(),
                "ranges": _ms(answer.ranges),
                "masks": answer.masks,
                "complete_from": answer.complete_from_s * 1000 or None,
            }
        case MotionCoarse(camera=camera, ranges=ranges):
            return {"kind": "coarse", "camera": camera.hex(), "ranges": _ms(ranges)}
        case MotionHits(hits=hits):
            return {"kind": "hits", "hits": [_hit(hit) for hit in hits]}
        case MotionDone():
            return {
                "kind": "done",
                "cameras": answer.cameras,
                "seconds_searched": answer.seconds_searched,
                "elapsed_ms": answer.elapsed_ms,
                "is_limited": answer.is_limited,
            }
    raise TypeError(f"a search is not answered by {type(answer).__name__}")


def _hit(hit: MotionHit) -> dict[str, object]:
    return {
        "camera": hit.camera.hex(),
        "from": hit.from_s * _S_MS,
        "to": hit.to_s * _S_MS,
        "strongest": hit.strongest_s * _S_MS,
        "cells": hit.cells,
        "tier": hit.tier,
        "is_global": hit.is_global,
    }


def _ms(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(from_s * _S_MS, to_s * _S_MS) for from_s, to_s in ranges]
