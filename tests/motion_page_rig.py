"""The index as `motion run` has it, with seconds that a test chose, and its socket."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import zmq

from vonggac.errors import Unavailable, VonggacError
from vonggac.motion import region
from vonggac.motion.index import MotionIndex
from vonggac.motion.slots import NO_CELLS, Slot, Tier
from vonggac.registry.catalog import Catalog
from vonggac_appliance.messages_motion import MotionStatusReply, RebuildMotion
from vonggac_appliance.motion_answers import MotionAnswers
from vonggac_appliance.motion_server import MotionServer

_MAX_BYTES = 1 << 28
_TURN_MS = 20


@dataclass(slots=True)
class Moved:
    """What moved in one second; without a rectangle (x, y, width, height) nothing did."""

    second: int
    rectangle: tuple[float, float, float, float] | None = None
    tier: Tier = Tier.FULL
    is_global: bool = False

    @property
    def slot(self) -> Slot:
        cells = NO_CELLS if self.rectangle is None else region.rectangle(*self.rectangle)
        return Slot(self.second, cells, self.tier, self.is_global)


@contextlib.contextmanager
def index_of(
    home: Path, catalog: Catalog, seen: dict[bytes, Iterable[Moved]]
) -> Iterator[MotionServer]:
    """Answers on the home's socket, in a thread of its own, until the block ends."""
    stop = threading.Event()
    failures: list[Exception] = []
    with zmq.Context() as context:
        index = MotionIndex(home / "motion", max_bytes=_MAX_BYTES)
        for stream, moved in seen.items():
            index.add(stream, [one.slot for one in moved])
        answers = MotionAnswers(home, index, catalog)
        server = MotionServer(home, context, answers, _status, _rebuild)

        def serve() -> None:
            try:
                while not stop.is_set():
                    is_busy = server.turn()
                    server.socket.poll(0 if is_busy else _TURN_MS)
                    server.receive()
            except (VonggacError, OSError, zmq.ZMQError, AssertionError) as error:
                failures.append(error)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join()
            server.close()
            index.close()
    if failures:
        raise failures[0]


def _status(number: int) -> MotionStatusReply:
    raise Unavailable(f"question {number}: this rig has no state")


def _rebuild(asked: RebuildMotion) -> None:
    raise Unavailable(f"question {asked.number}: this rig has no ring")
