"""Time that others took, told apart from time that a core took: a busy machine is no defect."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_SCHEDSTAT = Path("/proc/thread-self/schedstat")
"""Of this thread: nanoseconds on a core, and in line for one; proc(5). Some kernels keep none."""


def waited_s(call: Callable[[], object]) -> float:
    """How long a call neither ran nor stood in line for a core: it waited for somebody."""
    before_ns = _idle_ns()
    call()
    return (_idle_ns() - before_ns) / 1e9


def _idle_ns() -> int:
    now_ns = time.monotonic_ns()
    if not _SCHEDSTAT.exists():
        return now_ns
    ran_ns, in_line_ns, _ = map(int, _SCHEDSTAT.read_text().split())
    return now_ns - ran_ns - in_line_ns
