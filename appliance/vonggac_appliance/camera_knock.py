"""The wait before a camera is tried again, and the knock that shortens it.

Back-off spares cameras that answer and do not serve. One that could not even be connected is
spared nothing by it, and half a minute of video is lost where it came back right after a try. So
while it is away its port is tried twice a second, and left at once: no request is sent, no
session is opened.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from vonggac.errors import ConfigError
from vonggac.ingest.backoff import start_limiter
from vonggac.rtsp.url import parse_camera_url
from vonggac_appliance.camera_address import connect, resolve
from vonggac_appliance.camera_memory import SessionFailed
from vonggac_appliance.config import CameraConfig

__all__ = ["Knocks", "is_there", "rest"]

_EVERY_S = 0.5
"""Between two knocks; up to a quarter less, so that those of a whole ward do not fall together."""
_TIMEOUT_S = 2.0
"""For one knock. The system repeats an unanswered SYN after one second, and then after two, which
is too long to wait for: with a knock anew there are 1.5 s between two SYNs at most."""

_PER_SECOND = 256.0
"""Of all cameras. 512 behind a switch that is down would cost a quarter of a processor, and a
firewall before them sees a thousand connections a second that nobody takes."""


class Knocks:
    """Those of a whole box: where very many are away, each waits for its turn."""

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._limiter = start_limiter(_PER_SECOND, time.monotonic())

    async def is_there(self, url_text: str) -> bool:
        """Whether a camera takes connections, asked in turn."""
        self._limiter, wait_s = self._limiter.take(time.monotonic())
        await asyncio.sleep(wait_s)
        return await is_there(url_text, self._config)


async def is_there(url_text: str, config: CameraConfig) -> bool:
    """Whether a camera takes connections. Its address is checked as for a session."""
    try:
        sock = await connect(await resolve(parse_camera_url(url_text), config), _TIMEOUT_S)
    except (SessionFailed, ConfigError):
        return False
    sock.close()
    return True


async def rest(
    wait_s: float, wake: asyncio.Event, knock: Callable[[], Awaitable[bool]] | None
) -> None:
    """Waits `wait_s` seconds, or until `wake` is set, or until a `knock` is answered.

    `knock`: None where the camera was there and would not serve.
    """
    tasks = [asyncio.create_task(_set(wake))]
    if knock is not None:
        tasks.append(asyncio.create_task(_answered(knock)))
    try:
        done, _ = await asyncio.wait(tasks, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()  # a mistake of our own is not to be taken for an answer


async def _set(wake: asyncio.Event) -> None:
    await wake.wait()


async def _answered(knock: Callable[[], Awaitable[bool]]) -> None:
    is_answered = False
    while not is_answered:
        # Spread, not secrecy.
        await asyncio.sleep(_EVERY_S * (1.0 - 0.25 * random.random()))  # noqa: S311
        is_answered = await knock()
