"""Live: a viewer's socket goes to the loop of its stream once its receipt was verified."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from vonggac.errors import MediaError
from vonggac.evidence import receipt
from vonggac_appliance import sockets
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.messages import Kind, Refused
from vonggac_appliance.messages_footage import AskLive, Live
from vonggac_appliance.parts import Joiner, split

_log = logging.getLogger("vonggac.record")

_ASK_S = 2.0
_AGAIN_S = 0.2
_UNTIL_MAX_MS = (1 << 32) - 1
_WAITING_MAX = 64
"""Callers that have not said what they want yet."""


class LiveServer:
    """Listens on HOME/run/view/live.sock."""

    def __init__(
        self, home: Path, key: bytes, session_of: Callable[[bytes], StreamSession | None]
    ) -> None:
        sockets.prepare_class(home, "view")
        self._path = sockets.socket_path(home, "view", "live.sock")
        self._listener = sockets.listen(self._path)
        self._listener.setblocking(False)
        self._key = key
        self._session_of = session_of
        self._callers: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                caller, _ = await loop.sock_accept(self._listener)
            except OSError as error:  # gone again, or no descriptor left: recording goes on
                _log.warning("a viewer could not be accepted: %s", error)
                await asyncio.sleep(_AGAIN_S)
                continue
            if len(self._callers) >= _WAITING_MAX:
                caller.close()
                continue
            task = loop.create_task(self._serve(caller))
            self._callers.add(task)
            task.add_done_callback(self._callers.discard)

    def close(self) -> None:
        """Stops listening; viewers that a loop has stay there."""
        for task in self._callers:
            task.cancel()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, caller: socket.socket) -> None:
        with caller:
            caller.setblocking(False)
            try:
                async with asyncio.timeout(_ASK_S):
                    raw = await asyncio.get_running_loop().sock_recv(
                        caller, sockets.MESSAGE_BYTES_MAX
                    )
                refusal = self._hand_over(raw, caller)
            except TimeoutError:
                return
            except (MediaError, *sockets.DECODE_ERRORS) as error:
                refusal = Refused("malformed", str(error))
            if refusal is not None:
                for message in split(Kind.REFUSED, msgspec.msgpack.encode(refusal)):
                    with contextlib.suppress(OSError):
                        caller.send(message, socket.MSG_NOSIGNAL)

    def _hand_over(self, raw: bytes, caller: socket.socket) -> Refused | None:
        joined = Joiner().join(raw)
        if joined is None or joined[0] != Kind.ASK_LIVE:
            raise MediaError("value", "not a request for live pictures", 2)
        ask = msgspec.msgpack.decode(joined[1], type=AskLive)
        now_ns = time.time_ns()
        seen = receipt.read(self._key, ask.receipt)
        no = receipt.verify(
            self._key,
            ask.receipt,
            ask.camera,
            ask.stream,
            now_ns,
            now_ns,
            receipt.Permit.LIVE,
            now_ns,
        )
        if seen is None or no is not None:
            return Refused("receipt", no or "this is no receipt of the audit chain")
        session = self._session_of(ask.stream)
        if session is None or session.camera.id != ask.camera:
            return Refused("gone", "no such stream is recorded here")
        head = Live(ask.camera, ask.stream, session.progress.run, session.progress.durable_until_ns)
        (header,) = split(Kind.LIVE, msgspec.msgpack.encode(head))
        until_ms = (min(seen.expires_ns, seen.to_ns) - now_ns) // 1_000_000
        if not session.show(min(until_ms, _UNTIL_MAX_MS), header, os.dup(caller.fileno())):
            return Refused("gone", f"the camera is not recorded at this moment: {session.what}")
        return None
