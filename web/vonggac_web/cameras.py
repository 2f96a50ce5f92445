"""The list of cameras: a page that works without script, and what its script asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from flask import Blueprint, Response, jsonify, render_template, request

from vonggac.errors import Invalid
from vonggac.media.chunk import gap_word
from vonggac.playback.day_bar import Bar
from vonggac.registry.search import is_found
from vonggac_appliance.accounts import Session
from vonggac_appliance.camera_list import CameraRow, StreamRow, counts_of
from vonggac_appliance.clock import wall_ns
from vonggac_web import figures, guard
from vonggac_web.app import services
from vonggac_web.asked import camera_id

__all__ = ["blueprint"]

blueprint = Blueprint("cameras", __name__)
blueprint.record_once(lambda state: figures.install(state.app))

SORTS = ("state", "code", "area")
"""By state means those first that need a person."""
_MS = 1_000_000
_NUMBER_MAX = 1 << 62
_PIXELS = 1000


@blueprint.get("/cameras")
def list_page() -> str:
    """Everything the person may know of."""
    me = guard.session()
    rows = services().cameras.rows(me.person)
    wanted, sort = request.args.get("q", "")[:200], request.args.get("sort", "")
    sort = sort if sort in SORTS else SORTS[0]
    return render_template(
        "cameras.html",
        rows=_sorted(rows, sort),
        shown={row.id for row in rows if is_found(wanted, row.code, row.point, row.area)},
        counts=counts_of(rows),
        recorder=services().status.recorder(0.0),
        stills=_stills(me, rows),
        now_ns=wall_ns(),
        wanted=wanted,
        sort=sort,
    )


@blueprint.get("/api/v1/cameras")
def list_cameras() -> Response:
    """The same for programs."""
    me = guard.session()
    rows = services().cameras.rows(me.person)
    recorder = services().status.recorder(0.0)
    stills = _stills(me, rows)
    return jsonify(
        at_ms=wall_ns() // _MS,
        is_recorder_answering=recorder.is_answering,
        recorder_seen_ms=_ms(recorder.seen_ns),
        counts=asdict(counts_of(rows)),
        cameras=[_told(row, stills.get(row.id)) for row in rows],
    )


@blueprint.get("/api/v1/cameras/<camera>/timeline")
def timeline(camera: str) -> Response:
    """What is recorded of a stream, and why the rest is not."""
    bar = services().cameras.timeline(
        guard.session().person,
        camera_id(camera),
        request.args.get("stream", "main"),
        _number("from") * _MS,
        _number("to") * _MS,
        _number("pixels", _PIXELS),
    )
    return jsonify({**_bar(bar), "durable_until": _ms(bar.durable_until_ns)})


def _number(name: str, default: int | None = None) -> int:
    text = request.args.get(name, "" if default is None else str(default))
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit():
        raise Invalid(name, "a whole number is wanted: ms since 1970")
    if len(text) > 20 or abs(int(text)) > _NUMBER_MAX // _MS:
        raise Invalid(name, "a number beyond all times")
    return int(text)


def _sorted(rows: Iterable[CameraRow], sort: str) -> list[CameraRow]:
    if sort == "code":
        return sorted(rows, key=lambda row: row.code)
    if sort == "area":
        return sorted(rows, key=lambda row: (row.area, row.point, row.code))
    return sorted(rows, key=lambda row: (row.is_recording, not row.is_red, row.code))


def _stills(me: Session, rows: Iterable[CameraRow]) -> dict[bytes, str]:
    """Addresses of stills, of cameras that this session is looking at now; no others have any."""
    looks = {look.camera.id: look for look in services().looks.of_session(me)}
    found: dict[bytes, str] = {}
    for row in rows:
        look = looks.get(row.id)
        if look is None or not look.streams:
            continue
        stream = look.stream("sub") or look.streams[0]
        ends = [s.durable_until_ns for s in row.streams if s.name == stream.name]
        at_ns = min((ends[0] if ends and ends[0] else look.to_ns) - 1, look.to_ns - 1)
        if at_ns >= look.from_ns:
            path = f"/api/v1/looks/{look.id}/{stream.name}/still.mp4"
            found[row.id] = f"{path}?at={at_ns // _MS}"
    return found


def _told(row: CameraRow, still: str | None) -> Mapping[str, object]:
    return {
        "id": row.id.hex(),
        "code": row.code,
        "point": row.point,
        "area": row.area,
        "owner_kind": row.owner_kind,
        "is_red": row.is_red,
        "is_recording": row.is_recording,
        "state": row.state,
        "gap_reason": row.gap_reason,
        "since_ms": _ms(row.since_ns),
        "what": row.what,
        "streams": [_stream(stream) for stream in row.streams],
        "day": None if row.day is None else _bar(row.day),
        "still": still,
    }


def _stream(stream: StreamRow) -> Mapping[str, object]:
    rate = stream.rate
    return {
        "name": stream.name,
        "state": stream.state,
        "codec": stream.codec,
        "width_px": stream.width,
        "height_px": stream.height,
        "frames_per_s": None if rate is None else round(rate.samples_per_s, 2),
        "bits_per_s": None if rate is None else round(rate.bits_per_s),
        "keyframe_interval_ms": stream.keyframe_interval_ms,
        "gap_reason": stream.gap_reason,
        "gap_start_ms": _ms(stream.gap_start_ns),
        "durable_until_ms": _ms(stream.durable_until_ns),
    }


def _bar(bar: Bar) -> dict[str, object]:
    return {
        "from": bar.from_ns // _MS,
        "to": bar.to_ns // _MS,
        "ranges": [[start_ns // _MS, end_ns // _MS] for start_ns, end_ns in bar.ranges],
        "gaps": [[g.from_ns // _MS, g.to_ns // _MS, gap_word(g.reason)] for g in bar.gaps],
    }


def _ms(ns: int | None) -> int | None:
    return None if ns is None else ns // _MS
