"""The alarms of a box: HOME/alarms, which only the recorder writes.

They live in memory and are written behind (`kept_rows`). docs/ref/alarms.md says what stands where.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from vonggac.registry import alarms
from vonggac.registry.alarms import Alarm
from vonggac_appliance.kept_rows import KeptRows, read_rows
from vonggac_appliance.sockets import DECODE_ERRORS

__all__ = ["AlarmStore", "newest", "read_stopped"]

_ROW_VERSION = 1
_KEY_BYTES = 8
_BOX = "vonggac"
"""Who acknowledges where nobody has to."""


class AlarmStore:
    """All alarms, by number. Used from the recorder's one thread; `close` writes what is left."""

    def __init__(self, home: Path) -> None:
        """Reads what there is. Where HOME/alarms cannot be used, alarms live in memory only."""
        self._kept = KeptRows(home / "alarms")
        self._rows = _rows(self._kept.found)
        self._last = max(self._rows, default=0)
        self._open = {
            (row.kind, row.subject): row.number for row in self._rows.values() if row.is_open
        }

    def note(
        self, kind: str, subject: str, what: str, at_ns: int, pictures_ns: Sequence[int] = ()
    ) -> Alarm:
        """Something happened: a new row, or one more time of an open one."""
        number = self._open.get((kind, subject))
        if number is not None:
            row = alarms.repeated(self._rows[number], what, at_ns, pictures_ns)
        else:
            self._last += 1
            row = Alarm(
                self._last, kind, subject, what, at_ns, at_ns, pictures_ns=tuple(pictures_ns)
            )
            self._open[kind, subject] = row.number
        self._put(row)
        self._forget(alarms.surplus(self._rows.values()) if number is None else ())
        return row

    def see(self, numbers: Iterable[int], by: str, at_ns: int) -> None:
        """Somebody has had these before his eyes."""
        for number in numbers:
            if (row := self._rows.get(number)) is not None and not row.seen_ns:
                self._put(alarms.seen(row, by, at_ns))

    def acknowledge(self, number: int, by: str, note: str, at_ns: int) -> Alarm | None:
        """Somebody answers for it; the row as it is now, None where there is no such alarm."""
        row = self._rows.get(number)
        if row is None:
            return None
        if row.is_open:
            row = alarms.acknowledged(row, by, note[: alarms.NOTE_MAX], at_ns)
            self._open.pop((row.kind, row.subject), None)
            self._put(row)
        return row

    def settle(self, kind: str, subject: str, note: str, at_ns: int) -> None:
        """What was open is mended, and the box has seen that itself."""
        if (number := self._open.get((kind, subject))) is not None:
            self.acknowledge(number, _BOX, note, at_ns)

    def newest(self, most: int, subject: str = "") -> list[Alarm]:
        """Open ones first, then the rest, the newest of each first; of one subject, or of all."""
        rows = self._rows.values()
        return newest((row for row in rows if subject in ("", row.subject)), most)

    @property
    def open_count(self) -> int:
        """How many nobody has acknowledged."""
        return len(self._open)

    def close(self) -> None:
        """Writes what waits; at most as long as the home's disk takes."""
        self._kept.close()

    def _put(self, row: Alarm) -> None:
        self._rows[row.number] = row
        self._kept.put(_key(row.number), _encode(row))

    def _forget(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            row = self._rows.pop(number)
            if row.is_open:
                del self._open[row.kind, row.subject]
            self._kept.put(_key(number), None)


def read_stopped(home: Path) -> list[Alarm]:
    """The alarms while no recorder runs, which would have to be asked; StorageError."""
    return list(_rows(read_rows(home / "alarms")).values())


def newest(rows: Iterable[Alarm], most: int) -> list[Alarm]:
    """Open ones first, then the rest, the newest of each first."""
    return sorted(rows, key=lambda row: (not row.is_open, -row.last_ns, -row.number))[:most]


def _rows(found: dict[bytes, bytes]) -> dict[int, Alarm]:
    rows = (_decode(raw) for raw in found.values())
    return {row.number: row for row in rows if row is not None}


def _key(number: int) -> bytes:
    return number.to_bytes(_KEY_BYTES, "big")


def _encode(row: Alarm) -> bytes:
    return _ROW_VERSION.to_bytes(2, "big") + msgspec.msgpack.encode(row)


def _decode(raw: bytes) -> Alarm | None:
    """None: another version wrote it, or it is damaged; the others are worth no less for it."""
    if int.from_bytes(raw[:2], "big") != _ROW_VERSION:
        return None
    try:
        return msgspec.msgpack.decode(raw[2:], type=Alarm)
    except DECODE_ERRORS:
        return None
