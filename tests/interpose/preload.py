"""Processes whose calls to a disk are recorded, fail or are slow: interpose.c and its control."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from types import TracebackType
from typing import Self

_SOURCE = Path(__file__).with_name("interpose.c")
_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
_CONTROL_BYTES = 4096
_COUNTS = struct.Struct("=qqq")
_SETTINGS = struct.Struct("=iiiiiii512s")
_ENTRY = struct.Struct("=IIQQQ")


class Calls(IntFlag):
    """What a call does (`kind` of interpose.c)."""

    WRITE = 1
    ZERO = 2
    SYNC = 4
    NAMES = 8
    """Files that come, go, are renamed or change their size."""


EVERY = Calls.WRITE | Calls.ZERO | Calls.SYNC | Calls.NAMES


def build(folder: Path) -> Path:
    """Compiles the library; needs a C compiler."""
    library = folder / "interpose.so"
    subprocess.run(["cc", *_FLAGS, "-o", library, _SOURCE, "-lpthread"], check=True)
    return library


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call: `what` is a letter of interpose.c."""

    what: str
    path: str
    offset: int
    length: int
    data: bytes


class Control:
    """What the interposed processes do, from outside or inside of them."""

    def __init__(self, path: Path, under: Path) -> None:
        """`under`: the directory that is watched. A file that is there already is shared."""
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(_CONTROL_BYTES))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _CONTROL_BYTES)
        self._under = under
        self.disarm()

    @classmethod
    def of_this_process(cls, under: Path) -> Self:
        """For a process that was started with `environment`."""
        return cls(Path(os.environ["INTERPOSE_CONTROL"]), under)

    def environment(self, library: Path) -> dict[str, str]:
        return {**os.environ, "LD_PRELOAD": str(library), "INTERPOSE_CONTROL": str(self.path)}

    def fail(
        self,
        number: int,
        error: int = errno.EIO,
        counted: Calls = EVERY,
        *,
        is_lasting: bool = False,
        is_torn: bool = False,
        is_light: bool = False,
    ) -> None:
        """The n-th call from now on fails, over all processes; 0: none does, they are counted.

        `is_lasting`: so do all after it; `is_torn`: half of what a failed write was to write is
        there; `is_light`: nothing is really synced.
        """
        self._set(counted, error, is_lasting, is_torn, False, is_light)
        self._map[: _COUNTS.size] = _COUNTS.pack(0, number, 0)

    def record(self) -> None:
        """To the tape; nothing is really synced, and room that is promised is a hole."""
        self._map[: _COUNTS.size] = bytes(_COUNTS.size)
        self._set(Calls(0), 0, False, False, True, True)

    def slow(self, syncfs_ms: int) -> None:
        """Each syncfs takes at least so long: with it a tick does, whatever it writes."""
        self._map[: _COUNTS.size] = bytes(_COUNTS.size)
        self._set(Calls(0), 0, False, False, False, False, syncfs_ms=syncfs_ms)

    def disarm(self) -> None:
        self._map[: _COUNTS.size] = bytes(_COUNTS.size)
        self._set(Calls(0), 0, False, False, False, False)

    def _set(self, counted: Calls, error: int, *flags: bool, syncfs_ms: int = 0) -> None:
        under = os.fsencode(self._under)
        settings = _SETTINGS.pack(int(counted), error, *map(int, flags), syncfs_ms, under)
        self._map[_COUNTS.size : _COUNTS.size + len(settings)] = settings

    @property
    def calls(self) -> int:
        """Counted since `fail`."""
        return int(_COUNTS.unpack_from(self._map)[0])

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return int(_COUNTS.unpack_from(self._map)[2])

    def close(self) -> None:
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


class Tape:
    """What this process has done to the watched directory (`Control.record`)."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._read = library.interpose_tape
        self._read.restype = ctypes.c_size_t
        self._read.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
        self._rewind = library.interpose_rewind

    def take(self) -> list[Call]:
        """Everything since the last time."""
        start = ctypes.c_void_p()
        size = self._read(ctypes.byref(start))
        raw = ctypes.string_at(start.value or 0, size) if size else b""
        self._rewind()
        return list(_calls(raw))


def _calls(raw: bytes) -> Iterator[Call]:
    at = 0
    while at < len(raw):
        what, path_size, size, offset, length = _ENTRY.unpack_from(raw, at)
        at += _ENTRY.size
        path = os.fsdecode(raw[at : at + path_size])
        at += path_size
        yield Call(chr(what), path, offset, length, raw[at : at + size])
        at += size
