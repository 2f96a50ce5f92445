"""How the wait before the next try ends: by time, by somebody's wish, by a camera that is back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest

from vonggac.errors import MediaError
from vonggac.media.chunk import GapReason
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_knock import Knocks, is_there, rest
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.config import parse

CONFIG = parse("", "config.toml").cameras
LONG_S = 3600.0
DEADLINE_S = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_camera_that_takes_connections_again_ends_the_wait() -> None:
    port = free_port()
    heard: list[bytes] = []

    async def run() -> None:
        over = asyncio.Event()
        knocks = 0

        async def camera(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read())
            writer.close()
            over.set()

        async def knock() -> bool:
            nonlocal knocks
            knocks += 1
            return await is_there(f"rtsp://127.0.0.1:{port}/a", CONFIG)

        waiting = asyncio.create_task(rest(LONG_S, asyncio.Event(), knock))
        while knocks < 2:  # it is away
            await asyncio.sleep(0.01)
        assert not waiting.done()
        async with await asyncio.start_server(camera, "127.0.0.1", port):
            await asyncio.wait_for(waiting, DEADLINE_S)
            await asyncio.wait_for(over.wait(), DEADLINE_S)

    asyncio.run(run())
    assert heard == [b""]  # no request, and the connection was given back


def test_a_wish_ends_the_wait() -> None:
    async def run() -> None:
        wake = asyncio.Event()
        waiting = asyncio.create_task(rest(LONG_S, wake, None))
        await asyncio.sleep(0)
        wake.set()
        await asyncio.wait_for(waiting, DEADLINE_S)

    asyncio.run(run())


def test_without_an_answer_the_wait_has_its_time() -> None:
    async def never() -> bool:
        return False

    began_s = time.monotonic()
    asyncio.run(rest(1.5, asyncio.Event(), never))
    assert time.monotonic() - began_s >= 1.4


def test_a_mistake_of_our_own_is_no_answer() -> None:
    async def broken() -> bool:
        raise MediaError("rule", "what", offset=0)

    with pytest.raises(MediaError):
        asyncio.run(rest(LONG_S, asyncio.Event(), broken))


def test_nobody_outside_the_camera_networks_is_knocked_at() -> None:
    assert not asyncio.run(is_there("rtsp://8.8.8.8/a", CONFIG))
    assert not asyncio.run(is_there("http://127.0.0.1/a", CONFIG))


def failed(port: int) -> SessionFailed:
    with pytest.raises(SessionFailed) as failure:
        asyncio.run(open_connection(f"rtsp://127.0.0.1:{port}/a", None, CONFIG, Memory()))
    return failure.value


def test_only_who_could_not_be_connected_is_away() -> None:
    away = failed(free_port())
    assert (away.is_away, away.reason) == (True, GapReason.CAMERA_OFF)

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def dial() -> SessionFailed:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/a"
            with pytest.raises(SessionFailed) as failure:
                await open_connection(url, None, CONFIG, Memory())
            return failure.value

    assert not asyncio.run(dial()).is_away


def test_who_points_to_a_camera_that_is_away_is_there() -> None:
    other = free_port()

    async def point(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                cseq = request.split(b"CSeq: ")[1].split(b"\r\n")[0]
                location = b"Location: rtsp://127.0.0.1:%d/b\r\n" % other
                writer.write(b"RTSP/1.0 302 Moved\r\nCSeq: %s\r\n%s\r\n" % (cseq, location))
                await writer.drain()
        writer.close()

    async def dial() -> SessionFailed:
        async with await asyncio.start_server(point, "127.0.0.1", 0) as server:
            url = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/a"
            with pytest.raises(SessionFailed) as failure:
                await open_connection(url, None, CONFIG, Memory())
            return failure.value

    failure = asyncio.run(dial())
    assert (failure.is_away, failure.reason) == (False, GapReason.CAMERA_OFF)


def test_a_whole_town_that_is_away_is_knocked_at_in_turn() -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/a"

    async def run() -> float:
        knocks = Knocks(CONFIG)
        began_s = time.monotonic()
        assert not any(await asyncio.gather(*(knocks.is_there(url) for _ in range(512))))
        return time.monotonic() - began_s

    assert asyncio.run(run()) > 0.9  # 256 at once, and then 256 a second
