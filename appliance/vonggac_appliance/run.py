"""`vonggac run`: all processes of the box under one supervisor, for development and the demo.

On the appliance systemd does this (systemd/). As root each child drops to its own user where that
user exists; no user is ever created here.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import math
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vonggac.ingest.backoff import Backoff
from vonggac.motion.mark_files import has_any
from vonggac_appliance import config
from vonggac_appliance.keep_questions import MOTION_USER
from vonggac_appliance.secrets import (
    AUDIT_USER,
    HOOKS_USER,
    PUSH_USER,
    RECORD_USER,
    SERVE_USER,
)
from vonggac_appliance.service_log import set_up_logging

_log = logging.getLogger("vonggac.run")

EXIT_CONFIG = 78
_AGAIN = Backoff(first_s=1.0, most_s=30.0, jitter=0.0)
_GOOD_AFTER_S = 60.0
_END_S = 30.0
"""The recorder says goodbye to its cameras (3 s) and its keepers finish a sync (10 s)."""
_PR_SET_PDEATHSIG = 1
_COMMAND = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the box."""

    name: str
    arguments: tuple[str, ...]
    user: str
    is_vital: bool = True
    """Whether a configuration that only a person can mend ends all (78), or this one alone."""


SERVICES = (
    # First up and last down: what the others do is written down by it.
    Service("audit", ("audit", "run"), AUDIT_USER),
    Service("record", ("record",), RECORD_USER),
    # A page that cannot be served is no reason not to record.
    Service("serve", ("serve",), SERVE_USER, is_vital=False),
    # Nor is an index that cannot be kept: what it has missed is in the ring.
    Service("motion", ("motion", "run"), MOTION_USER, is_vital=False),
)
_PUSH = Service("push", ("push", "run"), PUSH_USER, is_vital=False)
"""Where the configuration has a port for cameras that call."""
_HOOKS = Service("hooks", ("hooks", "run"), HOOKS_USER, is_vital=False)
"""Where the configuration has an address for other people's programs, or marks are kept."""


@dataclass(slots=True)
class _Child:
    """A service and the process that is it now."""

    service: Service
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    due_s: float = 0.0
    """Monotonic time of the next start."""
    failures: int = 0


def main(home: Path, port: int | None = None) -> int:
    """Runs until SIGTERM or SIGINT; `port` is the page's, before the configured one.

    Exit status 78 when a vital service says so: a person is needed.
    """
    set_up_logging()
    if os.geteuid() == 0 and _identity(RECORD_USER) is None:
        _log.warning("the service users do not exist: everything runs as root (single user)")
    chosen = services(port)
    settings = config.load(home)
    if settings.push.port:
        chosen += (_PUSH,)
    if settings.hooks.address or has_any(home / "hooks" / "marks"):
        chosen += (_HOOKS,)
    supervisor = _Supervisor(home, chosen)
    return supervisor.run()


def services(port: int | None) -> tuple[Service, ...]:
    """SERVICES, with the page at `port`."""
    if port is None:
        return SERVICES
    more = ("--port", str(port))
    return tuple(
        replace(s, arguments=(*s.arguments, *more)) if s.name == "serve" else s for s in SERVICES
    )


class _Supervisor:
    def __init__(self, home: Path, services: Sequence[Service]) -> None:
        self._home = home
        self._children = [_Child(service) for service in services]
        self._is_ending = False
        # A byte for every signal, so that none slips between the look and the sleep.
        self._wake, woken = socket.socketpair()
        self._wake.setblocking(False)
        woken.setblocking(False)
        self._woken = woken
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def run(self) -> int:
        status = 0
        while not self._is_ending and status == 0:
            now_s = time.monotonic()
            for child in self._children:
                if child.process is None and now_s >= child.due_s:
                    self._start(child)
            self._sleep(min(c.due_s - now_s if c.process is None else 60.0 for c in self._children))
            for child in self._children:
                status = self._look(child) or status
        self._end()
        return status

    def _stop(self, *_: object) -> None:
        self._is_ending = True

    def _sleep(self, most_s: float) -> None:
        select.select([self._wake], [], [], max(0.0, most_s))
        with contextlib.suppress(BlockingIOError):
            self._wake.recv(4096)

    def _start(self, child: _Child) -> None:
        command = [sys.executable, "-c", _COMMAND, "--home", str(self._home)]
        identity = _identity(child.service.user) if os.geteuid() == 0 else None
        child.started_s = time.monotonic()
        # Our own program with our own words; nothing of a caller's stands in the arguments.
        child.process = subprocess.Popen(  # noqa: S603
            [*command, *child.service.arguments],
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is ours: children end in order
            preexec_fn=_end_with_parent,  # one thread here: nothing can hold a lock
            user=None if identity is None else identity.pw_uid,
            group=None if identity is None else identity.pw_gid,
            extra_groups=None if identity is None else os.getgrouplist(*_login(identity)),
        )
        _log.info("%s runs (pid %d)", child.service.name, child.process.pid)

    def _look(self, child: _Child) -> int:
        """Reaps; gives 78 if no restart can help."""
        if child.process is None or (status := child.process.poll()) is None:
            return 0
        child.process = None
        name = child.service.name
        if self._is_ending:
            return 0
        if status == EXIT_CONFIG and not child.service.is_vital:
            child.due_s = math.inf
            _log.error("%s needs a person (exit 78); the others go on without it", name)
            return 0
        if status == EXIT_CONFIG:
            _log.error("%s needs a person (exit 78), ending", name)
            return EXIT_CONFIG
        lived_s = time.monotonic() - child.started_s
        child.failures = 1 if lived_s > _GOOD_AFTER_S else child.failures + 1
        delay_s = _AGAIN.delay_s(child.failures, 0.0)
        child.due_s = time.monotonic() + delay_s
        _log.error("%s ended (%d), starting it again in %g s", name, status, delay_s)
        return 0

    def _end(self) -> None:
        for child in reversed(self._children):
            if child.process is None:
                continue
            child.process.terminate()
            try:
                child.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                _log.error("%s does not end within %g s, killing it", child.service.name, _END_S)
                child.process.kill()
                child.process.wait()
        signal.set_wakeup_fd(-1)
        self._wake.close()
        self._woken.close()


def _end_with_parent() -> None:
    """In the child, after it changed its user (which would clear it): SIGTERM when `run` dies.

    Otherwise a killed supervisor left two services behind that its successor cannot see.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _identity(user: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None


def _login(identity: pwd.struct_passwd) -> tuple[str, int]:
    return identity.pw_name, identity.pw_gid
