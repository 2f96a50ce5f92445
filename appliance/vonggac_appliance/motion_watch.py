"""A camera whose motion is indexed, and what is to be decoded of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vonggac.motion.governor import Cost
from vonggac.motion.ranges import Ranges
from vonggac.motion.slots import Tier

__all__ = ["Job", "Watch"]

Kind = Literal["live", "old"]


@dataclass(slots=True)
class Watch:
    """A camera whose motion is indexed."""

    camera: bytes
    code: str
    streams: dict[str, bytes]
    """By name: `sub`, `main`."""
    name: str
    """Of the stream that is indexed now."""
    position_ns: int
    """The newest footage is indexed up to here."""
    tier: Tier = Tier.FULL
    durable_ns: dict[bytes, int] = field(default_factory=dict)
    todo: Ranges = ()
    """Older footage that is to be indexed, unix seconds."""
    tried: Ranges = ()
    """Seconds of older footage of which nothing could be seen; not tried again by this process."""
    cost: Cost | None = None
    cpu_s: float = 0.0
    """In all."""
    busy: Kind | None = None
    """Somebody decodes it now."""
    idle_until_s: float = 0.0
    """Monotonic: a keeper gave nothing, and is not asked again before."""
    what: str = ""
    """Why it cannot be decoded."""

    @property
    def stream(self) -> bytes:
        """Of which motion is indexed now."""
        return self.streams[self.name]

    @property
    def behind_ns(self) -> int:
        """Newest footage that is not indexed."""
        return max(0, self.durable_ns.get(self.stream, 0) - self.position_ns)


@dataclass(frozen=True, slots=True)
class Job:
    """Footage that somebody decodes now."""

    watch: Watch
    kind: Kind
    stream: bytes
    from_ns: int
    to_ns: int
    tier: Tier
