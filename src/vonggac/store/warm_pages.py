"""What was written lately stays in the page cache, for who reads behind the recording; what is
older leaves it.

A ring is written once and seldom read. Left alone it fills all memory: programs and the index lose
theirs, and every tick takes pages from elsewhere instead of those it gave back a moment ago.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from dataclasses import dataclass, field

__all__ = ["WarmPages"]

_WARM_BYTES = 512 << 20
"""64 cameras of 4 Mbit/s write them in 16 s; motion and live views read 5 s behind at most."""


@dataclass(slots=True)
class WarmPages:
    """Written ranges in their order. One thread at a time."""

    limit_bytes: int = _WARM_BYTES
    _ranges: deque[tuple[int, int, int]] = field(default_factory=deque)
    """Descriptor, offset, bytes."""
    _bytes: int = 0

    def wrote(self, fd: int, offset: int, size: int) -> None:
        """A range that is durable: before its sync its pages could not leave."""
        self._ranges.append((fd, offset, size))
        self._bytes += size
        while self._bytes > self.limit_bytes:
            old_fd, old_offset, old_size = self._ranges.popleft()
            self._bytes -= old_size
            _let_go(old_fd, old_offset, old_size)

    def close(self, fd: int) -> None:
        """A segment is sealed and not written to again."""
        # Its ranges may stay listed: of another file with this number they drop what can be read.
        _let_go(fd, 0, 0)
        os.close(fd)


def _let_go(fd: int, offset: int, size: int) -> None:
    with contextlib.suppress(OSError):  # advice: a file system that takes none keeps its pages
        os.posix_fadvise(fd, offset, size, os.POSIX_FADV_DONTNEED)
