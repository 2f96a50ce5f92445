"""A block device of a bench's own, whose writes are counted (needs root)."""

from __future__ import annotations

import subprocess
import tempfile
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


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
