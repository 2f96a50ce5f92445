"""The rules that cameras break, one class each, for `quirk_camera`.

Numbers are rows of the table in docs/design/rtsp-interop.md; the names of devices stand there.

A quirk of which nothing else is said has to be recorded. `complaints` holds what a recorder did
that the camera would not have borne.
"""

from __future__ import annotations

from quirk_camera import Quirk
from quirks import answers, authentication, playing, sdp, setup, unreported

__all__ = ["catalogue"]

_SUBJECTS = (answers, authentication, sdp, setup, playing, unreported)


def catalogue() -> list[type[Quirk]]:
    """Every quirk there is, by the book first."""
    values = [value for subject in _SUBJECTS for value in vars(subject).values()]
    found = [one for one in values if isinstance(one, type) and issubclass(one, Quirk)]
    return sorted((one for one in found if one.name), key=lambda one: one.row)
