"""`vonggac hooks run`: other people's programs, each at its own port with its own key.

One thread hears the bus, and tells each program what its grant allows at that moment; others wait
for pictures, and for what keepers still have. It takes no part in recording, and has neither a disk
nor a camera's password.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import signal
import socket
import time
from pathlib import Path

import zmq

from vonggac.errors import ConfigError
from vonggac.motion.mark_files import has_any
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookKind, may_deliver
from vonggac_appliance import bus_events, config
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.events import Publisher
from vonggac_appliance.hook_door import HookDoor
from vonggac_appliance.hook_keys import HookKeys
from vonggac_appliance.hook_limits import set_limits
from vonggac_appliance.hook_log import HookLog
from vonggac_appliance.hook_marks import HookMarks, folder_of
from vonggac_appliance.hook_pictures import HookPictures
from vonggac_appliance.hook_protocol import (
    Asked,
    HookAskPicture,
    HookMark,
    HookPicture,
    HookRefused,
)
from vonggac_appliance.hook_telling import Told, grant_of, told_of
from vonggac_appliance.hooking import box_key, box_secret
from vonggac_appliance.notify import Notifier
from vonggac_appliance.service_log import set_up_logging
from vonggac_appliance.sockets import DECODE_ERRORS, ipc_path, prepare_class

__all__ = ["main"]

_log = logging.getLogger("vonggac.hooks")

_TURN_MS = 200
_ROSTER_S = 1.0
_BIND_AGAIN_S = 10.0
_SHUT_S = 3.0
"""Whose program sent what nobody means."""
_EVENTS_WAITING_MAX = 1000
_EVENTS_TURN_MAX = 100
_SHARE_S = 0.2
"""Of a turn, for what one program asks; then the others are heard."""
_FROM = ("record", "motion")
"""Processes whose events are heard."""


def main(home: Path) -> int:
    """Serves until SIGTERM or SIGINT. Raises ConfigError."""
    set_up_logging()
    address = config.load(home).hooks.address
    where = config.where(home, "hooks", "address")
    if not address and not has_any(folder_of(home)):
        raise ConfigError(f"{where}: no program may come in: set address in [hooks]")
    try:
        ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104
    except ValueError:
        raise ConfigError(f"{where}: address must be an IP address of this box") from None
    if not address:
        _log.warning("%s: no program may come in; marks are erased in their time", where)
    box_key(home)
    set_limits()
    notifier = Notifier.from_environment(os.environ)
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    is_ending: list[int] = []
    with contextlib.ExitStack() as stack:
        stack.callback(wake.close)
        stack.callback(woken.close)
        catalog = stack.enter_context(Catalog(home, is_readonly=True))
        context = stack.enter_context(zmq.Context())
        process = _Process(home, address, catalog, context, woken.fileno())
        stack.callback(process.close)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        stack.callback(signal.set_wakeup_fd, -1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda got, _: is_ending.append(got))
        process.begin()
        notifier.ready("programs are served")
        while not is_ending:
            process.turn()
            notifier.watchdog()
        notifier.stopping()
    return 0


class _Process:
    """All of it, turned by the main thread."""

    def __init__(
        self,
        home: Path,
        address: str,
        catalog: Catalog,
        context: zmq.Context[zmq.Socket[bytes]],
        woken: int,
    ) -> None:
        self._address, self._catalog, self._context = address, catalog, context
        self._woken = woken
        self._secret = box_secret(home)
        self._keys = HookKeys(context)
        self._log = HookLog(home)
        self._publisher = Publisher(home, "hooks", context)
        self._marks = HookMarks(home, catalog, self._publisher.send)
        self._pictures = HookPictures(home, catalog)
        self._doors: dict[int, HookDoor] = {}
        self._cameras: dict[str, Camera] = {}
        self._rows: list[Hook] = []
        self._changes = -1
        self._due_s = 0.0
        self._bind_s: dict[int, float] = {}
        self._stack = contextlib.ExitStack()
        self._events = self._subscribe(home)

    def _subscribe(self, home: Path) -> zmq.Socket[bytes]:
        prepare_class(home, "events")
        events = self._context.socket(zmq.SUB)
        events.linger = 0
        events.rcvhwm = _EVENTS_WAITING_MAX
        for topic in ("camera", "gap-opened", "gap-closed", "motion"):
            events.subscribe(topic.encode())
        for process in _FROM:
            path = bus_events.events_endpoint(home, process)
            events.connect(self._stack.enter_context(ipc_path(path)))
        return events

    def begin(self) -> None:
        """Opens the doors, and starts the threads."""
        self.follow()
        self._marks.start()
        self._pictures.start()

    def close(self) -> None:
        """Ends all connections; what was given is said."""
        for door in self._doors.values():
            door.close()
        self._log.close()  # first: the others may have to wait for a disk
        self._events.close()
        self._keys.close()
        self._stack.close()
        self._marks.close()
        self._publisher.close()
        self._pictures.close()

    def turn(self) -> None:
        """One turn; waits at most 0.2 s."""
        now_s = time.monotonic()
        self._log.begin_turn()
        readers = [door for door in self._doors.values() if door.wants_to_read(now_s)]
        poller = zmq.Poller()
        sockets = (self._keys.socket, self._events, *(door.socket for door in readers))
        monitors = [door.monitor for door in self._doors.values()]
        for waited in (*sockets, *monitors, self._woken, self._pictures.bell):
            poller.register(waited, zmq.POLLIN)
        poller.poll(_TURN_MS)
        for door in self._doors.values():
            door.mind(time.monotonic())
        self._keys.turn()
        until_s = time.monotonic() + _SHARE_S
        for _ in range(_EVENTS_TURN_MAX):
            if time.monotonic() > until_s or not self._events.poll(0):
                break
            self._hear(self._events.recv_multipart())
        self._serve(readers, until_s)
        for number in [n for n, door in self._doors.items() if door.is_flooded(now_s)]:
            self._shut(number)
            self._bind_s[number] = now_s + _SHUT_S
            _log.warning("hook %d: a message without end, or of too many frames", number)
        self._show()
        if now_s >= self._due_s:
            self._due_s = now_s + _ROSTER_S
            self.follow()
            self._log.turn(wall_ns(), now_s)
            self._marks.turn(wall_ns(), now_s)

    def _serve(self, readers: list[HookDoor], until_s: float) -> None:
        """What programs ask; one for whom all others waited is the last in the next turn."""
        for door in readers:
            for who, asked in door.receive(time.monotonic()):
                self._answer(door, who, asked)
                if time.monotonic() > until_s:
                    if door.hook.number in self._doors:
                        self._doors[door.hook.number] = self._doors.pop(door.hook.number)
                    return

    def _show(self) -> None:
        """Pictures that were waited for, to those who may still have them."""
        for number, who, camera, told in self._pictures.ready():
            door = self._doors.get(number)
            if door is None:
                continue
            is_picture = isinstance(told, HookPicture)
            if not is_picture or self._may(door, camera, HookKind.KEY_FRAMES) is not None:
                door.send(who, told)

    def _shut(self, number: int) -> None:
        """It asks for nothing any more."""
        self._pictures.drop(number)
        self._doors.pop(number).close()

    def _may(self, door: HookDoor, code: str, kind: HookKind) -> Camera | None:
        """The camera, where the program may have that of it as the catalog is at this moment."""
        if self._catalog.changes != self._changes:
            self.follow()
        camera = self._cameras.get(code)
        if camera is None or self._doors.get(door.hook.number) is not door:
            return None
        return camera if may_deliver(door.hook, camera, kind, wall_ns()) else None

    def follow(self) -> None:
        """Opens doors of new grants, closes those of grants that ended."""
        changes = self._catalog.changes
        if changes != self._changes:
            self._changes = changes
            self._cameras = {camera.code: camera for camera in self._catalog.cameras()}
            self._rows = self._catalog.hooks()
        now_ns, now_s = wall_ns(), time.monotonic()
        rows = self._rows if self._address else ()
        held = {row.number: row for row in rows if row.is_held(now_ns)}
        for number in [number for number in self._doors if held.get(number) is None]:
            self._shut(number)
            _log.info("hook %d has ended", number)
        self._keys.allow({number: row.key for number, row in held.items()})
        for number, row in held.items():
            if number not in self._doors and now_s >= self._bind_s.get(number, 0.0):
                self._open(row, now_s)

    def _open(self, row: Hook, now_s: float) -> None:
        try:
            door = HookDoor(row, self._address, self._secret, self._context, now_s)
        except zmq.ZMQError as error:
            self._bind_s[row.number] = now_s + _BIND_AGAIN_S
            _log.error("hook %d: port %d cannot be opened: %s", row.number, row.port, error)
            return
        self._doors[row.number] = door
        _log.info("hook %d «%s» is served at port %d", row.number, row.name, row.port)

    def _answer(self, door: HookDoor, who: bytes, asked: Asked) -> None:
        if isinstance(asked, HookMark):
            marked = self._may(door, asked.camera, HookKind.MARKS)
            door.send(who, self._marks.take(door.hook, marked, asked))
            return
        if isinstance(asked, HookAskPicture):
            shown = self._may(door, asked.camera, HookKind.KEY_FRAMES)
            refused = door.refusal(who, asked) or self._pictures.ask(door.hook, who, shown, asked)
            if refused is not None:
                door.send(who, refused)
            return
        now_ns, hook = wall_ns(), door.hook
        kinds = frozenset(k for k in hook.kinds if k in asked.kinds or not asked.kinds)
        listener = door.listen(who, kinds, time.monotonic())
        if listener is None:
            door.send(who, HookRefused("busy", "too many listen at this hook"))
            return
        door.send(who, grant_of(hook, self._cameras.values(), kinds, listener.missed, now_ns))

    def _hear(self, frames: list[bytes]) -> None:
        try:
            event = bus_events.decode_event(frames)
        except DECODE_ERRORS:
            return  # a newer process's topic
        told = told_of(event)
        if told is not None:
            self._tell(*told)

    def _tell(self, kind: HookKind, told: Told) -> None:
        """Those who may have it and listen, once their line is in the chain."""
        for door in list(self._doors.values()):
            now_ns, now_s = wall_ns(), time.monotonic()
            listening = door.who_listens(kind, now_s)
            camera = self._may(door, told.camera, kind) if listening else None
            if camera is None:
                continue
            if not self._log.open(door.hook, camera.code, now_ns, now_s):
                for who in listening:
                    door.listeners[who].missed += 1
                continue
            if self._may(door, told.camera, kind) is None:
                continue  # the chain was waited for
            for who in listening:
                if door.send(who, told):
                    self._log.gave(door.hook, camera.code, kind)
