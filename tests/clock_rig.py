"""A box whose clock a test sets, with cameras that each send one film of its own."""

from __future__ import annotations

import itertools
import mmap
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import zmq

from box_rig import DEADLINE_S, Box
from clip_source import ClipSource, Film
from vonggac._native import segment as native
from vonggac.media.chunk import PackedRow
from vonggac.registry.catalog import Catalog
from vonggac.store.index_values import RunRow
from vonggac.store.start import open_for_reading
from vonggac.store.timeline import Tail, Timeline, timeline
from vonggac_appliance import bus_events
from vonggac_appliance.camera_clip import STREET, load_scene
from vonggac_appliance.sockets import ipc_path

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
YEAR = 365 * 24 * HOUR
FAR_NS = 1 << 62
FPS = 25


class ClockSetter:
    """Sets the clock of the processes that are started with `environment`."""

    def __init__(self, cc: str, room: Path) -> None:
        source = Path(__file__).with_name("clock_setter.c")
        library, self._path = room / "clock_setter.so", room / "clock-offset"
        command = [cc, "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]
        subprocess.run([*command, str(library), str(source)], check=True)
        self._path.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_SETTER": str(self._path)}
        self.offset_ns = 0
        with self._path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)

    def set_by(self, ns: int) -> None:
        """A step."""
        self.offset_ns += ns
        self._page[:] = struct.pack("=q", self.offset_ns)

    def set_to(self, wall_ns: int) -> None:
        """A step to a moment."""
        self.set_by(wall_ns - self.now_ns())

    def now_ns(self) -> int:
        """What the clock of those processes shows."""
        return time.time_ns() + self.offset_ns


def film(seconds: float) -> Film:
    """The demo's small street at 25 pictures a second, a key frame each second, as often as it
    takes."""
    _, clip = load_scene(STREET)
    units = tuple(itertools.islice(itertools.cycle(clip.units), round(seconds * FPS)))
    ticks = tuple(90_000 // FPS * number for number in range(len(units)))
    return Film(clip.codec, units, ticks, 90_000 // FPS)


def add(box: Box, source: ClipSource, names: Sequence[str]) -> dict[str, bytes]:
    """Enrols cameras of one stream each; gives their streams."""
    for name in names:
        box.run_here("camera", "add", name, "--url", source.url(name), "--owner-kind", "state")
    with Catalog(box.home, is_readonly=True) as catalog:
        return {c.code: c.streams[0].id for c in catalog.cameras() if c.code in names}


def until_told(
    home: Path, wall_ns: tuple[int, int], streams: Sequence[bytes], alarms: list[bus_events.Alarm]
) -> None:
    """Waits until each stream was told to be durable up to a wall time within a range."""
    left = set(streams)
    until_s = time.monotonic() + DEADLINE_S
    with (
        zmq.Context() as context,
        context.socket(zmq.SUB) as subscriber,
        ipc_path(bus_events.events_endpoint(home, "record")) as address,
    ):
        subscriber.subscribe(b"durable")
        subscriber.subscribe(b"alarm")
        subscriber.connect(address)
        while left:
            assert time.monotonic() < until_s, f"{len(left)} streams are not recorded then"
            if not subscriber.poll(200):
                continue
            event = bus_events.decode_event(subscriber.recv_multipart())
            if isinstance(event, bus_events.Alarm):
                alarms.append(event)
            if isinstance(event, bus_events.DurableTick):
                left -= {s for s, end_ns in event.streams if wall_ns[0] <= end_ns <= wall_ns[1]}


class Footage:
    """What lies on a disk that no recorder has."""

    def __init__(self, disk: Path, stream: bytes) -> None:
        reading = open_for_reading(disk)
        try:
            packed = list(reading.archive.packed_minutes(stream, 0, FAR_NS))
            self.runs: list[RunRow] = reading.archive.runs(stream, 0, FAR_NS)
            self.timeline: Timeline = timeline(
                packed, self.runs, 0, FAR_NS, Tail(None, FAR_NS, is_keeper_running=True)
            )
        finally:
            reading.close()
        self.rows: list[PackedRow] = sorted(
            (row for value in packed for row in native.rows_unpack(value)),
            key=lambda row: (row.row.run, row.row.sequence),
        )

    @property
    def frames(self) -> int:
        return sum(row.row.samples for row in self.rows)

    @property
    def first_ns(self) -> int:
        return min(row.row.wall_start_ns for row in self.rows)

    @property
    def last_ns(self) -> int:
        return max(row.row.wall_end_ns for row in self.rows)

    def assert_runs_are_whole(self) -> None:
        """Each run begins with a sync picture, lacks no chunk and never goes back in time, and each
        lies behind the one before.
        """
        for before, after in itertools.pairwise([None, *self.rows]):
            assert after is not None
            if before is None or before.row.run != after.row.run:
                assert after.row.sequence == 0 and after.row.kind
            else:
                assert after.row.sequence == before.row.sequence + 1
                assert after.row.wall_start_ns > before.row.wall_start_ns
            if before is not None:
                place = (after.epoch, after.row.offset)
                assert place > (before.epoch, before.row.offset)
