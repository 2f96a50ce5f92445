"""What commands say of locks: facts for programs, sentences for people."""

from __future__ import annotations

from collections.abc import Sequence

from vonggac.registry.locks import Lock, quota_segments
from vonggac_appliance.clock import iso
from vonggac_appliance.lock_survey import DiskHold
from vonggac_appliance.locking import Added

__all__ = ["added_facts", "added_text", "disk_facts", "facts", "state_text"]


def added_facts(added: Added) -> dict[str, object]:
    """A new lock."""
    lock = added.lock
    return {
        "lock": lock.number,
        "id": lock.id.hex(),
        "camera": lock.code,
        "streams": [
            {"name": s.name, "from": iso(s.from_ns), "to": iso(s.to_ns)} for s in lock.streams
        ],
        "recorder": added.is_recorder,
        "durable_on": added.durable,
        "later_on": added.later,
        "not_confirmed_on": added.missing,
        "segments": sum(hold.segments([lock.number]) for hold in added.holds),
    }


def added_text(added: Added) -> str:
    """The same, for a person."""
    number = added.lock.number
    segments = sum(hold.segments([number]) for hold in added.holds)
    size = sum(hold.segments([number]) * hold.row.segment_bytes for hold in added.holds)
    held = f"holds {segments} segments, {size} bytes"
    if added.missing:
        paths = ", ".join(added.missing)
        return f"lock {number} stands in the catalog, but {paths} has not confirmed it yet; {held}"
    if not added.is_recorder:
        return (
            f"lock {number} stands in the catalog; no recorder is running, and the next one takes "
            f"it before it overwrites anything; {held}"
        )
    text = f"lock {number}: locked, durable on {', '.join(added.durable) or 'no disk yet'}; {held}"
    if added.later:
        text += f"; {', '.join(added.later)} takes it before it overwrites anything"
    return text


def facts(row: Lock, holds: Sequence[DiskHold], now_ns: int) -> dict[str, object]:
    """A lock of the list, and how much it holds."""
    size = sum(hold.segments([row.number]) * hold.row.segment_bytes for hold in holds)
    unlock = row.unlock
    asked = unlock is not None and not unlock.confirmed_ns
    return {
        "lock": row.number,
        "id": row.id.hex(),
        "camera": row.code,
        "streams": [
            {"name": s.name, "from": iso(s.from_ns), "to": iso(s.to_ns)} for s in row.streams
        ],
        "from": iso(row.from_ns),
        "to": iso(row.to_ns),
        "case": row.case,
        "officer": row.officer,
        "reason": row.reason,
        "review": iso(row.review_ns),
        "overdue": row.is_held and row.review_ns <= now_ns,
        "made_by": row.made_by,
        "made": iso(row.made_ns),
        "state": "removed" if not row.is_held else "removal asked" if asked else "held",
        "asked_by": None if unlock is None else unlock.asked_by,
        "confirmed_by": None if unlock is None else unlock.confirmed_by or None,
        "bytes": size,
    }


def disk_facts(hold: DiskHold, held: Sequence[int], percent: int) -> dict[str, object]:
    """What locks hold of a disk. `held`: numbers of those that hold."""
    row = hold.row
    return {
        "path": row.path,
        "uuid": row.uuid.hex(),
        "segments": row.segments,
        "quota_segments": quota_segments(row.segments, percent),
        "pinned_segments": None if hold.what else hold.segments(held),
        "what": hold.what,
    }


def state_text(row: Lock, names: dict[str, str], now_ns: int) -> str:
    """Whether it holds, and who asked for its removal; `names` of accounts by their ids."""
    unlock = row.unlock
    if unlock is None:
        return "held"
    asked_by = names.get(unlock.asked_by, unlock.asked_by)
    if row.is_held:
        return f"held; {asked_by} asks to remove it: {unlock.reason}"
    return f"removed by {asked_by} and {names.get(unlock.confirmed_by, unlock.confirmed_by)}"
