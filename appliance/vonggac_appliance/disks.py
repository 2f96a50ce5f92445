"""The disks of a recorder, as the catalog says: a keeper each, added and taken out as it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac_appliance.children import Children
from vonggac_appliance.disk_streams import SLOW_TICKS, Placement, Recorded
from vonggac_appliance.keeper_hears import Hears
from vonggac_appliance.keepers import Keeper

__all__ = ["SLOTS_MAX", "Disks"]

SLOTS_MAX = 64
"""LOOP_KEEPERS_MAX of the native loop."""
_log = logging.getLogger("vonggac.record")


class Disks:
    """Slots are never used again while the recorder runs: arenas and loops know them."""

    def __init__(
        self, catalog: Catalog, home: Path, children: Children, hears: Hears, recorded: Recorded
    ) -> None:
        self.keepers: list[Keeper] = []
        self.streams = Placement(self.keepers, recorded)
        self._catalog = catalog
        self._home = home
        self._children = children
        self._hears = hears
        self._changes = -1

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
            if keeper.slow_ticks >= SLOW_TICKS:
                self.streams.relieve(keeper)
        self.streams.gather()

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
                self._add(row).start_now()
            else:
                what = f"{SLOTS_MAX} disks were used since the recorder started; restart it"
                self._hears.alarm("disk-failed", row.path, what)

    def _add(self, row: DiskRow) -> Keeper:
        slot, home, box = len(self.keepers), str(self._home), self._catalog.box_id
        keeper = Keeper(slot, row.uuid, row.path, home, box, self._children, self._hears)
        keeper.is_draining = row.is_draining
        self.keepers.append(keeper)
        return keeper

    def _change(self, keeper: Keeper, row: DiskRow) -> None:
        if row.path != keeper.path:
            keeper.go_to(row.path)
        if row.is_draining != keeper.is_draining:
            keeper.is_draining = row.is_draining
            _log.info("disk %s: %s", keeper.path, "draining" if row.is_draining else "recording")
            self.streams.gather()
            if self.streams.count(keeper) and row.is_draining:
                what = "no other disk takes its streams now: they stay until one does"
                self._hears.alarm("disk-draining", keeper.path, what)

    def _retire(self, keeper: Keeper) -> None:
        self.streams.forget(keeper)
        keeper.retire()
