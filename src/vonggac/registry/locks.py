"""Locks: recorded time that must stay. The catalog's row, and the rules of making and removing one.

Pure. A row is never deleted: the one of a lock that was removed is what takes it off a disk that
was away meanwhile, and says who did so.
"""

from __future__ import annotations

import unicodedata

import msgspec

from vonggac.errors import Invalid, Refused
from vonggac.registry.camera import Camera
from vonggac.registry.people import Person, Role
from vonggac.registry.retention import Removed
from vonggac.registry.rules import may_know

__all__ = [
    "AHEAD_MAX_NS",
    "HELD_MAX",
    "RANGES_HELD_MAX",
    "REVIEW_DAYS_MAX",
    "Lock",
    "LockedStream",
    "Unlock",
    "ask_unlock",
    "check_quota",
    "confirm_unlock",
    "found_lock",
    "may_know_lock",
    "new_lock",
    "quota_segments",
    "review_later",
]

_DAY_NS = 86_400 * 1_000_000_000
REVIEW_DAYS_MAX = 90
"""Evidence L-2: a lock that nobody looks at again would stay for ever."""
_FOUND_REVIEW_DAYS = 7
AHEAD_MAX_NS = 3600 * 1_000_000_000
"""What is about to happen may be locked too; more than that is a plan, not evidence."""
ASKED_FOR_NS = 7 * _DAY_NS
"""A request to unlock that nobody has confirmed by then has lapsed."""
HELD_MAX = 1000
RANGES_HELD_MAX = 2 * HELD_MAX
"""Streams of all of them: they fill 94 KiB of a journal's 1 MiB."""
_TEXT_MAX = {"case": 64, "officer": 64, "reason": 300}
_MAY_UNLOCK = (Role.COMMANDER, Role.AREA_OFFICER, Role.DETECTIVE, Role.LOCAL)
_MAY_DECIDE = (Role.COMMANDER, Role.LOCAL)


class LockedStream(msgspec.Struct, frozen=True):
    """What of a stream is held: what was asked for, widened to whole fragments."""

    id: bytes
    name: str
    """`main` or `sub`."""
    from_ns: int
    to_ns: int


class Unlock(msgspec.Struct, frozen=True):
    """That somebody wants a lock removed; and, once confirmed, that it is."""

    reason: str
    asked_by: str
    """As in the audit chain: an account's id in hex, or `local:<uid>`."""
    asked_role: str
    asked_ns: int
    confirmed_by: str = ""
    confirmed_ns: int = 0
    """0: nobody has confirmed, the lock holds."""


class Lock(msgspec.Struct, frozen=True):
    """A row of the catalog. Ranges are [from_ns, to_ns)."""

    id: bytes
    """16 random bytes; what the disks' journals know it by."""
    number: int
    """What people call it, from 1; never given again."""
    camera: bytes
    code: str
    """What the camera was called; it may be gone since."""
    streams: tuple[LockedStream, ...]
    from_ns: int
    to_ns: int
    """As it was asked for."""
    case: str
    officer: str
    """Who asked for it, in his own words."""
    reason: str
    review_ns: int
    """When somebody has to look at it again; overdue is an alarm, never an unlock."""
    made_by: str
    made_ns: int
    unlock: Unlock | None = None

    @property
    def is_held(self) -> bool:
        """Whether it binds; a request to remove it changes nothing."""
        return self.unlock is None or not self.unlock.confirmed_ns


def new_lock(
    lock_id: bytes,
    number: int,
    camera: Camera | Removed,
    streams: tuple[tuple[bytes, str], ...],
    span_ns: tuple[int, int],
    texts: tuple[str, str, str],
    review_ns: int,
    made_by: Person,
    now_ns: int,
) -> Lock:
    """A lock of `streams` (id and name each); `texts`: case, officer, reason. Raises Invalid with
    the field's name.
    """
    from_ns, to_ns = span_ns
    if not 0 <= from_ns < to_ns:
        raise Invalid("to", "the range to lock ends before it begins")
    if to_ns > now_ns + AHEAD_MAX_NS:
        raise Invalid("to", "what lies more than an hour ahead cannot be locked yet")
    case, officer, reason = (
        _text(field, value) for field, value in zip(_TEXT_MAX, texts, strict=True)
    )
    return Lock(
        id=lock_id,
        number=number,
        camera=camera.id,
        code=camera.code,
        streams=tuple(LockedStream(stream, name, from_ns, to_ns) for stream, name in streams),
        from_ns=from_ns,
        to_ns=to_ns,
        case=case,
        officer=officer,
        reason=reason,
        review_ns=_review(review_ns, now_ns),
        made_by=made_by.name,
        made_ns=now_ns,
    )


def found_lock(
    lock_id: bytes,
    number: int,
    camera: Camera | Removed | None,
    streams: tuple[LockedStream, ...],
    where: str,
    made_by: Person,
    now_ns: int,
) -> Lock:
    """A row for a lock that only a disk's journal knows, such as after an older catalog was
    restored. Who made it, and why, has to be found out: it is to be reviewed in a week.
    """
    return Lock(
        id=lock_id,
        number=number,
        camera=bytes(16) if camera is None else camera.id,
        code="unknown" if camera is None else camera.code,
        streams=streams,
        from_ns=min(stream.from_ns for stream in streams),
        to_ns=max(stream.to_ns for stream in streams),
        case="unknown",
        officer="unknown",
        reason=f"found in the journal of {where}"[: _TEXT_MAX["reason"]],
        review_ns=now_ns + _FOUND_REVIEW_DAYS * _DAY_NS,
        made_by=made_by.name,
        made_ns=now_ns,
    )


def review_later(lock: Lock, review_ns: int, now_ns: int) -> Lock:
    """The lock with a new date. Refused when it does not hold any more, Invalid("review")."""
    _must_hold(lock)
    return msgspec.structs.replace(lock, review_ns=_review(review_ns, now_ns))


def ask_unlock(lock: Lock, person: Person, reason: str, now_ns: int) -> Lock:
    """The lock with a request to remove it; it holds as before. Refused, Invalid("reason")."""
    _must_hold(lock)
    _must_be_allowed(person)
    before = lock.unlock
    if before is not None and before.asked_by == person.name and not _has_lapsed(before, now_ns):
        raise Refused(f"you have asked for that already: somebody else confirms lock {lock.number}")
    request = Unlock(_text("reason", reason), person.name, str(person.role), now_ns)
    return msgspec.structs.replace(lock, unlock=request)


def confirm_unlock(lock: Lock, person: Person, now_ns: int) -> Lock:
    """The lock, removed by a second person (evidence L-4). Refused with the reason."""
    _must_hold(lock)
    _must_be_allowed(person)
    asked = lock.unlock
    if asked is None:
        raise Refused(f"nobody has asked to remove lock {lock.number} (lock remove)")
    if _has_lapsed(asked, now_ns):
        raise Refused(f"the request to remove lock {lock.number} has lapsed: ask again")
    if asked.asked_by == person.name:
        raise Refused("whoever asked cannot confirm: a lock is removed by two people")
    if (asked.asked_role == Role.LOCAL) != (person.role is Role.LOCAL):
        # A shell and an account may be the same man.
        raise Refused("a shell's request is confirmed by no account, nor the other way: ask again")
    if Role(asked.asked_role) not in _MAY_DECIDE and person.role not in _MAY_DECIDE:
        raise Refused("one of the two who remove a lock is a commander")
    done = msgspec.structs.replace(asked, confirmed_by=person.name, confirmed_ns=now_ns)
    return msgspec.structs.replace(lock, unlock=done)


def may_know_lock(person: Person, camera: Camera | None) -> bool:
    """Whether `person` may learn of a case by its lock. `camera`: None when it was removed."""
    if person.role in (Role.TECHNICIAN, Role.OPERATOR):
        return False
    if camera is None:
        return person.role is not Role.AREA_OFFICER
    return may_know(person, camera)


def quota_segments(segments: int, percent: int) -> int:
    """How many of a disk's segments locks may pin."""
    return segments * percent // 100


def check_quota(path: str, before: int, after: int, segments: int, percent: int) -> None:
    """Refused where a lock pins more of a disk than locks may; `before`, `after`: segments."""
    quota = quota_segments(segments, percent)
    if after <= quota or after <= before:
        return
    raise Refused(
        f"not locked: on {path} locks would hold {after} of {segments} segments (now {before}), "
        f"and they may hold {quota} ({percent} %, quota_percent in [locks]): remove a lock that is "
        "not needed any more, or lock a shorter time; recording goes on"
    )


def _review(review_ns: int, now_ns: int) -> int:
    if not now_ns < review_ns <= now_ns + REVIEW_DAYS_MAX * _DAY_NS:
        raise Invalid("review", f"the review lies ahead, and at most {REVIEW_DAYS_MAX} days")
    return review_ns


def _text(field: str, value: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if not any(map(str.isalnum, text)):
        raise Invalid(field, f"a lock needs its {field}")
    if len(text) > _TEXT_MAX[field]:
        raise Invalid(field, f"the {field} has at most {_TEXT_MAX[field]} characters")
    if any(unicodedata.category(character).startswith("C") for character in text):
        raise Invalid(field, f"the {field} holds characters that nobody sees")
    return text


def _must_hold(lock: Lock) -> None:
    if not lock.is_held:
        raise Refused(f"lock {lock.number} was removed already")


def _must_be_allowed(person: Person) -> None:
    if person.role not in _MAY_UNLOCK:
        raise Refused(f"a lock is not removed by a person of role {person.role}")


def _has_lapsed(asked: Unlock, now_ns: int) -> bool:
    return now_ns >= asked.asked_ns + ASKED_FOR_NS
