"""A port that takes in only so many connections at a time; those that are there stay.

libzmq has no bound for them but descriptors, and ends all of a port's connections when that is
unbound. So the kernel drops what comes to its listener meanwhile: a filter of one instruction
(SO_ATTACH_FILTER). Who knocks in earnest is let in when his system tries again, a second later or
two. Some kernels want a right for that at a TCP port (6.18 was seen to). There the port stays open,
and those who are connected live by hook_limits.py alone.
"""

from __future__ import annotations

import ctypes
import logging
import socket
import struct

__all__ = ["BACKLOG", "CONNECTIONS_MAX", "HookGate"]

_log = logging.getLogger("vonggac.hooks")

CONNECTIONS_MAX = 24
"""32 ports with as many, and what each needs itself, are fewer than the unit's 1024 descriptors."""
BACKLOG = 8
"""Let in by the kernel, and not yet by libzmq: these come though the port has just been shut."""
_SAY_S = 60.0
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_DROP = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))
"""`struct sock_filter`: BPF_RET | BPF_K, 0 (linux/filter.h)."""


class HookGate:
    """Of one listener. In one thread."""

    def __init__(self, hook: int, listener: int) -> None:
        """`listener`: its descriptor, which stays libzmq's."""
        self._hook, self._listener = hook, listener
        self._is_open = True
        self._say_s = 0.0
        self.is_forbidden = False
        """The kernel lets this process shut no port."""

    def turn(self, connections: int, now_s: float) -> None:
        """`connections`: how many there are at this moment."""
        is_room = connections < CONNECTIONS_MAX
        if is_room == self._is_open or self.is_forbidden:
            return
        listener = socket.socket(fileno=self._listener)
        try:
            if is_room:
                listener.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
            else:
                program = struct.pack("@HP", 1, ctypes.addressof(_DROP))  # `struct sock_fprog`
                listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        except PermissionError as error:
            self.is_forbidden = True
            _log.warning("hook %d: its port cannot be shut to a crowd: %s", self._hook, error)
            return
        finally:
            listener.detach()
        self._is_open = is_room
        if not is_room and now_s >= self._say_s:
            self._say_s = now_s + _SAY_S
            _log.warning("hook %d: %d connections are at its port", self._hook, connections)
