"""A disk whose power can be cut: images of what had been submitted to it, taken while it is used.

The file system under test lies on a loop device, whose backing file lies on XFS with reflinks in a
sparse file. A reflink copy of the backing file is taken at one instant (it waits for writes under
way and keeps others out) and holds what the device had been given, and nothing of the page cache
above it: what a power cut leaves of a disk that keeps its order. Root only. The mounts are private
to the process and end with it, whatever it dies of.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

_FICLONE = 0x40049409
_CLONE_NEWNS = 0x00020000
_MAKE = {
    "xfs": ("mkfs.xfs", "-q", "-f"),
    # Nothing is left for the kernel to initialise behind our back.
    "ext4": ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"),
}
# An image has the UUID of the original.
_OPTIONS = {"xfs": "loop,nouuid", "ext4": "loop"}
_OWN_BYTES = 448 << 20
"""What a file system needs beside the ring; xfs has no smaller ones than 300 MB."""
FILE_SYSTEMS = tuple(_MAKE)


class NoLoops(Exception):
    """This machine gives no loop devices, no namespaces or no mkfs: nothing can be tried."""


def private_mounts() -> None:
    """From here on nobody else sees what this process mounts. Raises NoLoops."""
    if os.geteuid() != 0:
        raise NoLoops("only root can mount a file system")
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS) != 0:
        raise NoLoops(f"no namespace of our own: {os.strerror(ctypes.get_errno())}")
    try:
        _run("mount", "--make-rprivate", "/")
    except RuntimeError as error:
        raise NoLoops(str(error)) from error


class ReflinkDisk:
    """`path` is where the file system under test is mounted; `room` gets a sparse file."""

    def __init__(self, room: Path, file_system: str, ring_bytes: int) -> None:
        self.file_system = file_system
        self._folder = tempfile.TemporaryDirectory(prefix="vonggac-cuts-", dir=room)
        folder = Path(self._folder.name)
        self._host, self.path = folder / "host", folder / "disk"
        self._images = 0
        self._mounted: list[Path] = []
        for path in (self._host, self.path):
            path.mkdir()
        try:
            self._make_host(folder / "host.img", 64 * ring_bytes + (2 << 30))
            self._disk = self._host / "disk.img"
            _sparse(self._disk, ring_bytes + ring_bytes // 8 + _OWN_BYTES)
            _run(*_MAKE[file_system], str(self._disk))
            self.plug()
        except BaseException:
            self.close()
            raise

    def _make_host(self, image: Path, size: int) -> None:
        _sparse(image, size)
        try:
            _run(*_MAKE["xfs"], "-m", "reflink=1", str(image))
            self._mount(image, self._host, "loop")
        except (RuntimeError, FileNotFoundError) as error:
            raise NoLoops(str(error)) from error

    def cut(self) -> Path:
        """An image as of now: the disk as it would be after a power cut."""
        self._images += 1
        image = self._host / f"cut{self._images}.img"
        with self._disk.open("rb") as source, image.open("xb") as target:
            fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        return image

    def plug(self, image: Path | None = None) -> None:
        """Mounts the disk, or an image in its place; the file system recovers its own journal."""
        self._mount(image or self._disk, self.path, _OPTIONS[self.file_system])

    def unplug(self) -> None:
        """Unmounts what is at `path`."""
        _run("umount", str(self.path))
        self._mounted.remove(self.path)

    def discard(self, image: Path) -> None:
        """Gives an image's room back."""
        image.unlink()

    def close(self) -> None:
        """Unmounts all, the loop devices with it, and removes the files."""
        while self._mounted:
            subprocess.run(["umount", "--lazy", self._mounted.pop()], check=False)
        self._folder.cleanup()

    def __enter__(self) -> ReflinkDisk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _mount(self, image: Path, target: Path, options: str) -> None:
        _run("mount", "-o", options, str(image), str(target))
        self._mounted.append(target)


def _sparse(path: Path, size: int) -> None:
    with path.open("xb") as file:
        file.truncate(size)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
