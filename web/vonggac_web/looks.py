"""Looks over HTTP: asked for with a purpose, renewed, ended (docs/ref/http.md)."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, jsonify

from vonggac.playback.playlist import Video
from vonggac_appliance.look import Kind, Look, LookAsk
from vonggac_web import guard
from vonggac_web.app import services
from vonggac_web.asked import Time, body, ns_of, purpose_of

__all__ = ["blueprint"]

blueprint = Blueprint("looks", __name__, url_prefix="/api/v1/looks")


class _Ask(msgspec.Struct, rename={"from_": "from"}):
    camera: str
    kind: Kind
    from_: Time = None
    to: Time = None
    purpose: msgspec.Raw = msgspec.Raw(b"null")
    """Read apart: one that is none is logged as such, and so is whoever sent it."""


@blueprint.post("")
def open_look() -> tuple[Response, int]:
    """Log a look and give it."""
    asked = body(_Ask)
    ask = LookAsk(
        camera=_id_of(asked.camera),
        kind=asked.kind,
        from_ns=ns_of(asked.from_),
        to_ns=ns_of(asked.to),
        purpose=purpose_of(asked.purpose),
    )
    look = services().looks.open(guard.session(), guard.caller(), ask)
    return jsonify(_told(look, services().looks.footage.videos(look))), 201


@blueprint.get("")
def list_looks() -> Response:
    """The open looks of this session."""
    return jsonify(looks=[_told(look, {}) for look in services().looks.of_session(guard.session())])


@blueprint.post("/<look_id>/renew")
def renew_look(look_id: str) -> Response:
    """Somebody is still there: logged anew."""
    look = services().looks.renew(guard.session(), guard.caller(), look_id)
    return jsonify(_told(look, services().looks.footage.videos(look)))


@blueprint.delete("/<look_id>")
def end_look(look_id: str) -> tuple[str, int]:
    """Nothing more is shown."""
    services().looks.end(guard.session(), look_id)
    return "", 204


def _told(look: Look, videos: dict[str, Video | None]) -> dict[str, object]:
    streams = []
    for stream in look.streams:
        video = videos.get(stream.name)
        streams.append(
            {
                "name": stream.name,
                "codec": None if video is None else video.codec,
                "width": 0 if video is None else video.width,
                "height": 0 if video is None else video.height,
            }
        )
    return {
        "look": look.id,
        "camera": look.camera.id.hex(),
        "kind": look.kind,
        "from": look.from_ns // 1_000_000,
        "to": look.to_ns // 1_000_000,
        "expires": look.expires_ns // 1_000_000,
        "purpose": {"code": look.purpose.code.value, "text": look.purpose.text},
        "streams": streams,
    }


def _id_of(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return b""
    return found if found.hex() == text else b""
