"""The parent's view of its forked children: starts them through the zygote, hears of their ends."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence

from vonggac.errors import Unavailable
from vonggac_appliance import zygote
from vonggac_appliance.channel import Channel

OnExit = Callable[[int], None]


class Children:
    """Starts and signals children. One for a recorder."""

    def __init__(self, sock: socket.socket, on_end: Callable[[], None]) -> None:
        self._channel = Channel(sock, self._heard, on_end)
        self._requests = 0
        self._starting: dict[int, tuple[asyncio.Future[int], OnExit]] = {}
        self._on_exit: dict[int, OnExit] = {}

    @property
    def is_lost(self) -> bool:
        """Whether the zygote is gone: nobody can be forked, signalled or heard of any more."""
        return not self._channel.is_open

    async def start_loop(
        self, number: int, incarnation: int, flood: int, fds: Sequence[int], on_exit: OnExit
    ) -> int:
        """Forks a loop and gives its pid; takes the descriptors."""
        request = self._next()
        return await self._start(
            zygote.StartLoop(request, number, incarnation, flood), request, fds, on_exit
        )

    async def start_keeper(
        self, disk_path: str, home: str, box_id: bytes, control_fd: int, on_exit: OnExit
    ) -> int:
        """Forks a keeper and gives its pid; takes the descriptor."""
        request = self._next()
        return await self._start(
            zygote.StartKeeper(request, disk_path, home, box_id), request, [control_fd], on_exit
        )

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Signals a child, if it is still alive."""
        if pid in self._on_exit:
            self._channel.send(zygote.encode(zygote.Kill(pid, number)))

    def close(self) -> None:
        """Lets the zygote go: it waits for its children, then ends."""
        self._channel.close()

    def _next(self) -> int:
        self._requests += 1
        return self._requests

    async def _start(
        self,
        message: zygote.StartLoop | zygote.StartKeeper,
        request: int,
        fds: Sequence[int],
        on_exit: OnExit,
    ) -> int:
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._starting[request] = (started, on_exit)
        if not self._channel.send(zygote.encode(message), fds):
            del self._starting[request]
            raise Unavailable("the zygote is gone")
        return await started

    def _heard(self, message: bytes) -> None:
        report = zygote.decode_report(message)
        if isinstance(report, zygote.Exited):
            on_exit = self._on_exit.pop(report.pid, None)
            if on_exit is not None:
                on_exit(report.status)
            return
        started, on_exit = self._starting.pop(report.request)
        if report.pid:
            # Before the future's owner runs: the exit may be the very next message.
            self._on_exit[report.pid] = on_exit
            if not started.cancelled():
                started.set_result(report.pid)
        elif not started.cancelled():
            started.set_exception(Unavailable(f"cannot fork (errno {report.errno})"))


def end_of(status: int) -> str:
    """An exit in words."""
    if status >= 0:
        return f"exited with {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
