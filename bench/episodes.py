"""Is every camera recorded again, whatever befell it or the way to it, and how soon?

    python bench/episodes.py                     64 cameras, 2,500 episodes: about 18 minutes
    python bench/episodes.py --udp 24            24 of them send datagrams: 1,500 episodes more
    python bench/episodes.py --hours 2           outages four times as long, until the time is over
    python bench/episodes.py --kinds power --each 64      some kinds only

A real recorder, and cameras that are hurt one by one in every way of `faults.py`, many at a time;
then all of them at once, and all away while the recorder starts. What counts is on the disk: the
first picture after the moment at which the camera would serve again. Prints a table; exit status
1 if a limit was passed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shlex
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from box import Box
from faults import KINDS, LOCKED_S, RETURN_S, Kind
from faulty_cameras import FaultyCamera, FaultyCameras
from procs import machine
from told import Listener
from udp_faults import UDP_KINDS

from quirk_camera import PASSWORD, USER
from vonggac.registry.catalog import Catalog
from vonggac.store.check import check
from vonggac.store.timeline import Range
from vonggac_appliance import footage

CAMERAS = 64
EACH = 64
LONG_EACH = 30
"""Of the kinds after which a camera may not be asked for two minutes."""
ALL_S = 15.0
"""Promised: from the return of 64 cameras at once to a picture of each."""
ALL_ROUNDS = 4
_SURE_NS = 1_000_000_000
"""Pictures beyond this much after a return cannot be those of before it."""
_STUCK_S = 60.0
"""Beyond the limit of its kind: then a camera counts as stuck."""
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Episode:
    """One of them, in seconds."""

    kind: str
    camera: str
    away_s: float
    again_s: float
    """From the return to the first picture; 0: recorded all the while."""
    limit_s: float


@dataclass(slots=True)
class Report:
    """What was seen."""

    episodes: list[Episode] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Broken promises that have nothing to do with how busy the machine is."""
    sessions: int = 0
    doubles: int = 0
    """Sessions that a camera was asked for while it had one."""

    @property
    def late(self) -> list[Episode]:
        """Those that took longer than promised."""
        return [one for one in self.episodes if one.again_s > one.limit_s]

    def broken(self, what: str) -> None:
        self.problems.append(what)
        print(f"BROKEN: {what}", flush=True)


@dataclass(frozen=True, slots=True)
class Known:
    """What stands in the catalog, which a process opens once at a time."""

    streams: dict[str, bytes]
    """Of each camera, by its name."""
    disks: list[tuple[Path, bytes]]


@dataclass(slots=True)
class Player:
    """Plays episodes on one recorder. Its coroutines run in the cameras' thread."""

    box: Box
    cameras: FaultyCameras
    listener: Listener
    chance: Random
    stretch: float
    known: Known
    report: Report = field(default_factory=Report)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """From outside of the cameras' thread."""
        asyncio.run_coroutine_threadsafe(work, self.cameras.loop).result()

    # --- one camera after another ----------------------------------------------------------------

    async def play(self, kinds: Iterable[Kind], udp_kinds: Iterable[Kind]) -> None:
        """All of them, each camera with one at a time; `udp_kinds`: those that send datagrams."""
        decks = {False: deque(kinds), True: deque(udp_kinds)}
        await asyncio.gather(*(self._live(c, decks[c.has_udp]) for c in self.cameras.cameras))

    async def _live(self, camera: FaultyCamera, deck: deque[Kind]) -> None:
        while deck:
            kind = deck.popleft()
            await asyncio.sleep(self.chance.uniform(0.5, 2.0))
            began_ns = time.time_ns()
            await kind.play(camera, self.chance, self.stretch)
            back_ns = time.time_ns()
            away_s = (back_ns - began_ns) / 1e9
            limit_s = RETURN_S + (max(kind.more_s, away_s) if kind.is_refusal else kind.more_s)
            if kind.loses_nothing:
                back_ns, limit_s = began_ns, 0.0
            if not await self._again(camera, kind.name, away_s, back_ns, limit_s):
                return  # it is stuck: nothing more can be learnt of it

    async def _again(
        self, camera: FaultyCamera, kind: str, away_s: float, back_ns: int, limit_s: float
    ) -> bool:
        """Waits until it is recorded again, and notes how long that took. False: it never is."""
        stream = self.known.streams[camera.name]
        until_s = time.monotonic() + limit_s + _STUCK_S
        while self.listener.latest(stream) < back_ns + _SURE_NS:
            if time.monotonic() > until_s:
                self.report.broken(f"{kind}: {camera.name} is not recorded any more")
                return False
            await asyncio.sleep(_LOOK_S)
        ranges = await asyncio.to_thread(self._ranges, stream, back_ns)
        first_ns = min(part.from_ns for part in ranges if part.to_ns > back_ns + _SURE_NS // 2)
        again_s = max(0, first_ns - back_ns) / 1e9
        self.report.episodes.append(Episode(kind, camera.name, away_s, again_s, limit_s))
        if again_s > limit_s:
            print(f"LATE: {kind}: {camera.name} after {again_s:.1f} s, limit {limit_s:.1f} s")
        return True

    def _ranges(self, stream: bytes, from_ns: int) -> tuple[Range, ...]:
        until_ns = time.time_ns() + 10**10
        line = footage.timeline_of(self.box.home, self.known.disks, stream, from_ns, until_ns)
        return line.ranges

    # --- all at once -----------------------------------------------------------------------------

    async def all_away(self, away_s: float) -> None:
        """A switch loses its power: those behind it are refused; others just fall silent."""
        await self._all("all back at once", away_s, self._nothing)

    async def away_at_start(self, away_s: float) -> None:
        """The recorder starts while no camera is there."""
        await asyncio.to_thread(self.box.stop)
        await self._all("all away at start", away_s, lambda: asyncio.to_thread(self.box.start))

    @staticmethod
    async def _nothing() -> None:
        pass

    async def _all(self, kind: str, away_s: float, then: Callable[[], Awaitable[None]]) -> None:
        """Half of them are off, half out of reach."""
        half = len(self.cameras.cameras) // 2
        off, silent = self.cameras.cameras[:half], self.cameras.cameras[half:]
        began_ns = time.time_ns()
        for camera in off:
            camera.shut()
            camera.reset()
        await asyncio.gather(*(camera.hold() for camera in silent))
        await then()
        await asyncio.sleep(away_s)
        for camera in off:
            camera.reboot()
        await asyncio.gather(*(camera.open() for camera in off))
        await asyncio.gather(*(camera.release(forgets=True) for camera in silent))
        back_ns = time.time_ns()
        gone_s = (back_ns - began_ns) / 1e9
        waits = [self._again(c, kind, gone_s, back_ns, ALL_S) for c in self.cameras.cameras]
        await asyncio.gather(*waits)

    # --- at the end ------------------------------------------------------------------------------

    def look(self) -> None:
        """Nobody is stuck, no camera had two sessions, and the disk is whole."""
        for camera in self.box.status().cameras:
            if camera.state != "recording":
                self.report.broken(f"{camera.id} is {camera.state} in the end: {camera.what}")
        self.box.stop()
        for problem in check(self.box.disk, is_deep=True).problems:
            self.report.broken(f"disk check: segment {problem.segment}: {problem.what}")
        for one in self.cameras.cameras:
            self.report.sessions += one.sessions
            self.report.doubles += one.doubles
            if one.doubles:
                self.report.broken(f"{one.name} saw two sessions at once, {one.doubles} times")


def enrol(box: Box, cameras: FaultyCameras) -> Known:
    """Adds all cameras with their login."""
    login = box.home / "login"
    login.write_text(f"{USER}:{PASSWORD}\n")
    for camera in cameras.cameras:
        words = ("--url", cameras.address(camera), "--owner-kind", "state")
        box.command("camera", "add", camera.name, *words, "--credentials-file", str(login))
    with Catalog(box.home, is_readonly=True) as catalog:
        return Known(
            {camera.code: camera.streams[0].id for camera in catalog.cameras()},
            [(Path(disk.path), disk.uuid) for disk in catalog.disks()],
        )


def deck_of(kinds: Sequence[Kind], each: int, chance: Random) -> list[Kind]:
    """Every kind `each` times, in any order."""
    counts = {k.name: min(each, LONG_EACH) if k.more_s >= LOCKED_S else each for k in kinds}
    deck = [kind for kind in kinds for _ in range(counts[kind.name])]
    return chance.sample(deck, len(deck))


def run(
    room: Path,
    *,
    cameras: int = CAMERAS,
    udp: int = 0,
    kinds: Sequence[Kind] = KINDS,
    udp_kinds: Sequence[Kind] = UDP_KINDS,
    each: int = EACH,
    rounds: int = ALL_ROUNDS,
    hours: float = 0.0,
    stretch: float = 1.0,
    seed: int = 1,
    size: str = "12G",
    segment_size: str = "32M",
) -> Report:
    """Every kind `each` times, then all at once `rounds` times and at start; or so for `hours`.

    `udp`: how many of the cameras send datagrams; each of `udp_kinds` befalls one of those.
    `stretch`: how many times as long as usual a camera is away.
    """
    chance = random.Random(seed)
    server = FaultyCameras(cameras, seed, udp)
    both = (kinds if udp < cameras else (), udp_kinds if udp else ())
    try:
        with Box(room, size, segment_size=segment_size) as box:
            known = enrol(box, server)
            box.start()
            listener = Listener(box.home)
            try:
                player = Player(box, server, listener, chance, stretch, known)
                listener.wait_past(list(known.streams.values()), time.time_ns())
                _play_all(player, both, each, rounds, hours)
                time.sleep(5.0)  # whoever falls out again shows it in the end
                player.look()
            finally:
                listener.stop()
    finally:
        server.stop()
    return player.report


def _play_all(
    player: Player,
    both: tuple[Sequence[Kind], Sequence[Kind]],
    each: int,
    rounds: int,
    hours: float,
) -> None:
    """The order of it: one by one, all at once, and once more while there is time."""
    until_s = time.monotonic() + hours * 3600
    while True:
        tcp, udp = (deck_of(kinds, 4 if hours else each, player.chance) for kinds in both)
        player.run(player.play(tcp, udp))
        for _ in range(1 if hours else rounds):
            player.run(player.all_away(player.chance.uniform(5.0, 40.0)))
        if time.monotonic() >= until_s:
            break
    if rounds:
        player.run(player.away_at_start(player.chance.uniform(10.0, 20.0)))


def table(report: Report) -> None:
    """For docs/performance.md."""
    print("| what befell it | times | away: median, most | again after: median, most | limit |")
    print("|---|---|---|---|---|")
    known = [kind.name for kind in (*KINDS, *UDP_KINDS)]
    for name in dict.fromkeys([*known, *(one.kind for one in report.episodes)]):
        found = [one for one in report.episodes if one.kind == name]
        if found:
            away = [one.away_s for one in found]
            again = [one.again_s for one in found]
            limits = {one.limit_s for one in found}
            limit = f"{min(limits):.0f} s" if len(limits) == 1 else "5 s + as long as it refused"
            late = sum(one.again_s > one.limit_s for one in found)
            print(
                f"| {name} | {len(found)} | {statistics.median(away):.1f}, {max(away):.1f} s |"
                f" {statistics.median(again):.1f}, {max(again):.1f} s |"
                f" {limit}{f': {late} later' if late else ''} |"
            )
    print(f"\nepisodes: {len(report.episodes)}; later than promised: {len(report.late)}")
    print(f"sessions: {report.sessions}; of them while another was open: {report.doubles}")
    print(f"broken promises: {len(report.problems)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cameras", type=int, default=CAMERAS)
    parser.add_argument("--udp", type=int, default=0, help="so many of them send datagrams (0)")
    parser.add_argument("--each", type=int, default=EACH, help=f"episodes of each kind ({EACH})")
    parser.add_argument("--rounds", type=int, default=ALL_ROUNDS, help="of all cameras at once")
    parser.add_argument("--kinds", default="", help="those with this in their name (all)")
    parser.add_argument("--hours", type=float, default=0.0, help="as long, with longer outages")
    parser.add_argument("--size", default="12G", help="of the disk")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--room", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    print(f"machine: {machine()}\ncommand: python {shlex.join(sys.argv)}; seed {options.seed}\n")
    began_s = time.monotonic()
    report = run(
        options.room,
        cameras=options.cameras,
        udp=options.udp,
        kinds=[kind for kind in KINDS if options.kinds in kind.name],
        udp_kinds=[kind for kind in UDP_KINDS if options.kinds in kind.name],
        each=options.each,
        rounds=options.rounds,
        hours=options.hours,
        stretch=4.0 if options.hours else 1.0,
        seed=options.seed,
        size=options.size,
    )
    table(report)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"took {(time.monotonic() - began_s) / 60:.1f} minutes; load in the end {load}")
    return 1 if report.problems or report.late else 0


if __name__ == "__main__":
    sys.exit(main())
