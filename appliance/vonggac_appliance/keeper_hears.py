"""Who is told what keepers say, and what of it goes there as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import msgspec

from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import (
    BackupTold,
    Durable,
    GapOpen,
    KeeperReady,
    LocksDurable,
    Loop,
    RetentionTold,
    Scrubbed,
    Sealed,
    Tombstones,
)

if TYPE_CHECKING:
    from vonggac_appliance.keepers import Keeper

__all__ = ["Hears", "pass_on"]


class Hears(Protocol):
    """Who is told what keepers say."""

    def keeper_ready(self, keeper: Keeper, ready: KeeperReady) -> None: ...
    def keeper_durable(self, keeper: Keeper, durable: Durable) -> None: ...
    def keeper_sealed(self, keeper: Keeper, sealed: Sealed) -> None: ...
    def keeper_drained(self, keeper: Keeper, drained: Loop) -> None: ...
    def keeper_locks(self, keeper: Keeper, told: LocksDurable) -> None: ...
    def keeper_retention(self, keeper: Keeper, told: RetentionTold) -> None: ...
    def keeper_tombstones(self, keeper: Keeper, tombstones: Tombstones) -> None: ...
    def keeper_backup(self, keeper: Keeper, told: BackupTold) -> None: ...
    def keeper_state(self, keeper: Keeper) -> None: ...
    def keeper_hangs(self, keeper: Keeper) -> None: ...
    def is_needed(self, keeper: Keeper) -> bool: ...
    def keeper_scrubbed(self, keeper: Keeper, scrubbed: Scrubbed) -> None: ...
    def alarm(self, kind: str, subject: str, what: str) -> None: ...
    def open_gaps_of(self, keeper: Keeper) -> Iterable[GapOpen]: ...


def pass_on(hears: Hears, keeper: Keeper, kind: int, body: bytes) -> None:
    """What the handle of a keeper makes nothing of itself; a kind that nobody knows is ignored."""
    decode = msgspec.msgpack.decode
    if kind == Kind.SEALED:
        hears.keeper_sealed(keeper, decode(body, type=Sealed))
    elif kind == Kind.SCRUBBED:
        hears.keeper_scrubbed(keeper, decode(body, type=Scrubbed))
    elif kind == Kind.LOCKS_DURABLE:
        hears.keeper_locks(keeper, decode(body, type=LocksDurable))
    elif kind == Kind.RETENTION_TOLD:
        hears.keeper_retention(keeper, decode(body, type=RetentionTold))
    elif kind == Kind.TOMBSTONES:
        hears.keeper_tombstones(keeper, decode(body, type=Tombstones))
    elif kind == Kind.BACKUP_TOLD:
        hears.keeper_backup(keeper, decode(body, type=BackupTold))
    elif kind == Kind.DRAINED:
        hears.keeper_drained(keeper, decode(body, type=Loop))
