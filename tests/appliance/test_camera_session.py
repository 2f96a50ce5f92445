"""The life of a stream between its connection and its loop."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import cast

from vonggac.ingest.backoff import Backoff
from vonggac.media.chunk import Codec, GapReason
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.rules import Recording
from vonggac.rtsp.events import PlayReady
from vonggac_appliance.camera_playing import Playing
from vonggac_appliance.camera_pushed import PushedConnection
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.camera_tries import Owner
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.learnt_store import LearntStore
from vonggac_appliance.loops import LoopHandle

DEADLINE_S = 60.0
STREAM = Stream(b"s" * 16, "main", "")
CAMERA = Camera(b"c" * 16, "nha12", (STREAM,), 0)
PLAY = PlayReady(
    codec=Codec.H264,
    payload_type=96,
    clock_rate=90_000,
    rtp_channel=0,
    rtcp_channel=1,
    vps=(),
    sps=(),
    pps=(),
    session_timeout_s=60,
    keepalive_method="",
    scheme=None,
    server="",
)


class Starting:
    """A recorder whose loop takes its time to start."""

    stall_ms = 5000
    backoff = Backoff()
    knows_all_runs = True

    def __init__(self, home: Path) -> None:
        self.theirs, self._ours = socket.socketpair()
        self.asked_for_a_loop = asyncio.Event()
        self.is_closed = False
        self._learnt = LearntStore(home)

    def may_record(self, camera: Camera) -> Recording:
        return Recording(is_allowed=True)

    def is_quarantined(self, camera: Camera) -> bool:
        return False

    def place(self, session: StreamSession) -> Keeper:
        return cast("Keeper", object())

    def awaits_call(self, camera: Camera, stream: Stream) -> tuple[GapReason, str] | None:
        return None

    async def turn_to_start(self) -> None:
        pass

    async def open_connection(self, camera: Camera, stream: Stream) -> Playing:
        def closed() -> None:
            self.is_closed = True

        return PushedConnection(self._ours, PLAY, "s1", self._learnt.of(camera.id), closed)

    async def loop_of(self, camera: Camera) -> LoopHandle:
        self.asked_for_a_loop.set()
        await asyncio.Event().wait()
        raise AssertionError

    def state_changed(self, session: StreamSession) -> None:
        pass


def test_a_connection_that_waits_for_its_loop_ends_with_its_camera(tmp_path: Path) -> None:
    async def run() -> None:
        owner = Starting(tmp_path)
        session = StreamSession(CAMERA, STREAM, cast("Owner", owner))
        async with asyncio.timeout(DEADLINE_S):
            session.start()
            await owner.asked_for_a_loop.wait()
            await session.end(GapReason.PAUSED)
        assert owner.is_closed  # or the stream would read as published for ever
        assert owner.theirs.recv(1) == b""
        owner.theirs.close()

    asyncio.run(run())
