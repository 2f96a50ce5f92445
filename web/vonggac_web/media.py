"""Footage over HTTP, within an open look: playlists, byte ranges, stills, the map of times."""

from __future__ import annotations

import gzip
import re

from flask import Blueprint, Response, abort, jsonify, request

from vonggac.errors import Invalid, Missing
from vonggac.playback import playlist
from vonggac.playback.fragments import PARTS_MAX
from vonggac.registry.camera import Stream
from vonggac_appliance.look import Look
from vonggac_appliance.look_footage import LookFootage, NoSuchRange, Part, RangeRead, Segment
from vonggac_web import guard
from vonggac_web.app import services

__all__ = ["blueprint"]

blueprint = Blueprint("media", __name__, url_prefix="/api/v1/looks/<look_id>/<stream>")

_PLAYLIST = "application/vnd.apple.mpegurl"
_NAME = re.compile(r"([SI])-([0-9a-f]{8})\.(\d{1,10})\.(\d{1,20})\.mp4", re.ASCII)
_PART = r"([0-9a-f]{8})\.(\d{1,10})\.(\d{1,20})\.(\d{1,10})\.(\d{1,10})"
_HEAD = re.compile(r"H-([0-9a-f]{32})\.mp4", re.ASCII)
_JOINED = re.compile(rf"J-{_PART}(?:-{_PART}){{1,{PARTS_MAX - 1}}}\.mp4", re.ASCII)
_RANGE = re.compile(r"bytes=(\d{1,10})-(\d{1,10})", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,15}", re.ASCII)
_U32, _U64 = 1 << 32, 1 << 64
_SMALL_BYTES = 2048


@blueprint.get("/index.m3u8")
def master(look_id: str, stream: str) -> Response:
    """The list of the two below."""
    footage, look, found = _seen(look_id, stream)
    _window(look)
    asked = [f"{end}={int(request.args[end])}" for end in ("from", "to") if end in request.args]
    text = footage.master(look, found, f"?{'&'.join(asked)}" if asked else "")
    return _text(text.encode(), _PLAYLIST)


@blueprint.get("/media.m3u8")
def media(look_id: str, stream: str) -> Response:
    """What is recorded, for playing."""
    footage, look, found = _seen(look_id, stream)
    return _text(footage.playlist(look, found, "media", *_window(look)), _PLAYLIST)


@blueprint.get("/iframes.m3u8")
def iframes(look_id: str, stream: str) -> Response:
    """What is recorded, key frame by key frame."""
    footage, look, found = _seen(look_id, stream)
    return _text(footage.playlist(look, found, "iframes", *_window(look)), _PLAYLIST)


@blueprint.get("/map.json")
def clock_map(look_id: str, stream: str) -> Response:
    """Where the playlist's seconds lie in wall time (ms)."""
    footage, look, found = _seen(look_id, stream)
    shown = footage.shown(look, found, *_window(look))
    pieces = [
        {
            "wall": piece.wall_ns / 1e6,
            "wall_length": piece.wall_length_ns / 1e6,
            "media": piece.media_s,
            "media_length": piece.media_length_s,
        }
        for piece in playlist.clock_map(shown.playable)
    ]
    return jsonify(
        pieces=pieces,
        damaged=_ms(playlist.damaged(shown.playable)),
        undecodable=_ms(shown.playable.undecodable),
        ended=shown.is_ended,
        missing_disks=shown.found.missing,
    )


@blueprint.get("/still.mp4")
def still(look_id: str, stream: str) -> Response:
    """The key frame before a moment, as a file that plays."""
    footage, look, found = _seen(look_id, stream)
    picture = footage.still(look, found, _milliseconds("at", None))
    return Response(picture, mimetype="video/mp4")


@blueprint.get("/<name>")
def piece(look_id: str, stream: str, name: str) -> Response:
    """A range of a segment's own bytes, or what a player needs before the first of them."""
    footage, look, found = _seen(look_id, stream)
    match = _HEAD.fullmatch(name)
    if match is not None:
        return Response(footage.head(found, match[1]), mimetype="video/mp4")
    match = _NAME.fullmatch(name)
    if match is not None and match[1] == "I":
        return Response(
            footage.init(look, found, _segment(*match.groups()[1:])), mimetype="video/mp4"
        )
    if match is not None:
        segment = _segment(*match.groups()[1:])
        start, end = _range()
        return _ranged(footage, look, found, segment, start, end)
    read = footage.joined(look, found, _parts(name))
    return _given(read, 200)


def _seen(look_id: str, stream_name: str) -> tuple[LookFootage, Look, Stream]:
    looks = services().looks
    look = looks.get(guard.session(), look_id)
    stream = look.stream(stream_name)
    if stream is None:
        raise Missing("the look shows no such stream")
    return looks.footage, look, stream


def _window(look: Look) -> tuple[int, int]:
    from_ns = _milliseconds("from", look.from_ns)
    to_ns = _milliseconds("to", look.to_ns)
    if to_ns <= from_ns:
        raise Invalid("to", "a range ends after it begins")
    # A look's own ends are told in ms: what was cut off there is no reason to refuse.
    from_ns = look.from_ns if from_ns == look.from_ns // 1_000_000 * 1_000_000 else from_ns
    return from_ns, to_ns


def _milliseconds(field: str, default_ns: int | None) -> int:
    """A time of the query, in ns."""
    text = request.args.get(field)
    if text is None and default_ns is not None:
        return default_ns
    if text is None or not _MILLISECONDS.fullmatch(text):
        raise Invalid(field, "a time in milliseconds since 1970 UTC")
    found_ns = int(text) * 1_000_000
    if not 0 <= found_ns < 1 << 62:
        raise Invalid(field, "that is no time")
    return found_ns


def _segment(disk: str, number: str, epoch: str) -> Segment:
    if int(number) >= _U32 or int(epoch) >= _U64:
        raise Missing("there is no such segment")
    return Segment(disk, int(number), int(epoch))


def _parts(name: str) -> list[Part]:
    """Of a fragment in several segments."""
    if _JOINED.fullmatch(name) is None:
        abort(404)
    parts = []
    for disk, number, epoch, offset, size in re.findall(_PART, name, re.ASCII):
        end = int(offset) + int(size)
        parts.append(Part(_segment(disk, number, epoch), int(offset), end))
    return parts


def _range() -> tuple[int, int]:
    """The one range that is asked for, half open. All of a segment is never given."""
    asked = request.headers.get("Range")
    if asked is None:
        abort(400, "a segment is read by ranges")
    match = _RANGE.fullmatch(asked.strip())
    if match is None or int(match[2]) < int(match[1]):
        abort(416, "one range with both its ends")
    return int(match[1]), int(match[2]) + 1


def _ranged(
    footage: LookFootage, look: Look, stream: Stream, segment: Segment, start: int, end: int
) -> Response:
    try:
        read = footage.range(look, stream, segment, start, end)
    except NoSuchRange as error:
        abort(416, str(error))
    response = _given(read, 206)
    response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{read.segment_bytes}"
    return response


def _given(read: RangeRead, status: int) -> Response:
    """Not through werkzeug's own ranges: they would read all before, in pieces of 8 KiB."""
    response = Response(read, status, mimetype="video/mp4", direct_passthrough=True)
    response.content_length = read.size_bytes
    return response


def _text(data: bytes, mimetype: str) -> Response:
    response = Response(data, mimetype=mimetype)
    response.vary.add("Accept-Encoding")
    if len(data) > _SMALL_BYTES and request.accept_encodings["gzip"] > 0:
        response.set_data(gzip.compress(data, 1))
        response.content_encoding = "gzip"
    return response


def _ms(ranges: list[tuple[int, int]] | tuple[tuple[int, int], ...]) -> list[list[float]]:
    return [[start_ns / 1e6, end_ns / 1e6] for start_ns, end_ns in ranges]
