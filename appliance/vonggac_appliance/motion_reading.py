"""Recorded chunks for the motion index, through the keepers: rows by a question, bytes by a lease.

Nobody looks at a picture here, so no receipt is shown: sockets of class `machine` are for the user
of this process alone. A lease is held for one read: a keeper has 64 of them, for those who look.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac._native import segment as native
from vonggac.errors import MediaError, Refused, StorageError, TooMany, Unavailable
from vonggac.media.chunk import Claim, PackedRow
from vonggac.playback.fmp4 import Picture, ring_chunk
from vonggac.playback.once import once
from vonggac.playback.still import init_of
from vonggac.store.segment import SegmentFile
from vonggac_appliance.index_client import IndexClient
from vonggac_appliance.keep_answers import Class

__all__ = ["Footage", "MotionReader", "Placed"]

_DEADLINE_S = 10.0
_TOGETHER_BYTES = 8 << 20
"""Read under one lease; the largest chunk alone may be more."""
_HEADS_MAX = 256


@dataclass(frozen=True, slots=True)
class Placed:
    """A chunk, and the disk it lies on."""

    disk: bytes
    packed: PackedRow

    @property
    def life(self) -> tuple[bytes, int, int]:
        """Disk, segment, epoch."""
        return self.disk, self.packed.segment, self.packed.epoch


@dataclass(frozen=True, slots=True)
class Footage:
    """A chunk that was read, and stood in its segment after that."""

    claim: Claim
    wall_end_ns: int
    init: bytes
    """`ftyp` and `moov` of its segment."""
    pictures: list[Picture]
    """In decode order."""
    payload: bytes
    """Their bytes, one after the other."""


class MotionReader:
    """For one thread. `disks`: those of the catalog; asked anew by whoever sees it change."""

    def __init__(self, home: Path, disks: Sequence[bytes], name: Class = "machine") -> None:
        """`name`: by which sockets keepers are asked; bytes are leased by `machine` alone."""
        self._home = home
        self._name: Class = name
        self.disks = tuple(disks)
        self._clients: dict[bytes, IndexClient] = {}
        self._inits: dict[tuple[bytes, int, int], bytes] = {}
        self.lost = 0
        """Chunks that were told of and could not be read."""
        self.was_refused = False
        """Some of them because a keeper had no time: another time they may be read."""

    def close(self) -> None:
        """Ends all connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def rows(self, stream: bytes, from_ns: int, to_ns: int) -> tuple[list[Placed], int | None, int]:
        """Chunks that touch [from_ns, to_ns) in the order of recording, until when all is durable,
        and of how many disks some may be missing: they do not answer, or not with all they have.
        """
        values: dict[bytes, list[bytes]] = {}
        until_ns: int | None = None
        missing = len(self.disks)
        for disk in self.disks:
            with contextlib.suppress(Unavailable), self._asking(disk) as client:
                told = client.rows(stream, from_ns, to_ns)
                values[disk] = told.packed
                until_ns = max(until_ns or 0, told.durable_until_ns or 0) or None
                missing -= told.is_whole
        found = [
            Placed(disk, row)
            for disk, of in zip(values, once(list(values.values()), from_ns, to_ns), strict=True)
            for value in of
            for row in native.rows_unpack(value)
            if row.row.wall_start_ns < to_ns and row.row.wall_end_ns > from_ns
        ]
        found.sort(key=lambda placed: (placed.packed.row.run, placed.packed.row.sequence))
        return found, until_ns, missing

    def spans(self, stream: bytes, from_ns: int, to_ns: int) -> list[tuple[int, int]] | None:
        """What is recorded that touches the range, wall time; None where a disk does not answer, or
        does not know yet all that it has.
        """
        spans: list[tuple[int, int]] = []
        try:
            for disk in self.disks:
                with self._asking(disk) as client:
                    told = client.rows(stream, from_ns, to_ns)
                _expect_whole(told.is_whole)
                spans += [(s, e) for s, e, *_ in native.rows_spans(told.packed, from_ns, to_ns)]
        except Unavailable:
            return None
        return spans

    def first_ns(self, stream: bytes, from_ns: int, to_ns: int) -> int | None:
        """Where the earliest chunk in the range begins; None: there is none. Unavailable as
        `spans` says None.
        """
        firsts: list[int] = []
        for disk in self.disks:
            with self._asking(disk) as client:
                first, is_whole = client.first_row(stream, from_ns, to_ns)
            _expect_whole(is_whole)
            firsts += [] if first is None else [first]
        return min(firsts, default=None)

    def read(self, stream: bytes, placed: Sequence[Placed]) -> Iterator[Footage]:
        """The chunks in this order; what is gone or damaged is left out and counted."""
        for life, of in itertools.groupby(placed, key=lambda one: one.life):
            rows = [one.packed for one in of]
            while rows:
                part = [rows.pop(0)]
                while rows and sum(p.row.chunk_bytes for p in (*part, rows[0])) <= _TOGETHER_BYTES:
                    part.append(rows.pop(0))
                try:
                    init, raw = self._leased(stream, life, part)
                except (Refused, StorageError, Unavailable) as error:
                    self.lost += len(part)
                    self.was_refused |= isinstance(error, (TooMany, Unavailable))
                    continue
                yield from self._footage(stream, part, init, raw)

    def _leased(
        self, stream: bytes, life: tuple[bytes, int, int], part: Sequence[PackedRow]
    ) -> tuple[bytes, list[bytes]]:
        """The head of the segment and the bytes of these chunks, as they stood there after it."""
        disk, segment, epoch = life
        with IndexClient(self._home, disk, _DEADLINE_S, "machine") as client:
            fd, lease = client.lease(stream, segment, epoch, b"")
            try:
                file = SegmentFile(fd, os.fstat(fd).st_size)
                init = self._inits.get(life)
                if init is None:
                    head = file.head()
                    if head is None:
                        raise StorageError(f"segment {segment} has no head")
                    init = init_of(head)
                raw = [file.read(p.row.offset, p.row.chunk_bytes) for p in part]
                client.renew(lease)
            finally:
                os.close(fd)
        self._inits = dict([*self._inits.items()][-_HEADS_MAX + 1 :]) | {life: init}
        return init, raw

    def _footage(
        self, stream: bytes, part: Sequence[PackedRow], init: bytes, raw: Sequence[bytes]
    ) -> Iterator[Footage]:
        for packed, data in zip(part, raw, strict=True):
            try:
                claim, pictures, payload = ring_chunk(data)
            except MediaError:
                self.lost += 1
                continue
            row = packed.row
            if (claim.stream, claim.run, claim.sequence) != (stream, row.run, row.sequence):
                self.lost += 1
                continue
            yield Footage(claim, row.wall_end_ns, init, pictures, payload)

    @contextlib.contextmanager
    def _asking(self, disk: bytes) -> Iterator[IndexClient]:
        """A connection that is kept; after an error the next question makes another."""
        client = self._clients.pop(disk, None) or IndexClient(
            self._home, disk, _DEADLINE_S, self._name
        )
        try:
            yield client
        except BaseException:
            client.close()
            raise
        self._clients[disk] = client


def _expect_whole(is_whole: bool) -> None:
    """Of footage that half an index does not tell nobody may say that it is gone."""
    if not is_whole:
        raise Unavailable("the index of a disk is being made again")
