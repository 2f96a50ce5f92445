"""The motion index: what is known of every stream's seconds, kept in files and searched.

FOLDER/log/NUMBER.log holds the newest blocks of all streams, FOLDER/days/STREAM/DATE.motion a day
of one (docs/ref/motion.md). Everything in it can be made again from the video, so what is damaged
is told, counts as unknown, and is made again. One process uses it, and one thread of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vonggac._native.tiles import DAY_SLOTS, Grid
from vonggac.errors import MediaError, StorageError
from vonggac.motion.block import Forgotten, PackedBlock, encode, forget_record
from vonggac.motion.day_file import DayFile, runs
from vonggac.motion.day_files import Damage, DayFiles
from vonggac.motion.day_log import Logs, storage_error
from vonggac.motion.episodes import DayFound, Found
from vonggac.motion.query import DAY_SECONDS, Coarse, Query
from vonggac.motion.recent import BLOCKS_PER_DAY, Recent
from vonggac.motion.search import Search
from vonggac.motion.slots import Slot, Tier

__all__ = ["Damage", "Known", "MotionIndex"]

_SECOND_MAX = 1 << 36
_RECENT_MAX_BYTES = 64 << 20
"""Of blocks that no file holds; above that they are filed at once."""
_FULL_SHARE = 0.9
"""Above this share of its bound, the index takes nothing that is older than its oldest day."""


@dataclass(frozen=True, slots=True)
class Known:
    """Every second of [from_s, to_s) is in the index, and of that tier."""

    from_s: int
    to_s: int
    tier: Tier


class MotionIndex:
    """The index of a folder, which is made where it is not there. `max_bytes` bounds its files.

    StorageError: the folder cannot be read or made. ConfigError: a newer program wrote it.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._recent: dict[bytes, Recent] = {}
        self._pending: list[tuple[bytes, int]] = []
        self._turned: list[Path] = []
        self._dropped = -1, 0
        """The newest day that was dropped for its room, and its bytes."""
        try:
            self._files = DayFiles(folder / "days")
            (folder / "log").mkdir(exist_ok=True)
            self._logs = Logs(folder / "log")
        except OSError as error:
            raise storage_error("the motion index", error) from error
        self._search = Search(self)
        self._replay()

    # What is told.

    def add(self, stream: bytes, slots: Iterable[Slot]) -> None:
        """Takes seconds of a stream; of a second told twice the better tier, of the same both.

        Slots older than `floor_s` are left out. StorageError: a block could not be logged; it is
        searched all the same, and tried again with the next.
        """
        recent = self._recent.setdefault(stream, Recent())
        floor_s = self.floor_s
        for slot in slots:
            if floor_s <= slot.second < _SECOND_MAX:
                recent.put(slot)
        self._log_due(stream, recent)
        if sum(one.size_bytes for one in self._recent.values()) > _RECENT_MAX_BYTES:
            self.compact()

    def flush(self) -> None:
        """Logs what is open, whole or not, as before the process ends. StorageError."""
        for stream, recent in self._recent.items():
            self._log_due(stream, recent, everything=True)

    def forget(self, stream: bytes, from_s: int, to_s: int) -> None:
        """Nothing is known of [from_s, to_s) of a stream any more: its video is gone.

        No file of a day holds it when this returns; the logs do until they are filed (`compact`).
        StorageError: the disk refuses. It is known no more all the same, and of a day that could
        not be written anew nothing is (`damages`); after a crash it may have to be told again.
        """
        if self.covered(stream, from_s, to_s) or self._files.damages:
            try:
                self._logs.append(forget_record(Forgotten(stream, from_s, to_s)), is_durable=True)
            finally:  # a full disk keeps nothing searchable that has to go
                self._forget(stream, from_s, to_s)

    # What is known.

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return self._files.size_bytes + self._logs.size_bytes

    @property
    def bytes_read(self) -> int:
        """By searches, since it was opened."""
        return self._search.bytes_read

    @property
    def floor_s(self) -> int:
        """The second before which a full index takes nothing more; 0 where it has room."""
        full_bytes = self._max_bytes * _FULL_SHARE
        day, day_bytes = self._dropped
        floor = day + 1 if self.size_bytes + day_bytes >= full_bytes else 0
        if self.size_bytes >= full_bytes:
            floor = max(floor, min(self._files.all_days(), default=0))
        return floor * DAY_SECONDS

    @property
    def damages(self) -> list[Damage]:
        """Days that were found damaged and have not been made again."""
        return self._files.damages

    def streams(self) -> set[bytes]:
        """Those of which anything is known."""
        told = {stream for stream, recent in self._recent.items() if recent.days()}
        return told | self._files.streams()

    def days(self, stream: bytes) -> set[int]:
        """Days (since 1970) of which anything may be known."""
        recent = self._recent.get(stream)
        return {*self._files.days(stream), *(recent.days() if recent else ())}

    def covered(self, stream: bytes, from_s: int, to_s: int) -> list[Known]:
        """The parts of [from_s, to_s) that are known, rising; none touches one of the same tier."""
        found: list[Known] = []
        for day in sorted(self.days(stream)):
            starts_s = day * DAY_SECONDS
            if starts_s + DAY_SECONDS <= from_s or starts_s >= to_s:
                continue
            for start, end, tier in self._known_of(stream, day):
                start, end = max(starts_s + start, from_s), min(starts_s + end, to_s)
                if start >= end:
                    continue
                if found and found[-1].to_s == start and found[-1].tier == tier:
                    start = found.pop().from_s
                found.append(Known(start, end, Tier(tier)))
        return found

    def search(self, query: Query) -> Iterator[Coarse | Found]:
        """First every two-minute block that may hold a hit, then the episodes, both newest first.

        It may be closed at any time. What it finds damaged stands in `damages` afterwards.
        """
        return self._search.run(query)

    def blocks_found(self, query: Query) -> Iterator[Coarse]:
        """Every two-minute block that may hold a hit, newest day first; from memory alone."""
        return self._search.blocks(query)

    def days_found(self, query: Query) -> Iterator[DayFound]:
        """The episodes of each day, newest day first; what midnight cuts is in two days."""
        return self._search.days(query)

    # What a search asks (search.py: Source), and a heat picture (heat.py).

    def file_of(self, stream: bytes, day: int) -> DayFile | None:
        """The file of a day, where there is one."""
        return self._files.get(stream, day)

    def blocks(self, stream: bytes, day: int) -> list[tuple[int, PackedBlock]]:
        """(first second of the day, block) of what no file holds yet of it."""
        recent = self._recent.get(stream)
        return list(recent.blocks(stream, day)) if recent else []

    def grid(self, stream: bytes, day: int) -> Grid:
        """All of a day, 86,400 slots; a file that is damaged is told (`damages`) and left out."""
        grid = self._files.grid(stream, day)
        recent = self._recent.get(stream)
        for at, block in recent.grids(day) if recent else ():
            grid.merge(block, at)
        return grid

    def damage(self, stream: bytes, day: int, what: str) -> None:
        """Remembers that the file of a day cannot be read: it counts as unknown from now on."""
        self._files.damage(stream, day, what)

    # Filing.

    def compact(self) -> list[int]:
        """Files what is logged, each day anew. Gives the days that were dropped for their room.

        StorageError: not everything is filed; nothing is lost, and the next call goes on.
        """
        while self.compact_step():
            pass
        dropped: list[int] = []
        while self.size_bytes > self._max_bytes and len(days := self._files.all_days()) > 1:
            before_bytes = self.size_bytes
            self._files.drop_day(days[0])
            self._dropped = days[0], before_bytes - self.size_bytes
            dropped.append(days[0])
        return dropped

    def compact_step(self) -> bool:
        """Files one day of one stream, so that others get their turn; whether there is more."""
        if not self._turned:
            self._turned = self._logs.turn()
            self._pending = [
                (stream, day)
                for stream, recent in self._recent.items()
                for day in sorted(recent.logged_days())
            ]
        if self._pending:
            self._file(*self._pending[-1])
            self._pending.pop()
            return True
        if self._turned:
            # A file that is not durable yet must not be all that is left.
            self._files.sync_names()
            self._logs.remove(self._turned)
            self._turned = []
        return False

    def close(self) -> None:
        """Logs what is open and closes the log. StorageError."""
        try:
            self.flush()
        finally:
            self._logs.close()

    # Inside.

    def _replay(self) -> None:
        for record in self._logs.replay():
            if isinstance(record, Forgotten):
                with suppress(StorageError):  # no more is known of it than after any other
                    self._forget(record.stream, record.from_s, record.to_s)
                continue
            try:
                self._recent.setdefault(record.stream, Recent()).logged(record)
            except MediaError as error:  # its CRC holds, so that was our own mistake
                self.damage(record.stream, record.number // BLOCKS_PER_DAY, str(error))

    def _log_due(self, stream: bytes, recent: Recent, *, everything: bool = False) -> None:
        for packed in recent.due(stream, everything=everything):
            try:
                self._logs.append(encode(packed))
            except StorageError:
                recent.bound_open()
                raise
            recent.logged(packed)

    def _forget(self, stream: bytes, from_s: int, to_s: int) -> None:
        recent = self._recent.get(stream)
        if recent:
            recent.forget(stream, from_s, to_s)
        self._files.forget(stream, from_s, to_s)

    def _known_of(self, stream: bytes, day: int) -> Iterator[tuple[int, int, int]]:
        """(from, to, tier) in seconds of a day, rising."""
        file = None if self._files.is_damaged(stream, day) else self.file_of(stream, day)
        ranges = file.known_ranges() if file else []
        blocks = self.blocks(stream, day)
        if not blocks:
            yield from ((start, end, code & 3) for start, end, code in ranges)
            return
        tiers = bytearray(DAY_SLOTS)
        for start, end, code in ranges:
            tiers[start:end] = bytes((code & 3,)) * (end - start)
        for at, block in blocks:
            for second, code in enumerate(block.codes, at):
                if code and (not tiers[second] or code & 3 < tiers[second]):
                    tiers[second] = code & 3
        yield from ((start, end, tier) for tier, start, end in runs(bytes(tiers)))

    def _file(self, stream: bytes, day: int) -> None:
        """Puts what is logged of a day into its file. StorageError."""
        recent = self._recent[stream]
        grid = self._files.grid(stream, day)
        for at, block in recent.grids(day, logged_only=True):
            grid.merge(block, at)
        self._files.write(stream, day, grid)
        recent.filed(day)
