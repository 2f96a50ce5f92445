"""What `timeline` and `cut` look at: a camera of this box, or a stream on a disk that is none."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Refused
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.catalog import Catalog
from vonggac.store.journal import Lock
from vonggac_appliance import footage, foreign
from vonggac_appliance.cli_common import UsageError, camera_of

__all__ = ["Where", "add_to", "where"]


def add_to(parser: argparse.ArgumentParser) -> None:
    """The options that say which stream."""
    parser.add_argument(
        "id", metavar="ID", help="the camera; with --disk its id or the start of it"
    )
    parser.add_argument(
        "--stream",
        metavar="NAME",
        help="main (without it) or sub; with --disk its id or the start of it",
    )
    parser.add_argument(
        "--disk",
        type=Path,
        metavar="PATH",
        help="of this disk, which is another box's or has lost its home (disk mount-readonly)",
    )
    parser.add_argument(
        "--without-index", action="store_true", help=f"with --disk: {foreign.WITHOUT_INDEX}"
    )


@dataclass(frozen=True, slots=True)
class Where:
    """A stream, and where its footage lies."""

    camera: Camera
    stream: Stream
    disks: footage.Disks
    opens: footage.Opens = footage.open_source
    what: str = ""
    """Of a disk that is none of this box: which, for the audit line."""
    locks: tuple[Lock, ...] = ()
    """Of such a disk's journal."""

    @property
    def is_foreign(self) -> bool:
        return bool(self.what)


@contextmanager
def where(args: argparse.Namespace, output: Path | None = None) -> Iterator[Where]:
    """What was asked for. With --disk that disk is open, and `output` may not lie on it."""
    if args.disk is None:
        if args.without_index:
            raise UsageError("--without-index goes with --disk")
        camera = camera_of(args.home, args.id)
        name = args.stream or "main"
        if name not in ("main", "sub"):
            raise UsageError(f"--stream: {name} is neither main nor sub")
        stream = camera.stream(name)
        if stream is None:
            raise Refused(f"{camera.code} has no {name} stream")
        yield Where(camera, stream, _disks_of(args.home))
        return
    found = foreign.recognise(args.home, args.disk)
    if output is not None:
        foreign.check_output(args.home, found, output)
    with foreign.opened(found, without_index=args.without_index) as reading:
        try:
            camera_id, stream_id = foreign.stream_of(reading, args.id, args.stream)
        except Refused:
            # It names what lies there, so it is a look as well.
            foreign.log(args.home, found.words, args.purpose, "refused: no stream was named")
            raise
        camera = foreign.camera_row(foreign.known_cameras(args.home), camera_id, stream_id)
        yield Where(
            camera,
            camera.streams[-1],
            [(found.path, found.disk)],
            lambda *_: foreign.KeptOpen(reading),
            f"{camera_id.hex()}/{stream_id.hex()} on {found.words}",
            tuple(lock for lock in reading.snapshot.locks if lock.stream == stream_id),
        )


def _disks_of(home: Path) -> list[tuple[Path, bytes]]:
    with Catalog(home, is_readonly=True) as catalog:
        return [(Path(row.path), row.uuid) for row in catalog.disks()]
