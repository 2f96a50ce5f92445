"""What a person has to look at: a page that works without script, and the same for programs."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from vonggac.registry.alarms import NOTE_MAX, Alarm
from vonggac_web import figures, guard
from vonggac_web.app import services
from vonggac_web.camera import PURPOSES

__all__ = ["blueprint"]

blueprint = Blueprint("alarms", __name__)
blueprint.record_once(lambda state: figures.install(state.app))

_MS = 1_000_000


@blueprint.get("/alarms")
def alarms_page() -> str:
    """Open ones first. Who opens it has seen them."""
    me = guard.session()
    told = services().alarms.of(me.person, me.display_name)
    return render_template("alarms.html", told=told, note_max=NOTE_MAX, purposes=PURPOSES)


@blueprint.post("/alarms/<int:number>/acknowledge")
def acknowledge(number: int) -> AnyResponse:
    """He answers for it."""
    note = request.form.get("note", "").strip()[:NOTE_MAX]
    services().alarms.acknowledge(guard.session(), number, note)
    return redirect("/alarms", 303)


@blueprint.get("/api/v1/alarms")
def tell_alarms() -> Response:
    """The same for programs, which see nothing: nobody is noted."""
    told = services().alarms.of(guard.session().person)
    return jsonify(
        is_recorder_answering=told.is_recorder_answering,
        open=told.open_count,
        alarms=[_told(row) for row in told.rows],
    )


@blueprint.get("/api/v1/alarms/open")
def count_alarms() -> Response:
    """For the frame of every page."""
    return jsonify(open=services().alarms.of(guard.session().person).open_count)


def _told(row: Alarm) -> Mapping[str, object]:
    return {
        "number": row.number,
        "kind": row.kind,
        "subject": row.subject,
        "what": row.what,
        "first_ms": row.first_ns // _MS,
        "last_ms": row.last_ns // _MS,
        "count": row.count,
        "seen_by": row.seen_by or None,
        "seen_ms": row.seen_ns // _MS if row.seen_ns else None,
        "acknowledged_by": row.acknowledged_by or None,
        "acknowledged_ms": row.acknowledged_ns // _MS if row.acknowledged_ns else None,
        "note": row.note or None,
        "pictures_ms": [ns // _MS for ns in row.pictures_ns],
    }
