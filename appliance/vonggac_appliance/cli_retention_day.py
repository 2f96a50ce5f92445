"""`vonggac retention show ID --day DATE`: why each hour of a day is there, or is not any more."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from vonggac.errors import StorageError
from vonggac.media.chunk import GapReason, gap_word
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import DiskRow
from vonggac.registry.locks import Lock
from vonggac.registry.retention import Policy, Removed
from vonggac.store.journal import Lock as Range
from vonggac.store.locks import LockSet
from vonggac.store.retention import Limits
from vonggac.store.whereabouts import Kind, Span, whereabouts
from vonggac_appliance import footage
from vonggac_appliance.cli_common import UsageError, emit, note, table
from vonggac_appliance.clock import iso, wall_ns
from vonggac_appliance.graves import graves_of

__all__ = ["show_day"]


def show_day(
    args: argparse.Namespace,
    camera: Camera | Removed,
    policy: Policy,
    locks: Sequence[Lock],
    disks: Sequence[DiskRow],
) -> int:
    """Prints a line a span, of each stream; gives the exit status."""
    from_ns, to_ns = _day(args.day)
    now_ns = wall_ns()
    if from_ns >= now_ns:
        raise UsageError(f"{args.day} has not come yet")
    limits = Limits(policy.days_min, policy.days_max, policy.priority, policy.max_by)
    paths = [(Path(row.path), row.uuid) for row in disks]
    told: list[tuple[str, Span]] = []
    for stream, name in _streams(camera):
        held = LockSet.of(
            Range(lock.id, one.id, one.from_ns, one.to_ns)
            for lock in locks
            if lock.is_held
            for one in lock.streams
        )
        seen = footage.timeline_of(args.home, paths, stream, from_ns, min(to_ns, now_ns))
        try:
            graves = graves_of(args.home, {stream}, from_ns, to_ns)
        except StorageError as error:
            graves = []
            note(f"what was erased is not told: {error}")
        spans = whereabouts(seen, held.ranges(stream), graves, limits, now_ns)
        told += [(name, span) for span in spans]
    numbers = _numbers(locks, {stream for stream, _ in _streams(camera)}, from_ns, to_ns)
    facts = {
        "camera": camera.code,
        "from": iso(from_ns),
        "to": iso(to_ns),
        "locks": numbers,
        "spans": [_facts(name, span) for name, span in told],
    }
    rows = [[name, iso(s.from_ns), iso(s.to_ns), _sentence(s, numbers, camera)] for name, s in told]
    emit(args, facts, table(("stream", "from", "to", "what"), rows))
    return 0


def _day(text: str) -> tuple[int, int]:
    try:
        day = date.fromisoformat(text)
        start = datetime(day.year, day.month, day.day).astimezone()
        after = day + timedelta(days=1)
        end = datetime(after.year, after.month, after.day).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no day; write 2026-11-21") from None
    return int(start.timestamp()) * 1_000_000_000, int(end.timestamp()) * 1_000_000_000


def _streams(camera: Camera | Removed) -> list[tuple[bytes, str]]:
    if isinstance(camera, Removed):
        return list(camera.streams)
    return [(stream.id, stream.name) for stream in camera.streams]


def _numbers(locks: Sequence[Lock], streams: set[bytes], from_ns: int, to_ns: int) -> list[int]:
    return [
        lock.number
        for lock in locks
        if lock.is_held
        and any(s.id in streams and s.from_ns < to_ns and s.to_ns > from_ns for s in lock.streams)
    ]


def _facts(name: str, span: Span) -> dict[str, object]:
    return {
        "stream": name,
        "from": iso(span.from_ns),
        "to": iso(span.to_ns),
        "what": span.kind.value,
        "promised_until": _iso(span.promised_until_ns),
        "erased_from": _iso(span.erased_from_ns),
        "gone": _iso(span.gone_ns),
        "days": span.days or None,
        "by": span.by or None,
        "gap_reason": None if span.gap_reason is None else gap_word(span.gap_reason),
    }


def _iso(ns: int | None) -> str | None:
    return None if ns is None else iso(ns)


def _sentence(span: Span, locks: Sequence[int], camera: Camera | Removed) -> str:
    if span.kind is Kind.NOTHING and isinstance(camera, Camera) and span.to_ns < camera.created_ns:
        return f"never recorded: the camera was added on {iso(camera.created_ns)}"
    if span.kind is Kind.LOCKED:
        return f"locked ({', '.join(f'lock {number}' for number in locks)})"
    if span.kind is Kind.RECYCLED:
        return f"given up for newer footage, for the disk was full, on {_iso(span.gone_ns)}"
    if span.kind is Kind.EXPIRED and span.gone_ns is not None:
        return f"expired after {span.days} days ({span.by}), erased on {iso(span.gone_ns)}"
    if span.kind is Kind.EXPIRED:
        return f"expired after {span.days} days ({span.by}); it is erased within a day"
    if span.kind is Kind.RECORDED:
        assert span.promised_until_ns is not None
        rest = "" if span.erased_from_ns is None else f", erased from {iso(span.erased_from_ns)} on"
        return f"recorded; promised until {iso(span.promised_until_ns)}{rest}"
    assert span.gap_reason is not None
    if span.gap_reason == GapReason.UNKNOWN:
        return "nothing is there, and nobody knows why (tombstones come once an hour)"
    return f"never recorded: {gap_word(span.gap_reason)}"
