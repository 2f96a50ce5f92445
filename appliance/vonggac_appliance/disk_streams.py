"""Which stream is on which disk, and where it goes when a disk does.

`vonggac.ingest.placement` decides; docs/design/storage.md, "Several disks", says what is promised.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from vonggac.ingest import placement
from vonggac_appliance import loop_wire
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.loops import LoopHandle
from vonggac_appliance.messages_keeper import Durable

__all__ = ["SLOW_TICKS", "Placement", "Recorded"]

_AWAY_S = 2.0
"""How long a keeper that crashed may take to be back before its streams go elsewhere."""
SLOW_TICKS = 5
"""So many slow ones in a row are no accident."""

_log = logging.getLogger("vonggac.record")


class Recorded(Protocol):
    """What is recorded, and through whom."""

    @property
    def loops(self) -> list[LoopHandle]: ...
    @property
    def sessions(self) -> dict[bytes, StreamSession]: ...
    def alarm(self, kind: str, subject: str, what: str) -> None: ...


class Placement:
    """Of all streams. Slots are places in `keepers`, and stay."""

    def __init__(self, keepers: list[Keeper], owner: Recorded) -> None:
        self.keepers = keepers
        self._owner = owner
        self._slots: dict[bytes, int] = {}

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
                if session is not None:
                    session.moved(keeper)  # one that is just connecting was given another
        self.expect()

    def gather(self) -> None:
        """Gives what waits for disks that are away to those that are there."""
        now_s = time.monotonic()
        for keeper in self.keepers:
            is_left = keeper.state == "retired" and keeper.lost_s is None
            if not is_left and self._is_away(keeper, now_s):
                self.move_off(keeper)

    def forget(self, keeper: Keeper) -> None:
        """Its disk was taken out; what was on it is placed anew."""
        if not self.move_off(keeper):
            _log.warning("disk %s was taken out and no other is there", keeper.path)
        for stream in [s for s, slot in self._slots.items() if slot == keeper.slot]:
            del self._slots[stream]

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
        """A write has not ended within 2 s. Where every other disk hung lately it is waited for a
        while: two that share a slow machine would throw their streams to each other for ever.
        """
        if not self.count(keeper):
            return  # nobody waits for it: it may take its time, as for the commit of a new index
        others = [k for k in self.keepers if k.is_ready and k is not keeper]
        is_long = keeper.watch.hangs_long and any(not k.watch.is_busy for k in others)
        if not is_long and not any(k.is_refuge for k in others):
            return
        if self.move_off(keeper):
            keeper.give_up("a write has not ended within 2 s; its streams went to another disk")

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

    def move_off(self, keeper: Keeper, most: int | None = None) -> bool:
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
        keeper.lost_s = None
        if keeper.is_ready and by_slot:
            keeper.begin_anew("some of its streams went to another disk")
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

    def relieve(self, keeper: Keeper) -> None:
        """As many streams leave a slow disk as its seeks are too few for."""
        keeper.slow_ticks = 0
        others = self._loads(without=keeper)
        if not any(load.has_room and not load.is_doubtful for load in others):
            return
        streams = self.count(keeper)
        too_many = placement.surplus(streams, _tick_ms(keeper.last_durable))
        if too_many and self.move_off(keeper, too_many):
            what = f"too slow for its {streams} streams: {too_many} of them went to other disks"
            self._owner.alarm("disk-slow", keeper.path, what)


def _tick_ms(durable: Durable | None) -> float:
    return 0.0 if durable is None else durable.tick_ms
