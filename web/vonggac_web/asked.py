"""What a request carries, as typed values."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from flask import abort, request

from vonggac.errors import Invalid

__all__ = ["body", "camera_id"]

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_ID_BYTES = 16


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
