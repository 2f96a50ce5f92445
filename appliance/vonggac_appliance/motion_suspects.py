"""Whose pictures were being decoded when the process died, so that they do not end it for ever.

A page of the index's folder, shared by the decoding threads: each writes the camera it works on and
takes it out again. The page outlives a crash; who stands in it twice within ten minutes is set
aside for an hour.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from vonggac.errors import StorageError
from vonggac_appliance.clock import Clock, wall_ns

__all__ = ["MotionSuspects"]

_S = 1_000_000_000
_ID_BYTES = 16
_NOBODY = bytes(_ID_BYTES)
_WITHIN_NS = 600 * _S
_ASIDE_NS = 3600 * _S
_STRIKES = 2

_Strikes = dict[bytes, list[int]]
"""By camera: when the process died while it was decoded, wall time in ns."""


class MotionSuspects:
    """One slot a thread. StorageError: the folder cannot be written."""

    def __init__(self, folder: Path, threads: int, clock: Clock = wall_ns) -> None:
        self._clock = clock
        self._path = folder / "suspects"
        try:
            found = self._last(folder / "decoding")
            self._strikes = self._read()
            now_ns = clock()
            for camera in found:
                self._strikes.setdefault(camera, []).append(now_ns)
            self._strikes = {
                camera: [at for at in times if 0 <= now_ns - at < _ASIDE_NS]
                for camera, times in self._strikes.items()
            }
            if found:
                self._path.write_bytes(msgspec.msgpack.encode(self._strikes))
            fd = os.open(folder / "decoding", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.ftruncate(fd, max(threads, 1) * _ID_BYTES)
                self._page = mmap.mmap(fd, max(threads, 1) * _ID_BYTES)
            finally:
                os.close(fd)
        except OSError as error:
            raise StorageError(f"{folder} cannot be written: {error.strerror}") from error
        self._page[:] = bytes(len(self._page))
        self.found = found
        """Cameras that were being decoded when the process before died."""

    def aside_until_ns(self, camera: bytes) -> int:
        """Wall time until which nothing of it is decoded; 0: nobody suspects it."""
        times = self._strikes.get(camera, [])
        for first, last in zip(times, times[_STRIKES - 1 :], strict=False):
            if last - first < _WITHIN_NS and self._clock() < last + _ASIDE_NS:
                return last + _ASIDE_NS
        return 0

    def while_decoded(self, thread: int, camera: bytes, work: Callable[[], None]) -> None:
        """Does `work`, which may end the process."""
        at = thread * _ID_BYTES
        self._page[at : at + _ID_BYTES] = camera
        try:
            work()
        finally:
            self._page[at : at + _ID_BYTES] = _NOBODY

    def close(self) -> None:
        """Nobody is decoded any more."""
        self._page.close()

    def _last(self, path: Path) -> list[bytes]:
        """Who stands in the page that a process before left."""
        if not path.exists():
            return []
        raw = path.read_bytes()
        slots = [raw[at : at + _ID_BYTES] for at in range(0, len(raw), _ID_BYTES)]
        return [slot for slot in slots if len(slot) == _ID_BYTES and slot != _NOBODY]

    def _read(self) -> _Strikes:
        try:
            return msgspec.msgpack.decode(self._path.read_bytes(), type=_Strikes)
        except (FileNotFoundError, msgspec.MsgspecError):
            return {}  # what a crash has torn is no reason to suspect anybody
