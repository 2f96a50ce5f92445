"""`vonggac record`: the recorder's parent process."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import resource
import signal
import socket
import time
from pathlib import Path

import zmq
import zmq.asyncio
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from vonggac.errors import ConfigError, Unavailable
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_control, config, zygote
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.children import Children
from vonggac_appliance.control import ControlServer
from vonggac_appliance.events import Publisher
from vonggac_appliance.live import LiveServer
from vonggac_appliance.notify import Notifier
from vonggac_appliance.recorder import Recorder
from vonggac_appliance.recorder_trouble import TroubleAlarms
from vonggac_appliance.secrets import receipt_key, record_private_key
from vonggac_appliance.service_log import set_up_logging
from vonggac_appliance.status import status_of

_log = logging.getLogger("vonggac.record")

_READY_S = 20.0
"""A disk that does not come up must not keep the others' recording a secret from systemd."""


def main(home: Path) -> int:
    """Records until SIGTERM or SIGINT; gives the exit status. Raises ConfigError, Unavailable."""
    set_up_logging()
    settings = config.load(home)  # before anything is started: exit 78 has nothing to undo
    lock = _only_one(home)
    # Log-ins stand in our memory, answers to challenges in the loops': neither in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sock, zygote_pid = zygote.start()
    try:
        return asyncio.run(_record(home, settings, sock))
    finally:
        sock.close()
        _wait_for(zygote_pid)
        os.close(lock)


def _only_one(home: Path) -> int:
    """A lock that tells a second recorder in this home apart; disks have locks of their own."""
    path = home / "run" / "record.lock"
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise ConfigError(f"{path} cannot be made: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise Unavailable(f"another recorder already runs in {home}") from error
    return fd


def _wait_for(pid: int) -> None:
    until_s = time.monotonic() + 20.0
    while time.monotonic() < until_s:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.02)


async def _record(home: Path, settings: config.Config, sock: socket.socket) -> int:
    stop = asyncio.Event()
    lost_zygote = asyncio.Event()

    def zygote_lost() -> None:
        lost_zygote.set()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        catalog = stack.enter_context(Catalog(home, is_readonly=True))
        context = stack.enter_context(zmq.asyncio.Context())
        publisher = Publisher(home, "record", zmq.Context.shadow(context.underlying))
        stack.callback(publisher.close)
        children = Children(sock, zygote_lost)
        stack.callback(children.close)
        recorder = Recorder(home, settings, catalog, lambda: _key(home), children, publisher)
        stack.callback(recorder.alarms.close)
        stack.callback(recorder.learnt.close)
        control = ControlServer(home, context, lambda request: _act(recorder, request))
        stack.callback(control.close)
        live = LiveServer(home, receipt_key(home), recorder.sessions.get)
        stack.callback(live.close)
        await recorder.start()
        pushes = recorder.pushes
        trouble = TroubleAlarms(
            recorder.alarms, publisher, lambda code: recorder.roster.by_code(code) is not None
        )
        serving = (
            control.serve(),
            live.serve(),
            recorder.heads.serve(),
            pushes.serve(),
            pushes.lines.serve(),
            trouble.serve(home, context),
        )
        servers = [loop.create_task(s) for s in serving]
        try:
            await _turns(recorder, Notifier.from_environment(os.environ), stop, servers)
        finally:
            for task in servers:
                task.cancel()
            await recorder.end()
    if lost_zygote.is_set():
        _log.critical("the process that forks loops and keepers is gone, ending")
        return 1
    return 0


async def _turns(
    recorder: Recorder,
    notifier: Notifier,
    stop: asyncio.Event,
    servers: list[asyncio.Task[None]],
) -> None:
    """A turn a second. The watchdog is fed after a turn in which every disk that is written to
    had made something durable: a stuck disk is seen, not only a stuck parent."""
    started_s = time.monotonic()
    is_ready = False
    while not stop.is_set():
        for task in servers:
            if task.done():
                task.result()  # a server that broke ends the recorder: systemd starts it anew
        recorder.turn()
        now_s = time.monotonic()
        if not is_ready and (recorder.is_started or now_s - started_s > _READY_S):
            is_ready = True
            _log.info("ready, %d cameras in the catalog", len(recorder.cameras))
            notifier.ready(f"{len(recorder.cameras)} cameras")
        if recorder.is_healthy:
            notifier.watchdog()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1.0)
    notifier.stopping()


def _act(recorder: Recorder, request: bus_control.Control) -> bus_control.Reply:
    if isinstance(request, bus_control.Status):
        return status_of(recorder)
    if isinstance(request, bus_control.Changed):
        recorder.roster.read()
        recorder.locks.read()
        recorder.disks.follow()
        return bus_control.Ok()
    if isinstance(request, bus_control.AskLocks):
        return recorder.locks.reply()
    if isinstance(request, bus_control.AskRetention):
        return recorder.retention.reply()
    if isinstance(request, bus_control.ConfirmRetention):
        recorder.retention.confirm()
        return bus_control.Ok()
    if isinstance(
        request, bus_control.AskAlarms | bus_control.SeeAlarms | bus_control.AcknowledgeAlarm
    ):
        return _alarms(recorder.alarms, request)
    if isinstance(request, bus_control.AskBackups):
        return recorder.backups.reply()
    if isinstance(request, bus_control.BackupNow):
        recorder.backups.begin()
        return bus_control.Ok()
    if isinstance(request, bus_control.LockRefused):
        recorder.alarm("lock-refused", request.camera, request.what)
        return bus_control.Ok()
    if isinstance(request, bus_control.CertificateSeen):
        recorder.certificates.told(request.section, request.ends_ns)
        return bus_control.Ok()
    if isinstance(request, bus_control.ConfirmDevice):
        if not recorder.confirm_device(request.camera, is_known_back=request.is_known_back):
            what = f"no other device waits for a word about {request.camera}"
            return bus_control.Failed("nothing-waits", what)
        return bus_control.Ok()
    if isinstance(request, bus_control.ForgetLearnt):
        is_known = recorder.forget_learnt(request.camera)
    else:
        is_known = recorder.restart_camera(request.camera)
    if is_known:
        return bus_control.Ok()
    return bus_control.Failed("unknown-camera", f"there is no camera {request.camera}")


def _alarms(
    store: AlarmStore,
    request: bus_control.AskAlarms | bus_control.SeeAlarms | bus_control.AcknowledgeAlarm,
) -> bus_control.Reply:
    if isinstance(request, bus_control.AskAlarms):
        return bus_control.AlarmsReply(store.newest(max(request.limit, 0), request.subject))
    if isinstance(request, bus_control.SeeAlarms):
        store.see(request.numbers, request.by, time.time_ns())
        return bus_control.Ok()
    row = store.acknowledge(request.number, request.by, request.note, time.time_ns())
    if row is None:
        return bus_control.Failed("unknown-alarm", f"there is no alarm {request.number}")
    return bus_control.AlarmsReply([row])


def _key(home: Path) -> X25519PrivateKey | None:
    """None: no password was ever entered here, so none has to be opened."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    is_there = (home / "keys" / "record.key").exists() or (
        credentials is not None and (Path(credentials) / "record.key").exists()
    )
    return record_private_key(home) if is_there else None
