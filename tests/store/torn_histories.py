"""Histories of a ring whose power is cut: a program, run with interpose.so preloaded.

    torn_histories.py FOLDER short MOST         at every sync of a short history every image, where
                                                there are not more than MOST
    torn_histories.py FOLDER long FIRST COUNT   long ones of these seeds, cut again and again

Prints one JSON object: images, histories, worst_loss_s, seconds and what was broken.
"""

from __future__ import annotations

import json
import random
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from interpose.files import BLOCK_BYTES, File, Files
from interpose.preload import Call, Control, Tape
from interpose.simulated_disk import SimulatedDisk
from store.maker import BOX, FakeChunk
from store.torn_deeds import LAST_DEEDS, OPERATIONS, choose
from store.torn_model import Broken, Model
from store.torn_world import World
from vonggac.errors import MediaError, VonggacError
from vonggac.store import disk as disks
from vonggac.store.batch import Batch
from vonggac.store.formatting import format_disk
from vonggac.store.journal import SLOT_BYTES, decode

SEGMENT_BYTES = 256 << 10
"""Small ones wrap within a hundred chunks; nothing in the store depends on their size."""
DISK_BYTES = 31 << 19
"""16 segments beside journal and index."""
LONG_SECONDS = 120
_SIDES = 2
"""Images of one cut that are tried and thrown away, beside the one that the history goes on in."""


@dataclass(slots=True)
class Tally:
    histories: int = 0
    images: int = 0
    worst_loss_s: int = 0
    seconds: float = 0.0
    """Of the processor."""
    broken: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Stage:
    """Where histories are played, and what came of them."""

    folder: Path
    tape: Tape
    blank: Files
    tally: Tally = field(default_factory=Tally)
    _worlds: int = 0

    def place(self) -> Path:
        self._worlds += 1
        return self.folder / str(self._worlds)

    def recover(self, world: World, chance: random.Random, cuts: int) -> World:
        """Starts on the disk as it is, and sees that it holds what was promised. `cuts`: how often
        the power may go again meanwhile; the world that remains is given.
        """
        self.tally.images += 1
        found = world.judge()
        self.tally.worst_loss_s = max(self.tally.worst_loss_s, world.loss_s(found))
        world.start(found)
        if cuts and chance.random() < 0.4:
            image = cut(world.disk, world.tape.take(), chance)
            following = world.after(image, self.place())
            world.discard()
            return self.recover(following, chance, cuts - 1)
        world.follow()
        world.begin_runs(chance.choice((1, 30)))
        return world

    def side(self, world: World, image: Files, chance: random.Random) -> None:
        """An image that is tried and thrown away: it is recovered, recorded on, and whole."""
        other = self.recover(world.after(image, self.place()), chance, cuts=1)
        other.second([9_000] * len(other.streams))
        other.second([2_000] * len(other.streams))
        other.let_go()
        other.judge()
        other.discard()


def cut(disk: SimulatedDisk, calls: list[Call], chance: random.Random) -> Files:
    """The power goes somewhere in these calls."""
    at = chance.randrange(len(calls) + 1)
    for call in calls[:at]:
        disk.feed(call)
    if at < len(calls):
        disk.in_flight(calls[at])
    return disk.any_image(chance)


def long_history(stage: Stage, seed: int) -> None:
    """Two minutes of recording in which the power goes every few seconds."""
    chance = random.Random(seed)
    world = World.on(stage.blank, stage.place(), stage.tape, chance.choice((1, 2, 3)))
    world = stage.recover(world, chance, cuts=1)
    for _ in range(LONG_SECONDS):
        choose(OPERATIONS, chance)(world, chance)
        world.follow()
        if chance.random() < 0.08:
            world = _cut_and_go_on(stage, world, chance)
    world.let_go()
    world.follow()
    different = [
        name
        for name in world.disk.everything().differs_from(world.folder)
        if "lock.mdb" not in name
    ]
    assert not different, f"the simulated disk is not the disk: {different}"
    world.judge()
    world.discard()


def _cut_and_go_on(stage: Stage, world: World, chance: random.Random) -> World:
    choose(LAST_DEEDS, chance)(world, chance)
    calls = world.tape.take()
    at = chance.randrange(len(calls) + 1)
    for call in calls[:at]:
        world.disk.feed(call)
    if at < len(calls):
        world.disk.in_flight(calls[at])
    for _ in range(_SIDES):
        stage.side(world, world.disk.any_image(chance), chance)
    image = world.disk.any_image(chance)
    if chance.random() < 0.1:
        _lose_index(image, chance)
        world.model.may_lack_index = True
    if chance.random() < 0.1 and not world.model.erasing:
        _lose_half_a_journal(image, world.model)
    following = world.after(image, stage.place())
    world.discard()
    return stage.recover(following, chance, cuts=2)


def _lose_index(image: Files, chance: random.Random) -> None:
    """Not the cut's doing: so that an index is made again while the power goes."""
    name = "index/data.mdb"
    if name in image.names:
        if chance.random() < 0.5:
            del image.names[name]
        else:
            image.own(image.names[name]).zero(0, 8192)


_REBUILD_FROM = 16
"""A rebuild commits the index a dozen times: not for those in a hurry."""
Deed = Callable[[World], None]


def _lose_half_a_journal(image: Files, model: Model) -> None:
    """The newer one rots. What it alone knew of locks stands in the home's catalog as well; a gap
    that it alone knew of has no reason any more.

    Not where there is one whole half only, on a new disk, or since the other was torn or has rotted
    and no tick came since: two halves stand one loss, and what then remains is `disk rebuild`.
    """
    journal = image.own(image.names["journal"])
    found = [_generation(journal, start) for start in (0, SLOT_BYTES)]
    generations = [generation for generation in found if generation is not None]
    if len(generations) < 2:
        return
    journal.zero(SLOT_BYTES * generations.index(max(generations)), SLOT_BYTES)
    model.locks, model.gaps, model.may_lack_index = (), {}, True


def _generation(journal: File, start: int) -> int | None:
    """Of the half that begins there; None: it is not whole."""
    first = start // BLOCK_BYTES
    blocks = range(first, first + SLOT_BYTES // BLOCK_BYTES)
    try:
        return decode(
            b"".join(journal.blocks.get(n, bytes(BLOCK_BYTES)) for n in blocks)
        ).generation
    except MediaError:
        return None


def short_history(stage: Stage, most: int) -> None:
    """Spares, heads, chunks, a seal, commits, a wrap, a rebuild: at every sync of them each choice
    of what reached the disk.
    """
    chance = random.Random(1)
    world = World.on(stage.blank, stage.place(), stage.tape, 1)
    _exhaust(stage, world, most, chance, World.start)
    for _ in range(3):
        _exhaust_tick(stage, world, most, chance, 0)
    world.begin_runs(1)
    _exhaust_tick(stage, world, most, chance, 9_000)
    _exhaust(stage, world, most, chance, World.commit)
    world.open_gap(chance)
    _exhaust_tick(stage, world, most, chance, 0)
    world.begin_runs(5)
    for _ in range(4):  # the last one does not fit
        _exhaust_tick(stage, world, most, chance, 60_000)
    world.lock(chance)
    _exhaust_tick(stage, world, most, chance, 2_000)
    _exhaust(stage, world, most, chance, World.commit)
    while not world.model.given_up:
        world.second([60_000])
        if world.model.second % 7 == 0:
            world.commit()
        world.follow()
    for _ in range(3):  # reserved, zeroed, ready
        _exhaust_tick(stage, world, most, chance, 60_000)
    if most >= _REBUILD_FROM:
        _exhaust(stage, world, most, chance, World.rebuild_offline)
        _exhaust(stage, world, most, chance, World.start)
    world.discard()


def _exhaust_tick(stage: Stage, world: World, most: int, chance: random.Random, size: int) -> None:
    written: list[Batch[FakeChunk]] = []
    chunks = world.make([size])
    _exhaust(stage, world, most, chance, lambda w: written.append(w.write(chunks)))
    world.settle(written[0])
    world.follow()


def _exhaust(stage: Stage, world: World, most: int, chance: random.Random, deed: Deed) -> None:
    """Every image at every sync of a deed, of which nothing was acknowledged yet."""
    deed(world)
    for call in world.tape.take():
        if call.what in "sfgd":
            if call.what == "d":
                world.disk.in_flight(call)
            for image in world.disk.each_image(most):
                stage.side(world, image, chance)
            if call.what == "d":
                world.disk.landed()
                continue
        world.disk.feed(call)


def main(folder: Path, mode: str, *numbers: str) -> int:
    disks.SEGMENT_BYTES_MIN = SEGMENT_BYTES
    control = Control.of_this_process(folder)
    disk = folder / "blank"
    format_disk(disk, DISK_BYTES, BOX, SEGMENT_BYTES)
    stage = Stage(folder, Tape(), Files.read_from(disk))
    control.record()
    began = time.process_time()
    if mode == "short":
        short_history(stage, int(numbers[0]))
    else:
        first, count = map(int, numbers)
        for seed in range(first, first + count):
            try:
                long_history(stage, seed)
            except (Broken, VonggacError, AssertionError, LookupError, OSError) as error:
                where = traceback.format_exc() if "-v" in sys.argv else ""
                stage.tally.broken.append(f"seed {seed}: {error!r} {where}")
            stage.tally.histories += 1
    stage.tally.seconds = round(time.process_time() - began, 3)
    print(json.dumps(asdict(stage.tally)))
    return 1 if stage.tally.broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *[word for word in sys.argv[2:] if word != "-v"]))
