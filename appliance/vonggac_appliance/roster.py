"""Which cameras there are: the catalog followed, their streams begun and ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.rules import may_record_sound
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.camera_tries import Owner
from vonggac_appliance.messages_keeper import StreamEnd

_log = logging.getLogger("vonggac.record")


class Roster:
    """The cameras of the catalog, and a session for each of their streams."""

    def __init__(
        self,
        catalog: Catalog,
        owner: Owner,
        left: Callable[[Camera], None],
        changed: Callable[[], None],
    ) -> None:
        """`left`: a camera is gone; `changed`: there are other streams than before."""
        self.cameras: dict[bytes, Camera] = {}
        self.sessions: dict[bytes, StreamSession] = {}
        self.ends: dict[bytes, StreamEnd] = {}
        """How far every stream is recorded, as far as disks have told, by stream."""
        self._catalog = catalog
        self._owner = owner
        self._left = left
        self._changed = changed
        self._changes = -1
        self._sealed: dict[bytes, bytes | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self) -> None:
        """Reads the catalog if it was written since."""
        if self._catalog.changes != self._changes:
            self.read()

    def read(self) -> None:
        """Who is new begins, who is gone ends, who changed does both."""
        self._changes = self._catalog.changes
        rows = {camera.id: camera for camera in self._catalog.cameras()}
        for one in [x for x in self.cameras if x not in rows]:
            self._drop(one, "it was removed from the catalog")
        for camera in rows.values():
            self._take(camera, self._catalog.sealed_credentials(camera.id))
        self._changed()

    def is_newest(self, end: StreamEnd) -> bool:
        """Whether no other disk holds later footage of that stream."""
        known = self.ends.get(end.stream)
        return known is None or (end.run, end.sequence) >= (known.run, known.sequence)

    def sealed(self, camera: Camera) -> bytes | None:
        """Its credentials, sealed."""
        return self._sealed.get(camera.id)

    def of_camera(self, camera_id: bytes) -> list[StreamSession]:
        """The sessions of a camera."""
        return [s for s in self.sessions.values() if s.camera.id == camera_id]

    def by_code(self, code: str) -> Camera | None:
        """The camera that people call so."""
        return next((c for c in self.cameras.values() if c.code == code), None)

    async def end(self) -> None:
        """Ends all of them."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*(s.end(GapReason.BOX_STOPPED) for s in self.sessions.values()))

    def _take(self, camera: Camera, sealed: bytes | None) -> None:
        before = self.cameras.get(camera.id)
        is_same_login = self._sealed.get(camera.id) == sealed
        if before == camera and is_same_login:
            return
        self._sealed[camera.id] = sealed
        if before is not None and is_same_login and _same_connection(before, camera):
            self.cameras[camera.id] = camera
            for session in self.of_camera(camera.id):
                session.camera = camera
                session.retry()
            return
        ended = None if before is None else self._drop(camera.id, "its row was changed")
        self.cameras[camera.id] = camera
        self._spawn(self._begin(camera, ended))

    async def _begin(self, camera: Camera, ended: asyncio.Task[None] | None) -> None:
        if ended is not None:
            await asyncio.wait({ended})
        if self.cameras.get(camera.id) is not camera:
            return  # changed again, or removed, meanwhile
        for stream in camera.streams:
            session = StreamSession(camera, stream, self._owner)
            self.sessions[stream.id] = session
            if (end := self.ends.get(stream.id)) is not None:
                session.known(end)
            session.start()
        self._changed()

    def _drop(self, camera_id: bytes, why: str) -> asyncio.Task[None]:
        camera = self.cameras.pop(camera_id)
        _log.info("camera %s: %s, ending its sessions", camera.code, why)
        sessions = self.of_camera(camera_id)
        self._left(camera)

        async def end() -> None:
            await asyncio.gather(*(s.end(GapReason.PAUSED) for s in sessions))
            for session in sessions:
                if self.sessions.get(session.stream.id) is session:
                    del self.sessions[session.stream.id]

        return self._spawn(end())

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("a camera could not be begun or ended", exc_info=error)


def _same_connection(a: Camera, b: Camera) -> bool:
    """Whether a changed row needs no other connection."""
    is_same_loop = (a.owner_kind is OwnerKind.HOUSEHOLD) == (b.owner_kind is OwnerKind.HOUSEHOLD)
    is_same_trust = a.tls_authority == b.tls_authority
    is_same_sound = may_record_sound(a) == may_record_sound(b)
    is_same_way = a.streams == b.streams and a.push == b.push and is_same_trust and is_same_sound
    return is_same_way and a.code == b.code and is_same_loop
