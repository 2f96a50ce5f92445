"""Publishing on the bus. A PUB socket never waits: who is slow misses messages and asks again."""

from __future__ import annotations

import contextlib
from pathlib import Path

import zmq

from vonggac_appliance import bus_events
from vonggac_appliance.sockets import ipc_path, prepare_class

_WAITING_MAX = 10_000
"""Messages kept for a slow subscriber: a minute of 128 streams, then the newest are lost."""


class Publisher:
    """The `events-<process>` socket of this process."""

    def __init__(self, home: Path, process: str, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        prepare_class(home, "events")
        path = bus_events.events_endpoint(home, process)
        self._stack = contextlib.ExitStack()
        self._socket = context.socket(zmq.PUB)
        self._socket.sndhwm = _WAITING_MAX
        self._socket.linger = 0
        self._socket.bind(self._stack.enter_context(ipc_path(path)))
        path.chmod(0o660)

    def send(self, event: bus_events.Event) -> None:
        """Publishes an event."""
        self._socket.send_multipart(bus_events.encode_event(event), zmq.NOBLOCK)

    def close(self) -> None:
        """Stops publishing."""
        self._socket.close()
        self._stack.close()
