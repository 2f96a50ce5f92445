"""One connection that plays, from ATTACH to its end: the runs on it, and how it is left.

What its loop says comes through a queue, so that everything about a connection happens in one
order (`camera_happenings`). When to connect, and what to do afterwards, is `camera_session`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from vonggac.ingest.states import Cause
from vonggac.media.chunk import GapReason
from vonggac.rtsp.client import FIRST_VIDEO_TIMEOUT_S
from vonggac.rtsp.habits import Habit
from vonggac_appliance import loop_wire
from vonggac_appliance.camera_happenings import (
    End,
    Happening,
    Lost,
    Order,
    Recorded,
    Returned,
    closed,
)
from vonggac_appliance.camera_playing import Playing
from vonggac_appliance.camera_sound import tell_offer
from vonggac_appliance.keepers import Keeper
from vonggac_appliance.loop_wire import LoopEvent
from vonggac_appliance.loops import LoopHandle

_log = logging.getLogger("vonggac.record")

TEARDOWN_S = 1.0
"""Always TEARDOWN: a Tapo TC70 frees no session otherwise. But a dead camera must not hold up its
own return."""
ENDED_S = 2.0
_DISK_S = 10.0
"""How long a connection without room is kept when no keeper stands behind its disk."""
_LOOK_S = 1.0
_FLOOD_S = 5.0
"""A flood is sat out this long. Nothing is read meanwhile, which holds the camera back; what its
limit lets through afterwards is recorded, so a camera that never calms down is seen in pieces."""


class Recording:
    """Owns the connection; closes it when `hold` ends."""

    def __init__(
        self, stream: Recorded, connection: Playing, loop: LoopHandle, keeper: Keeper
    ) -> None:
        self._of = stream
        self._connection = connection
        self._loop = loop
        self._keeper = keeper
        self._inbox: asyncio.Queue[Happening] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._waits_for_room = False
        """Attached, and yet not recorded: its loop has no room for it."""
        self._diskless_s: float | None = None
        """Monotonic: since when nobody makes room."""
        self._began_s = time.monotonic()
        self._has_video = False
        self._patience_until_s: float | None = None
        """Monotonic: until when the first picture may take, once it takes long."""

    def put(self, happening: Happening) -> None:
        """Tells it something; in order."""
        self._inbox.put_nowait(happening)

    def moved(self, keeper: Keeper) -> None:
        """Another disk keeps it; its loop knows."""
        self._keeper = keeper

    def heard(self, message: bytes) -> None:
        """An RTSP message of the camera, after PLAY."""
        self._answered.set()
        if answer := self._connection.heard(message):
            self._loop.send_rtsp(self._of.stream.id, answer)

    def note(self, habit: Habit, count: int = 1) -> None:
        """Something odd that its loop saw so often."""
        self._connection.note(habit, count)

    def show(self, until_ms: int, header: bytes, fd: int) -> bool:
        """Gives a viewer's socket to the loop; takes the descriptor."""
        return self._loop.send_live(self._of.stream.id, until_ms, header, fd)

    async def hold(self) -> End:
        """Records until something ends it, says goodbye, and tells what it was."""
        try:
            end = await self._record()
            self._blame_sound(end)
            await self._goodbye(end)
            return end
        finally:
            self._loop.forget(self._of.stream.id)
            self._connection.close()

    def _blame_sound(self, end: End) -> None:
        """Sound never costs pictures: where there were none beside it, it is not asked for.

        Where no datagram came at all, TCP is tried first, with both.
        """
        is_barren = end.is_failure and not self._has_video and end.reason is not GapReason.DISK
        is_barren = is_barren and not self._hears_nothing
        if self._connection.play.sound and (is_barren or end.reason is GapReason.CRASHES):
            self._connection.sound_failed()

    async def _record(self) -> End:
        tell_offer(self._of.name, self._of.camera, self._connection.play)
        if not self._attach(self._connection.early, flags=0):
            lost = await self._after_loss(Lost(is_guilty=False))
            if lost is not None:
                return lost
        keep_alive_at_s = time.monotonic() + self._connection.keep_alive_s
        while True:
            try:
                left_s = keep_alive_at_s - time.monotonic()
                if self._waits_for_room:
                    left_s = min(left_s, _LOOK_S)
                if self._patience_until_s is not None:
                    left_s = min(left_s, self._patience_until_s - time.monotonic())
                happening = await asyncio.wait_for(self._inbox.get(), left_s)
            except TimeoutError:
                end = self._without_disk() or self._without_video()
            else:
                end = await self._happened(happening)
            if end is not None:
                return end
            if time.monotonic() >= keep_alive_at_s:
                if message := self._connection.keep_alive():
                    self._loop.send_rtsp(self._of.stream.id, message)
                keep_alive_at_s += self._connection.keep_alive_s

    async def _happened(self, happening: Happening) -> End | None:
        if isinstance(happening, Order):
            return End(happening.reason, happening.what, is_failure=False)
        if isinstance(happening, Lost):
            return await self._after_loss(happening)
        if isinstance(happening, loop_wire.Ended):
            self._note(happening)
            if happening.run < self._of.progress.run:
                return None  # of the run before, later than it was waited for
            return End(GapReason.UNKNOWN, "its loop ended the run", is_attached=False)
        if isinstance(happening, Returned):
            return None  # nothing was lost here
        if happening.event is LoopEvent.NO_ROOM:
            return await self._begin_when_there_is_room()
        if happening.event is LoopEvent.FLOOD:
            return await self._sit_out_flood(happening.detail)
        self._remark(happening)
        return self._end_by(happening)

    def _end_by(self, event: loop_wire.Event) -> End | None:
        """How an event ends the connection, if it does."""
        if event.event is LoopEvent.STALLED and self._hears_nothing:
            self._connection.no_datagrams()
            what = f"no datagram came within {self._of.stall_ms / 1000:g} s, asking for TCP"
            return End(GapReason.NO_VIDEO, what)
        if event.event is LoopEvent.STALLED and not self._has_video:
            self._patience_until_s = self._began_s + FIRST_VIDEO_TIMEOUT_S
            return None
        if event.event is LoopEvent.STALLED:
            return End(GapReason.NO_VIDEO, f"no picture for {self._of.stall_ms / 1000:g} s")
        if event.event is LoopEvent.CLOSED:
            reason, what = closed(event.errno)
            return End(reason, what, says_goodbye=False)
        if event.event is LoopEvent.BYE:
            return End(GapReason.CAMERA_OFF, "the camera said BYE")
        if event.event is LoopEvent.BAD_STREAM:
            what = f"its bytes are no RTP any more ({event.detail})"
            return End(GapReason.BAD_STREAM, what, says_goodbye=False)
        return None

    @property
    def _hears_nothing(self) -> bool:
        """Asked for datagrams, and nothing of them arrives: a firewall, or a camera behind NAT."""
        if self._has_video or not self._connection.is_udp:
            return False
        return self._of.stats is None or self._of.stats.packets == 0

    def _remark(self, event: loop_wire.Event) -> None:
        """What does not end it."""
        if event.event is LoopEvent.FIRST_VIDEO:
            self._has_video, self._patience_until_s = True, None
            if self._waits_for_room:
                self._waits_for_room = False
                self._of.move(Cause.TRY, "")
            self._of.first_video()
        elif event.event is LoopEvent.RESUMED:
            self._patience_until_s = None  # there are pictures; a key frame may take its time
        elif event.event is LoopEvent.LATE_KEYFRAME:
            _log.warning("%s: no key frame for 30 s, recording goes on", self._of.name)
        elif event.event is LoopEvent.OVERRUN:
            what = f"{event.detail} of its datagrams found no room in this box"
            self._of.alarm("udp-overrun", what)
        elif event.event is LoopEvent.NEW_RUN:
            self._of.progress.went_on(int(event.detail))
        elif event.event is LoopEvent.ENTRY_CHANGED:
            _log.info("%s: another picture size or codec setting: %s", self._of.name, event.detail)

    def _attach(self, early: bytes, flags: int) -> bool:
        """Opens a run, the connection's first or a later one. False: there is no loop now."""
        play = self._connection.play
        self._of.run_begins(play)
        run = self._of.next_run()
        opening = self._of.progress.begin(run, time.time_ns())
        if self._of.progress.is_inband:
            flags |= loop_wire.FLAG_INBAND
        if play.has_donl:
            flags |= loop_wire.FLAG_DONL
        attach = loop_wire.Attach(
            camera=self._of.camera.id,
            stream=self._of.stream.id,
            keeper=self._keeper.slot,
            codec=int(play.codec),
            payload_type=play.payload_type,
            rtp_channel=play.rtp_channel,
            rtcp_channel=play.rtcp_channel,
            clock_rate=play.clock_rate,
            stall_ms=self._of.stall_ms,
            flags=flags,
            run=run,
            predecessor=opening.predecessor,
            reason=int(opening.reason),
            gap_start_ns=opening.gap_start_ns,
            vps=play.vps,
            sps=play.sps,
            pps=play.pps,
            early=early,
            sound=play.sound,
        )
        datagrams = self._connection.datagrams(self._of.stream.id)
        return self._loop.attach(self._of, attach, self._connection.fileno(), datagrams)

    async def _after_loss(self, lost: Lost) -> End | None:
        """The loop died: a new run on the same connection, unless this stream did it."""
        if lost.is_guilty:
            what = "its input crashed the recorder's loop"
            return End(GapReason.CRASHES, what, is_attached=False)
        while True:
            happening = await self._inbox.get()
            if isinstance(happening, Order):
                reason, what = happening.reason, happening.what
                return End(reason, what, is_failure=False, is_attached=False)
            if isinstance(happening, Returned):
                # Now, not before: keepers have said how far the dead loop's chunks reach.
                # A neighbour's fault: of this stream at most the second being parsed is missing.
                # Where nothing is recorded yet, the gap that is open keeps its name.
                if not self._of.progress.is_gap_open:
                    self._of.stopped(GapReason.BOX_STOPPED)
                room = loop_wire.FLAG_WAITS_FOR_ROOM
                flags = room if self._waits_for_room else loop_wire.FLAG_REFERENCES_LOST
                if self._attach(b"", flags):
                    return None

    async def _begin_when_there_is_room(self) -> End | None:
        """The arena is full: another run, in which the loop keeps nothing before there is room.

        Its first claim names the gap. The connection is read all the while: a camera that is held
        back goes away, and then all of them come back at once.
        """
        what = f"its disk {self._keeper.path} does not keep up"
        self._of.alarm("arena-full", what)
        await self._end_run(GapReason.DISK, what)
        self._waits_for_room, self._diskless_s = True, None
        return await self._attach_again(loop_wire.FLAG_WAITS_FOR_ROOM)

    def _without_disk(self) -> End | None:
        """Whether to give up waiting for room: nobody makes any, and another disk may have some."""
        if not self._waits_for_room or self._keeper.is_ready:
            self._diskless_s = None
            return None
        now_s = time.monotonic()
        if self._diskless_s is None:
            self._diskless_s = now_s
        if now_s - self._diskless_s < _DISK_S:
            return None
        return End(GapReason.DISK, f"its disk {self._keeper.path} is gone")

    def _without_video(self) -> End | None:
        """Whether the first picture takes too long: battery cameras wake up for many seconds."""
        if self._patience_until_s is None or time.monotonic() < self._patience_until_s:
            return None
        return End(GapReason.NO_VIDEO, f"no picture within {FIRST_VIDEO_TIMEOUT_S:g} s of PLAY")

    async def _sit_out_flood(self, detail: str) -> End | None:
        """It sends more than it may: pictures are missing, so the run ends and the gap says why."""
        what = f"it sends more than its limit {detail}".rstrip()
        self._of.alarm("flood", what)
        calm_s = time.monotonic() + _FLOOD_S
        await self._end_run(GapReason.FLOOD, what)
        while (left_s := calm_s - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                happening = await asyncio.wait_for(self._inbox.get(), left_s)
                if isinstance(happening, Order):
                    return End(happening.reason, happening.what, True, False, False)
        self._of.move(Cause.TRY, "")
        return await self._attach_again(loop_wire.FLAG_REFERENCES_LOST)

    async def _end_run(self, reason: GapReason, what: str) -> None:
        """The run ends, the connection stays."""
        self._loop.detach(self._of.stream.id, reason)
        await self._wait_ended()
        self._of.stopped(reason)
        self._of.move(Cause.FAILED, what)

    async def _attach_again(self, flags: int) -> End | None:
        if not self._attach(b"", flags):
            return await self._after_loss(Lost(is_guilty=False))
        return None

    async def _goodbye(self, end: End) -> None:
        """TEARDOWN while the loop still writes, then the end of the run."""
        if not end.is_attached or not self._loop.is_up:
            self._connection.teardown_directly()
            return
        if end.says_goodbye and (message := self._connection.teardown()):
            self._answered.clear()
            self._loop.send_rtsp(self._of.stream.id, message)
            try:
                await asyncio.wait_for(self._answered.wait(), TEARDOWN_S)
            except TimeoutError:
                self.note(Habit.TEARDOWN)
        self._loop.detach(self._of.stream.id, int(end.reason))
        await self._wait_ended()

    async def _wait_ended(self) -> None:
        """Bounded: a loop that does not answer is found and ended by its own watchdog."""
        deadline_s = time.monotonic() + ENDED_S
        orders: list[Order] = []
        while self._loop.is_up:
            try:
                left_s = deadline_s - time.monotonic()
                happening = await asyncio.wait_for(self._inbox.get(), left_s)
            except TimeoutError:
                break
            if isinstance(happening, Order):
                orders.append(happening)
            if isinstance(happening, loop_wire.Ended):
                self._note(happening)
                break
            if isinstance(happening, Lost):
                break
        for order in orders:  # said once, and still true
            self._inbox.put_nowait(order)

    def _note(self, ended: loop_wire.Ended) -> None:
        self._of.progress.ended(ended.run, ended.next_sequence, ended.last_wall_end_ns)
