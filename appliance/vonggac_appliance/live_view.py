"""Live views: a stream's pictures as they come, from run to run, as long as its look holds.

A view waits where nothing comes (camera or recorder away) and goes on by itself when it does; it
keeps no queue. Whoever does not take its messages in time is dropped by the loop to the next key
frame, and told.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vonggac.errors import MediaError, Refused, StorageError, Unavailable
from vonggac.media.chunk import VIDEO_TIMESCALE, SyncKind
from vonggac.playback.fmp4 import Picture, ViewLine, reorder_depth, ring_chunk
from vonggac.playback.still import init_of, video_of
from vonggac.registry.camera import Stream
from vonggac.registry.catalog import Catalog
from vonggac_appliance.clock import Clock
from vonggac_appliance.live_client import (
    DAMAGED,
    SKIPPED,
    LiveHead,
    LiveSocket,
    LiveUnit,
    NotNow,
    ring_before,
)
from vonggac_appliance.live_joint import Joint
from vonggac_appliance.look import Look
from vonggac_appliance.messages_footage import AskLive
from vonggac_appliance.sockets import Closed

__all__ = ["SYNC", "LiveMessage", "LiveState", "LiveView", "State"]

SYNC = 4
"""A flag of messages beside those of units: the pictures can be entered here."""

State = Literal["starting", "live", "dropped", "waiting", "ended", "refused"]

_AGAIN_S = 1.0
"""Between two tries; the recorder's word that a camera records ends the wait."""
_QUICK_S = 0.05
"""After a connection that was there: a renewed look, or another run, goes on at once."""
_CHECK_S = 0.5
"""Between two looks at the look: it may have been ended, or renewed."""
_NS_PER_S = 1_000_000_000

_log = logging.getLogger("vonggac.serve")


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """Bytes for the browser."""

    kind: Literal["init", "media"]
    flags: int = 0
    """1 damaged, 2 units before were left out, 4 sync."""
    number: int = 0
    """Of media messages of this view, from 1."""
    wall_ns: int = 0
    """When its first picture was."""
    until_ns: int = 0
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class LiveState:
    """How the view stands."""

    state: State
    code: str = ""
    """waiting: camera, recorder, key-frame, media; ended: renew, look; refused: receipt."""
    codec: str = ""
    """live: as RFC 6381 writes it."""


class LiveView:
    """One view. Iterated by one thread; `close` is for any."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        look: Look,
        stream: Stream,
        again: Callable[[], Look | None] | None,
        clock: Clock,
        forget: Callable[[LiveView], None],
    ) -> None:
        self.look = look
        self.stream = stream
        self._home = home
        self._catalog = catalog
        self._again = again
        self._clock = clock
        self._forget = forget
        self._line = ViewLine()
        self._head = b""
        self._codec = ""
        self._depth = 0
        self._number = 0
        self._shown: tuple[int, tuple[int, int]] | None = None
        """Run and place of the unit that was given out last."""
        self._socket: LiveSocket | None = None
        self._is_closed = False
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._messages = self._run()

    def __iter__(self) -> LiveView:
        return self

    def __next__(self) -> LiveMessage | LiveState:
        return next(self._messages)

    def wake(self) -> None:
        """Try again now."""
        self._woken.set()

    def close(self) -> None:
        """Ends it; whoever waits for a message learns it."""
        with self._lock:
            self._is_closed = True
            if self._socket is not None:
                self._socket.end()
        self._woken.set()
        self._forget(self)

    def _run(self) -> Iterator[LiveMessage | LiveState]:
        yield LiveState("starting")
        told = ""
        while not self._is_closed:
            if not self._holds():
                yield self._ended()
                return
            self._woken.clear()
            code, wait_s = "", _QUICK_S
            try:
                connection = self._connect()
                told = ""
                yield from self._show(connection)
            except NotNow:
                code = "camera"
            except Refused as error:
                if self._holds():
                    _log.warning("live view of %s: %s", self.look.camera.code, error)
                    yield LiveState("refused", "receipt")
                    return
            except (MediaError, StorageError) as error:
                _log.error("live view of %s: %s", self.look.camera.code, error)
                code = "media"
            except Unavailable:
                code = "recorder"
            if code:
                wait_s = _AGAIN_S
                if code != told:
                    told = code
                    yield LiveState("waiting", code)
            self._woken.wait(wait_s)

    @property
    def _until_ns(self) -> int:
        return min(self.look.expires_ns, self.look.to_ns)

    def _holds(self) -> bool:
        """Whether the look allows pictures now; a renewed one takes the place of the old."""
        return self._covers(self._clock())

    def _covers(self, at_ns: int) -> bool:
        if self._again is not None:
            look = self._again()
            if look is None:
                return False
            self.look = look
        return at_ns < self._until_ns

    def _ended(self) -> LiveState:
        return LiveState("ended", "renew" if self._clock() >= self._until_ns else "look")

    def _connect(self) -> LiveSocket:
        ask = AskLive(self.look.camera.id, self.stream.id, self.look.receipt)
        connection = LiveSocket(self._home, ask)
        with self._lock:
            self._socket = connection
            if self._is_closed:
                connection.end()
        return connection

    def _show(self, connection: LiveSocket) -> Iterator[LiveMessage | LiveState]:
        """What one connection gives, to its end."""
        joint = Joint(self._shown)
        checked_s = time.monotonic()
        try:
            while True:
                item = connection.next(_CHECK_S)
                if time.monotonic() - checked_s >= _CHECK_S:
                    checked_s = time.monotonic()
                    if not self._holds():
                        return
                if isinstance(item, LiveHead):
                    yield from self._begin_entry(item)
                elif isinstance(item, LiveUnit):
                    if item.wall_ns >= self._until_ns and not self._covers(item.wall_ns):
                        return  # a wall clock may run before ours
                    joint.came(self._clock() - item.wall_ns)
                    yield from self._add(joint, item)
        except Closed:
            return  # the run or the receipt ended, or the recorder did
        finally:
            with self._lock:
                self._socket = None
            connection.close()

    def _begin_entry(self, head: LiveHead) -> Iterator[LiveMessage | LiveState]:
        data = init_of(head.data)
        if data != self._head:  # a second one the same would cost what comes before a key frame
            self._head = data
            self._depth = reorder_depth(data)
            self._codec = video_of(data).codec
            yield LiveState("live", codec=self._codec)
            yield LiveMessage("init", data=data)
        else:
            yield LiveState("live", codec=self._codec)

    def _add(self, joint: Joint, unit: LiveUnit) -> Iterator[LiveMessage | LiveState]:
        step = joint.step(unit)
        if step == "leave":
            return
        if step == "ring":
            chunks = self._ring(unit)
            if chunks is None:
                joint.wait_for_sync()
                yield LiveState("waiting", "key-frame")
                return
            self._line.begin(self._depth)
            for chunk in chunks:
                yield self._chunk(chunk)
        elif step == "begin":
            if joint.is_dropped or unit.flags & SKIPPED:
                yield LiveState("dropped")
            elif joint.has_waited:
                yield LiveState("live", codec=self._codec)
            self._line.begin(self._depth)
        yield self._unit(unit, SKIPPED if joint.is_dropped else 0)

    def _ring(self, unit: LiveUnit) -> list[bytes] | None:
        disks = [disk.uuid for disk in self._catalog.disks()]
        look = self.look
        try:
            return ring_before(self._home, disks, self.stream.id, look.receipt, unit, look.from_ns)
        except (Unavailable, Refused, StorageError) as error:
            _log.info("live view of %s begins at a key frame: %s", look.camera.code, error)
            return None

    def _chunk(self, data: bytes) -> LiveMessage:
        claim, pictures, payload = ring_chunk(data)
        shown = self._line.add(pictures, payload)
        flags = SYNC if claim.kind != SyncKind.NONE else 0
        return self._message(flags, claim.wall_start_ns, shown.duration_ticks, shown.data)

    def _unit(self, unit: LiveUnit, more_flags: int) -> LiveMessage:
        picture = Picture(unit.media_ticks, len(unit.data), unit.kind != SyncKind.NONE)
        shown = self._line.add([picture], unit.data)
        self._shown = (unit.run, unit.place)
        flags = unit.flags & (DAMAGED | SKIPPED) | (SYNC if picture.is_sync else 0) | more_flags
        return self._message(flags, unit.wall_ns, shown.duration_ticks, shown.data)

    def _message(self, flags: int, wall: int, ticks: int, data: bytes) -> LiveMessage:
        self._number += 1
        until_ns = wall + ticks * _NS_PER_S // VIDEO_TIMESCALE
        return LiveMessage("media", flags, self._number, wall, until_ns, data)
