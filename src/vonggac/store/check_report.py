"""What `disk check` finds: broken promises of docs/design/storage.md."""

from __future__ import annotations

from dataclasses import dataclass, field

DURABLE, PREALLOCATED, PLAYABLE, DERIVABLE, LOCKED, RETAINED, CLOCKPROOF = range(1, 8)
"""The promises by their numbers."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken promise. `segment` -1: none in particular; `offset` in bytes."""

    segment: int
    offset: int
    promise: int
    what: str


@dataclass(slots=True)
class Report:
    """What `disk check --json` prints."""

    segments: int = 0
    fragments: int = 0
    """Chunks that begin with a sync sample."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not self.problems

    def add(self, segment: int, offset: int, promise: int, what: str) -> None:
        """One more broken promise."""
        self.problems.append(Problem(segment, offset, promise, what))
