"""The box's clock as the recorder watches it: is it kept, was it set?

A step of more than a minute is noted in HOME/clock-step until a person confirms it (`vonggac clock
confirm`): nothing is erased by its time meanwhile. docs/design/time.md tells why.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from vonggac.errors import StorageError
from vonggac.ingest import clock_steps
from vonggac.ingest.clock_steps import ClockSteps, StepNote
from vonggac_appliance.clock import Clock, is_synchronised, wall_ns

__all__ = ["ALARM", "ClockWatch", "boot_ns", "confirm", "span_words", "unconfirmed"]

ALARM = "clock-step"
_log = logging.getLogger("vonggac.record")

_SYNC_EVERY_NS = 30 * 1_000_000_000
_NOTE_BYTES_MAX = 4096
_UNREADABLE = StepNote(at_ns=0, step_ns=0, largest_ns=0)
"""A note that cannot be read still is one: better to ask a person once too often."""


def boot_ns() -> int:
    """A clock that nobody sets and that goes on while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Looked at once a second by the recorder's parent. `alarm` gets kind, subject and words."""

    def __init__(
        self,
        home: Path,
        alarm: Callable[[str, str, str], None],
        *,
        wall: Clock = wall_ns,
        boot: Clock = boot_ns,
        is_kept: Callable[[], bool] = is_synchronised,
    ) -> None:
        self._home = home
        self._alarm = alarm
        self._wall = wall
        self._boot = boot
        self._is_kept = is_kept
        self._steps: ClockSteps = clock_steps.begin(wall(), boot())
        self._looked_ns = boot()
        self._synced_since_ns: int | None = self._looked_ns if is_kept() else None

    @property
    def is_synced(self) -> bool:
        """Whether something keeps the clock, as of the last half minute; stands in every claim."""
        return self._synced_since_ns is not None

    def synced_for_ns(self) -> int:
        """How long the clock has been kept without a break, as far as this process saw; 0: it is
        not."""
        return 0 if self._synced_since_ns is None else self._boot() - self._synced_since_ns

    def step(self) -> StepNote | None:
        """The step that waits for a person; None: there is none, and time may be gone by."""
        return unconfirmed(self._home)

    def turn(self) -> bool:
        """Looks at the clock; True when loops have to be told whether it is synchronised."""
        wall, boot = self._wall(), self._boot()
        self._steps, step_ns = self._steps.look(wall, boot)
        if step_ns:
            self._note(wall, step_ns, f"the clock was set {span_words(step_ns)}")
        if not step_ns and boot - self._looked_ns < _SYNC_EVERY_NS:
            return False
        self._looked_ns = boot
        if not self._is_kept():
            self._synced_since_ns = None
        elif self._synced_since_ns is None or step_ns:
            self._synced_since_ns = boot  # kept since it was set, not before
        return True

    def recorded(self, newest_ns: int) -> None:
        """A disk tells the end of what was recorded last: the clock cannot be earlier than that."""
        wall = self._wall()
        step_ns = clock_steps.behind_the_record(wall, newest_ns)
        if step_ns:
            what = f"the clock is {span_words(-step_ns).split(' ', 1)[1]} behind what is recorded"
            self._note(wall, step_ns, f"{what} (is the battery of its clock dead?)")

    def _note(self, wall: int, step_ns: int, what: str) -> None:
        note = clock_steps.noted(self.step(), wall, step_ns)
        try:
            _write(note_path(self._home), msgspec.json.encode(note))
        except OSError as error:
            _log.error("the step of the clock cannot be noted: %s", error)
        self._alarm(
            ALARM, "clock", f"{what}; nothing is erased by its time until: vonggac clock confirm"
        )


def note_path(home: Path) -> Path:
    """Empty or missing: no step waits. On the appliance the file is made by tmpfiles.d, since the
    recorder may not make any in the home itself.
    """
    return home / "clock-step"


def unconfirmed(home: Path) -> StepNote | None:
    """The step that waits for a person, as any process may read it."""
    try:
        with note_path(home).open("rb") as file:
            raw = file.read(_NOTE_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError:
        return _UNREADABLE
    if not raw.strip():
        return None
    try:
        return msgspec.json.decode(raw, type=StepNote)
    except msgspec.MsgspecError:
        return _UNREADABLE


def confirm(home: Path) -> StepNote | None:
    """A person says that the clock is right now: gives the step it was about, None without one.

    Raises StorageError where this user may not.
    """
    note = unconfirmed(home)
    if note is None:
        return None
    try:
        _write(note_path(home), b"")
    except OSError as error:
        raise StorageError(f"{note_path(home)}: {error.strerror}") from error
    return note


def span_words(step_ns: int) -> str:
    """`forward 1 h 0 min`, `back 366 d 5 h`."""
    minutes = abs(step_ns) // 60_000_000_000
    days, hours = minutes // 1440, minutes // 60 % 24
    span = f"{days} d {hours} h" if days else f"{minutes // 60} h {minutes % 60} min"
    return f"{'forward' if step_ns > 0 else 'back'} {span}"


def _write(path: Path, data: bytes) -> None:
    """In place and synced: the directory may be another user's."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.pwrite(fd, data, 0)
        os.ftruncate(fd, len(data))
        os.fsync(fd)
    finally:
        os.close(fd)
