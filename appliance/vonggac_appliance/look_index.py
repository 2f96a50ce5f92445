"""What the disks' keepers know of a range: its fragments, and the heads of their segments.

A player that opens asks for three lists of one range at once: the keepers are asked once.
Thread-safe; one a process.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vonggac._native import playlist as native
from vonggac.errors import Unavailable
from vonggac.media.fragment import Fragment
from vonggac.playback import still as stills
from vonggac.playback.once import once
from vonggac.playback.playlist import Life
from vonggac.registry.catalog import Catalog
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.messages_footage import Rows
from vonggac_appliance.silent_disks import SilentDisks

__all__ = ["Found", "LookIndex", "disk_name"]

_DEADLINE_S = 3.0
_KEPT_S = 1.0
_KEPT_MAX = 4
"""A day's fragments are 5 MB."""
_HEADS_MAX = 2048
"""Of less than a kilobyte each; a stream has one, and another when its camera is set anew."""
_NAME_BYTES = 16


@dataclass(frozen=True, slots=True)
class Found:
    """What is recorded in a range."""

    fragments: list[native.Fragments]
    """Of each disk that answers."""
    disks: tuple[bytes, ...]
    """Ids of all disks, by `Fragment.disk`."""
    missing: int
    """Disks that do not answer, or not with all they have."""

    @property
    def names(self) -> tuple[str, ...]:
        """What addresses call the disks."""
        return tuple(map(disk_name, self.disks))

    @property
    def newest(self) -> Fragment | None:
        """What was recorded last."""
        last = [fragments[len(fragments) - 1] for fragments in self.fragments if len(fragments)]
        return max(last, key=lambda fragment: fragment.wall_end_ns, default=None)


@dataclass(slots=True)
class _Kept:
    lock: threading.Lock
    """Held while the keepers are asked: who asks the same meanwhile waits for that answer."""
    found: Found | None = None
    until_s: float = 0.0


class LookIndex:
    """Asks all disks, and remembers for a moment."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self._home = home
        self._catalog = catalog
        self._kept: dict[tuple[bytes, int, int], _Kept] = {}
        self._heads: dict[tuple[bytes, str], bytes] = {}
        """By stream and name, those used last at the end."""
        self._lock = threading.Lock()
        self._silent = SilentDisks()

    def found(self, stream: bytes, from_ns: int, to_ns: int, *, must_answer: bool = True) -> Found:
        """What all disks that answer have. Unavailable where none does."""
        disks = tuple(disk.uuid for disk in self._catalog.disks())
        span = from_ns, to_ns
        told: dict[int, Rows] = {}
        for number, disk in enumerate(disks):
            with contextlib.suppress(Unavailable):
                told[number] = self._silent.ask(disk, partial(self._rows, disk, stream, span))
        if must_answer and disks and not told:
            raise Unavailable("no disk answers: the recorder is not running")
        values = once([rows.packed for rows in told.values()], *span)
        found = [
            native.rows_fragments(of, *span, number)
            for number, of in zip(told, values, strict=True)
        ]
        missing = len(disks) - sum(rows.is_whole for rows in told.values())
        return Found(found, disks, missing)

    def _rows(self, disk: bytes, stream: bytes, span: tuple[int, int]) -> Rows:
        with IndexClient(self._home, disk, _DEADLINE_S) as client:
            return client.rows(stream, *span)

    def asked(self, stream: bytes, from_ns: int, to_ns: int) -> Found:
        """As `found`, or what was found within the last second."""
        key = (stream, from_ns, to_ns)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                self._kept = dict([*self._kept.items()][-_KEPT_MAX + 1 :])
                kept = self._kept[key] = _Kept(threading.Lock())
        with kept.lock:
            if kept.found is None or time.monotonic() >= kept.until_s:
                kept.found = self.found(stream, from_ns, to_ns)
                kept.until_s = time.monotonic() + _KEPT_S
            return kept.found

    def forget(self) -> None:
        """Lets go of what nobody asks for any more. Each second."""
        with self._lock:
            now_s = time.monotonic()
            self._kept = {
                key: kept
                for key, kept in self._kept.items()
                if kept.lock.locked() or now_s < kept.until_s
            }

    def heads(
        self, stream: bytes, disks: tuple[bytes, ...], firsts: Iterable[Fragment]
    ) -> dict[Life, str]:
        """Names of the heads of the segments that these fragments lie in, as far as known."""
        lives = {(f.disk, f.segment, f.epoch) for f in firsts}
        named: dict[Life, str] = {}
        for number, disk in enumerate(disks):
            wanted = [life for life in lives if life[0] == number]
            if not wanted:
                continue
            try:
                with IndexClient(self._home, disk, _DEADLINE_S) as client:
                    answer = client.heads(stream, [segment for _, segment, _ in wanted])
            except Unavailable:
                continue
            for life, (epoch, head) in zip(wanted, answer, strict=True):
                if head is not None and epoch == life[2]:
                    named[life] = self._remember(stream, head)
        return named

    def head(self, stream: bytes, name: str) -> bytes | None:
        """`ftyp` and `moov` of a name that `heads` gave for this stream."""
        with self._lock:
            return self._heads.get((stream, name))

    def _remember(self, stream: bytes, padded: bytes) -> str:
        head = stills.init_of(padded)
        name = hashlib.sha256(head).digest()[:_NAME_BYTES].hex()
        with self._lock:
            self._heads.pop((stream, name), None)
            self._heads[stream, name] = head
            if len(self._heads) > _HEADS_MAX:
                self._heads.pop(next(iter(self._heads)))
        return name


def disk_name(disk: bytes) -> str:
    """What addresses call it."""
    return disk[:4].hex()
