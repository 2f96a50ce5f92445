"""The disks of a recorder: a keeper each, which stream is on which, and what happens when one goes.

`vonggac.ingest.placement` decides; docs/design/storage.md, "Several disks", says what is promised.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from vonggac.errors import ConfigError, Unavailable
from vonggac.ingest import placement
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac_appliance import loop_wire
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.children import Children
from vonggac_appliance.keepers import Hears, Keeper
from vonggac_appliance.loops import LoopHandle
from vonggac_appliance.messages import Durable

__all__ = ["SLOTS_MAX", "Disks"]

SLOTS_MAX = 64
"""LOOP_KEEPERS_MAX of the native loop."""
_AWAY_S = 2.0
"""How long a keeper that crashed may take to be back before its streams go elsewhere."""
_SLOW_TICKS = 5
"""So many slow ones in a row are no accident."""

_log = logging.getLogger("vonggac.record")


class Owner(Hears, Protocol):
    """What the disks need of the recorder."""

    loops: list[LoopHandle]

    @property
    def sessions(self) -> dict[bytes, StreamSession]: ...


class Disks:
    """Slots are never used again while the recorder runs: arenas and loops know them."""

    def __init__(self, catalog: Catalog, home: Path, children: Children, owner: Owner) -> None:
        self.keepers: list[Keeper] = []
        self._slots: dict[bytes, int] = {}
        self._catalog = catalog
        self._home = home
        self._children = children
        self._owner = owner
        self._changes = -1
        self._tasks: set[asyncio.Task[None]] = set()

    # --- which there are ----------------------------------------------------------------------

    async def start(self) -> None:
        """Starts a keeper a disk. ConfigError where none is enrolled."""
        self._changes = self._catalog.changes
        rows = self._catalog.disks()
        if not rows:
            raise ConfigError("no disk is enrolled: vonggac disk format PATH --size 100G")
        for row in rows:
            await self._add(row).start()

    @property
    def present(self) -> list[Keeper]:
        """Those that were not taken out."""
        return [k for k in self.keepers if k.state != "retired"]

    def turn(
        self, now_s: float, is_written: Callable[[Keeper, float], bool], most_s: float
    ) -> None:
        """Once a second. `is_written`: whether a keeper has been sent pictures for so long."""
        for keeper in self.present:
            keeper.turn(now_s, is_written(keeper, most_s), most_s)
            if keeper.slow_ticks >= _SLOW_TICKS:
                self._relieve(keeper)
        self.gather()

    def follow(self) -> None:
        """Reads the catalog if it was written since: disks are added, drained, moved, taken out."""
        if self._catalog.changes == self._changes:
            return
        self._changes = self._catalog.changes
        rows = {row.uuid: row for row in self._catalog.disks()}
        for keeper in self.present:
            row = rows.pop(keeper.disk, None)
            if row is None:
                self._retire(keeper)
            else:
                self._change(keeper, row)
        for row in sorted(rows.values(), key=lambda row: row.enrolled_ns):
            if len(self.keepers) < SLOTS_MAX:
                self._spawn(self._add(row))
            else:
                what = f"{SLOTS_MAX} disks were used since the recorder started; restart it"
                self._owner.alarm("disk-failed", row.path, what)

    def _add(self, row: DiskRow) -> Keeper:
        slot, home, box = len(self.keepers), str(self._home), self._catalog.box_id
        keeper = Keeper(slot, row.uuid, row.path, home, box, self._children, self._owner)
        keeper.is_draining = row.is_draining
        self.keepers.append(keeper)
        return keeper

    def _spawn(self, keeper: Keeper) -> None:
        async def start() -> None:
            try:
                await keeper.start()
            except Unavailable as error:
                _log.critical("%s", error)  # without the zygote the recorder ends anyway

        task = asyncio.get_running_loop().create_task(start())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _change(self, keeper: Keeper, row: DiskRow) -> None:
        if row.path != keeper.path:
            keeper.go_to(row.path)
        if row.is_draining != keeper.is_draining:
            keeper.is_draining = row.is_draining
            _log.info("disk %s: %s", keeper.path, "draining" if row.is_draining else "recording")
            self.gather()
            if self.count(keeper) and row.is_draining:
                what = "no other disk takes its streams now: they stay until one does"
                self._owner.alarm("disk-draining", keeper.path, what)

    def _retire(self, keeper: Keeper) -> None:
        if not self._move_off(keeper):
            _log.warning("disk %s was taken out and no other is there", keeper.path)
        keeper.retire()
        for stream in [s for s, slot in self._slots.items() if slot == keeper.slot]:
            del self._slots[stream]

    # --- which stream is on which -------------------------------------------------------------

    def place(self, stream: bytes) -> Keeper | None:
        """The keeper of a stream: the one it has, else the best of those that can be written."""
        slot = placement.choose_disk(self._loads(), self._slots.get(stream))
        if slot is None:
            return None
        if self._slots.get(stream) != slot:
            self._slots[stream] = slot
            self.expect()
        return self.keepers[slot]

    def of(self, stream: bytes) -> Keeper | None:
        """The keeper that a stream was given to last, whether it can be written or not."""
        slot = self._slots.get(stream)
        return None if slot is None else self.keepers[slot]

    def count(self, keeper: Keeper) -> int:
        """How many streams are on it."""
        return sum(self._slots.get(stream) == keeper.slot for stream in self._owner.sessions)

    def expect(self) -> None:
        """Spare segments for every stream there is, before it asks for one."""
        unplaced = sum(stream not in self._slots for stream in self._owner.sessions)
        fit = [k for k in self.keepers if k.is_ready]
        for keeper in fit:
            share = 0 if keeper.is_draining else -(-unplaced // len(fit))
            keeper.expect(self.count(keeper) + share)

    def known(self, keeper: Keeper, streams: Iterable[bytes]) -> None:
        """A disk has come up and holds the newest of these streams: they go on there, unless they
        are being recorded somewhere else. What waits for a disk that is away may go there too.
        """
        for stream in streams:
            session = self._owner.sessions.get(stream)
            is_recorded = session is not None and session.progress.run != 0
            if not keeper.is_draining and not (is_recorded and stream in self._slots):
                self._slots[stream] = keeper.slot
        self.expect()

    def gather(self) -> None:
        """Gives what waits for disks that are away to those that are there."""
        now_s = time.monotonic()
        for keeper in self.present:
            if self._is_away(keeper, now_s):
                self._move_off(keeper)

    def is_needed(self, keeper: Keeper) -> bool:
        """Whether no other disk can be written."""
        return not self._loads(without=keeper)

    def _loads(self, without: Keeper | None = None) -> list[placement.DiskLoad]:
        ready = [k for k in self.keepers if k.is_ready and k.ready is not None and k is not without]
        fit = [k for k in ready if not k.is_draining]
        return [self._load(k) for k in fit or ready]  # one that drains is better than none

    def _load(self, keeper: Keeper) -> placement.DiskLoad:
        assert keeper.ready is not None
        streams = self.count(keeper)
        most = placement.stream_budget(streams, _tick_ms(keeper.last_durable))
        segments = keeper.ready.segments
        return placement.DiskLoad(keeper.slot, streams, segments, most, keeper.is_doubtful)

    # --- one goes -----------------------------------------------------------------------------

    def hangs(self, keeper: Keeper) -> None:
        """A write has not ended within 2 s. Where no sound disk is left it is waited for: two that
        share a slow machine would throw their streams to each other for ever.
        """
        if all(load.is_doubtful for load in self._loads(without=keeper)):
            return
        if self._move_off(keeper):
            keeper.give_up("a write has not ended within 2 s; its streams went to another disk")

    def failed(self, keeper: Keeper) -> None:
        """It can be written no more."""
        self._move_off(keeper)

    def moves(self, loop: LoopHandle) -> Iterator[tuple[int, int, Sequence[bytes]]]:
        """Where a loop that starts finds the streams of its predecessor: (from, to, streams)."""
        if len(self.keepers) == 1:
            return
        by_slot: dict[int, list[bytes]] = {}
        for stream in loop.sessions:
            if (slot := self._slots.get(stream)) is not None:
                by_slot.setdefault(slot, []).append(stream)
        for slot, streams in by_slot.items():
            yield loop_wire.ANY_SLOT, slot, streams
        now_s = time.monotonic()
        for keeper in self.keepers:
            is_gone = not keeper.is_ready and keeper.lost_s is None
            if (is_gone or self._is_away(keeper, now_s)) and (
                to := self._target(keeper)
            ) is not None:
                yield keeper.slot, to, ()

    def _is_away(self, keeper: Keeper, now_s: float) -> bool:
        """Whether what waits for it has to go elsewhere."""
        if keeper.is_ready:
            others = (k for k in self.keepers if k.is_ready and not k.is_draining)
            return keeper.is_draining and self.count(keeper) > 0 and any(others)
        if keeper.state in ("failed", "hung"):
            return self._is_waited_for(keeper)
        is_late = keeper.lost_s is not None and now_s - keeper.lost_s > _AWAY_S
        return is_late and self._is_waited_for(keeper)

    def _is_waited_for(self, keeper: Keeper) -> bool:
        return self.count(keeper) > 0 or keeper.lost_s is not None

    def _target(self, keeper: Keeper) -> int | None:
        return placement.choose_disk(self._loads(without=keeper))

    def _move_off(self, keeper: Keeper, most: int | None = None) -> bool:
        """Gives its streams (`most` of them) to other disks, chunks that are not durable included.
        False: there is no other.
        """
        streams = [s for s in self._owner.sessions if self._slots.get(s) == keeper.slot][:most]
        by_slot: dict[int, list[bytes]] = {}
        for stream in streams:
            slot = self._target(keeper)
            if slot is None:
                return False
            self._slots[stream] = slot
            by_slot.setdefault(slot, []).append(stream)
        rest = self._target(keeper) if most is None else None
        if rest is None and most is None:
            return False
        for loop in self._owner.loops:
            for slot, moved in by_slot.items():
                loop.move(keeper.slot, slot, moved)
            if rest is not None:
                loop.move(keeper.slot, rest)  # of streams that are no more
            if keeper.is_ready:
                loop.connect(keeper)
        keeper.lost_s = None
        self._tell(keeper, by_slot)
        return True

    def _tell(self, keeper: Keeper, by_slot: dict[int, list[bytes]]) -> None:
        for slot, streams in by_slot.items():
            other = self.keepers[slot]
            _log.warning("%d streams go from %s to %s", len(streams), keeper.path, other.path)
            for stream in streams:
                session = self._owner.sessions[stream]
                session.moved(other)
                if not session.is_recording and (gap := session.gap_message()) is not None:
                    other.gap_open(gap)
        self.expect()

    def _relieve(self, keeper: Keeper) -> None:
        """As many streams leave a slow disk as its seeks are too few for."""
        keeper.slow_ticks = 0
        others = self._loads(without=keeper)
        if not any(load.has_room and not load.is_doubtful for load in others):
            return
        streams = self.count(keeper)
        too_many = placement.surplus(streams, _tick_ms(keeper.last_durable))
        if too_many and self._move_off(keeper, too_many):
            what = f"too slow for its {streams} streams: {too_many} of them went to other disks"
            self._owner.alarm("disk-slow", keeper.path, what)


def _tick_ms(durable: Durable | None) -> float:
    return 0.0 if durable is None else durable.tick_ms
