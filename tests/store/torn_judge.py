"""A disk against the model: whether what was promised is there, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from store.maker import FakeStream
from store.torn_model import Broken, Key, Model, Where, may_be
from vonggac._native import segment as native
from vonggac.store.check import check
from vonggac.store.index_values import RunRow
from vonggac.store.journal import OpenGap
from vonggac.store.segment import Life, SegmentFile
from vonggac.store.start import open_for_reading

FAR_NS = 1 << 62


def judge(folder: Path, streams: Sequence[FakeStream], model: Model) -> list[Key]:
    """Compares the disk with the model. Broken, or what was found."""
    report = check(folder, is_deep=True)
    reading = open_for_reading(folder)
    try:
        found = {}
        for stream in streams:
            for value in reading.archive.packed_minutes(stream.stream, 0, FAR_NS):
                for packed in native.rows_unpack(value):
                    key = (stream.stream, packed.row.run, packed.row.sequence)
                    if key in found:
                        raise Broken(f"1: {key} is there twice")
                    found[key] = (packed.segment, packed.epoch, packed.row.offset)
        segments = dict(reading.archive.segments())
        if len(segments) != reading.disk.identity.segments:
            raise Broken(f"2: {len(segments)} segments are left")
        _judge_found(model, found)
        _judge_bytes(folder, model, found, reading.disk.identity.disk)
        if not set(model.locks) <= set(reading.snapshot.locks):
            raise Broken("5: a lock is gone")
        runs = {s.stream: reading.archive.runs(s.stream, -FAR_NS, FAR_NS) for s in streams}
        _judge_gaps(model, reading.found.gaps, runs)
    finally:
        reading.close()
    promised = {w for w in model.durable.values() if w[:2] not in model.given_up}
    for problem in report.problems:
        is_known = model.may_lack_index and (problem.segment, problem.promise) == (-1, 4)
        if not is_known and not may_be(problem, promised):
            raise Broken(f"{problem.promise}: segment {problem.segment}: {problem.what}")
    return list(found)


def _judge_found(model: Model, found: dict[Key, Where]) -> None:
    whole: dict[tuple[int, int], set[bool]] = {}
    for key, where in model.durable.items():
        is_there = found.get(key) == where
        if key in model.erasing:
            continue
        if key in model.erased:
            if is_there:
                raise Broken(f"6: {key} was erased and is told of")
            continue
        if where[:2] in model.given_up:
            whole.setdefault(where[:2], set()).add(is_there)
        elif not is_there:
            raise Broken(f"1: {key} at {where} was acknowledged: {found.get(key)}")
    for life, seen in whole.items():
        if len(seen) > 1:
            raise Broken(f"6: a part of segment {life[0]} is left")
        if seen == {True}:
            model.given_up.discard(life)  # the reservation did not reach the disk
    if not set(found) <= set(model.made):
        raise Broken("1: a chunk that nobody has made")
    model.seen = {key: where for key, where in found.items() if key not in model.durable}


def _judge_bytes(folder: Path, model: Model, found: dict[Key, Where], disk: bytes) -> None:
    with_files: dict[int, list[tuple[Key, Where]]] = {}
    for key, where in found.items():
        with_files.setdefault(where[0], []).append((key, where))
    for number, entries in with_files.items():
        path = folder / "segments" / "0000" / f"{number:08d}.mp4"
        with path.open("rb") as opened:
            file = SegmentFile(opened.fileno(), path.stat().st_size)
            for key, (_, epoch, offset) in entries:
                view = file.chunk_of(Life(disk, number, epoch), offset)
                made = model.made[key]
                if view is None or view.claim.video_sha256 != made.sha256:
                    raise Broken(f"1: {key} is not what was recorded")
                if key in model.durable and not file.payload_is_whole(view):
                    raise Broken(f"1: the payload of {key} was acknowledged and is torn")


def _judge_gaps(
    model: Model, open_gaps: dict[bytes, OpenGap], runs: dict[bytes, list[RunRow]]
) -> None:
    for stream, gap in model.gaps.items():
        named = any(r.gap_start_ns == gap.start_ns for r in runs[stream])
        if open_gaps.get(stream) != gap and not named:
            raise Broken(f"1: a gap of {stream!r} has fallen silent")
