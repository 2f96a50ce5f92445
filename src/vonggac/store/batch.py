"""A tick on its way to the disk: everything that one sync makes durable, and nothing that must wait
for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from vonggac._native import ring as native
from vonggac.media.chunk import Claim, Row
from vonggac.store.open_segment import OpenSegment
from vonggac.store.warm_pages import WarmPages

Token = TypeVar("Token")
Bytes = bytes | bytearray | memoryview


class Incoming(Protocol):
    """A chunk in an arena (`_native.arena.ArenaChunk`)."""

    @property
    def camera(self) -> bytes: ...
    @property
    def stream(self) -> bytes: ...
    @property
    def run(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def wall_end_ns(self) -> int: ...
    @property
    def entry_sha256(self) -> bytes: ...
    @property
    def head(self) -> bytearray: ...
    @property
    def segment_head(self) -> Bytes: ...
    @property
    def payload(self) -> Sequence[memoryview]: ...
    @property
    def payload_bytes(self) -> int: ...


@dataclass(slots=True)
class Spare:
    """A segment on its way to be used next: reserved, journalled, zeroed, ready."""

    number: int
    epoch: int
    fd: int
    is_journalled: bool = False
    """Its epoch is durable: old bytes may go."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A chunk of this batch."""

    claim: Claim
    row: Row
    segment: int
    epoch: int
    claim_sha256: bytes = b""
    """What the next claim of this run must name as its predecessor."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A segment whose head is in this batch."""

    number: int
    entry_sha256: bytes
    head: Bytes


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment whose table is in this batch."""

    segment: OpenSegment
    order: int
    continues: bool
    """Its last fragment goes on in the next segment."""


@dataclass(slots=True)
class Batch(Generic[Token]):
    """Writes, then one sync. `run` belongs to the writer thread; all else to the ring."""

    sync_fd: int
    segment_bytes: int
    warm: WarmPages = field(default_factory=WarmPages)
    writes: list[tuple[int, int, Sequence[Bytes]]] = field(default_factory=list)
    zeros: list[Spare] = field(default_factory=list)
    reserved: list[Spare] = field(default_factory=list)
    blanks: list[tuple[int, int, int]] = field(default_factory=list)
    """Ranges of segments to zero: descriptor, offset, size."""
    errands: list[Callable[[], None]] = field(default_factory=list)
    """Reading that must not hold up the main thread; keeps its own errors."""
    placed: list[Placed] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    sealed: list[SealedSegment] = field(default_factory=list)
    close_fds: list[int] = field(default_factory=list)
    has_journal: bool = False
    durable: list[Token] = field(default_factory=list)
    """Acknowledged once `run` has succeeded: written here."""
    known: list[Token] = field(default_factory=list)
    """Already durable before: acknowledged without writing."""
    refused: list[tuple[Token, str]] = field(default_factory=list)
    waiting: list[Token] = field(default_factory=list)
    """No segment stands ready for them: they stay in their arena."""
    bytes_written: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.writes or self.zeros or self.errands)

    def write(self, fd: int, offset: int, parts: Sequence[Bytes], size: int) -> None:
        self.writes.append((fd, offset, parts))
        self.bytes_written += size

    def run(self) -> Outcome:
        """Every write and zeroing, then one syncfs. A failure is never tried again."""
        began = time.monotonic()
        for error in native.write_batch(self.writes):
            if error:
                return Outcome(error, "a write failed", _since_ms(began))
        for spare in self.zeros:
            error = native.zero(spare.fd, self.segment_bytes)
            if error:
                return Outcome(error, f"segment {spare.number} cannot be zeroed", _since_ms(began))
        for fd, offset, size in self.blanks:
            error = native.zero(fd, size, offset)
            if error:
                return Outcome(error, "erased footage cannot be zeroed", _since_ms(began))
        for errand in self.errands:
            errand()
        # Promise 1: what this sync covers is what is acknowledged afterwards, and nothing else.
        error = native.sync(self.sync_fd)
        if error:
            return Outcome(error, "syncfs failed", _since_ms(began))
        tick_ms = _since_ms(began)
        for fd, offset, parts in self.writes:
            self.warm.wrote(fd, offset, sum(map(len, parts)))
        return Outcome(0, "", tick_ms)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a batch went; errno 0: durable."""

    errno: int
    what: str
    tick_ms: float

    def sentence(self) -> str:
        return f"{self.what}: {os.strerror(self.errno)}" if self.errno else "durable"


def _since_ms(began: float) -> float:
    return (time.monotonic() - began) * 1000.0
