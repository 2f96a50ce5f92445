"""What a request carries, as typed values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TypeVar

import msgspec
from flask import abort, request

from vonggac.errors import Invalid
from vonggac.registry.people import Purpose, PurposeCode

__all__ = ["Time", "body", "camera_id", "ns_of", "purpose_of"]

Time = int | float | str | None
"""Of a JSON body: milliseconds, or as people write it (`ns_of`)."""

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_ID_BYTES = 16
_VIETNAM = timezone(timedelta(hours=7))
_NO_TIME = -1
"""The service says that it is none, and the audit chain that somebody asked."""


class _Purpose(msgspec.Struct):
    code: PurposeCode
    text: str = ""


def body(kind: type[_Struct]) -> _Struct:
    """The JSON body as `kind`. No JSON is 400; a wrong or missing field is Invalid, by its name."""
    try:
        return msgspec.json.decode(request.get_data(cache=False), type=kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".")
        if not field and "field `" in what:  # a missing one is named in the sentence
            field = what.split("`")[1]
        raise Invalid(field or "body", what) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        abort(400, "the body is no JSON")


def camera_id(text: str) -> bytes:
    """A camera's random id from its 32 hexadecimal digits. Raises Invalid."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != _ID_BYTES or text != found.hex():
        raise Invalid("camera", "a camera's id has 32 hexadecimal digits")
    return found


def ns_of(value: Time) -> int:
    """Milliseconds, or ISO 8601 (without an offset: of Vietnam), as ns."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=_VIETNAM)
            return round(moment.timestamp() * 1000) * 1_000_000
        except (ValueError, OverflowError):
            return _NO_TIME
    return _NO_TIME if value is None else int(value) * 1_000_000


def purpose_of(raw: msgspec.Raw) -> Purpose | None:
    """None where it is none of the closed list; the service says so, and the audit chain."""
    try:
        asked = msgspec.json.decode(raw, type=_Purpose | None)
    except msgspec.MsgspecError:
        return None
    return None if asked is None else Purpose(asked.code, asked.text.strip())
