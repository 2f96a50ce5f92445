"""`vonggac disk mount-readonly`: what lies on a disk that this box does not record on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac.errors import StorageError
from vonggac.playback.still import video_of
from vonggac.store.contents import Contents, contents
from vonggac.store.journal import Lock
from vonggac.store.start import Reading
from vonggac_appliance import foreign
from vonggac_appliance.cli_common import disk_leaf, emit, note, table
from vonggac_appliance.clock import iso
from vonggac_appliance.locking import streams_of

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add_to", "lock_facts"]


def add_to(nested: Commands) -> None:
    """Put the command into the parser."""
    shown = disk_leaf(
        nested,
        "mount-readonly",
        "show what lies on a disk of another box, or on one whose home is gone; nothing is written "
        "to it, and the look is logged here",
        "vonggac disk mount-readonly /mnt/evidence --purpose 'case 2026/17'\n"
        "vonggac timeline 4f1c --disk /mnt/evidence --from -3d --to now\n"
        "vonggac cut 4f1c --disk /mnt/evidence --from 2026-11-21T20:00 --to 2026-11-21T20:10 \\\n"
        "    --purpose 'case 2026/17' -o evidence.mp4",
        _mount_readonly,
    )
    shown.add_argument("--purpose", metavar="TEXT", help="why; stands in the audit chain")
    shown.add_argument("--without-index", action="store_true", help=foreign.WITHOUT_INDEX)


def _mount_readonly(args: argparse.Namespace) -> int:
    found = foreign.recognise(args.home, args.path)
    line = foreign.log(args.home, f"{found.words} at {found.path}", args.purpose)
    known = foreign.known_cameras(args.home)
    with foreign.opened(found, without_index=args.without_index) as reading:
        rows = list(contents(reading))
        facts = _facts(found, reading, rows, known) | {"audit_line": line}
    emit(args, facts, _text(found, reading, rows, known))
    if found.is_own_box:
        note(f"this box has formatted it: vonggac disk add {found.path} records on it again")
    return 0


def _facts(
    found: foreign.Foreign, reading: Reading, rows: list[Contents], known: foreign.Known
) -> dict[str, object]:
    streams: dict[bytes, list[dict[str, object]]] = {}
    for one in rows:
        streams.setdefault(one.camera, []).append(_stream_facts(one, known))
    identity = reading.disk.identity
    locks = reading.snapshot.locks
    return {
        "path": str(found.path),
        "uuid": found.disk.hex(),
        "box": found.box.hex(),
        "own_box": found.is_own_box,
        "segments": identity.segments,
        "segment_bytes": identity.segment_bytes,
        "index_problem": reading.why_rebuilt,
        "journal_problem": reading.journal_problem,
        "cameras": [
            {"id": camera.hex(), "code": _code(known, camera), "streams": of}
            for camera, of in streams.items()
        ],
        "locks": [lock_facts(lock) | {"stream": lock.stream.hex()} for lock in locks],
    }


def _text(
    found: foreign.Foreign, reading: Reading, rows: list[Contents], known: foreign.Known
) -> str:
    lines = []
    for one in rows:
        codec, width, height = _picture(one.head)
        lines.append(
            (
                _code(known, one.camera) or one.camera.hex(),
                _name(known, one) or one.stream.hex(),
                "" if codec is None else f"{codec} {width}x{height}",
                iso(one.from_ns),
                iso(one.to_ns),
                str(len(one.ranges)),
                str(one.size_bytes),
                "; ".join(f"{iso(lock.from_ns)} to {iso(lock.to_ns)}" for lock in one.locks),
            )
        )
    head = ("camera", "stream", "picture", "from", "to", "ranges", "bytes", "locked")
    what = f"{found.path}: {found.words}, {reading.disk.identity.segments} segments\n"
    return what + (table(head, lines) if lines else "nothing is recorded on it")


def _code(known: foreign.Known, camera: bytes) -> str | None:
    row = known.get(camera)
    return None if row is None else row.code


def _name(known: foreign.Known, one: Contents) -> str | None:
    """What this box calls the stream, where it is one of its own."""
    row = known.get(one.camera)
    if row is None:
        return None
    return dict(streams_of(row)).get(one.stream)


def lock_facts(lock: Lock) -> dict[str, object]:
    """A lock of a journal: its case and its reason stand in the home of its box alone."""
    return {"lock": lock.lock.hex(), "from": iso(lock.from_ns), "to": iso(lock.to_ns)}


def _stream_facts(one: Contents, known: foreign.Known) -> dict[str, object]:
    codec, width, height = _picture(one.head)
    return {
        "id": one.stream.hex(),
        "name": _name(known, one),
        "codec": codec,
        "width": width,
        "height": height,
        "from": iso(one.from_ns),
        "to": iso(one.to_ns),
        "bytes": one.size_bytes,
        "ranges": [
            {"from": iso(r.from_ns), "to": iso(r.to_ns), "frames": r.frames, "bytes": r.size_bytes}
            for r in one.ranges
        ],
        "locked": [lock_facts(lock) for lock in one.locks],
    }


def _picture(head: bytes | None) -> tuple[str | None, int | None, int | None]:
    """Codec and size; None where the segment's head does not say."""
    try:
        video = None if head is None else video_of(head)
    except StorageError:
        video = None
    return (None, None, None) if video is None else (video.codec, video.width, video.height)
