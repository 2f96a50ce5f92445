"""A single-threaded process that forks the recorder's loops and keepers.

It is forked first, before the parent has a thread, a ZeroMQ context or an event loop: what is
forked later from there would inherit locks held by threads that do not exist in the child.
Requests come over a SEQPACKET pair with the child's descriptors; exits are reported on it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

import msgspec

from vonggac._native.loop import run_loop
from vonggac_appliance import keep

_FDS_MAX = 4
_MESSAGE_MAX = 64 * 1024
_KEEPER_NICE = -5
"""Three times the share of a loop. A keeper needs little of a processor, and needs it at once:
until its sync is done every camera's newest second is at risk."""
_LAST_WAIT_S = 15.0
"""How long the children may take to finish after the parent's end: keepers finish a sync."""


class StartLoop(msgspec.Struct, frozen=True, tag="start-loop"):
    """Fork a loop. Descriptors: control, arena, arena read-only, crash page."""

    request: int
    number: int
    incarnation: int
    flood_bytes_per_second: int


class StartKeeper(msgspec.Struct, frozen=True, tag="start-keeper"):
    """Fork a keeper. Descriptor: control."""

    request: int
    disk_path: str
    home: str
    box_id: bytes


class Kill(msgspec.Struct, frozen=True, tag="kill"):
    """Signal a child if it still is one: only its parent knows that the pid is not another's."""

    pid: int
    signal: int


class Started(msgspec.Struct, frozen=True, tag="started"):
    """`pid` 0: the fork failed with `errno`."""

    request: int
    pid: int
    errno: int = 0


class Exited(msgspec.Struct, frozen=True, tag="exited"):
    """A child is gone. `status`: its exit status, or minus the signal that ended it."""

    pid: int
    status: int


Request = StartLoop | StartKeeper | Kill
Report = Started | Exited

encode = msgspec.msgpack.encode


def decode_report(message: bytes) -> Report:
    """What the zygote says."""
    report: Report = msgspec.msgpack.decode(message, type=Report)
    return report


def start() -> tuple[socket.socket, int]:
    """Forks the zygote; returns the parent's end of its socket, and its pid.

    Has to be called while the process has one thread.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        theirs.close()
        return ours, pid
    ours.close()
    _last_line_of_defence(lambda: _Zygote(theirs).run())


class _Zygote:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: set[int] = set()
        self._decoder = msgspec.msgpack.Decoder(Request)
        # A byte for every SIGCHLD: poll has to see the signal that arrives just before it sleeps.
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)

    def run(self) -> int:
        gc.freeze()  # a collection in a child would touch, and copy, every page it shares with us
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Ctrl-C goes to the whole group; the parent decides in which order its children end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._wake.fileno() in ready:
                with contextlib.suppress(BlockingIOError):
                    self._wake.recv(4096)
            self._reap()
            if self._control.fileno() in ready and not self._serve():
                return self._wait_for_children()

    def _serve(self) -> bool:
        try:
            message, fds, _, _ = socket.recv_fds(
                self._control, _MESSAGE_MAX, _FDS_MAX, socket.MSG_CMSG_CLOEXEC
            )
        except ConnectionResetError:
            return False  # killed with our last report unread
        if not message:
            return False
        request = self._decoder.decode(message)
        if isinstance(request, Kill):
            if request.pid in self._children:
                os.kill(request.pid, request.signal)
            return True
        try:
            pid = os.fork()
        except OSError as error:
            self._say(Started(request.request, 0, error.errno or 0))
        else:
            if pid == 0:
                self._become(request, fds)
            self._children.add(pid)
            self._say(Started(request.request, pid))
        for fd in fds:
            os.close(fd)
        return True

    def _become(self, request: StartLoop | StartKeeper, fds: list[int]) -> NoReturn:
        """In the child."""
        self._control.close()
        signal.set_wakeup_fd(-1)
        self._wake.close()
        self._woken.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if isinstance(request, StartLoop):
            control, arena, arena_read, crash_page = fds
            _last_line_of_defence(
                lambda: run_loop(
                    control,
                    arena,
                    arena_read,
                    request.number,
                    request.incarnation,
                    crash_page,
                    request.flood_bytes_per_second,
                )
            )
        with contextlib.suppress(PermissionError):  # it takes its turn then; our unit allows it
            os.nice(_KEEPER_NICE)
        _last_line_of_defence(
            lambda: keep.main(
                request.disk_path, request.home, request.box_id, socket.socket(fileno=fds[0])
            )
        )

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.discard(pid)
            self._say(Exited(pid, os.waitstatus_to_exitcode(status)))

    def _say(self, report: Report) -> None:
        # The parent may be gone: its end of the socket tells in the next turn.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._control.send(encode(report))

    def _wait_for_children(self) -> int:
        deadline = time.monotonic() + _LAST_WAIT_S
        while self._children and time.monotonic() < deadline:
            select.select([self._wake], [], [], deadline - time.monotonic())
            with contextlib.suppress(BlockingIOError):
                self._wake.recv(4096)
            self._reap()
        return 0


def _last_line_of_defence(body: Callable[[], int]) -> NoReturn:
    """Ends this process with what `body` gives: a fork never unwinds into its parent's stack."""
    status = 1
    try:
        status = body()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001, said on stderr, and the exit status tells the parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
