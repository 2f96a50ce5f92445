"""The socket `motion` over a real index, in a thread."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zmq

from audit_rig import audit_run
from vonggac.motion.index import MotionIndex
from vonggac.motion.slots import Slot, Tier, cells_of
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode, local_person
from vonggac_appliance.messages_motion import (
    MotionHits,
    MotionQuery,
    MotionReply,
    MotionStatusReply,
    Watched,
)
from vonggac_appliance.motion_answers import MotionAnswers
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, Searcher
from vonggac_appliance.motion_server import MotionServer

_S = 1_000_000_000
BEGIN_S = (int(time.time()) - 7200) // 120 * 120
SILENT_S = 1.0
"""Who says nothing for that long is gone."""


class Rig:
    """A server in a thread, over an hour of two cameras."""

    def __init__(
        self, home: Path, catalog: Catalog, kind: type[MotionAnswers], say_s: float
    ) -> None:
        self.home = home
        self.cameras = [camera_of(f"cam{n}") for n in (1, 2)]
        for camera in self.cameras:
            catalog.add_camera(camera)
        self.index = MotionIndex(home / "motion", max_bytes=1 << 30)
        self.looks = MotionLooks(home, catalog)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.untold: set[bytes] = set()
        self.begins_s: dict[bytes, int] = {}
        """Of streams: before it there is no footage any more."""
        self.answers = answers = kind(
            home,
            self.index,
            catalog,
            may_tell=lambda camera: camera not in self.untold,
            begins_s=lambda stream: self.begins_s.get(stream, 0),
            say_s=say_s,
        )
        self.server = MotionServer(
            home, self._context, answers, _status, lambda asked: None, silent_s=SILENT_S
        )
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        """Before it the index may be filled."""
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.server.close()
        self._context.term()
        self.index.close()

    def _run(self) -> None:
        while not self._is_over.is_set():
            self.server.socket.poll(0 if self.server.turn() else 20)
            self.server.receive()

    def move(self, camera: int, second: int, column: int, seconds: int = 1) -> None:
        """A cell of the first row moves in these seconds of the hour."""
        stream = self.cameras[camera].streams[0].id
        at = range(BEGIN_S + second, BEGIN_S + second + seconds)
        self.index.add(stream, [Slot(s, cells_of([column]), Tier.FULL) for s in at])

    def query(self, *cameras: int, **more: Any) -> MotionQuery:
        watched = [Watched(self.cameras[n].id) for n in cameras]
        asked = MotionQuery(watched, BEGIN_S * _S, (BEGIN_S + 3600) * _S)
        return msgspec.structs.replace(asked, **more)

    def receipts(self, query: MotionQuery, *, is_heat: bool = False) -> list[bytes]:
        who = Searcher(local_person(os.getuid()))
        purpose = Purpose(PurposeCode.OTHER, "thử")
        return list(self.looks.permit(who, purpose, query, is_heat=is_heat).receipts)

    def ask(self, query: MotionQuery) -> list[MotionReply]:
        with MotionClient(self.home) as client:
            return list(client.search(query, self.receipts(query)))

    def hits(self, query: MotionQuery) -> list[tuple[int, int, int]]:
        """Camera, and from and to in seconds of the hour."""
        ids = [camera.id for camera in self.cameras]
        found = [hit for one in self.ask(query) if isinstance(one, MotionHits) for hit in one.hits]
        return [(ids.index(h.camera), h.from_s - BEGIN_S, h.to_s - BEGIN_S) for h in found]


def camera_of(code: str) -> Camera:
    streams = (Stream(os.urandom(16), "sub", "rtsp://127.0.0.1/sub"),)
    return Camera(os.urandom(16), code, streams, 1, owner_kind=OwnerKind.STATE)


def _status(number: int) -> MotionStatusReply:
    return MotionStatusReply(number, [], 0, 500, 0, 0, 0)


@contextlib.contextmanager
def motion_answers(
    home: Path, kind: type[MotionAnswers] = MotionAnswers, say_s: float = 3.0
) -> Iterator[Rig]:
    """Beside a chain; it serves once it is told to `begin`."""
    with (
        audit_run(home),
        Catalog(home) as catalog,
        contextlib.closing(Rig(home, catalog, kind, say_s)) as made,
    ):
        yield made
