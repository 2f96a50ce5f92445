"""A picture for a program: one key frame of the last minutes, a line and a receipt for each.

Nothing is read before the line is in the audit chain; the keeper sees by the receipt that it is.
Chain and disk are waited for in a thread of its own, for one hook after the other: who asks for
pictures of a disk that hangs holds up nobody's events, and others' pictures by one of his at most.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Invalid, Unavailable, VonggacError
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.evidence.receipt import Permit
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookKind, may_deliver
from vonggac.registry.people import Purpose, PurposeCode
from vonggac_appliance import audit_client
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.hook_protocol import HookAskPicture, HookPicture, HookRefused
from vonggac_appliance.look import Look
from vonggac_appliance.look_footage import LookFootage
from vonggac_appliance.messages_audit import AuditAppend

__all__ = ["HookPictures"]

_S = 1_000_000_000
_BACK_NS = 600 * _S
"""A program sees what happens, it does not browse what happened."""
_RATE, _BURST = 1.0, 10.0
"""A second and hook."""
_WAITING_MAX = 10
"""Of a hook: as many as it may ask for at once."""
_BYTES_MAX = 1 << 20
_DEADLINE_S = 3.0
_IDLE_S = 1.0
_STOP_S = 2.0
_SLOW_S, _AGAIN_S = 1.0, 5.0
"""A camera whose disk, or whose line, was waited for so long is not asked for again before."""


@dataclass(frozen=True, slots=True)
class _Job:
    hook: Hook
    who: bytes
    camera: Camera
    asked: HookAskPicture


class HookPictures:
    """Asked and heard in one thread; another one, its own, waits for the chain and a keeper."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self._home = home
        self._catalog = catalog
        self._footage = LookFootage(home, catalog, lambda *_: None, lambda _: True)
        self._tokens: dict[int, tuple[float, float]] = {}
        self._again_s: dict[bytes, float] = {}
        self.bell, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._changed = threading.Condition()
        self._jobs: dict[int, deque[_Job]] = {}
        """By hook; the first one's turn is next."""
        self._done: queue.SimpleQueue[tuple[_Job, HookPicture | HookRefused]] = queue.SimpleQueue()
        self._is_ending = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def ask(
        self, hook: Hook, who: bytes, camera: Camera | None, asked: HookAskPicture
    ) -> HookRefused | None:
        """Why not at once; None: `ready` will tell. `camera`: the one that is named, if any."""
        now_ns = wall_ns()
        try:
            if camera is None or not may_deliver(hook, camera, HookKind.KEY_FRAMES, now_ns):
                raise Invalid("camera", "pictures of this camera are not granted")
            if not max(now_ns - _BACK_NS, hook.made_ns) <= asked.at_ns <= now_ns:
                raise Invalid("at_ns", "pictures are of the last ten minutes of the grant")
            if not self._may_have_one(hook.number, time.monotonic()):
                raise Invalid("rate", "one picture a second")
            with self._changed:
                jobs = self._jobs.setdefault(hook.number, deque())
                if len(jobs) >= _WAITING_MAX:
                    raise Invalid("rate", "so many pictures are waited for already")
                jobs.append(_Job(hook, who, camera, asked))
                self._changed.notify()
        except Invalid as error:
            return HookRefused(error.field, str(error), number=asked.number)
        return None

    def ready(self) -> Iterator[tuple[int, bytes, str, HookPicture | HookRefused]]:
        """Hook, who asked, the camera's code, and the answer; what `bell` rang for."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.bell, 4096)
        if self._failure is not None:
            raise RuntimeError("the thread that reads pictures has ended") from self._failure
        for _ in range(self._done.qsize()):
            job, told = self._done.get()
            yield job.hook.number, job.who, job.asked.camera, told

    def drop(self, hook: int) -> None:
        """It is not asked for any more; what is just being read will be told for nobody."""
        with self._changed:
            self._jobs.pop(hook, None)

    def close(self) -> None:
        """Gives back all leases."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
        if self._thread.is_alive():
            return  # it waits for a disk, and ends with the process
        self._footage.leases.close_idle(0.0)
        os.close(self.bell)
        os.close(self._ring)

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._done.put((job, self._told(job)))
                self._footage.forget()
                self._tell()
        except BaseException as error:
            self._failure = error
            self._tell()
            raise

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._ring, b".")

    def _next(self) -> _Job | None:
        """Of each hook in turn; None: it is over."""
        with self._changed:
            while not self._is_ending and not self._jobs:
                if not self._changed.wait(_IDLE_S):
                    self._footage.forget()
            if self._is_ending:
                return None
            hook, jobs = next(iter(self._jobs.items()))
            del self._jobs[hook]
            job = jobs.popleft()
            if jobs:
                self._jobs[hook] = jobs  # behind all others
            return job

    def _told(self, job: _Job) -> HookPicture | HookRefused:
        asked, now_ns = job.asked, wall_ns()
        try:
            # As it is now: others, and disks, were waited for.
            camera = self._catalog.camera_by_id(job.camera.id)
            if camera is None or not may_deliver(job.hook, camera, HookKind.KEY_FRAMES, now_ns):
                raise Invalid("camera", "pictures of this camera are not granted")
            if time.monotonic() < self._again_s.get(camera.id, 0.0):
                raise Unavailable("it could not be read a moment ago")
            picture = self._waited_for(job.hook, camera, asked.at_ns, now_ns)
        except Invalid as error:
            return HookRefused(error.field, str(error), number=asked.number)
        except VonggacError as error:
            return HookRefused("missing", str(error)[:200], number=asked.number)
        except OSError as error:  # no descriptor is left
            return HookRefused("missing", error.strerror or "it is missing", number=asked.number)
        return HookPicture(asked.number, asked.camera, asked.at_ns, picture)

    def _may_have_one(self, hook: int, now_s: float) -> bool:
        tokens, filled_s = self._tokens.get(hook, (_BURST, now_s))
        tokens = min(_BURST, tokens + (now_s - filled_s) * _RATE)
        self._tokens[hook] = (tokens - (tokens >= 1), now_s)
        return tokens >= 1

    def _waited_for(self, hook: Hook, camera: Camera, at_ns: int, now_ns: int) -> bytes:
        """Others' pictures wait meanwhile, so not for the same hung disk again and again."""
        began_s = time.monotonic()
        try:
            return self._picture(hook, camera, at_ns, now_ns)
        finally:
            now_s = time.monotonic()
            if now_s - began_s > _SLOW_S:
                self._again_s[camera.id] = now_s + _AGAIN_S

    def _picture(self, hook: Hook, camera: Camera, at_ns: int, now_ns: int) -> bytes:
        stream = camera.stream("sub") or camera.stream("main")
        if stream is None:
            raise Invalid("camera", "this camera has no stream")
        from_ns = self._footage.shown_from((stream,), at_ns, at_ns + 1)
        if from_ns < hook.made_ns:
            raise Invalid("at_ns", "that picture is of before the grant")
        if not may_deliver(hook, camera, HookKind.KEY_FRAMES, from_ns):
            raise Invalid("at_ns", "that picture lies outside of the agreement")
        look = self._look(hook, camera, stream, (from_ns, at_ns + 1), now_ns)
        try:
            picture = self._footage.still(look, stream, at_ns)
        finally:
            self._footage.leases.drop(look.id)
        if len(picture) > _BYTES_MAX:
            raise Invalid("full", f"the picture has more than {_BYTES_MAX >> 10} KiB")
        return picture

    def _look(
        self, hook: Hook, camera: Camera, stream: Stream, span: tuple[int, int], now_ns: int
    ) -> Look:
        """Its line is written. Raises Unavailable, StorageError, Refused."""
        words = f"{camera.code}/{stream.name} to hook {hook.number} «{hook.name}»"
        answer = audit_client.append(
            self._home,
            AuditAppend(
                Action.HOOK_PICTURE,
                words[:TEXT_MAX],
                ("khác", hook.purpose),
                permit=Permit.STORED,
                camera=camera.id,
                streams=(stream.id,),
                from_ns=span[0],
                to_ns=span[1],
            ),
            _DEADLINE_S,
        )
        purpose = Purpose(PurposeCode.OTHER, hook.purpose)
        return Look(
            id=f"{answer.line:032x}",
            session="",
            camera=camera,
            kind="stored",
            streams=(stream,),
            from_ns=span[0],
            to_ns=span[1],
            shown_from_ns=span[0],
            purpose=purpose,
            line=answer.line,
            receipt=answer.receipt,
            opened_ns=now_ns,
            expires_ns=now_ns + 60 * _S,
        )
