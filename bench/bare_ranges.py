"""The least that can answer a range: a WSGI application that reads pieces and hands them on.

gunicorn serves it beside `vonggac serve` in bench/web.py, with the same threads and certificate.
BARE_FILE names the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

_PIECE_BYTES = 256 * 1024
_FD = os.open(os.environ["BARE_FILE"], os.O_RDONLY)


def application(environ: dict[str, Any], start: Callable[..., object]) -> Iterator[bytes]:
    """The range that was asked for, unchecked."""
    first, last = (int(x) for x in environ["HTTP_RANGE"].removeprefix("bytes=").split("-"))
    length = last - first + 1
    start(
        "206 Partial Content",
        [("Content-Length", str(length)), ("Content-Range", f"bytes {first}-{last}/*")],
    )
    return _pieces(first, length)


def _pieces(at: int, length: int) -> Iterator[bytes]:
    while length:
        piece = os.pread(_FD, min(_PIECE_BYTES, length), at)
        yield piece
        at, length = at + len(piece), length - len(piece)
