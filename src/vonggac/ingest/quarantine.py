"""When a camera that crashes its loop is left alone."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_NS = 600_000_000_000
"""Ten minutes."""
CRASHES_MAX = 2


@dataclass(frozen=True, slots=True)
class CrashRecord:
    """The crashes one camera is guilty of, as monotonic times in ns, oldest first."""

    crashes_ns: tuple[int, ...] = ()
    is_quarantined: bool = False

    def crashed(self, now_ns: int) -> CrashRecord:
        """The record after one more crash; two within the window quarantine."""
        recent = (*(t for t in self.crashes_ns if now_ns - t < WINDOW_NS), now_ns)
        return CrashRecord(recent, self.is_quarantined or len(recent) >= CRASHES_MAX)
