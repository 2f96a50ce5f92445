"""Marks that programs push: checked against the grant, kept, erased with their camera's footage."""

from __future__ import annotations

import contextlib
import errno
import logging
import queue
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from vonggac.errors import Invalid, OutOfSpace, StorageError
from vonggac.motion.mark_files import MarkFiles
from vonggac.motion.marks import Mark, check
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookKind, may_deliver
from vonggac.registry.retention import Removed, policy_of
from vonggac.registry.rules import is_indexed
from vonggac_appliance import config
from vonggac_appliance.bus_events import Event, HookCount, HookCounts, MarkAdded
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.hook_limits import spare
from vonggac_appliance.hook_marks_survey import MarkSurvey
from vonggac_appliance.hook_protocol import HookKept, HookMark, HookRefused

__all__ = ["HookMarks", "folder_of"]

_log = logging.getLogger("vonggac.hooks")

_DAY_NS = 86_400 * 1_000_000_000
_SIZE_MAX = 1 << 30
_HOOK_SIZE_MAX = 256 << 20
"""Of one hook, whose flood takes no room from the others'."""
_DAYS_MAX = 90
"""Where nothing limits a camera's footage."""
_CLOCK_NS = 5 * 1_000_000_000
"""Another computer's clock is not ours."""
_FAR_NS = 1 << 62
_TIDY_S = 60.0
"""Agreements end without a change of the catalog."""
_SAY_S = 60.0
_TELL_S = 10.0


def folder_of(home: Path) -> Path:
    """Where marks lie."""
    return home / "hooks" / "marks"


class HookMarks:
    """In one thread; another one asks the keepers what is still recorded."""

    def __init__(self, home: Path, catalog: Catalog, publish: Callable[[Event], None]) -> None:
        """`publish`: on the bus, where others hear of marks. Raises StorageError."""
        self._files = MarkFiles(folder_of(home), _SIZE_MAX, hook_max_bytes=_HOOK_SIZE_MAX)
        self._catalog = catalog
        self._publish = publish
        self._classes = config.load(home).retention
        self._kept: Counter[int] = Counter()
        self._refused: Counter[tuple[int, str]] = Counter()
        """Both since the process began."""
        self._said: Counter[tuple[int, str]] = Counter()
        self._changes = -1
        self._told = 0
        self._tidy_s = self._say_s = self._tell_s = 0.0
        self._known: dict[bytes, Camera | Removed] = {}
        self._disks: tuple[bytes, ...] = ()
        self._survey = MarkSurvey(
            home,
            folder_of(home),
            lambda: {row.id: _streams_of(row) for row in self._known.values()},
            lambda: self._disks,
        )

    def start(self) -> None:
        """Begins to compare marks and footage."""
        self._survey.start()

    def take(self, hook: Hook, camera: Camera | None, asked: HookMark) -> HookKept | HookRefused:
        """The answer to a mark of `hook`; `camera`: the one it names, None where there is none."""
        now_ns = wall_ns()
        if camera is None or not may_deliver(hook, camera, HookKind.MARKS, now_ns):
            # One answer for both: a program learns of no camera that it was not granted.
            return self._refuse(hook, "camera", "marks of this camera are not granted", asked)
        mark = Mark(
            hook.number,
            asked.from_ns,
            asked.to_ns,
            asked.kind,
            asked.box,
            asked.score,
            now_ns,
        )
        try:
            check(mark, now_ns)
            _check_when(hook, camera, mark, now_ns)
            self._keep(camera.id, mark)
        except Invalid as error:
            return self._refuse(hook, error.field, str(error), asked)
        except OutOfSpace as error:
            return self._refuse(hook, "full", str(error), asked)
        except StorageError as error:
            _log.error("%s", error)
            code = "busy" if _is_out_of_descriptors(error) else "full"
            return self._refuse(hook, code, "marks cannot be kept at this moment", asked)
        self._kept[hook.number] += 1
        self._publish(
            MarkAdded(
                camera.code,
                hook.number,
                hook.name,
                mark.from_ns,
                mark.to_ns,
                mark.kind,
                mark.box,
                mark.score,
                now_ns,
            )
        )
        return HookKept(asked.number)

    def turn(self, now_ns: int, now_s: float) -> None:
        """Each second: says what was kept and refused, erases what is gone or too old."""
        if self._survey.failure is not None:
            raise RuntimeError("the thread that asks for footage has ended") from (
                self._survey.failure
            )
        if now_s >= self._say_s:
            self._say_s = now_s + _SAY_S
            for (hook, code), count in sorted((self._refused - self._said).items()):
                _log.warning("hook %d: %d marks were refused: %s", hook, count, code)
            self._said = self._refused.copy()
        pushed = self._kept.total() + self._refused.total()
        if now_s >= self._tell_s or pushed != self._told:
            self._tell_s, self._told = now_s + _TELL_S, pushed
            self._publish(HookCounts(self._counts(), self._files.size_bytes, now_ns))
        changes = self._catalog.changes
        if now_s >= self._tidy_s or changes != self._changes:
            self._tidy_s, self._changes = now_s + _TIDY_S, changes
            self._tidy(now_ns)
        with contextlib.suppress(queue.Empty):
            self._erase_gone()

    def close(self) -> None:
        """What is kept stays."""
        self._survey.close()
        self._files.close()

    def _keep(self, camera: bytes, mark: Mark) -> None:
        try:
            self._files.add(camera, mark)
        except StorageError as error:
            if not _is_out_of_descriptors(error):
                raise
            with spare():
                self._files.add(camera, mark)

    def _refuse(self, hook: Hook, code: str, what: str, asked: HookMark) -> HookRefused:
        self._refused[hook.number, code] += 1
        return HookRefused(code, what, number=asked.number)

    def _counts(self) -> list[HookCount]:
        numbers = sorted({*self._kept, *(hook for hook, _ in self._refused)})
        return [
            HookCount(
                number,
                self._kept[number],
                {code: count for (hook, code), count in self._refused.items() if hook == number},
            )
            for number in numbers
        ]

    def _tidy(self, now_ns: int) -> None:
        """A mark goes with the footage that it speaks of: no longer than that may be kept.

        Of a camera that was withdrawn, or whose agreement has ended, nothing is known any more, as
        nothing is of its motion.
        """
        known: dict[bytes, Camera | Removed] = {row.id: row for row in self._catalog.removed()}
        self._disks = tuple(disk.uuid for disk in self._catalog.disks())
        self._known = known | {row.id: row for row in self._catalog.cameras()}
        try:
            cameras = self._files.cameras()
        except StorageError as error:
            _log.error("%s", error)  # no descriptor is left: again in a minute
            return
        for camera in cameras:
            days, row = _DAYS_MAX, self._known.get(camera)
            if row is not None:
                days = policy_of(row, self._classes).days_max or _DAYS_MAX
            # Whole days: the one in which the limit lies goes too.
            before_ns = now_ns - (days - 1) * _DAY_NS
            if isinstance(row, Camera) and not is_indexed(row, now_ns):
                before_ns = _FAR_NS
            try:
                self._files.forget(camera, before_ns)
            except StorageError as error:
                _log.error("%s", error)

    def _erase_gone(self) -> None:
        """Of one day a turn. Raises queue.Empty where there is none."""
        shown = self._survey.gone.get_nowait()
        try:
            count = self._files.keep_only(shown.camera, shown.day, shown.has)
        except StorageError as error:
            _log.error("%s", error)
            return
        _log.info("%d marks of %s have gone with their footage", count, shown.day)


def _check_when(hook: Hook, camera: Camera, mark: Mark, now_ns: int) -> None:
    """As of pictures: nothing of before the grant, nothing outside of agreement and hours."""
    if mark.from_ns < hook.made_ns - _CLOCK_NS:
        raise Invalid("from_ns", "marks are of the time since the grant")
    for field, at_ns in (("from_ns", mark.from_ns), ("to_ns", min(mark.to_ns, now_ns))):
        if not may_deliver(hook, camera, HookKind.MARKS, at_ns):
            raise Invalid(field, "that moment lies outside of the agreement")


def _is_out_of_descriptors(error: StorageError) -> bool:
    """That says nothing of the disk, and passes."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE)


def _streams_of(row: Camera | Removed) -> tuple[bytes, ...]:
    if isinstance(row, Removed):
        return tuple(stream for stream, _ in row.streams)
    return tuple(stream.id for stream in row.streams)
