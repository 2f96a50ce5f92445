"""A disk that this box does not record on: another box's, or one whose home is gone.

It is read as it lies there. Nothing is written to it: its lock is taken shared, its index opened
without LMDB's lock file, and what a keeper did not seal is recovered in memory. Who looks stands in
this box's audit chain.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from vonggac.errors import Refused
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode
from vonggac.registry.retention import Removed
from vonggac.store import disk as disks
from vonggac.store import index
from vonggac.store.contents import streams_on
from vonggac.store.start import Reading, open_for_reading
from vonggac.store.timeline import Timeline
from vonggac_appliance import audit_client
from vonggac_appliance.cli_common import UsageError, note
from vonggac_appliance.messages_audit import AuditAppend
from vonggac_appliance.sources import OfflineDisk

__all__ = [
    "WITHOUT_INDEX",
    "Foreign",
    "KeptOpen",
    "Known",
    "camera_row",
    "check_output",
    "known_cameras",
    "log",
    "opened",
    "recognise",
    "stream_of",
    "told_by_one_disk",
]

Known = Mapping[bytes, Camera | Removed]
"""Cameras of this box by their ids, those that were taken out too."""
_SHOWN_MAX = 8
WITHOUT_INDEX = (
    "read all heads and tables of such a disk instead of its index, which may be damaged; slow"
)
"""What the option of that name is good for."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What its identity says."""

    path: Path
    disk: bytes
    box: bytes
    is_own_box: bool
    """This box has formatted it, and does not know it (any more)."""

    @property
    def words(self) -> str:
        """For an audit line: both ids."""
        return f"disk {self.disk.hex()} of box {self.box.hex()}"


def recognise(home: Path, path: Path) -> Foreign:
    """What disk lies at `path`. ConfigError for none, Refused for one of this box's own."""
    path = path.absolute()
    _check_links(path)
    with disks.open_disk(path, exclusive=False) as opened:
        identity = opened.identity
    own_box = None
    if (home / "catalog").exists():
        with Catalog(home, is_readonly=True) as catalog:
            own_box, rows = catalog.box_id, catalog.disks()
        if any(row.uuid == identity.disk for row in rows):
            raise Refused(
                f"{path} is a disk of this box: vonggac timeline and vonggac cut read it by the "
                "camera's name"
            )
    if not os.statvfs(path).f_flag & os.ST_RDONLY:
        note(
            f"{path} is mounted writable: this command writes nothing, but Linux may (access "
            "times, the file system's journal). Evidence is mounted read-only: docs/ref/commands.md"
        )
    return Foreign(path, identity.disk, identity.box, identity.box == own_box)


def _check_links(path: Path) -> None:
    """Refused where a name there leads elsewhere, perhaps to footage of this very box. Segments and
    the journal are opened without following links.
    """
    names = (disks.IDENTITY_NAME, disks.SEGMENTS_NAME, disks.INDEX_NAME)
    index_file = path / disks.INDEX_NAME / index.DATA_NAME
    folders = (path / disks.SEGMENTS_NAME).glob("*")
    for where in (*(path / name for name in names), index_file, *folders):
        if where.is_symlink():
            raise Refused(f"{where} is a symbolic link, which no recorder makes")


def check_output(home: Path, found: Foreign, output: Path) -> None:
    """Refused where a file would be written to what is only read."""
    there = found.path.stat().st_dev
    is_apart = there != home.stat().st_dev  # else the disk is a folder like any other
    is_on_it = is_apart and output.parent.stat().st_dev == there
    if is_on_it or output.resolve().is_relative_to(found.path.resolve()):
        raise Refused(f"{output} lies on the disk that is only read: choose another place")


def log(home: Path, what: str, purpose: str | None, result: str = "done") -> int:
    """The line in the audit chain, before anything is told of the disk. Unavailable."""
    if purpose is not None and len(purpose) > TEXT_MAX:
        raise UsageError(f"--purpose has at most {TEXT_MAX} characters")
    if purpose is None or not Purpose(PurposeCode.OTHER, purpose).is_told:
        note("no purpose was given, and the line in the audit chain has none")
    given = None if purpose is None else (PurposeCode.OTHER.value, purpose)
    event = AuditAppend(Action.DISK_MOUNT_READONLY, what[:TEXT_MAX], given, result)
    return audit_client.append(home, event).line


@contextmanager
def opened(found: Foreign, *, without_index: bool) -> Iterator[Reading]:
    """The disk, recovered in memory. Unavailable where a recorder has it.

    `without_index`: LMDB checks little of what it reads, and a page that is wrong or cannot be read
    may end the process.
    """
    distrust = "--without-index" if without_index else ""
    reading = open_for_reading(found.path, distrust=distrust, is_salvage=True)
    try:
        if reading.disk.identity.disk != found.disk:
            raise Refused(f"another disk was mounted at {found.path} meanwhile")
        if reading.why_rebuilt is not None:
            note(f"all its segments were looked at instead of its index: {reading.why_rebuilt}")
        if reading.journal_problem is not None:
            note("what is locked on it is not known, for its journal cannot be read")
        yield reading
    finally:
        reading.close()


class KeptOpen(OfflineDisk):
    """One that was opened already: a command asks it several times, and recovery takes its time."""

    def close(self) -> None:
        """Whoever opened it closes it."""


def known_cameras(home: Path) -> Known:
    """Those of this box: a disk whose home is gone may hold some of them."""
    if not (home / "catalog").exists():
        return {}
    with Catalog(home, is_readonly=True) as catalog:
        rows: list[Camera | Removed] = [*catalog.removed(), *catalog.cameras()]
    return {row.id: row for row in rows}


def stream_of(reading: Reading, camera: str, stream: str | None) -> tuple[bytes, bytes]:
    """Camera's and stream's id, by what of each was typed. Refused where that is none or several.

    `stream` None: the only one that the camera has there.
    """
    there = streams_on(reading)
    camera_id = _the_one(set(there.values()), camera, "camera")
    streams = [one for one, of in there.items() if of == camera_id]
    return camera_id, _the_one(streams, stream or "", "stream")


def _the_one(ids: Iterable[bytes], typed: str, what: str) -> bytes:
    found = sorted(one for one in ids if one.hex().startswith(typed.lower()))
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused(f"no {what} {typed} lies on that disk (vonggac disk mount-readonly)")
    names = ", ".join(one.hex() for one in found[:_SHOWN_MAX])
    names += ", …" if len(found) > _SHOWN_MAX else ""
    which = "--stream says which" if what == "stream" else "type more of its id"
    raise Refused(f"{len(found)} {what}s on that disk are called so, {which}: {names}")


def camera_row(known: Known, camera: bytes, stream: bytes) -> Camera:
    """Whose rules hold: this box's camera with its agreement; of any other nobody here knows who
    owns it, and a look at it is red.
    """
    row = known.get(camera)
    shown = Stream(stream, stream.hex(), "")
    if isinstance(row, Camera):
        return structs.replace(row, streams=(*row.streams, shown))
    if isinstance(row, Removed):
        return Camera(row.id, row.code, (shown,), row.removed_ns, owner_kind=row.owner_kind)
    return Camera(camera, camera.hex(), (shown,), 0)


def told_by_one_disk(line: Timeline) -> Timeline:
    """Without what a recorder may conclude and one disk may not: what is missing here may lie on
    another disk of that box. Reasons that the recorder wrote down stay.
    """
    concluded, unknown = int(GapReason.BOX_STOPPED), int(GapReason.UNKNOWN)
    gaps = (replace(gap, reason=unknown) if gap.reason == concluded else gap for gap in line.gaps)
    return replace(line, gaps=tuple(gaps))
