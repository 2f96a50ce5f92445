"""Cameras as a person may know of them: what is enrolled, what each does, its last day.

No look is needed: there is no picture in it. The recorder being away takes nothing from the list.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Invalid, Missing
from vonggac.ingest.rates import Rate
from vonggac.ingest.states import State
from vonggac.playback.day_bar import Bar
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.locks import Lock, may_know_lock
from vonggac.registry.people import Person
from vonggac.registry.rules import known, may_know
from vonggac_appliance import bus_control
from vonggac_appliance.day_bars import DayBars, ask_bar
from vonggac_appliance.recorder_watch import RecorderWatch, Seen

__all__ = ["CameraList", "CameraRow", "Counts", "StreamRow", "counts_of"]

PIXELS_MAX = 4096
SPAN_NS_MAX = 366 * 86_400_000_000_000
_BARS_S = 1.0
"""How long a list waits for bars that were never asked for: the keeper of 512 cameras' streams
answers within that.
"""
_TIME_MAX_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A stream as the list shows it."""

    id: bytes
    name: str
    state: str
    codec: str | None = None
    """h264 or h265; None before the first picture."""
    width: int = 0
    height: int = 0
    rate: Rate | None = None
    """Measured over ten seconds; None while nobody has measured, or nothing comes."""
    gap_reason: str | None = None
    gap_start_ns: int | None = None
    keyframe_interval_ms: int = 0
    durable_until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A camera as the list shows it."""

    id: bytes
    code: str
    point: str
    area: str
    owner_kind: str
    is_red: bool
    """Nobody has said whose it is: a commander has to."""
    state: str
    """Of its worst stream; `stopped` while no recorder answers."""
    gap_reason: str | None
    since_ns: int | None
    """Since when it is not recorded; None while it is, and where nobody knows."""
    what: str
    """The recorder's sentence about it; English, for those who repair it."""
    streams: tuple[StreamRow, ...]
    day: Bar | None
    """The last day of its main stream; None while no keeper has told."""

    @property
    def is_recording(self) -> bool:
        return self.state == State.RECORDING


@dataclass(frozen=True, slots=True)
class Counts:
    """What a page says first."""

    cameras: int
    recording: int
    not_recording: int
    red: int


def counts_of(rows: Iterable[CameraRow]) -> Counts:
    """Of the rows that a person sees, and of no others."""
    listed = list(rows)
    recording = sum(row.is_recording for row in listed)
    red = sum(row.is_red for row in listed)
    return Counts(len(listed), recording, len(listed) - recording, red)


class CameraList:
    """The catalog's cameras beside what the recorder and the keepers say of them."""

    def __init__(self, home: Path, catalog: Catalog, watch: RecorderWatch) -> None:
        self._home = home
        self._catalog = catalog
        self._watch = watch
        self._bars = DayBars(home, self._disks)
        self._lock = threading.Lock()
        self._read_at = -1
        self._cameras: tuple[Camera, ...] = ()
        self._enrolled: tuple[bytes, ...] = ()
        self._locks: tuple[Lock, ...] = ()

    def close(self) -> None:
        """Ends its thread."""
        self._bars.close()

    def rows(self, person: Person, deadline_s: float = _BARS_S) -> list[CameraRow]:
        """What `person` may know of, by code. Waits at most about `deadline_s` in all."""
        cameras = [camera for camera in self._read() if may_know(person, camera)]
        seen = self._watch.now(deadline_s)
        streams = [camera.streams[0].id for camera in cameras if camera.streams]
        bars = self._bars.get(streams, deadline_s if seen.is_answering else 0.0)
        told = {} if seen.status is None else {c.id: c for c in seen.status.cameras}
        return [_row(camera, told.get(camera.code), seen, bars) for camera in cameras]

    def locks(self, person: Person) -> list[Lock]:
        """Those that hold and that `person` may know of, by number."""
        cameras = {camera.id: camera for camera in self._read()}
        return [x for x in self._locks if may_know_lock(person, cameras.get(x.camera))]

    def camera(self, person: Person, camera_id: bytes) -> Camera:
        """A camera that `person` may know of. Raises Missing for any other."""
        return known(person, next((c for c in self._read() if c.id == camera_id), None))

    def learnt(self, person: Person, camera_id: bytes) -> bus_control.CameraLearnt:
        """What a camera's connections have taught, as the recorder said last. Raises Missing."""
        told = self._told(person, camera_id)
        return (told and told.learnt) or bus_control.CameraLearnt()

    def sounds(self, person: Person, camera_id: bytes) -> dict[str, bus_control.SoundStatus]:
        """What becomes of a camera's sound, by stream; none where none may be recorded, or nothing
        is. Raises Missing.
        """
        told = self._told(person, camera_id)
        streams = () if told is None else told.streams
        return {one.name: one.sound for one in streams if one.sound is not None}

    def _told(self, person: Person, camera_id: bytes) -> bus_control.CameraStatus | None:
        """As the recorder said last. Raises Missing for a camera that `person` may not know of."""
        code = self.camera(person, camera_id).code
        status = self._watch.now(0.0).status
        cameras = () if status is None else status.cameras
        return next((one for one in cameras if one.id == code), None)

    def timeline(
        self,
        person: Person,
        camera_id: bytes,
        stream: str,
        from_ns: int,
        to_ns: int,
        pixels: int,
    ) -> Bar:
        """What is recorded of a stream, and why the rest is not.

        Raises Missing, Invalid (range, pixels), Unavailable when no keeper answers.
        """
        found = self.camera(person, camera_id).stream(stream)
        if found is None:
            raise Missing("the camera has no such stream")
        if not -_TIME_MAX_NS < from_ns < to_ns < _TIME_MAX_NS:
            raise Invalid("to", "the range ends before it begins")
        if to_ns - from_ns > SPAN_NS_MAX:
            raise Invalid("from", "a year at most is told at once")
        if not 1 <= pixels <= PIXELS_MAX:
            raise Invalid("pixels", f"1 to {PIXELS_MAX} pixels")
        return ask_bar(self._home, self._disks(), found.id, from_ns, to_ns, pixels)

    def _disks(self) -> Sequence[bytes]:
        self._read()
        return self._enrolled

    def _read(self) -> Sequence[Camera]:
        """Read again only after a change: 512 rows take longer than all the rest of a list."""
        with self._lock:
            changes = self._catalog.changes
            if changes != self._read_at:
                self._cameras = tuple(self._catalog.cameras())
                self._locks = tuple(lock for lock in self._catalog.locks() if lock.is_held)
                self._enrolled = tuple(disk.uuid for disk in self._catalog.disks())
                self._read_at = changes
            return self._cameras


def _row(
    camera: Camera, told: bus_control.CameraStatus | None, seen: Seen, bars: Mapping[bytes, Bar]
) -> CameraRow:
    is_told = told is not None and seen.is_answering
    known = {} if told is None else {stream.name: stream for stream in told.streams}
    streams = tuple(
        _stream(camera.code, stream, known.get(stream.name), seen) for stream in camera.streams
    )
    state = told.state if told is not None and is_told else State.STOPPED.value
    worst = next((s for s in streams if s.state == state), None)
    return CameraRow(
        id=camera.id,
        code=camera.code,
        point=camera.point,
        area=camera.area,
        owner_kind=camera.owner_kind,
        is_red=camera.owner_kind is OwnerKind.UNCLASSIFIED,
        state=state,
        gap_reason=told.gap_reason if told is not None and is_told else None,
        since_ns=_since_ns(state, worst, seen),
        what=told.what if told is not None and is_told else "",
        streams=streams,
        day=bars.get(camera.streams[0].id) if camera.streams else None,
    )


def _since_ns(state: str, worst: StreamRow | None, seen: Seen) -> int | None:
    if state == State.RECORDING:
        return None
    if not seen.is_answering:
        return seen.seen_ns
    return None if worst is None else worst.gap_start_ns


def _stream(
    code: str, stream: Stream, told: bus_control.StreamStatus | None, seen: Seen
) -> StreamRow:
    if told is None:
        return StreamRow(stream.id, stream.name, State.STOPPED)
    is_told = seen.is_answering
    return StreamRow(
        id=stream.id,
        name=stream.name,
        state=told.state if is_told else State.STOPPED.value,
        codec=told.codec,
        width=told.width,
        height=told.height,
        rate=seen.rates.get((code, stream.name)),
        gap_reason=told.gap_reason if is_told else None,
        gap_start_ns=told.gap_start_ns if is_told else None,
        keyframe_interval_ms=told.keyframe_interval_ms,
        durable_until_ns=told.durable_until_ns,
    )
