"""The control socket: a ROUTER in the recorder, and the client that commands use."""

from __future__ import annotations

import contextlib
import logging
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import zmq
import zmq.asyncio

from vonggac.errors import Unavailable, VonggacError
from vonggac_appliance import bus_control
from vonggac_appliance.sockets import DECODE_ERRORS, ipc_path, prepare_class, reachable

_log = logging.getLogger("vonggac.record")

_REQUEST_BYTES_MAX = 64 * 1024


class ControlServer:
    """Answers requests one after the other; each is answered at once."""

    def __init__(
        self,
        home: Path,
        context: zmq.asyncio.Context,
        act: Callable[[bus_control.Control], bus_control.Reply],
    ) -> None:
        prepare_class(home, "operate")
        path = bus_control.control_endpoint(home)
        self._act = act
        self._stack = contextlib.ExitStack()
        self._socket = context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self._socket.maxmsgsize = _REQUEST_BYTES_MAX
        self._socket.bind(self._stack.enter_context(ipc_path(path)))
        path.chmod(0o660)

    async def serve(self) -> None:
        """Runs until cancelled."""
        while True:
            frames = await self._socket.recv_multipart()
            reply = self._reply(frames[-1]) if len(frames) == 2 else _malformed("not one frame")
            # A caller that has gone is not waited for; ROUTER drops what it cannot deliver.
            await self._socket.send_multipart([frames[0], msgspec.msgpack.encode(reply)])

    def close(self) -> None:
        """Stops listening."""
        self._socket.close()
        self._stack.close()

    def _reply(self, raw: bytes) -> bus_control.Reply:
        try:
            request = msgspec.msgpack.decode(raw, type=bus_control.Control)
        except DECODE_ERRORS as error:
            return _malformed(str(error))
        try:
            return self._act(request)
        except VonggacError as error:  # such as a catalog that cannot be read: recording goes on
            _log.error("%s is not done: %s", type(request).__name__, error)
            return bus_control.Failed("failed", str(error))


def ask(home: Path, request: bus_control.Control, deadline_s: float = 3.0) -> bus_control.Reply:
    """Asks the running recorder. Raises Unavailable when there is none or it does not answer."""
    path = bus_control.control_endpoint(home)
    _require_listener(path)
    with (
        ipc_path(path) as address,
        zmq.Context() as context,
        context.socket(zmq.DEALER) as dealer,
    ):
        dealer.linger = 0
        dealer.connect(address)
        dealer.send(msgspec.msgpack.encode(request))
        if not dealer.poll(int(deadline_s * 1000)):
            raise Unavailable(f"the recorder does not answer within {deadline_s:g} s")
        raw = dealer.recv()
    try:
        reply: bus_control.Reply = msgspec.msgpack.decode(raw, type=bus_control.Reply)
    except DECODE_ERRORS as error:
        raise Unavailable(f"the recorder answers in another version: {error}") from error
    return reply


def status(home: Path, deadline_s: float = 3.0) -> bus_control.StatusReply:
    """What every camera does. Raises Unavailable."""
    reply = ask(home, bus_control.Status(), deadline_s)
    if not isinstance(reply, bus_control.StatusReply):
        raise Unavailable(f"the recorder answers {reply}")
    return reply


def _require_listener(path: Path) -> None:
    """ZeroMQ would wait for a listener for ever; a dead recorder's socket refuses at once."""
    try:
        is_socket = stat.S_ISSOCK(path.stat().st_mode)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, reachable(path) as name:
            probe.connect(name)
    except OSError as error:
        raise Unavailable("the recorder is not running (vonggac record)") from error
    if not is_socket:
        raise Unavailable(f"{path} is no socket")


def _malformed(what: str) -> bus_control.Failed:
    return bus_control.Failed("malformed", what)
