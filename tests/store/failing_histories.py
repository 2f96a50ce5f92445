"""One short history for every call that can fail in it: a program, with interpose.so preloaded.

    failing_histories.py FOLDER ERRNO LASTING      1: all calls after the failed one fail too

Prints one JSON object: calls, what ended the history how often, and what was broken.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from interpose.files import Files
from interpose.preload import Control, Tape
from store.maker import BOX
from store.torn_histories import DISK_BYTES, SEGMENT_BYTES
from store.torn_model import Broken
from store.torn_world import DiskFailed, World
from vonggac.errors import StorageError
from vonggac.store import disk as disks
from vonggac.store.formatting import format_disk

_CALLS_MAX = 2000
"""More than the history has; it ends with the first number that nothing fails for."""


def play(world: World) -> None:
    """All that a keeper asks of a disk, and a rebuild."""
    chance = random.Random(1)
    world.start()
    world.second([0, 0])
    world.begin_runs(1)
    for _ in range(2):
        world.second([9_000, 30_000])
    world.commit()
    world.lock(chance)
    world.open_gap(chance)
    world.second([9_000, 9_000])
    world.begin_runs(3)
    for _ in range(5):
        world.second([60_000, 60_000])
    world.commit()
    world.erase(chance)
    for _ in range(4):
        world.second([2_000, 2_000])
    world.commit()
    world.second([2_000, 2_000])
    world.rebuild_offline()
    world.start()
    world.second([9_000, 9_000])


def history(world: World, control: Control, fault: tuple[int, int, bool]) -> str:
    """Plays until the fault ends it, and then as the next keeper does; gives what ended it."""
    number, error, is_lasting = fault
    ended = "nothing"
    control.fail(number, error, is_lasting=is_lasting, is_torn=True, is_light=True)
    try:
        play(world)
    except DiskFailed:
        ended = "a tick"
    except StorageError:
        ended = "a start or a rebuild"
    except OSError as failure:
        if failure.errno != error:
            raise
        ended = "a start or a rebuild"
    was_hit = control.failed > 0
    control.fail(0, is_light=True)
    world.let_go()
    found = world.judge()
    world.start(found, is_suspect=ended == "a tick" and can_be_direct(world.folder))
    world.begin_runs(1)
    world.second([9_000, 9_000])
    for _ in range(3):
        world.tick([])
    world.let_go()
    world.judge()
    return ended if was_hit else ""


def can_be_direct(folder: Path) -> bool:
    """Whether this file system lets itself be read past its cache (tmpfs since Linux 6.6)."""
    try:
        os.close(os.open(folder / "journal", os.O_RDONLY | os.O_DIRECT))
    except OSError:
        return False
    return True


def main(folder: Path, error: int, is_lasting: bool) -> int:
    disks.SEGMENT_BYTES_MIN = SEGMENT_BYTES
    control = Control.of_this_process(folder)
    blank = folder / "blank"
    format_disk(blank, DISK_BYTES, BOX, SEGMENT_BYTES)
    files = Files.read_from(blank)
    ended: Counter[str] = Counter()
    broken: list[str] = []
    calls = 0
    for number in range(1, _CALLS_MAX):
        world = World.on(files, folder / str(number), Tape(), 2)
        try:
            how = history(world, control, (number, error, is_lasting))
        except (Broken, StorageError, AssertionError, LookupError, OSError) as failure:
            broken.append(f"call {number}: {failure!r}")
            how = "broken"
            control.disarm()
        world.discard()
        if not how:
            break
        calls = number
        ended[how] += 1
    print(json.dumps({"calls": calls, "ended": ended, "broken": broken}))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), bool(int(sys.argv[3]))))
