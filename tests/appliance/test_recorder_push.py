"""Who publishes, as the recorder sees it: over a real socket, from the process that takes calls."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from vonggac.media.chunk import Codec
from vonggac.media.sound import Sound, SoundCodec
from vonggac.registry.camera import Basis, Camera, Mode, OwnerKind, Push, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.push_keys import digest_of
from vonggac.registry.rules import Recording, may_record_sound
from vonggac.rtsp.sound import SoundReady
from vonggac_appliance import sockets
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.camera_tries import Owner
from vonggac_appliance.learnt_store import LearntStore
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_push import AskPush, PushRecords, push_path
from vonggac_appliance.parts import split
from vonggac_appliance.push_line import Line
from vonggac_appliance.recorder_push import Pushes
from vonggac_appliance.roster import Roster

DEADLINE_S = 60.0
SOUND = SoundReady(Sound(SoundCodec.PCMA, 1, 8000, 8000), 8, 2, 3)
KEY = digest_of("right")
STREAM = Stream(b"s" * 16, "main", "")
CAMERA = Camera(b"c" * 16, "nha12", (STREAM,), 0, push=Push(KEY, 1))


class Owning:
    """The owner of a session that is not started."""

    stall_ms = 5000


class Around:
    """A recorder with one camera, which may be recorded."""

    def __init__(self, home: Path) -> None:
        owner = cast("Owner", Owning())
        self.roster = Roster(cast("Catalog", None), owner, lambda _: None, lambda: None)
        self.roster.cameras[CAMERA.id] = CAMERA
        self.sessions = {STREAM.id: StreamSession(CAMERA, STREAM, owner)}
        self.learnt = LearntStore(home)
        self.alarms: list[tuple[str, str]] = []

    def may_record(self, camera: Camera) -> Recording:
        return Recording(is_allowed=True)

    def is_quarantined(self, camera: Camera) -> bool:
        return False

    def alarm(self, kind: str, subject: str, what: str) -> None:
        self.alarms.append((kind, subject))


@contextlib.asynccontextmanager
async def door(home: Path, around: Around) -> AsyncIterator[tuple[Pushes, Line]]:
    """The recorder's part, and the line of `push run` to it."""
    pushes, line = Pushes(home, around, is_on=True), Line(home)
    tasks = [asyncio.ensure_future(pushes.serve())]
    try:
        await asyncio.sleep(0)  # it listens
        tasks.append(asyncio.ensure_future(line.keep()))
        async with asyncio.timeout(DEADLINE_S):
            while pushes.counts is None:
                await asyncio.sleep(0.01)
        yield pushes, line
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def records(line: Line) -> PushRecords:
    return PushRecords(
        number=line.number(),
        camera="nha12",
        stream="main",
        key_sha256=KEY,
        address="192.0.2.1",
        codec=int(Codec.H264),
        payload_type=96,
        clock_rate=90_000,
        rtp_channel=0,
        rtcp_channel=1,
        vps=[],
        sps=[],
        pps=[],
        has_donl=False,
        agent="",
        audio=[("PCMA", 8000)],
        session="0123456789abcdef",
        sound=SOUND,
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"clock_rate": 999_999_999},
        {"rtcp_channel": 0},
        {"session": "a\r\nb"},
    ],
    ids=["rate", "channels", "session"],
)
def test_who_says_what_no_camera_says_is_refused_and_nobody_else_is(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    async def run() -> None:
        async with asyncio.timeout(DEADLINE_S), door(tmp_path, Around(tmp_path)) as (pushes, line):
            wrong = msgspec.structs.replace(records(line), **changed)
            assert await line.ask(wrong) == (415, None)
            assert pushes.counts is not None  # the line stands, and with it all who publish
            status, plain = await line.ask(records(line))
            assert status == 200
            assert plain is not None
            plain.close()

    asyncio.run(run())


def test_a_key_that_was_renewed_while_its_caller_waited_opens_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with asyncio.timeout(DEADLINE_S), door(tmp_path, Around(tmp_path)) as (pushes, line):
            status, plain = await line.ask(records(line))
            assert status == 200
            assert plain is not None
            renewed = msgspec.structs.replace(CAMERA, push=Push(digest_of("new"), 2))
            with pytest.raises(SessionFailed):
                pushes.take(renewed, STREAM)
            plain.setblocking(False)
            assert await asyncio.get_running_loop().sock_recv(plain, 1) == b""  # cut off
            plain.close()

    asyncio.run(run())


def test_sound_that_is_agreed_to_no_more_is_not_taken_from_who_waited(tmp_path: Path) -> None:
    async def run() -> None:
        around = Around(tmp_path)
        basis = Basis(Mode.RECORDED, 0, audio=True)
        agreed = msgspec.structs.replace(CAMERA, owner_kind=OwnerKind.HOUSEHOLD, basis=basis)
        assert may_record_sound(agreed)
        around.roster.cameras[CAMERA.id] = agreed
        async with asyncio.timeout(DEADLINE_S), door(tmp_path, around) as (pushes, line):
            _, plain = await line.ask(records(line))
            assert isinstance(plain, socket.socket)
            silent = msgspec.structs.replace(agreed, basis=Basis(Mode.RECORDED, 0))
            connection = pushes.take(silent, STREAM)
            assert connection.play.sound is None
            connection.close()
            plain.close()

    asyncio.run(run())


def test_a_wrong_key_is_answered_and_told(tmp_path: Path) -> None:
    async def run() -> None:
        around = Around(tmp_path)
        async with asyncio.timeout(DEADLINE_S), door(tmp_path, around) as (_, line):
            for _ in range(2):
                ask = AskPush(line.number(), "nha12", "main", digest_of("wrong"), "192.0.2.1")
                assert await line.ask(ask) == (401, None)
            assert around.alarms == [("push-refused", "nha12")]  # once a minute

    asyncio.run(run())


def test_the_door_says_what_it_has_to_in_one_message(tmp_path: Path) -> None:
    async def run() -> None:
        async with asyncio.timeout(DEADLINE_S), door(tmp_path, Around(tmp_path)):
            other = sockets.connect(push_path(tmp_path), 1.0)
            other.setblocking(False)
            try:
                other.send(split(Kind.ASK_PUSH, bytes(100_000))[0])
                assert await asyncio.get_running_loop().sock_recv(other, 1) == b""  # let go
            finally:
                other.close()

    asyncio.run(run())
