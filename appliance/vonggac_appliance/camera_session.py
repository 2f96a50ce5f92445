"""One stream of one camera: what is known of it, and who tells it what.

How it is tried, again and again, is `camera_tries`'s. docs/design/ingest.md draws the states.
"""

from __future__ import annotations

import os
import time

from vonggac.ingest import states
from vonggac.ingest.progress import Progress
from vonggac.ingest.states import Cause, State
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import Camera, Stream
from vonggac.rtsp.events import PlayReady
from vonggac_appliance import loop_stats, loop_wire
from vonggac_appliance.camera_happenings import Lost, Order, Returned
from vonggac_appliance.camera_recording import Recording
from vonggac_appliance.camera_tries import Owner, Tries
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.messages_keeper import GapOpen, StreamEnd


class StreamSession:
    """One stream of one camera."""

    def __init__(self, camera: Camera, stream: Stream, owner: Owner) -> None:
        self.camera = camera
        self.stream = stream
        self.stall_ms = owner.stall_ms
        self.progress = Progress()
        self.state = State.STOPPED
        self.what = ""
        self.play: PlayReady | None = None
        self.stats: loop_stats.StreamStats | None = None
        self.stats_ns = 0
        self.width = 0
        self.height = 0
        self.is_flooding = False
        self.keeper: Keeper | None = None
        self._owner = owner
        self._recording_since_s = 0.0
        self._tries = Tries(self, owner)

    @property
    def _recording(self) -> Recording | None:
        return self._tries.recording

    @property
    def name(self) -> str:
        """For logs: camera and stream."""
        return f"{self.camera.code}/{self.stream.name}"

    @property
    def gap_reason(self) -> str | None:
        """In words, while nothing is recorded."""
        if self.progress.gap is None or self.state is State.RECORDING:
            return None
        return self.progress.gap.reason(time.time_ns()).words

    @property
    def is_recording(self) -> bool:
        """Whether pictures are recorded at this moment."""
        return self.state is State.RECORDING

    def recording_s(self) -> float:
        """How long the present run has had pictures; 0 if there are none."""
        if self.state is not State.RECORDING:
            return 0.0
        return time.monotonic() - self._recording_since_s

    def gap_message(self) -> GapOpen | None:
        """The open gap for a keeper's journal."""
        if self.progress.gap is None:
            return None
        reason = self.progress.gap.reason(time.time_ns())
        start_ns = self.progress.gap.start_ns
        return GapOpen(self.camera.id, self.stream.id, start_ns, int(reason))

    # --- what others say -------------------------------------------------------------------

    def known(self, end: StreamEnd) -> None:
        """A disk tells how far this stream is recorded, from an earlier life or this one."""
        now_ns = time.time_ns()
        self.progress.known(end.run, end.wall_end_ns, end.open_gap, end.is_inband, now_ns)

    def durable(self, end: StreamEnd) -> None:
        """A sync covers this much of it."""
        self.progress.durable(end.run, end.wall_end_ns, end.is_inband)

    def start(self) -> None:
        """Begins its life."""
        self.move(Cause.RELEASED, "")
        self._tries.begin()

    def leave(self, reason: GapReason, what: str) -> None:
        """Leaves the connection, if there is one; rules and quarantine are looked at anew."""
        if self._recording is not None:
            self._recording.put(Order(reason, what))

    def disk_ready(self) -> None:
        """A disk came up: who waits for one need not wait any longer."""
        if self.progress.gap is None or self.progress.gap.current is GapReason.DISK:
            self._tries.wake()

    def moved(self, keeper: Keeper) -> None:
        """Another disk keeps it from here on, in the same run."""
        self.keeper = keeper
        if self._recording is not None:
            self._recording.moved(keeper)

    def retry(self) -> None:
        """Tries at once: a person, or the catalog, has changed something."""
        self._tries.retry()

    def show(self, until_ms: int, header: bytes, fd: int) -> bool:
        """Gives a viewer's socket to the loop; takes the descriptor. False: nothing to show."""
        if self._recording is None or self.state is not State.RECORDING:
            os.close(fd)
            return False
        return self._recording.show(until_ms, header, fd)

    async def end(self, reason: GapReason) -> None:
        """Ends it, TEARDOWN included, within about 3 s. `reason`: of the gap that begins here."""
        was_recording = self.is_recording
        if not await self._tries.end(reason):
            return
        if was_recording:
            self.stopped(reason)
        self.move(Cause.REMOVED, "")

    # --- what its loop says (loops.Session) -------------------------------------------------

    def loop_event(self, event: loop_wire.Event) -> None:
        """An event of the connection."""
        if self._recording is not None:
            if (habit := loop_wire.habit_of(event.event)) is not None:
                self._recording.note(habit)
            self._recording.put(event)

    def loop_message(self, message: bytes) -> None:
        """An RTSP message of the camera, after PLAY."""
        if self._recording is not None:
            self._recording.heard(message)

    def loop_ended(self, ended: loop_wire.Ended) -> None:
        """The run is over."""
        if self._recording is not None:
            self._recording.put(ended)

    def loop_stats(self, stats: loop_stats.StreamStats) -> None:
        """Figures, once a second."""
        if stats.run != self.progress.run:
            return
        if self._recording is not None:
            for habit, count in loop_stats.habits_between(self.stats, stats):
                self._recording.note(habit, count)
        self.stats, self.stats_ns = stats, time.time_ns()
        if stats.width:
            self.width, self.height = stats.width, stats.height

    def loop_lost(self, is_guilty: bool) -> None:
        """The loop died."""
        if self._recording is not None:
            self._recording.put(Lost(is_guilty))

    def loop_returned(self) -> None:
        """Another loop stands ready."""
        if self._recording is not None:
            self._recording.put(Returned())

    # --- what its connection says (camera_happenings.Recorded) -------------------------------

    def next_run(self) -> int:
        """A run number that was never given before."""
        return self._owner.next_run()

    def run_begins(self, play: PlayReady) -> None:
        """Figures are of the present run."""
        self.stats, self.is_flooding, self.play = None, False, play

    def first_video(self) -> None:
        """The first complete access unit of a run."""
        self._tries.succeeded()
        self._recording_since_s = time.monotonic()
        self.move(Cause.FIRST_VIDEO, "")
        if (gap := self.progress.gap) is not None:
            self._owner.gap_closed(self, gap.start_ns, gap.reason(time.time_ns()))

    def stopped(self, reason: GapReason) -> None:
        """Nothing is recorded now: opens the gap, or adds this reason to the open one."""
        self.stats = None
        if self.progress.stopped(reason, time.time_ns()):
            self._owner.gap_opened(self)

    def alarm(self, kind: str, what: str) -> None:
        """Something a person has to look at."""
        self.is_flooding |= kind == "flood"
        self._owner.alarm(kind, self.name, what)

    def move(self, cause: Cause, what: str) -> None:
        """Another state; the table says which."""
        before = self.state
        self.state = states.after(self.state, cause)
        self.what = what
        if before is not self.state or what:
            self._owner.state_changed(self)
