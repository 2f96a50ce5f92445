"""What a home vouches for: heads of runs from its ledger, and tombstones of what had to go.

A chain of claims proves itself link by link; only a head that was written down elsewhere proves
that its end was not exchanged or removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vonggac.store.index import Index, Table

__all__ = ["Grave", "Head", "Vouched", "grave_of", "graves_in"]

_TOMBSTONES = b"tombstone "
_HEADS_A_RUN_MAX = 3000
"""A month of quarter hours: of a run that lasts for years, older footage is gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """A chunk that was durable on this disk, with the hash of its claim."""

    stream: bytes
    run: int
    sequence: int
    claim_sha256: bytes


@dataclass(frozen=True, slots=True)
class Grave:
    """Chunks of a run that were given up or erased, and said so."""

    stream: bytes
    run: int
    first: int
    last: int


@dataclass(slots=True)
class Vouched:
    """Everything known of one disk; nothing by default."""

    heads: dict[tuple[bytes, int], dict[int, bytes]] = field(default_factory=dict)
    """(stream, run), then sequence: hash of the claim."""
    graves: dict[tuple[bytes, int], list[tuple[int, int]]] = field(default_factory=dict)
    """(stream, run): (first, last) sequence of what is gone; neighbours are joined."""
    has_other_disks: bool = False
    """A run may go on elsewhere: a hole in its numbers proves nothing then."""

    def add_heads(self, heads: Iterable[Head]) -> None:
        for head in heads:
            of_run = self.heads.setdefault((head.stream, head.run), {})
            of_run[head.sequence] = head.claim_sha256
            if len(of_run) > _HEADS_A_RUN_MAX:
                del of_run[next(iter(of_run))]

    def add_graves(self, graves: Iterable[Grave]) -> None:
        for grave in graves:
            of_run = self.graves.setdefault((grave.stream, grave.run), [])
            if of_run and of_run[-1][0] <= grave.first <= of_run[-1][1] + 1:
                of_run[-1] = (of_run[-1][0], max(of_run[-1][1], grave.last))
            else:
                of_run.append((grave.first, grave.last))

    def is_buried(self, stream: bytes, run: int, first: int, last: int) -> bool:
        """Whether tombstones tell of all these chunks."""
        at = first
        for begin, end in sorted(self.graves.get((stream, run), ())):
            if begin <= at <= end:
                at = end + 1
        return at > last


def graves_in(index: Index) -> Iterator[Grave]:
    """Tombstones that wait in a disk's index until the ledger has them."""
    for _, value in index.items(Table.META, _TOMBSTONES, _TOMBSTONES + b"\xff" * 8):
        grave = grave_of(value, index.meta.disk)
        if grave is not None:
            yield grave


def grave_of(text: bytes | str, disk: bytes) -> Grave | None:
    """A tombstone's line (docs/ref/audit.md); None: it tells of no run of this disk."""
    try:
        entry = json.loads(text)
        if entry["disk"] != disk.hex():
            return None
        stream = bytes.fromhex(entry["stream"])
        return Grave(stream, int(entry["run"]), int(entry["first"]), int(entry["last"]))
    except (ValueError, KeyError, TypeError):
        return None
