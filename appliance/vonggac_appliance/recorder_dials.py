"""How the recorder gets to a camera: whose turn it is, with which password, what is learnt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from vonggac.errors import ConfigError, MediaError
from vonggac.ingest.backoff import start_limiter
from vonggac.media.chunk import GapReason
from vonggac.registry import rules
from vonggac.registry.camera import Camera, Stream
from vonggac.rtsp.url import Credentials
from vonggac_appliance.camera_dial import open_connection
from vonggac_appliance.camera_knock import Knocks
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.camera_news import CameraNews
from vonggac_appliance.camera_playing import Playing
from vonggac_appliance.config import CameraConfig
from vonggac_appliance.learnt_store import LearntStore
from vonggac_appliance.roster import Roster
from vonggac_appliance.secrets import open_sealed

__all__ = ["Dials"]


class Dials:
    """To cameras that are called; those that call us come by `recorder_push`."""

    def __init__(
        self,
        settings: CameraConfig,
        roster: Roster,
        learnt: LearntStore,
        key: Callable[[], X25519PrivateKey | None],
        alarm: Callable[[str, str, str], None],
    ) -> None:
        """`key`: to passwords, as it lies in the home now."""
        self._settings = settings
        self._roster = roster
        self._learnt = learnt
        self._key = key
        self._limiter = start_limiter(settings.starts_per_second, time.monotonic())
        self._knocks = Knocks(settings)
        self._news = CameraNews(alarm)

    async def turn_to_start(self) -> None:
        """Waits until one more connection may be opened."""
        self._limiter, wait_s = self._limiter.take(time.monotonic())
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def is_there(self, stream: Stream) -> bool:
        """Whether its camera takes connections again; nothing is said to it."""
        return await self._knocks.is_there(stream.url)

    async def open_connection(self, camera: Camera, stream: Stream) -> Playing:
        """Connects and plays. The password is opened here and kept nowhere."""
        memory = self._learnt.of(camera.id)
        memory.login = sha256(self._roster.sealed(camera) or b"").digest()
        memory.with_sound = rules.may_record_sound(camera)
        credentials = self._credentials(camera)
        try:
            return await open_connection(
                stream.url,
                credentials,
                self._settings,
                memory,
                stream.transport,
                camera.tls_authority,
            )
        except SessionFailed as failure:
            self._news.failed(camera, memory, failure)
            raise
        finally:
            self._news.tried(camera, memory)

    def _credentials(self, camera: Camera) -> Credentials | None:
        sealed = self._roster.sealed(camera)
        if sealed is None:
            return None
        try:
            # Read now: the first `camera add` of a home makes it, with the recorder running.
            key = self._key()
            if key is None:
                what = "the key to its password is missing"
                raise SessionFailed(GapReason.WRONG_PASSWORD, what)
            return open_sealed(key, camera.id, sealed)
        except (ConfigError, MediaError) as error:
            raise SessionFailed(GapReason.WRONG_PASSWORD, str(error)) from error
