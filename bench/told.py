"""What the recorder told to be durable, heard on its bus, against what is there afterwards.

Shared by the benches that end it in the middle (kill.py, powercut.py).
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import zmq

from vonggac.store.archive import Archive
from vonggac.store.timeline import Range
from vonggac_appliance import bus_events
from vonggac_appliance.sockets import ipc_path

BOUND_NS = 2_000_000_000
"""Promise 1: at most so much of the newest of each stream is lost."""
DEADLINE_S = 60.0
_DECODER = "[h264 @"
"""How a line begins that ffprobe's decoder writes, and not its demuxer."""
_SLEW_NS = 20_000_000
"""The end of a stream's last chunk is found again by its duration, without the slew towards arrival
(1/200 of at most some seconds): so far it may lie before the end that was told."""


class Listener:
    """Hears on the bus what is durable, over all lives of the recorder."""

    def __init__(self, home: Path) -> None:
        self._changed = threading.Condition()
        self._points: dict[bytes, list[int]] = {}
        self._parsed: list[tuple[int, str]] = []
        self._is_over = False
        self._home = home
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def points(self, stream: bytes) -> list[int]:
        """Wall times up to which the stream was reported durable."""
        with self._changed:
            return list(self._points.get(stream, ()))

    def latest(self, stream: bytes) -> int:
        """Up to which wall time it was last reported durable; 0: never."""
        with self._changed:
            return self._points.get(stream, [0])[-1]

    def is_guilty(self, name: str, at_ns: int) -> bool:
        """Whether a stream was being parsed by a loop that died since: it has to connect anew."""
        with self._changed:
            return any(told == name and when > at_ns for when, told in self._parsed)

    def wait_past(self, streams: Sequence[bytes], wall_ns: int) -> None:
        """Until each of them is durable beyond a wall time."""
        until_s = time.monotonic() + DEADLINE_S
        with self._changed:
            while late := [s for s in streams if self._points.get(s, [0])[-1] < wall_ns]:
                left_s = until_s - time.monotonic()
                if left_s <= 0:
                    raise RuntimeError(f"{len(late)} streams did not come back in {DEADLINE_S} s")
                self._changed.wait(left_s)

    def stop(self) -> None:
        self._is_over = True
        self._thread.join()

    def _listen(self) -> None:
        with (
            zmq.Context() as context,
            context.socket(zmq.SUB) as subscriber,
            ipc_path(bus_events.events_endpoint(self._home, "record")) as address,
        ):
            subscriber.subscribe(b"durable")
            subscriber.subscribe(b"alarm")
            subscriber.reconnect_ivl = 20
            subscriber.connect(address)
            while not self._is_over:
                if not subscriber.poll(200):
                    continue
                event = bus_events.decode_event(subscriber.recv_multipart())
                if isinstance(event, bus_events.DurableTick):
                    with self._changed:
                        for stream, end_ns in event.streams:
                            self._points.setdefault(stream, []).append(end_ns)
                        self._changed.notify_all()
                elif isinstance(event, bus_events.Alarm) and event.kind == "loop-crashed":
                    with self._changed:
                        self._parsed.append((event.at_ns, event.subject))


def lost(
    told: Sequence[int], ranges: Sequence[Range], is_broken: Callable[[int, int], bool]
) -> Iterator[str]:
    """What was told, before it was asked for, against what is there: every point, and all between
    two of a life. `is_broken`: whether runs ended between two moments.
    """
    starts = [part.from_ns for part in ranges]
    before: tuple[int, int] | None = None
    for point in sorted(told):
        at = bisect_right(starts, point - 1) - 1
        short_ns = point - ranges[at].to_ns if at >= 0 else 10**10
        if short_ns > _SLEW_NS:
            yield f"{point} was reported durable, {short_ns} ns are not there"
        elif before is not None and before[1] != at and not is_broken(before[0], point):
            yield f"a hole between {before[0]} and {point}, both durable"
        before = (point, at)


def entered(archive: Archive, numbers: Iterable[int]) -> dict[int, bool]:
    """Segments, and whether a decoder can begin with the first picture: a segment that follows a
    full one may go on within a GOP.
    """
    known: dict[int, bool] = {}
    for number in numbers:
        row = archive.segment(number)
        first = archive.rows_of_segment(number, row)[:1] if row is not None else []
        known[number] = all(one.kind for one in first)
    return known


def probe(disk: Path, segments: Mapping[int, bool]) -> Iterator[tuple[int, str]]:
    """Each segment (as `entered` gives them) that was opened in ffprobe, and what it complained of;
    none without ffprobe.
    """
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        return
    entries = ("-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0")
    for number, is_entered in segments.items():
        path = disk / "segments" / f"{number // 10_000:04d}" / f"{number:08d}.mp4"
        done = subprocess.run([ffprobe, *entries, path], capture_output=True, text=True)
        told = [
            line for line in done.stderr.splitlines() if is_entered or not line.startswith(_DECODER)
        ]
        is_well = (done.returncode, done.stdout.strip(), told) == (0, "h264", [])
        yield number, "" if is_well else f"{done.stdout} {done.stderr}"
