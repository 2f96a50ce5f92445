"""Where a description ends whose answer tells no length (against RFC 2326 12.14).

Nothing but the lines themselves says it. They are taken as they stand once they name a medium;
lines that come later still are passed over, so that the next answer is found behind them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["LINES_MAX_BYTES", "is_lengthless", "late_lines", "lines_end"]

LINES_MAX_BYTES = 16 * 1024
"""Less than of a body with a length: they are looked at again with every piece that comes."""

_LINES = re.compile(rb"(?:(?:[A-Za-z][ \t]*=[^\n]*)?\r?\n)*")
_BEGUN = re.compile(rb"\r|[A-Za-z](?:[ \t]*|[ \t]*=[^\n]*)")
_MEDIUM = re.compile(rb"(?:\A|\n)m[ \t]*=")


def is_lengthless(start_line: str, fields: Mapping[str, str]) -> bool:
    """Whether an answer brings a description and does not say how long it is.

    `fields`: names in lower case. What answers OPTIONS, SETUP or PLAY brings none, whatever its
    Content-Type says.
    """
    if not re.match(r"RTSP/\S+\s+200\b", start_line, re.IGNORECASE) or fields.get("content-length"):
        return False
    is_other = fields.keys() & {"public", "session", "transport"}
    return not is_other and "application/sdp" in fields.get("content-type", "").lower()


def lines_end(data: bytes, at: int) -> int | None:
    """The end of the lines that begin at `at`; None while they name no medium or one is cut."""
    if _BEGUN.fullmatch(data, max(at, data.rfind(b"\n") + 1)):
        return None
    found = _LINES.match(data, at)
    assert found is not None  # it matches nothing too
    if not _MEDIUM.search(found[0]) or _BEGUN.fullmatch(data, found.end()):
        return None
    return found.end()


def late_lines(data: bytes) -> tuple[int, bool]:
    """Bytes of whole lines at the head, and whether what follows them may be one that is cut."""
    found = _LINES.match(data)
    assert found is not None  # as above
    return found.end(), _BEGUN.fullmatch(data, found.end()) is not None
