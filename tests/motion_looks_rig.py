"""Who searches motion, of cameras of every owner, and what the chain says of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_rig import audit_run, chain_of
from vonggac.registry.camera import Basis, Camera, Mode, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, Purpose, PurposeCode, Role
from vonggac_appliance.messages_motion import MotionQuery, Points, Watched
from vonggac_appliance.motion_looks import MotionLooks, Searcher

_S = 1_000_000_000
GATE: Points = [(0.1, 0.2), (0.3, 0.2), (0.3, 0.5), (0.1, 0.5)]
CASE = Purpose(PurposeCode.CRIME, "2026/17")
COMMANDER = Searcher(Person("ab" * 16, Role.COMMANDER), "0123456789abcdef", "192.168.1.7", "Ff")


@dataclass(slots=True)
class Rig:
    home: Path
    catalog: Catalog
    looks: MotionLooks
    ids: dict[str, bytes]

    def query(self, *codes: str, regions: list[Points] | None = None) -> MotionQuery:
        now_ns = time.time_ns()
        where = [GATE] if regions is None else regions
        cameras = [Watched(self.ids[code], where) for code in codes]
        return MotionQuery(cameras, now_ns - 3600 * _S, now_ns + 60 * _S)

    def searches(self) -> list[dict[str, object]]:
        return [line for line in chain_of(self.home) if line["action"] == "motion search"]


def camera(code: str, kind: OwnerKind, basis: Basis | None = None, area: str = "") -> Camera:
    streams = (Stream(os.urandom(16), "main", "rtsp://127.0.0.1/main"),)
    return Camera(os.urandom(16), code, streams, 1, owner_kind=kind, basis=basis, area=area)


@contextmanager
def motion_looks(home: Path) -> Iterator[Rig]:
    """Beside a chain."""
    with audit_run(home), Catalog(home) as catalog:
        asked = Basis(Mode.EXTRACT_ON_REQUEST, from_ns=0)
        cameras = [
            camera("cong", OwnerKind.STATE, area="tổ 3"),
            camera("cho", OwnerKind.STATE, area="tổ 7"),
            camera("nha12", OwnerKind.HOUSEHOLD),
            camera("nha14", OwnerKind.HOUSEHOLD, asked),
            *(camera(f"pho{n}", OwnerKind.STATE) for n in range(18)),
        ]
        for one in cameras:
            catalog.add_camera(one)
        looks = MotionLooks(home, catalog)
        yield Rig(home, catalog, looks, {one.code: one.id for one in cameras})
