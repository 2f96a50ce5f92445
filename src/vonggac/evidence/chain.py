"""The audit chain: canonical lines, each carrying the SHA-256 of the one before.

Pure; files are opened by `appliance`. An outsider checks the same with sh, sed and sha256sum:
`"prev":"<64 hex digits>"` stands in every line without spaces, and the hash covers the line with
its newline.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "GENESIS",
    "SEARCH_MAX",
    "TEXT_MAX",
    "Action",
    "Checkpoint",
    "Problem",
    "Value",
    "Verification",
    "canonical_line",
    "hash_line",
    "verify",
]

GENESIS = "0" * 64
"""What the first line carries as `prev`."""
TEXT_MAX = 500
"""Characters of a purpose or an object; a line is an event, not a document."""
SEARCH_MAX = 1000
"""Characters of what a search asks: some 80 corners of regions."""

Value = str | int | bool | None | dict[str, "Value"] | list["Value"]
"""What a line may hold. No floats: they have more than one spelling."""


class Action:
    """The words an event may be called."""

    AUDIT_START = "audit start"
    CUT = "cut"
    LIVE = "live"
    LOOK = "look"
    LOOK_END = "look end"
    MOTION_SEARCH = "motion search"
    """Somebody asked when something moved in a camera's picture."""
    MOTION_REBUILD = "motion rebuild"
    """Somebody had what is known of a camera's motion forgotten, and made anew from its footage."""
    MOTION_MASK_ADD = "motion mask add"
    """From now on searches of a camera leave a part of its picture out, unless they say no."""
    MOTION_MASK_REMOVE = "motion mask remove"
    SETUP_CODE = "setup code"
    PERSON_ADD = "person add"
    PERSON_PASSWORD = "person password"  # noqa: S105
    SIGN_IN = "sign in"
    SIGN_OUT = "sign out"
    DISK_FORMAT = "disk format"
    DISK_REBUILD = "disk rebuild"
    DISK_ADD = "disk add"
    DISK_DRAIN = "disk drain"
    DISK_RETIRE = "disk retire"
    DISK_LOST = "disk lost"
    """Of a disk that was given up unread: a camera's footage, or a lock, that was on it."""
    DISK_MOUNT_READONLY = "disk mount-readonly"
    """What lies on a disk that is none of this box."""
    CAMERA_ADD = "camera add"
    CAMERA_REMOVE = "camera remove"
    CAMERA_FORGET = "camera forget"
    """What was learnt about it, its log-in's floor too."""
    CAMERA_DEVICE = "camera device"
    """Somebody said which device is the camera's, after another one had answered."""
    CAMERA_PUSH_KEY = "camera push-key"
    """Another key for a camera that calls the box."""
    CAMERA_PUBLISH = "camera publish"
    """Somebody called as a camera, from where; taken, or why not."""
    CAMERA_PUBLISH_END = "camera publish end"
    CAMERA_PROBE = "camera probe"
    """Somebody looked at one by hand: at figures, not at pictures."""
    CAMERA_CAPTURE = "camera capture"
    """What passed between it and this box was written to a file, without picture and login."""
    LOCK_ADD = "lock add"
    LOCK_ADOPT = "lock adopt"
    LOCK_REVIEW = "lock review"
    LOCK_REMOVE = "lock remove"
    """Somebody asked for it."""
    LOCK_CONFIRM = "lock confirm"
    CLOCK_CONFIRM = "clock confirm"
    RETENTION_SET = "retention set"
    RETENTION_CONFIRM = "retention confirm"
    ALARM_ACKNOWLEDGE = "alarm acknowledge"
    BACKUP_KEY = "backup key"
    """Somebody made the recovery key; its public half is the object."""
    HOOK_ADD = "hook add"
    """A commander let somebody's program have something of cameras."""
    HOOK_REVOKE = "hook revoke"
    HOOK_DELIVERY = "hook delivery"
    """What a program was given, of one camera, within a minute."""
    HOOK_PICTURE = "hook picture"
    """A program was given one picture."""
    MARK_LIST = "mark list"
    """Somebody read what programs say they saw."""
    LEDGER = "ledger"
    RESTORE = "restore"
    """The home was made again from a backup: the first line of a chain that goes on."""

    ALL = frozenset(
        (
            AUDIT_START,
            CUT,
            LIVE,
            LOOK,
            LOOK_END,
            MOTION_SEARCH,
            MOTION_REBUILD,
            MOTION_MASK_ADD,
            MOTION_MASK_REMOVE,
            SETUP_CODE,
            PERSON_ADD,
            PERSON_PASSWORD,
            SIGN_IN,
            SIGN_OUT,
            DISK_FORMAT,
            DISK_REBUILD,
            DISK_ADD,
            DISK_DRAIN,
            DISK_RETIRE,
            DISK_LOST,
            DISK_MOUNT_READONLY,
            CAMERA_ADD,
            CAMERA_REMOVE,
            CAMERA_FORGET,
            CAMERA_DEVICE,
            CAMERA_PUSH_KEY,
            CAMERA_PUBLISH,
            CAMERA_PUBLISH_END,
            CAMERA_PROBE,
            CAMERA_CAPTURE,
            HOOK_ADD,
            HOOK_REVOKE,
            HOOK_DELIVERY,
            HOOK_PICTURE,
            MARK_LIST,
            LOCK_ADD,
            LOCK_ADOPT,
            LOCK_REVIEW,
            LOCK_REMOVE,
            LOCK_CONFIRM,
            RETENTION_SET,
            RETENTION_CONFIRM,
            CLOCK_CONFIRM,
            ALARM_ACKNOWLEDGE,
            BACKUP_KEY,
            LEDGER,
            RESTORE,
        )
    )
    OWN = frozenset((AUDIT_START, LEDGER, RESTORE))
    """What the writer alone says: nobody can have it written by an append."""
    SEARCHES = frozenset((MOTION_SEARCH, MARK_LIST))
    """What says what it asks."""
    LOOKS = frozenset((CUT, LIVE, LOOK, HOOK_PICTURE)) | SEARCHES
    """What a person sees pictures by, or motion, or marks; for these alone a receipt is made."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What somebody outside noted down: at that many lines, the head was this."""

    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line."""

    line: int
    """From 1."""
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading the whole chain gave.

    A tail without newline was never acknowledged and is not counted; the next line tells of it.
    """

    entries: int
    head: str
    problems: tuple[Problem, ...]
    head_behind: int = 0
    """Whole lines after the one the head file names; a crash between the two leaves some."""


def canonical_line(event: dict[str, Value], number: int, prev: str) -> bytes:
    """The one spelling of an event: keys sorted, no spaces, UTF-8, a newline at its end."""
    text = json.dumps(
        {**event, "n": number, "prev": prev},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )
    return text.encode("utf-8", "backslashreplace") + b"\n"


def hash_line(line: bytes) -> str:
    """The hash that the next line carries; `line` includes its newline."""
    return hashlib.sha256(line).hexdigest()


def verify(
    lines: Iterable[bytes], head: str | None, checkpoints: Iterable[Checkpoint] = ()
) -> Verification:
    """Read a whole chain. `head`: what the head file says, None where it is missing.

    A line is at fault when it is no canonical event, or the next one carries another hash of it.
    """
    walk = _Walk(head, {point.entries: point.head for point in checkpoints})
    for line in lines:
        walk.take(line)
    return walk.finish()


class _Walk:
    """Where a verification stands; lines come in one by one, for a log may be long."""

    def __init__(self, head: str | None, noted: dict[int, str]) -> None:
        self._head = head
        self._noted = noted
        self._position = 0
        self._expected_number = 1
        self._prev = GENESIS
        self._head_at: int | None = 0 if head == GENESIS else None
        self._has_tail = False
        self._problems: list[Problem] = []

    def take(self, line: bytes) -> None:
        """The next line, with its newline; without one it is the tail of a log being written."""
        if not line.endswith(b"\n"):
            self._has_tail = True
            return
        self._position += 1
        event = _parse(line)
        if event is None:
            self._say("is no event in canonical form: it was altered")
        else:
            self._check_links(event)
        self._expected_number += 1
        self._prev = hash_line(line)
        if self._prev == self._head:
            self._head_at = self._position
        noted = self._noted.pop(self._position, None)
        if noted is not None and noted != self._prev:
            self._say("is not what the checkpoint noted: it or a line before it was altered")

    def finish(self) -> Verification:
        """The result, once every line was taken."""
        for entries in sorted(self._noted):
            if entries > 0 or self._noted[entries] != GENESIS:
                self._problems.append(
                    Problem(self._position, f"is the last; the checkpoint noted {entries} lines")
                )
        if self._head is None and self._position:
            self._say("is the last, and the head file that would prove it is missing")
        elif self._head is not None and self._head_at is None:
            self._check_end()
        behind = 0 if self._head_at is None else self._position - self._head_at
        return Verification(self._position, self._prev, tuple(self._problems), behind)

    def _check_end(self) -> None:
        """The head is none of the lines. A tail alone is no fault: it was never acknowledged."""
        if self._has_tail:
            self._problems.append(Problem(self._position + 1, "is cut off"))
        else:
            self._problems.append(
                Problem(
                    max(1, self._position),
                    "is not what the head names: it was altered, or lines after it were dropped",
                )
            )

    def _check_links(self, event: dict[str, Value]) -> None:
        number = event.get("n")
        if number != self._expected_number:
            self._check_number(number)
        elif event.get("prev") != self._prev:
            self._problems.append(
                Problem(
                    max(1, self._position - 1),
                    f"is not what line {self._position} was chained to: one of the two was altered",
                )
            )
        if isinstance(number, int) and not isinstance(number, bool):
            self._expected_number = number

    def _check_number(self, number: Value) -> None:
        expected = self._expected_number
        if isinstance(number, bool) or not isinstance(number, int):
            self._say("has no number: it was altered")
        elif number == expected + 1:
            self._say(f"is number {number}: line {expected} was dropped")
        elif number > expected:
            self._say(f"is number {number}: lines {expected} to {number - 1} were dropped or moved")
        else:
            self._say(f"is number {number}, not {expected}: lines were reordered or repeated")

    def _say(self, what: str) -> None:
        self._problems.append(Problem(self._position, what))


def _parse(line: bytes) -> dict[str, Value] | None:
    try:
        event = json.loads(line)
        if not isinstance(event, dict):
            return None
        number, prev = event.get("n"), event.get("prev")
        if not isinstance(number, int) or not isinstance(prev, str):
            return None
        return event if canonical_line(event, number, prev) == line else None
    except (ValueError, RecursionError):  # no JSON, a NaN, or a thousand brackets
        return None
