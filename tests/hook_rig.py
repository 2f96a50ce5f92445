"""A home with cameras, people and grants; the real `hooks run` beside the real audit writer."""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import zmq

from account_rig import CHEAP, NAME, PASSWORD
from audit_rig import audit_run, chain_of, vonggac
from box_rig import DEADLINE_S, free_port
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import checked_password
from vonggac.registry.people import Account, Role
from vonggac_appliance import bus_events
from vonggac_appliance.events import Publisher
from vonggac_appliance.hooking import box_key
from vonggac_appliance.sockets import Closed, Message, listen, recv, send

CLIENTS = Path(__file__).resolve().parent.parent / "clients"
_START = "import sys; from vonggac_appliance.cli import main; sys.exit(main())"
SECOND_NS = 1_000_000_000


def client() -> Any:
    """The module that other programs use, as a file beside them."""
    sys.path.insert(0, str(CLIENTS))
    try:
        import vonggac_hook  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(CLIENTS))
    return vonggac_hook


class HookBox:
    """Three State cameras, a household's, an unclassified one; a commander and a detective."""

    def __init__(self, home: Path, *, with_cameras: bool = True) -> None:
        self.home = home
        home.mkdir(exist_ok=True)
        self.log = home / "hooks.log"
        (home / "config.toml").write_text('[hooks]\naddress = "127.0.0.1"\n')
        with Catalog(home) as catalog:
            kinds = [OwnerKind.STATE] * 3 + [OwnerKind.HOUSEHOLD, OwnerKind.UNCLASSIFIED]
            for number, kind in enumerate(kinds if with_cameras else [], 1):
                stream = Stream(bytes([0x40 + number]) * 16, "main", "rtsp://127.0.0.1/x")
                catalog.add_camera(
                    Camera(bytes([number]) * 16, f"cam{number}", (stream,), 1, owner_kind=kind)
                )
            for number, role in enumerate((Role.COMMANDER, Role.DETECTIVE), 1):
                kept = CHEAP.hash(checked_password(PASSWORD))
                name = NAME if role is Role.COMMANDER else "Trần Thị Bình"
                catalog.add_account(Account(bytes([number]) * 16, name, role, kept, 1))
        self.login = home / "login"
        self.login.write_text(f"{NAME}\n{PASSWORD}\n")

    def grant(
        self,
        port: int,
        *more: str,
        cameras: tuple[str, ...] = ("cam1",),
        kinds: tuple[str, ...] = ("motion", "events"),
        file: str = "",
    ) -> Path:
        """`hook add`; gives the file of the program's secret key."""
        key = self.home / (file or f"program-{port}.key")
        assert self._add(port, client().make_keys(key), *more, cameras=cameras, kinds=kinds) == 0
        return key

    def try_grant(self, *more: str) -> int:
        """The exit status of a `hook add` with these words in place of good ones."""
        _, secret = zmq.curve_keypair()
        return self._add(free_port(), zmq.curve_public(secret).decode(), *more)

    def _add(
        self,
        port: int,
        key: str,
        *more: str,
        cameras: tuple[str, ...] = ("cam1",),
        kinds: tuple[str, ...] = ("motion", "events"),
    ) -> int:
        until_s = time.time() + 300 * 86_400
        return vonggac(
            self.home,
            *("hook", "add", "traffic desk", *(f"--kind={kind}" for kind in kinds)),
            *(word for camera in cameras for word in ("--camera", camera)),
            *("--port", str(port), f"--key={key}"),
            *("--until", time.strftime("%Y-%m-%d", time.gmtime(until_s))),
            *("--purpose", "counts lorries", "--credentials-file", str(self.login), *more),
        )

    def program(self, port: int, key: Path) -> Any:
        """A program's connection."""
        return client().Hook(f"tcp://127.0.0.1:{port}", box_key(self.home), key)

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """`hooks run`, with the audit chain and something that tells of motion."""
        with audit_run(self.home), self.hooks() as process:
            yield process

    @contextlib.contextmanager
    def hooks(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", _START, "--home", str(self.home), "hooks", "run"], stderr=log
            )
        try:
            yield process
            assert process.poll() is None, self.log.read_text()
        finally:
            process.terminate()
            process.wait(DEADLINE_S)

    def lines(self, action: str) -> list[dict[str, Any]]:
        """What the chain says of it."""
        return [line for line in chain_of(self.home) if line["action"] == action]


class Eyes:
    """Publishes motion as `motion run` does."""

    def __init__(self, home: Path, process: str = "motion") -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._publisher = Publisher(home, process, self._context)

    def see(self, camera: str, second: int | None = None, *, is_over: bool = True) -> None:
        """An episode of three seconds."""
        begin = int(time.time()) - 5 if second is None else second
        from_ns = begin * SECOND_NS
        self._publisher.send(
            bus_events.MotionFound(
                camera,
                begin,
                is_over,
                from_ns,
                from_ns + 3 * SECOND_NS,
                from_ns,
                7,
                "full",
                from_ns,
            )
        )

    def close(self) -> None:
        self._publisher.close()
        self._context.term()


@contextlib.contextmanager
def answering(
    path: Path, kind: int, told: Callable[[Message], msgspec.Struct | bytes]
) -> Iterator[None]:
    """Something that answers every question at a socket of the box."""
    listener = listen(path)
    is_ending = threading.Event()

    def answer() -> None:
        with contextlib.ExitStack() as callers:
            waited = [listener]
            while not is_ending.is_set():
                for ready in select.select(waited, [], [], 0.02)[0]:
                    if ready is listener:
                        waited.append(callers.enter_context(listener.accept()[0]))
                        continue
                    try:
                        question = recv(ready)
                        send(ready, kind, told(question), question.request)
                    except Closed:
                        waited.remove(ready)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        is_ending.set()
        thread.join()
        listener.close()


def answers(hook: Any, wanted: int) -> list[dict[str, Any]]:
    """So many of what a program is told, raw: `messages` raises at a refusal."""
    found = []
    for _ in range(wanted):
        assert hook._socket.poll(60_000)
        found.append(msgspec.msgpack.decode(hook._socket.recv()))
    return found


def until(what: str, found: Any) -> Any:
    """What `found` gives as soon as that is something."""
    end_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < end_s:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come")


__all__ = ["Eyes", "HookBox", "answering", "answers", "client", "free_port", "until"]
