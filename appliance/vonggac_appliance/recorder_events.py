"""What the recorder publishes, heard by one thread of the page and handed to whoever listens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import zmq

from vonggac_appliance import bus_events
from vonggac_appliance.sockets import DECODE_ERRORS, ipc_path

__all__ = ["Hear", "RecorderEvents"]

Hear = Callable[[bus_events.Event], None]

_TURN_MS = 300
"""How long closing may take."""
_RETRY_S = 1.0
_RECONNECT_MAX_MS = 2000

_log = logging.getLogger("vonggac.serve")


class RecorderEvents:
    """Subscribed from the first `listen` on. What is lost is asked for elsewhere (`status`)."""

    def __init__(self, home: Path, process: str = "record") -> None:
        self._path = bus_events.events_endpoint(home, process)
        self._listeners: list[Hear] = []
        self._lock = threading.Lock()
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Calls `hear` with every event, in the thread that hears them: it must not wait.

        Gives a function that ends it.
        """
        with self._lock:
            self._listeners.append(hear)
            if self._thread is None and not self._is_closing.is_set():
                self._thread = threading.Thread(target=self._run, name="recorder-events")
                self._thread.daemon = True  # a process that ends does not wait for the bus
                self._thread.start()
        return lambda: self._leave(hear)

    def close(self) -> None:
        """Ends the thread."""
        self._is_closing.set()
        if self._thread is not None:
            self._thread.join()

    def _leave(self, hear: Hear) -> None:
        with self._lock:
            if hear in self._listeners:
                self._listeners.remove(hear)

    def _run(self) -> None:
        with zmq.Context() as context:
            while not self._is_closing.is_set():
                try:
                    self._subscribe(context)
                except OSError as error:  # its directory is not there yet
                    _log.debug("the recorder's events are not heard yet: %s", error)
                    self._is_closing.wait(_RETRY_S)

    def _subscribe(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        with context.socket(zmq.SUB) as subscriber, ipc_path(self._path) as address:
            subscriber.linger = 0
            subscriber.reconnect_ivl_max = _RECONNECT_MAX_MS
            subscriber.subscribe(b"")
            subscriber.connect(address)
            while not self._is_closing.is_set():
                if subscriber.poll(_TURN_MS):
                    self._tell(subscriber.recv_multipart())

    def _tell(self, frames: list[bytes]) -> None:
        try:
            event = bus_events.decode_event(frames)
        except DECODE_ERRORS:
            return  # a newer recorder's topic
        with self._lock:
            listeners = tuple(self._listeners)
        for hear in listeners:
            hear(event)
