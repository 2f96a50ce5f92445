"""The door of `quirk_camera`: a scripted RTSP server, each camera at its path."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Sequence

from quirk_camera import Asked, Quirk, Visit, answer


class QuirkServer:
    """Serves quirks on loopback, each at its path, in a thread of its own."""

    def __init__(self, quirks: Sequence[Quirk], host: str = "127.0.0.1") -> None:
        self.quirks = {quirk.name: quirk for quirk in quirks}
        assert len(self.quirks) == len(quirks), "two quirks share a name"
        self.strangers = 0
        """Requests for a path that is nobody's."""
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._started.wait()

    def url(self, quirk: Quirk) -> str:
        return f"rtsp://{self._host}:{self.port}/{quirk.name}{quirk.query}"

    def end(self, visit: Visit) -> None:
        """Closes a connection."""
        self._loop.call_soon_threadsafe(visit.close)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        await self._open()
        self._started.set()
        await self._stop.wait()
        self._shut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # for connections to close

    async def _open(self) -> None:
        """One door for all of them."""
        self._door = await asyncio.start_server(self._visit, self._host, 0, backlog=256)
        self.port: int = self._door.sockets[0].getsockname()[1]

    def _shut(self) -> None:
        self._door.close()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits: list[Visit] = []
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._hear(reader, writer, visits)
        finally:  # also when the server stops
            for visit in visits:
                visit.silence()
                visit.leave()
            writer.close()

    async def _hear(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, visits: list[Visit]
    ) -> None:
        """A connection until its end; what becomes a visit with its first request is put there."""
        while True:
            head = await reader.readexactly(1)
            if head == b"$":
                size = int.from_bytes((await reader.readexactly(3))[1:], "big")
                await reader.readexactly(size)
                for visit in visits:
                    visit.reports += 1
                continue
            asked = _parse(head + await reader.readuntil(b"\r\n\r\n"))
            if asked.method == "RTSP/1.0":
                for visit in visits:
                    visit.answers += 1
                continue
            if not visits:
                name = asked.uri.split("://", 1)[1].partition("/")[2]
                quirk = self.quirks.get(re.split(r"[/?]", name)[0])
                if quirk is None:
                    self.strangers += 1
                    return
                visits.append(quirk.visited(writer))
                quirk.visits += visits
            _answer(asked, visits[0])
            await writer.drain()


def _answer(asked: Asked, visit: Visit) -> None:
    visit.asked.append(asked)
    reply = answer(asked, visit)
    if reply is None:
        return
    channels = re.search(r"interleaved=(\d+)", reply.headers.get("Transport", ""))
    if channels:
        visit.channels = (int(channels[1]), int(channels[1]) + 1)
    visit.send(visit.quirk.wire(reply.encode()))
    if reply.closes:
        visit.close()
    elif reply.status == 200 and asked.method == "PLAY":
        visit.play()
    elif reply.status == 200 and asked.method == "TEARDOWN":
        visit.silence()


def _parse(raw: bytes) -> Asked:
    first, *lines = raw.decode("latin-1").split("\r\n")
    words = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs if name}
    return Asked(words[0], words[1], headers, raw)
