"""A block device of a bench's own, whose writes are counted (needs root); how fast a disk is."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from procs import write_counters


class BlockDevice:
    """An XFS file system on a loop device over a sparse file under `room`."""

    def __init__(self, room: Path, size: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="vonggac-device-", dir=room))
        self._image, self._mount = self._folder / "image", self._folder / "mount"
        self._mount.mkdir()
        self.path = self._mount / "disk"
        """An empty directory on the device."""
        _run("truncate", "-s", size, str(self._image))
        _run("mkfs.xfs", "-q", str(self._image))
        # Direct I/O below, so that the page cache of the backing file joins and delays nothing.
        self._device = _run("losetup", "--find", "--show", "--direct-io=on", str(self._image))

    def __enter__(self) -> BlockDevice:
        _run("mount", self._device, str(self._mount))
        self.path.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _run("umount", str(self._mount))
        _run("losetup", "--detach", self._device)
        self._image.unlink()
        self._mount.rmdir()
        self._folder.rmdir()

    def counters(self) -> tuple[int, int, int]:
        """(writes, bytes written, flushes) since the device was made."""
        return write_counters(Path(self._device).name)


def written_a_second(room: Path) -> float:
    """Bytes a second that the disk under `room` takes from one writer who does nothing else.

    Sixteen parts of 128 MiB into allocated room, each synced: as segments are written.
    """
    part, count = os.urandom(128 << 20), 16
    with tempfile.TemporaryFile(dir=room, buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, len(part) * count)
        began = time.monotonic()
        for number in range(count):
            os.pwrite(file.fileno(), part, number * len(part))
            os.fdatasync(file.fileno())
        return len(part) * count / (time.monotonic() - began)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
