"""What `hooks run` takes of the box at most, and descriptors that no stranger can take from it.

libzmq accepts whoever knocks, in a thread of its own, until no descriptor is left. So the limit
that it meets is a little below the real one, which holds for the moment in which we open what those
who are connected rely on: the way to the chain, the file of a mark.
"""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from collections.abc import Iterator

__all__ = ["SPARE", "set_limits", "spare"]

_NICE = 10
_DATA_BYTES_MAX = 512 << 20
"""A program that is let in may begin a message and never end it: libzmq keeps all of it."""
SPARE = 32
"""Strangers may come in during such a moment: some microseconds, while their port is not shut."""

_lock = threading.Lock()


def set_limits() -> None:
    """Once, before the first socket."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # keys must not stand in a core file
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA_BYTES_MAX, _DATA_BYTES_MAX))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - SPARE, hard))
    os.nice(_NICE)


@contextlib.contextmanager
def spare() -> Iterator[None]:
    """What is opened meanwhile may have a descriptor of the spare ones. Not for waiting."""
    with _lock:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft + SPARE, hard), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
