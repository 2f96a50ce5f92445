"""What happens to a connection that plays, why it is left, and who is told: values alone."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Protocol

from vonggac.ingest.progress import Progress
from vonggac.ingest.states import Cause
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, Stream
from vonggac.rtsp.events import PlayReady
from vonggac_appliance import loop_stats, loop_wire


@dataclass(frozen=True, slots=True)
class Lost:
    """The loop died."""

    is_guilty: bool


@dataclass(frozen=True, slots=True)
class Returned:
    """Another loop stands ready."""


@dataclass(frozen=True, slots=True)
class Order:
    """From outside: leave the connection, for this reason."""

    reason: GapReason
    what: str


Happening = loop_wire.Event | loop_wire.Ended | Lost | Returned | Order


@dataclass(frozen=True, slots=True)
class End:
    """Why a connection was left."""

    reason: GapReason
    what: str
    says_goodbye: bool = True
    """False where the camera has already closed."""
    is_failure: bool = True
    """False: tried again without a wait."""
    is_attached: bool = True
    """False: no loop has the connection any more."""


class Recorded(Protocol):
    """The stream whose connection this is."""

    camera: Camera
    stream: Stream
    progress: Progress
    stall_ms: int
    stats: loop_stats.StreamStats | None

    @property
    def name(self) -> str: ...
    def next_run(self) -> int: ...
    def run_begins(self, play: PlayReady) -> None: ...
    def first_video(self) -> None: ...
    def stopped(self, reason: GapReason) -> None: ...
    def move(self, cause: Cause, what: str) -> None: ...
    def alarm(self, kind: str, what: str) -> None: ...
    def loop_event(self, event: loop_wire.Event) -> None: ...
    def loop_message(self, message: bytes) -> None: ...
    def loop_ended(self, ended: loop_wire.Ended) -> None: ...
    def loop_stats(self, stats: loop_stats.StreamStats) -> None: ...
    def loop_lost(self, is_guilty: bool) -> None: ...
    def loop_returned(self) -> None: ...


def closed(number: int) -> tuple[GapReason, str]:
    """FIN and RST come from the camera (a reboot); silence from what lies between."""
    word = errno.errorcode.get(number, str(number)) if number else "its end"
    what = f"the connection was lost ({word})"
    if number in (errno.ETIMEDOUT, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH):
        return GapReason.NETWORK, what
    return GapReason.CAMERA_OFF, what
