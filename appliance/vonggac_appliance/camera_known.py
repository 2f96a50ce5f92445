"""What this box knows of a camera before somebody looks at it by hand: is it recorded, may its
login be said, what has it taught.

A second session may end the first: many cameras serve one. And a login that was refused may lock
the account if it is said again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vonggac.errors import ConfigError, Refused, StorageError, Unavailable
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.learnt import Learnt
from vonggac.rtsp.url import CameraUrl, parse_camera_url
from vonggac_appliance import control, learnt_store
from vonggac_appliance.camera_address import resolve
from vonggac_appliance.camera_memory import Memory, SessionFailed
from vonggac_appliance.clock import iso
from vonggac_appliance.config import CameraConfig

__all__ = ["cameras_at", "memory_of", "refuse_if_recorded", "refuse_if_locking"]

_STATUS_S = 2.0
_BUSY_STATES = ("recording", "connecting")


def cameras_at(home: Path, url: CameraUrl, config: CameraConfig) -> list[Camera]:
    """Cameras of the catalog at the same address and port; none where there is no catalog."""
    try:
        with Catalog(home, is_readonly=True) as catalog:
            cameras = catalog.cameras()
    except ConfigError:
        return []
    return asyncio.run(_at(cameras, url, config))


async def _at(cameras: Iterable[Camera], url: CameraUrl, config: CameraConfig) -> list[Camera]:
    wanted = await _places(url, config)
    found = []
    for camera in cameras:
        for text in {stream.url for stream in camera.streams}:
            with contextlib.suppress(ConfigError):
                if wanted & await _places(parse_camera_url(text), config):
                    found.append(camera)
                    break
    return found


async def _places(url: CameraUrl, config: CameraConfig) -> set[tuple[str, int]]:
    """Its host as it was written, and as it resolves."""
    places = {(url.host.lower(), url.port)}
    with contextlib.suppress(ValueError):
        return {(str(ipaddress.ip_address(url.host)), url.port)}
    with contextlib.suppress(SessionFailed):  # who cannot be resolved cannot be reached either
        places.add((await resolve(url, config)).sockaddr)
    return places


def refuse_if_recorded(home: Path, cameras: Iterable[Camera]) -> None:
    """Raises Refused where the recorder has a session with one of them, or is about to."""
    codes = {camera.code for camera in cameras}
    if not codes:
        return
    try:
        running = control.status(home, _STATUS_S).cameras
    except Unavailable:
        return
    for camera in running:
        states = {stream.state for stream in camera.streams}
        if camera.id in codes and (found := [one for one in _BUSY_STATES if one in states]):
            raise Refused(
                f"{camera.id} at that address is being recorded ({found[0]}), and many cameras "
                f"serve one viewer: a second could end the recording. See `vonggac camera show "
                f"{camera.id}`, or add --anyway"
            )


def refuse_if_locking(home: Path, cameras: Iterable[Camera]) -> None:
    """Raises Refused where a camera has refused its login lately."""
    rows = _rows(home)
    now_ns = time.time_ns()
    for camera in cameras:
        until_ns = learnt_store.told(rows[camera.id]).refused_until_ns if camera.id in rows else 0
        if until_ns > now_ns:
            raise Refused(
                f"{camera.code} has refused its login, and cameras lock the account of who goes "
                f"on: correct it first, or wait until {iso(until_ns)}, or add --anyway"
            )


def memory_of(home: Path, cameras: Iterable[Camera], *, any_device: bool) -> Memory:
    """A memory that knows what protects the login: which log-in it asked for, its certificate, and
    unless `any_device`, which device it is. Another one is then not told the login.

    Hints are left out: what is looked at is what the camera does by itself.
    """
    all_rows = _rows(home)
    rows = [all_rows[camera.id] for camera in cameras if camera.id in all_rows]
    words = {row.login for row in rows}
    scheme = max((one for one in Scheme if one.word in words), default=None)
    certificate = next((row.certificate for row in rows if row.certificate), b"")
    memory = Memory(learnt=Learnt(scheme=scheme), certificate=certificate)
    identities = [found for row in rows if (found := learnt_store.identity_of(row)).known.facts()]
    if identities and not any_device:
        memory.identity = replace(identities[0], other=None, pauses=True)
    return memory


def _rows(home: Path) -> dict[bytes, learnt_store.LearntRow]:
    """Also while a recorder runs: it commits once a second at most, and a page of LMDB is used
    again two commits later at the earliest, which is longer than this takes.
    """
    try:
        return learnt_store.read_stopped(home)
    except StorageError:
        return {}
