"""A port that takes in only so many connections at a time; those that are there stay.

libzmq has no bound for them but descriptors. While there are enough its listener is closed: who
knocks is refused by the system, and costs nothing.
"""

from __future__ import annotations

import logging

import zmq

from vonggac_appliance.hook_limits import spare

__all__ = ["HookGate"]

_log = logging.getLogger("vonggac.hooks")

CONNECTIONS_MAX = 24
"""32 ports with as many, and what each needs itself, are fewer than the unit's 1024 descriptors."""
_AGAIN_S = 0.2
"""Who comes and goes as fast as he can opens and shuts it no faster."""
_BIND_AGAIN_S = 5.0
_SAY_S = 60.0


class HookGate:
    """Of one ROUTER socket. In one thread."""

    def __init__(self, hook: int, watched: zmq.Socket[bytes], endpoint: str) -> None:
        """Opens it. Raises zmq.ZMQError where the port is taken."""
        self._hook, self._watched, self._endpoint = hook, watched, endpoint
        self._is_open = True
        self._again_s = self._say_s = 0.0
        with spare():
            watched.bind(endpoint)

    def turn(self, connections: int, now_s: float) -> None:
        """`connections`: how many there are at this moment."""
        is_room = connections < CONNECTIONS_MAX
        if self._is_open and not is_room:
            self._watched.unbind(self._endpoint)
            self._is_open, self._again_s = False, now_s + _AGAIN_S
            if now_s >= self._say_s:
                self._say_s = now_s + _SAY_S
                _log.warning("hook %d: %d connections are at its port", self._hook, connections)
        elif not self._is_open and is_room and now_s >= self._again_s:
            try:
                with spare():
                    self._watched.bind(self._endpoint)
            except zmq.ZMQError as error:
                self._again_s = now_s + _BIND_AGAIN_S
                _log.error("hook %d: its port cannot be opened again: %s", self._hook, error)
            else:
                self._is_open = True
