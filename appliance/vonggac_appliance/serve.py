"""`vonggac serve`: the page, under gunicorn's threads in one process.

One process beside gunicorn's arbiter, which starts it anew when it dies or hangs. Nothing is opened
before the fork but the listener; the services are made in the child. The application is named as a
string: nothing below the page imports it.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gunicorn import arbiter, glogging, util
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import TConn, ThreadWorker

from vonggac.errors import ConfigError, VonggacError
from vonggac_appliance import config
from vonggac_appliance.front_door import Door, open_door
from vonggac_appliance.notify import Notifier
from vonggac_appliance.page_certificate import PageCertificate
from vonggac_appliance.service_log import set_up_logging
from vonggac_appliance.services import Services, open_services

__all__ = ["main"]

_log = logging.getLogger("vonggac.serve")

APPLICATION = "vonggac_web.app:create_app"
SOCKET_PATH = "/api/v1/socket"
"""Of the application's one WebSocket; without a session its answer fits into a packet."""

_HANGS_S = 20
"""The worker turns once a second; gunicorn kills one that has not for that long."""
_GRACE_S = 8
"""For requests under way, at the end. Looks are ended before."""
_KEEPALIVE_S = 20
_CONNECTIONS_MAX = 1000
_HEAD_S = 15.0
"""From the connection, or the first byte of a next request, to the end of its headers."""
_BODY_S = 60.0
"""For a request with a body, answer included: the audit chain's deadline is 10 s."""
_ANSWER_S = 900.0
"""For any answer but a socket's: a whole segment at 300 kbit/s."""
_SWEEP_S = 1.0
_READY, _CONFIG = b"r", b"c"
_EXIT_CONFIG = 78
_EXIT_BOOT = 3
"""gunicorn's WORKER_BOOT_ERROR: it does not try again."""


def main(home: Path, port: int | None = None) -> int:
    """Serves until SIGTERM or SIGINT; gives the exit status. Raises ConfigError, Unavailable."""
    set_up_logging()
    settings = config.load(home)
    door = open_door(home, settings.serve, port)
    notifier = Notifier.from_environment(os.environ)
    for name in ("NOTIFY_SOCKET", "GUNICORN_PID", "GUNICORN_FD", "LISTEN_PID", "LISTEN_FDS"):
        os.environ.pop(name, None)  # gunicorn would say READY before anything is
    heard, tell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    application = _Application(home, settings, door, tell)
    try:
        _Arbiter(application, notifier, heard).run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
        with contextlib.suppress(BlockingIOError):
            if _CONFIG in os.read(heard, 16):
                return _EXIT_CONFIG
        return 1 if status else 0
    return 0


class _Application(BaseApplication):  # type: ignore[misc]
    """What gunicorn asks for settings and, in the worker, for the application."""

    def __init__(self, home: Path, settings: config.Config, door: Door, tell: int) -> None:
        self.home = home
        self.settings = settings
        self.door = door
        self.tell = tell
        self.services: Services | None = None
        self._fd = door.listener.detach()
        super().__init__()

    def load_config(self) -> None:
        """None of it comes from gunicorn's own files or environment."""
        threads = self.settings.serve.threads
        chosen: dict[str, Any] = {
            "bind": f"fd://{self._fd}",
            "worker_class": _Worker,
            "workers": 1,
            "threads": threads,
            "worker_connections": max(_CONNECTIONS_MAX, 2 * threads),
            "timeout": _HANGS_S,
            "graceful_timeout": _GRACE_S,
            "keepalive": _KEEPALIVE_S,
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "limit_request_field_size": 8190,
            # Nobody stands in front of us: no header says who asks or how.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "control_socket_disable": True,
            "accesslog": None,  # who looks at what stands in the audit chain
            "logger_class": _Logger,
            "worker_exit": _leave,
            "proc_name": "vonggac serve",
        }
        if self.door.context is not None:
            # Both files were read before; gunicorn only has to know that there is TLS.
            serve = self.settings.serve
            chosen["certfile"] = str(self.home / serve.certificate)
            chosen["keyfile"] = str(self.home / serve.key)
            chosen["ssl_context"] = lambda settings, default: self.door.context
        if os.access("/dev/shm", os.W_OK):  # noqa: S108, the heartbeat's file: never on a busy disk
            chosen["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """In the worker: its services, and the page over them."""
        try:
            services = open_services(self.home, self.settings, self.door.front)
            certificate = PageCertificate(self.home, self.door.certificate)
            self.services = replace(services, turns=(*services.turns, certificate.turn))
            module, _, name = APPLICATION.partition(":")
            return getattr(importlib.import_module(module), name)(self.services)
        except VonggacError as error:
            _log.critical("%s", error)
            if isinstance(error, ConfigError):
                os.write(self.tell, _CONFIG)
            sys.exit(_EXIT_BOOT)


class _Arbiter(arbiter.Arbiter):  # type: ignore[misc]
    """Watches the worker, and speaks with systemd: READY when it serves, WATCHDOG while both
    this process and the worker turn."""

    def __init__(self, application: _Application, notifier: Notifier, heard: int) -> None:
        self._notifier = notifier
        self._heard = heard
        self._url = application.door.url
        super().__init__(application)

    def murder_workers(self) -> None:
        """Called in each turn."""
        super().murder_workers()
        with contextlib.suppress(BlockingIOError):
            if _READY in os.read(self._heard, 16):
                _log.info("serving at %s", self._url)
                self._notifier.ready(self._url)
        now_s = time.monotonic()
        ages = [now_s - worker.tmp.last_update() for worker in list(self.WORKERS.values())]
        # Before its first turn a worker's file has a date, which is no time of this clock.
        if ages and all(0 <= age < _HANGS_S for age in ages):
            self._notifier.watchdog()

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """Ends; the listener is closed first."""
        self._notifier.stopping()
        super().halt(reason, exit_status)

    def handle_int(self) -> None:
        """Ctrl-C ends as SIGTERM does: with the end of every look written."""
        self.handle_term()

    handle_quit = handle_int

    def handle_hup(self) -> None:
        """A second worker beside the first would end the looks of the first."""
        _log.info("a new configuration is taken by a restart, a certificate by itself")

    handle_ttin = handle_ttou = handle_usr2 = handle_winch = handle_hup


class _Connection(TConn):  # type: ignore[misc]
    """A connection whose last seconds are not waited for in the loop that accepts others."""

    def close(self, graceful: bool = False) -> None:
        """The thread that answered has said goodbye already (`_Worker.handle`)."""
        util.close(self.sock)


class _Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, with an end for requests that do not come, and one for looks."""

    app: _Application

    def init_process(self) -> None:
        """After the fork."""
        self._due_s: dict[TConn, float] = {}
        self._stop = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="sweep", daemon=True)
        super().init_process()

    def init_signals(self) -> None:
        """The arbiter alone decides about the end: Ctrl-C reaches the whole group."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, self.handle_exit)

    def run(self) -> None:
        """Serves until told to end."""
        self._sweeper.start()
        os.write(self.app.tell, _READY)
        super().run()

    def handle_exit(self, sig: int, frame: object) -> None:
        """In a signal handler: what takes locks is done in the next turn."""
        super().handle_exit(sig, frame)
        self.method_queue.defer(self._stop.set)

    def is_parent_alive(self) -> bool:
        """Without the arbiter this worker ends, and its looks with it."""
        is_alive = bool(super().is_parent_alive())
        if not is_alive:
            self._stop.set()
        return is_alive

    def notify(self) -> None:
        """Called in each turn: ends the connections whose time is over."""
        super().notify()
        now_s = time.monotonic()
        for conn, due_s in list(self._due_s.items()):
            if due_s < now_s:
                with contextlib.suppress(OSError):
                    # The plain socket's: TLS would say goodbye, and its thread is inside it.
                    socket.socket.shutdown(conn.sock, socket.SHUT_RDWR)

    def accept(self, listener: Any) -> None:
        """As in gunicorn, with a connection of our own."""
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        sock.setblocking(True)
        self.enqueue_req(_Connection(self.cfg, sock, address, listener.getsockname()))

    def handle(self, conn: TConn) -> Any:
        """In a thread: a request or the wait for one."""
        self._due_s[conn] = time.monotonic() + _HEAD_S
        try:
            is_kept = super().handle(conn)
            if is_kept is False:
                # Here: gunicorn's loop would wait up to 2 s for each browser that does not close.
                util.close_graceful(conn.sock)
            return is_kept
        finally:
            self._due_s.pop(conn, None)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """In a thread, when the headers have been read."""
        if req.path == SOCKET_PATH:
            self._due_s.pop(conn, None)  # a page's socket lives as long as the page
        else:
            limit_s = _ANSWER_S if req.method in ("GET", "HEAD") else _BODY_S
            self._due_s[conn] = time.monotonic() + limit_s
        return super().handle_request(req, conn)

    def leave(self) -> None:
        """Waits until the looks are ended."""
        self._stop.set()
        if self._sweeper.ident is not None:
            self._sweeper.join(_GRACE_S)

    def _sweep(self) -> None:
        """A turn a second for what nobody asks for: looks whose page has gone, and their end."""
        services = self.app.services
        assert services is not None
        try:
            while not self._stop.wait(_SWEEP_S):
                services.turn()
        finally:  # also by our own mistake: then a new worker ends what is left
            self.alive = False
            services.close()


def _leave(_: object, worker: _Worker) -> None:
    """The last act of a worker. Threads that still wait for a keeper do not hold it."""
    worker.leave()
    end = sys.exc_info()[1]
    code = end.code if isinstance(end, SystemExit) else 1
    logging.shutdown()
    os._exit(code if isinstance(code, int) else 0)


class _Logger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's messages, where ours go."""

    def setup(self, cfg: Any) -> None:
        """No handlers of its own."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def exception(self, msg: str, *args: object, **kwargs: Any) -> None:
        """A browser that went away in the middle is no event."""
        if isinstance(sys.exc_info()[1], TimeoutError | ConnectionError):
            return
        super().exception(msg, *args, **kwargs)
