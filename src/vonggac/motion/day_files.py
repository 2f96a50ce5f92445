"""The files of all streams' days: FOLDER/STREAM/DATE.motion, and what was found damaged of them."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vonggac._native.tiles import DAY_SLOTS, Grid
from vonggac._native.zstd import Unpacker
from vonggac.errors import ConfigError, MediaError, StorageError
from vonggac.motion import day_file
from vonggac.motion.day_file import DayFile
from vonggac.motion.day_log import storage_error
from vonggac.motion.query import DAY_SECONDS

__all__ = ["Damage", "DayFiles"]

_SUFFIX = ".motion"


@dataclass(frozen=True, slots=True)
class Damage:
    """A day of a stream that could not be read, in whole or in part; it counts as unknown."""

    stream: bytes
    day: int
    what: str


class DayFiles:
    """Loads the heads of all files below a folder. OSError; ConfigError: a newer program's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unpacker = Unpacker()
        self._days: dict[bytes, dict[int, DayFile]] = {}
        self._damaged: dict[tuple[bytes, int], str] = {}
        self._hidden: dict[Path, int] = {}
        """Files that have to go and could not be removed, and their sizes."""
        self.size_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f"*/*{day_file.BESIDE}"):
            self._clear(path)
        for path in sorted(folder.glob(f"*/*{_SUFFIX}")):
            self._load(path)

    def streams(self) -> set[bytes]:
        """Those that have a file."""
        return {stream for stream, files in self._days.items() if files}

    def days(self, stream: bytes) -> list[int]:
        """Days (since 1970) of a stream that have a file."""
        return list(self._days.get(stream, ()))

    def all_days(self) -> list[int]:
        """Days of any stream, rising."""
        return sorted({day for files in self._days.values() for day in files})

    def get(self, stream: bytes, day: int) -> DayFile | None:
        """The file of a day; None: there is none."""
        return self._days.get(stream, {}).get(day)

    @property
    def damages(self) -> list[Damage]:
        """Files found damaged, of days that were not written anew since."""
        return [Damage(stream, day, what) for (stream, day), what in self._damaged.items()]

    def is_damaged(self, stream: bytes, day: int) -> bool:
        """Whether the file of a day, or a part of it, cannot be read."""
        return (stream, day) in self._damaged

    def damage(self, stream: bytes, day: int, what: str) -> None:
        """Remembers that it cannot."""
        self._damaged[stream, day] = what

    def grid(self, stream: bytes, day: int) -> Grid:
        """What the file of a day holds; a damaged one is remembered and counts as empty.

        StorageError: it cannot be read now, and may be another time.
        """
        file = self.get(stream, day)
        if file is None:
            return Grid(DAY_SLOTS)
        try:
            return day_file.read_grid(file, self._unpacker)
        except MediaError as error:
            self.damage(stream, day, str(error))
        except OSError as error:
            if error.errno != errno.EIO:
                raise storage_error(str(file.path), error) from error
            self.damage(stream, day, str(error))
        return Grid(DAY_SLOTS)

    def write(self, stream: bytes, day: int, grid: Grid) -> None:
        """Puts a day in place of what is there; of a day of which nothing is known no file is kept.

        StorageError: what was there still is.
        """
        if not any(grid.get_codes()):
            self.remove(stream, day)
            return
        path = self._path_of(stream, day)
        try:
            path.parent.mkdir(exist_ok=True)
            day_file.write(path, day_file.pack(stream, day, grid))
            file = day_file.load(path, self._unpacker)
        except OSError as error:
            raise storage_error(str(path), error) from error
        before = self.get(stream, day)
        replaced_bytes = before.size_bytes if before else self._hidden.pop(path, 0)
        self.size_bytes += file.size_bytes - replaced_bytes
        self._days.setdefault(stream, {})[day] = file
        self._damaged.pop((stream, day), None)

    def forget(self, stream: bytes, from_s: int, to_s: int) -> None:
        """Nothing is known of [from_s, to_s) of a stream any more, also where the disk refuses:
        then a day that cannot be written anew goes as a whole, and counts as damaged.

        StorageError: such a day has gone.
        """
        parts: list[tuple[int, int, int]] = []
        for day, file in [*self._days.get(stream, {}).items()]:
            first = max(from_s - day * DAY_SECONDS, 0)
            last = min(to_s - day * DAY_SECONDS, DAY_SECONDS)
            ranges = file.known_ranges()
            if not any(start < last and end > first for start, end, _ in ranges):
                continue
            if all(first <= start and end <= last for start, end, _ in ranges):
                self._let_go(stream, day)
            else:
                parts.append((day, first, last))  # later: whole days leave room for these
        refused: StorageError | None = None
        for day, first, last in parts:
            try:
                grid = self.grid(stream, day)
                grid.forget(first, last)
                self.write(stream, day, grid)
            except StorageError as error:
                refused = error
                self._let_go(stream, day)
                self.damage(stream, day, f"a part was to be forgotten: {error}")
        for of, day in [*self._damaged]:  # nothing of these is to be made again
            if of == stream and from_s <= day * DAY_SECONDS and (day + 1) * DAY_SECONDS <= to_s:
                del self._damaged[of, day]
        if refused is not None:
            raise refused

    def remove(self, stream: bytes, day: int) -> None:
        """Removes the file of a day, where there is one. StorageError."""
        file = self.get(stream, day)
        if file is not None:
            try:
                file.path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(str(file.path), error) from error
            del self._days[stream][day]
            self.size_bytes -= file.size_bytes
        self._damaged.pop((stream, day), None)

    def drop_day(self, day: int) -> None:
        """Removes a day of every stream. StorageError."""
        for stream in [stream for stream, files in self._days.items() if day in files]:
            self.remove(stream, day)

    def sync_names(self) -> None:
        """Waits until the names of all files are on the disk; what could not be removed before has
        to be gone then. StorageError.
        """
        try:
            for path in [*self._hidden]:
                path.unlink(missing_ok=True)
                self.size_bytes -= self._hidden.pop(path)
            for folder in (self._folder, *self._folder.iterdir()):
                if folder.is_dir():
                    day_file.sync_directory(folder)
        except OSError as error:
            raise storage_error(str(self._folder), error) from error

    def _let_go(self, stream: bytes, day: int) -> None:
        """Removes the file of a day; one that cannot be removed now is known no more all the same,
        and goes before the log that says so (`sync_names`).
        """
        try:
            self.remove(stream, day)
        except StorageError:
            file = self._days[stream].pop(day)
            self._hidden[file.path] = file.size_bytes

    def _clear(self, path: Path) -> None:
        """Removes what a stop in the middle of writing left: it may hold what is forgotten now."""
        size_bytes = path.stat().st_size
        try:
            path.unlink()
        except OSError:  # a folder that may only be read is searched all the same
            self.size_bytes += size_bytes

    def _load(self, path: Path) -> None:
        size_bytes = path.stat().st_size
        try:
            file = day_file.load(path, self._unpacker)
        except MediaError as error:
            if error.kind == "unsupported":
                raise ConfigError(f"{path}: a newer program wrote it") from error
            self._forget_damaged(path, size_bytes, error)
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._forget_damaged(path, size_bytes, error)  # or one bad sector shuts the index
            return
        self.size_bytes += size_bytes
        if path == self._path_of(file.stream, file.day):  # else somebody moved it here
            self._days.setdefault(file.stream, {})[file.day] = file

    def _forget_damaged(self, path: Path, size_bytes: int, error: Exception) -> None:
        """Removes a file of which not even the head is whole, and remembers its day."""
        try:
            path.unlink()
        except OSError:  # a folder that may only be read is searched all the same
            self.size_bytes += size_bytes
        try:
            stream = bytes.fromhex(path.parent.name)
            moment = datetime.fromisoformat(path.stem).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return  # no name that we give
        self._damaged[stream, int(moment) // DAY_SECONDS] = str(error)

    def _path_of(self, stream: bytes, day: int) -> Path:
        date = datetime.fromtimestamp(day * DAY_SECONDS, UTC).date().isoformat()
        return self._folder / stream.hex() / f"{date}{_SUFFIX}"
