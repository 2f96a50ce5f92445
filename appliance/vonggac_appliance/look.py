"""What a look is: one person, one camera, one range, one purpose, one line of the audit chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vonggac.registry.camera import Camera, Stream
from vonggac.registry.people import Purpose

__all__ = ["Kind", "Look", "LookAsk"]

Kind = Literal["live", "stored"]


@dataclass(frozen=True, slots=True)
class LookAsk:
    """What somebody wants to see. `from_ns` and `to_ns` are of no account where it is live."""

    camera: bytes
    """16 bytes; any others are no camera."""
    kind: Kind
    from_ns: int = 0
    to_ns: int = 0
    purpose: Purpose | None = None
    """None: the caller gave none, or none of the closed list. Refused, and logged."""


@dataclass(frozen=True, slots=True)
class Look:
    """An open look, as it was last logged; `Looks.renew` gives another value of the same id."""

    id: str
    """32 hex digits, random; stands in addresses."""
    session: str
    camera: Camera
    kind: Kind
    streams: tuple[Stream, ...]
    from_ns: int
    to_ns: int
    """What was asked for, half open."""
    shown_from_ns: int
    """Where the fragment begins that `from_ns` lies in: it cannot be played without its start."""
    purpose: Purpose
    line: int
    """Of its first line in the audit chain; renewals and the end name it."""
    receipt: bytes
    opened_ns: int
    expires_ns: int
    """Wall time at which it ends unless renewed."""

    def stream(self, name: str) -> Stream | None:
        """The stream called `name`, or None where the look does not show one."""
        return next((stream for stream in self.streams if stream.name == name), None)
