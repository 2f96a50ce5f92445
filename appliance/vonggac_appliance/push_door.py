"""`vonggac push run`: the door for cameras that call the box.

Whoever is in the Internet may knock, so what he says before his key is known is parsed here: in a
process and by a user of its own, with no catalog, no disk, no key and no camera. If it stalls or
dies, those who publish through it lose their connection; nobody whom we call loses a packet.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import ssl
import time
from dataclasses import asdict, replace
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac.ingest.backoff import start_limiter
from vonggac.ingest.callers import CALLS_PER_SECOND, Dawdler, Pace, neighbourhood, who_goes
from vonggac_appliance import config
from vonggac_appliance.config import PushConfig
from vonggac_appliance.messages_push import PushCounts
from vonggac_appliance.notify import Notifier
from vonggac_appliance.push_caller import Caller, Shared
from vonggac_appliance.push_line import Line
from vonggac_appliance.served_certificate import ServedCertificate
from vonggac_appliance.service_log import set_up_logging
from vonggac_appliance.tls_listener import address_of, listen

__all__ = ["main"]

_log = logging.getLogger("vonggac.push")

_BEAT_S = 1.0
_AGAIN_S = 0.2
_NICE = 5
"""Recording comes before whoever knocks."""


def main(home: Path) -> int:
    """Takes calls until SIGTERM or SIGINT; gives the exit status.

    Raises ConfigError for what a person has to change, Unavailable when the port is taken.
    """
    set_up_logging()
    settings = config.load(home).push
    if not settings.port:
        where = config.where(home, "push", "port")
        raise ConfigError(f"{where}: no camera may call this box: set port in [push]")
    address = address_of(home, "push", settings.address)
    certificate = ServedCertificate(
        home, "push", settings.certificate, settings.key, _without_tickets
    )
    if certificate.context is None:
        where = config.where(home, "push", "certificate")
        raise ConfigError(f"{where}: a key is never said in the clear: set certificate and key")
    # What callers say must not stand in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    listener = listen(address, settings.port, "the door for cameras that call")
    os.nice(_NICE)
    try:
        asyncio.run(_run(home, settings, listener, Shared(certificate, Line(home))))
    finally:
        listener.close()
    return 0


async def _run(home: Path, settings: PushConfig, listener: socket.socket, shared: Shared) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    notifier = Notifier.from_environment(os.environ)
    door = _Door(listener, shared)
    servers = [loop.create_task(shared.line.keep()), loop.create_task(door.serve())]
    _log.info("cameras may call port %d", listener.getsockname()[1])
    notifier.ready()
    try:
        while not stop.is_set():
            for server in servers:
                if server.done():
                    server.result()  # our own mistake: ended, and started anew
            shared.certificate.turn()
            ends_ns = shared.certificate.ends_ns
            shared.line.tell(PushCounts(**asdict(shared.tally), certificate_ends_ns=ends_ns))
            notifier.watchdog()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _BEAT_S)
    finally:
        notifier.stopping()
        for server in servers:
            server.cancel()
        await door.end()
        await asyncio.gather(*servers, return_exceptions=True)


def _without_tickets(context: ssl.SSLContext) -> None:
    context.num_tickets = 0  # nobody comes back to a session of TLS


class _Door:
    """Accepts callers, no more at once than are bounded."""

    def __init__(self, listener: socket.socket, shared: Shared) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._shared = shared
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._waiting: dict[int, Dawdler] = {}
        """Who does not publish yet, by number."""
        self._numbers = 0
        self._pace = Pace()

    async def serve(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        limiter = start_limiter(CALLS_PER_SECOND, time.monotonic())
        while True:
            try:
                sock, address = await loop.sock_accept(self._listener)
            except OSError as error:  # gone again, or no descriptor left
                _log.warning("a caller could not be accepted: %s", error)
                await asyncio.sleep(_AGAIN_S)
                continue
            wait_s = 0.0
            if self._is_taken(sock, address[:2]):
                limiter, wait_s = limiter.take(time.monotonic())
            await asyncio.sleep(wait_s)  # 0 too: those who publish have their turn

    def _is_taken(self, sock: socket.socket, address: tuple[str, int]) -> bool:
        shared = self._shared
        shared.tally.calls += 1
        comes = neighbourhood(address[0])
        if self._pace.is_too_fast(comes, time.monotonic()):
            shared.tally.crowded_out += 1
            sock.close()
            return False
        goes = who_goes(tuple(self._waiting.values()), comes)
        if goes is not None:
            shared.tally.crowded_out += 1
            self._waiting.pop(goes)
            self._tasks[goes].cancel()
        self._numbers += 1
        number = self._numbers
        self._waiting[number] = Dawdler(number, comes, time.monotonic())
        caller = Caller(
            sock,
            address,
            shared,
            lambda: self._publishes(number),
            lambda camera: self._knows(number, camera),
        )
        task = asyncio.get_running_loop().create_task(caller.run())
        self._tasks[number] = task
        task.add_done_callback(lambda done: self._gone(number, done))
        return True

    def _knows(self, number: int, camera: str) -> None:
        if (dawdler := self._waiting.get(number)) is not None:
            self._waiting[number] = replace(dawdler, camera=camera)

    def _publishes(self, number: int) -> None:
        self._waiting.pop(number, None)

    def _gone(self, number: int, task: asyncio.Task[None]) -> None:
        self._waiting.pop(number, None)
        self._tasks.pop(number, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("a caller met our own mistake", exc_info=error)

    async def end(self) -> None:
        """Lets everybody go."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
