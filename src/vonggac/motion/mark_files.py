"""Marks in files: one or more for each camera, day and hook, appended to and never changed.

FOLDER/<camera, 32 hex digits>/<day, UTC>.<hook>-<part>.marks: 8 bytes `VGMARKS1`, then packed
marks. A file whose end is torn is left as it is; what comes next goes into the next part. A mark
stands in a file of the day on which it ends. One process writes; who searches reads beside it.
Files without a hook in their name are of a program before this one: read, and not appended to.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Container, Iterator
from datetime import UTC, datetime
from pathlib import Path

from vonggac.errors import OutOfSpace, StorageError
from vonggac.motion import day_file
from vonggac.motion.marks import Mark, pack, unpack

__all__ = ["DAY_MAX", "MarkFiles", "day_of", "days_of", "has_any", "marks_of_day"]

_MAGIC = b"VGMARKS1"
_S = 1_000_000_000
DAY_MAX = 50_000
"""Marks of a camera, day and hook that are kept: some 6 MB."""
_PARTS_MAX = 100

_Key = tuple[bytes, str, int]
"""Camera, day, hook."""


class MarkFiles:
    """The one writer. In one thread."""

    def __init__(
        self,
        folder: Path,
        size_max_bytes: int,
        day_max: int = DAY_MAX,
        hook_max_bytes: int | None = None,
    ) -> None:
        """`size_max_bytes` of all files, `hook_max_bytes` of those of one hook; then no more is
        kept, so that nobody can push others' out. Raises StorageError.
        """
        self._folder = folder
        self._size_max = size_max_bytes
        self._hook_max = size_max_bytes if hook_max_bytes is None else hook_max_bytes
        self._day_max = day_max
        self._fd = -1
        self._open: _Key | None = None
        self._counts: dict[_Key, int] = {}
        self._paths: dict[_Key, Path] = {}
        self._sizes: Counter[int] = Counter()
        """Bytes of each hook's files."""
        """Whose end is whole: nobody else writes, so it is read once and not at each turn."""
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            # What a crash has left of `keep_only`.
            for draft in folder.glob(f"*/*{day_file.BESIDE}"):
                draft.unlink()
            for path in folder.glob("*/*.marks"):
                self._sizes[_hook_of(path)] += path.stat().st_size
        except OSError as error:
            raise StorageError(f"{folder} cannot be used: {error.strerror}") from error

    def add(self, camera: bytes, mark: Mark) -> None:
        """Keeps a mark; a power cut may cost those of the last half minute.

        Raises OutOfSpace, StorageError.
        """
        raw = pack(mark)
        key = (camera, day_of(mark.to_ns), mark.hook)
        try:
            if self._open != key:
                self._begin(key)
            if self._counts[key] >= self._day_max or not self._has_room(mark.hook, len(raw)):
                raise OutOfSpace("no more marks of this hook, or of all, are kept")
            if os.write(self._fd, raw) != len(raw):
                self._doubt(key)  # its end is torn: the next one begins a part
                raise OutOfSpace("the marks' disk is full")
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self.close()  # nothing of it was written
            else:
                self._doubt(key)
            raise StorageError(f"a mark cannot be kept: {error.strerror}") from error
        self._counts[key] += 1
        self._sizes[mark.hook] += len(raw)

    def forget(self, camera: bytes, before_ns: int) -> None:
        """Erases the days of a camera that lie before, whole ones. Raises StorageError."""
        folder, first = self._folder / camera.hex(), day_of(before_ns)
        try:
            for path in folder.glob("*.marks"):
                if path.name.split(".")[0] < first:
                    self._sizes[_hook_of(path)] -= path.stat().st_size
                    path.unlink()
            _remove_empty(folder)
        except OSError as error:
            raise StorageError(f"{folder} cannot be tidied: {error.strerror}") from error
        self._doubt_all(camera, lambda day: day < first)

    def keep_only(self, camera: bytes, day: str, is_kept: Callable[[Mark], bool]) -> int:
        """Erases the other marks of a day; says how many. Raises StorageError.

        A part is written beside, synced and renamed, so that a crash leaves it as it was.
        """
        gone = 0
        self._doubt_all(camera, lambda one: one == day)
        try:
            for path in _parts(self._folder / camera.hex(), day):
                raw = path.read_bytes()
                whole = _unpacked(raw)
                kept = [one for mark, one in whole if is_kept(mark)]
                if len(kept) == len(whole):
                    continue
                gone += len(whole) - len(kept)
                self._sizes[_hook_of(path)] -= len(raw)
                if kept:
                    left = b"".join([_MAGIC, *kept])
                    day_file.write(path, left)
                    self._sizes[_hook_of(path)] += len(left)
                else:
                    path.unlink()
            _remove_empty(self._folder / camera.hex())
        except OSError as error:
            raise StorageError(f"marks cannot be erased: {error.strerror}") from error
        return gone

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return self._sizes.total()

    def cameras(self) -> list[bytes]:
        """Those that anything is kept of. Raises StorageError."""
        try:
            return [bytes.fromhex(path.name) for path in self._folder.iterdir() if path.is_dir()]
        except OSError as error:
            raise StorageError(f"the marks cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """What is kept stays."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._open = -1, None

    def _has_room(self, hook: int, size_bytes: int) -> bool:
        is_own = self._sizes[hook] + size_bytes <= self._hook_max
        return is_own and self.size_bytes + size_bytes <= self._size_max

    def _doubt_all(self, camera: bytes, is_day: Callable[[str], bool]) -> None:
        self.close()  # the open one may be among them
        for key in [key for key in self._paths if key[0] == camera and is_day(key[1])]:
            self._doubt(key)

    def _doubt(self, key: _Key) -> None:
        """What stands in its files is read again before the next mark."""
        self.close()
        self._counts.pop(key, None)
        self._paths.pop(key, None)

    def _begin(self, key: _Key) -> None:
        """Opens the last part of that day and hook if its end is whole, or a new one."""
        self.close()
        if key not in self._paths:
            self._counts[key], self._paths[key] = self._last(*key)
        self._fd = os.open(
            self._paths[key], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640
        )
        if os.fstat(self._fd).st_size == 0:
            if os.write(self._fd, _MAGIC) != len(_MAGIC):
                self._doubt(key)  # a part whose head is torn is never written to
                raise OutOfSpace("the marks' disk is full")
            self._sizes[key[2]] += len(_MAGIC)
        self._open = key

    def _last(self, camera: bytes, day: str, hook: int) -> tuple[int, Path]:
        """How many marks stand in these parts, and which one the next goes to."""
        folder = self._folder / camera.hex()
        folder.mkdir(mode=0o750, exist_ok=True)
        parts = sorted(folder.glob(f"{day}.{hook}-*.marks"))
        number = int(parts[-1].name.split(".")[1].split("-")[1]) + 1 if parts else 0
        count, path = 0, folder / f"{day}.{hook}-{number:02d}.marks"
        for part in parts:
            raw = part.read_bytes()
            ends = [end for _, end in unpack(raw[len(_MAGIC) :])]
            count += len(ends)
            if part == parts[-1] and raw[: len(_MAGIC)] == _MAGIC:
                path = part if len(raw) == len(_MAGIC) + (ends[-1] if ends else 0) else path
        if number >= _PARTS_MAX and path not in parts:
            raise OutOfSpace("this camera's marks of this day are torn too often")
        return count, path


def has_any(folder: Path) -> bool:
    """Whether any are kept: then somebody has to erase them in their time."""
    return any(folder.glob("*/*.marks"))


def days_of(folder: Path, camera: bytes) -> list[str]:
    """The days on which marks of a camera end, oldest first. Raises StorageError."""
    try:
        names = os.listdir(folder / camera.hex())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"the marks cannot be read: {error.strerror}") from error
    return sorted({name.split(".")[0] for name in names if name.endswith(".marks")})


def marks_of_day(
    folder: Path, camera: bytes, day: str, without: Container[int] = ()
) -> Iterator[Mark]:
    """Marks of one of `days_of`, as they came; files of hooks in `without` are not read.

    Raises StorageError.
    """
    for path in _parts(folder / camera.hex(), day):
        if _hook_of(path) in without:
            continue
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            continue  # it was erased meanwhile
        except OSError as error:
            raise StorageError(f"the marks cannot be read: {error.strerror}") from error
        if raw.startswith(_MAGIC):
            yield from (mark for mark, _ in unpack(raw[len(_MAGIC) :]))


def day_of(ns: int) -> str:
    """The UTC day, as files are named by it."""
    return datetime.fromtimestamp(ns // _S, UTC).strftime("%Y%m%d")


def _hook_of(path: Path) -> int:
    """Whose file it is; 0: its name does not say."""
    hook, dash, _ = path.name.split(".")[1].partition("-")
    return int(hook) if dash and hook.isdigit() else 0


def _parts(folder: Path, day: str) -> list[Path]:
    return sorted(folder.glob(f"{day}.*.marks"))


def _remove_empty(folder: Path) -> None:
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()


def _unpacked(raw: bytes) -> list[tuple[Mark, bytes]]:
    """Each mark of a file with its own bytes."""
    found, at = [], len(_MAGIC)
    for mark, end in unpack(raw[at:]) if raw.startswith(_MAGIC) else ():
        found.append((mark, raw[at : len(_MAGIC) + end]))
        at = len(_MAGIC) + end
    return found
