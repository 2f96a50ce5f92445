"""The last day of many streams, from keepers' indexes, kept for a minute.

A list of 512 cameras asks for no rows: two small questions a stream give its runs and where its
oldest footage begins. One thread asks them; requests take what is there.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vonggac.errors import Unavailable, VonggacError
from vonggac.playback.day_bar import Bar, drawn, trimmed
from vonggac.playback.once import once
from vonggac.store.index_values import RunRow
from vonggac.store.timeline import Tail, Timeline, timeline, timeline_of_runs, unexplained
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.index_client import IndexClient, run_row
from vonggac_appliance.silent_disks import SilentDisks

__all__ = ["DAY_NS", "DAY_PIXELS", "DayBars", "ask_bar"]

DAY_NS = 86_400_000_000_000
DAY_PIXELS = 288
"""Five minutes each."""
ROWS_NS = 26 * 3_600_000_000_000
"""A longer question is answered from runs: a day has 86,400 rows."""
_FRESH_S = 60.0
_REST_S = 0.02
"""Between two that are only to be renewed: half a millisecond of a keeper's time each."""
_ANSWER_S = 2.0
_AWAY_S = 2.0
"""How long a keeper that did not answer is left alone."""

Disks = Callable[[], Sequence[bytes]]
"""The uuids of the enrolled disks."""


@dataclass(frozen=True, slots=True)
class _Known:
    bar: Bar | None
    at_s: float
    """Monotonic."""


class DayBars:
    """Nothing is started before the first question."""

    def __init__(self, home: Path, disks: Disks, clock: Clock = wall_ns) -> None:
        self._home = home
        self._disks = disks
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._wanted: dict[bytes, None] = {}
        self._clients: dict[bytes, IndexClient] = {}
        self._silent = SilentDisks()
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def get(self, streams: Sequence[bytes], deadline_s: float) -> dict[bytes, Bar]:
        """Bars that are known; waits at most `deadline_s` for those that never were."""
        with self._changed:
            stale_s = time.monotonic() - _FRESH_S
            known = self._known
            old = [s for s in streams if s not in known or known[s].at_s < stale_s]
            self._wanted.update(dict.fromkeys(old))
            if old:
                self._start()
            self._changed.wait_for(lambda: all(s in self._known for s in streams), deadline_s)
            found = {s: self._known[s].bar for s in streams if s in self._known}
        return {stream: bar for stream, bar in found.items() if bar is not None}

    def close(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None and not self._is_closing:
            self._thread = threading.Thread(target=self._run, name="day-bars", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    if not self._wanted:
                        self._hang_up()
                    while not self._wanted and not self._is_closing:
                        self._changed.wait()
                    if self._is_closing:
                        return
                    stream = self._next()
                self._refresh(stream)
        finally:
            self._hang_up()

    def _next(self) -> bytes:
        """Those that somebody waits for first; the others take their time."""
        for stream in self._wanted:
            if stream not in self._known:
                return stream
        self._changed.wait_for(lambda: self._is_closing, _REST_S)
        return next(iter(self._wanted))

    def _refresh(self, stream: bytes) -> None:
        to_ns = self._clock()
        try:
            bar = self._ask(stream, to_ns - DAY_NS, to_ns)
        except VonggacError:
            self._is_away()
            return
        with self._changed:
            self._known[stream] = _Known(bar, time.monotonic())
            self._wanted.pop(stream, None)
            self._changed.notify_all()

    def _is_away(self) -> None:
        """Everything that is asked for stays as it was; nobody waits for what may not come."""
        self._hang_up()
        with self._changed:
            for stream in self._wanted:
                before = self._known.get(stream, _Known(None, 0.0))
                self._known[stream] = _Known(before.bar, time.monotonic() - _FRESH_S + _AWAY_S)
            self._wanted.clear()
            self._changed.notify_all()

    def _ask(self, stream: bytes, from_ns: int, to_ns: int) -> Bar:
        def ask(disk: bytes) -> _Answer:
            try:
                if disk not in self._clients:
                    self._clients[disk] = IndexClient(self._home, disk, _ANSWER_S)
                return _by_runs(self._clients[disk], stream, from_ns, to_ns)
            except VonggacError:
                self._hang_up(disk)
                raise

        return _bar(_answers(self._disks(), self._silent, ask), from_ns, to_ns, DAY_PIXELS)

    def _hang_up(self, *disks: bytes) -> None:
        """On these, or on all."""
        for disk in disks or tuple(self._clients):
            if (client := self._clients.pop(disk, None)) is not None:
                with contextlib.suppress(OSError):
                    client.close()


def ask_bar(
    home: Path, disks: Sequence[bytes], stream: bytes, from_ns: int, to_ns: int, pixels: int
) -> Bar:
    """A stream's timeline on so many pixels, asked now.

    Raises Unavailable when no keeper answers, and where no disk is enrolled. When some are away
    nothing is known of a gap: they may have recorded there.
    """
    question = _by_rows if to_ns - from_ns <= ROWS_NS else _by_runs

    def ask(disk: bytes) -> _Answer:
        with IndexClient(home, disk, _ANSWER_S) as client:
            return question(client, stream, from_ns, to_ns)

    return _bar(_answers(disks, SilentDisks(), ask), from_ns, to_ns, pixels)


def _answers(
    disks: Sequence[bytes], silent: SilentDisks, ask: Callable[[bytes], _Answer]
) -> list[_Answer | None]:
    """None for a disk that does not answer. Unavailable where none does."""
    answers: list[_Answer | None] = []
    why: VonggacError = Unavailable("no disk is enrolled")
    for disk in disks:
        try:
            answers.append(silent.ask(disk, partial(ask, disk)))
        except VonggacError as error:
            answers.append(None)
            why = error
    if not any(answers):
        raise why
    return answers


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one disk knows of a stream."""

    packed: list[bytes] | None
    """None: only runs were asked for."""
    first_ns: int | None
    runs: list[RunRow]
    tail: Tail
    is_whole: bool
    """Or its index is being made again, and may know more later."""


def _by_rows(client: IndexClient, stream: bytes, from_ns: int, to_ns: int) -> _Answer:
    told = client.rows(stream, from_ns, to_ns)
    runs, gap = client.runs(stream, from_ns, to_ns)
    tail = Tail(told.durable_until_ns, wall_ns(), gap, is_keeper_running=True)
    return _Answer(told.packed, None, [run_row(run) for run in runs], tail, told.is_whole)


def _by_runs(client: IndexClient, stream: bytes, from_ns: int, to_ns: int) -> _Answer:
    first_ns, is_whole = client.first_row(stream, from_ns, to_ns)
    runs, gap = client.runs(stream, from_ns, to_ns)
    rows = [run_row(run) for run in runs]
    until_ns = max((row.wall_end_ns for row in rows), default=None)
    tail = Tail(until_ns, wall_ns(), gap, is_keeper_running=True)
    return _Answer(None, first_ns, rows, tail, is_whole)


def _bar(told: Sequence[_Answer | None], from_ns: int, to_ns: int, pixels: int) -> Bar:
    """All disks' answers as one."""
    answers = [answer for answer in told if answer is not None]
    runs = [run for answer in answers for run in answer.runs]
    newest = max(answers, key=_newness).tail
    line: Timeline
    if all(answer.packed is None for answer in answers):
        firsts = [answer.first_ns for answer in answers if answer.first_ns is not None]
        line = timeline_of_runs(runs, min(firsts, default=None), from_ns, to_ns, newest)
    else:
        values = once([answer.packed or [] for answer in answers], from_ns, to_ns)
        line = timeline([v for of in values for v in of], runs, from_ns, to_ns, newest)
    if len(answers) < len(told) or not all(answer.is_whole for answer in answers):
        line = unexplained(line)
    return drawn(trimmed(line, runs, newest, from_ns), from_ns, to_ns, pixels)


def _newness(answer: _Answer) -> tuple[int, bool]:
    return answer.tail.durable_until_ns or 0, answer.tail.open_gap is not None
