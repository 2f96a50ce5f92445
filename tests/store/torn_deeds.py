"""What happens in a history, and what the power is cut in: add here what a keeper learns to do."""

from __future__ import annotations

import random
from collections.abc import Callable

from store.torn_world import World

Operation = Callable[[World, random.Random], None]


def _sizes(world: World, chance: random.Random) -> list[int]:
    return [chance.choice((0, 2_000, 9_000, 9_000, 60_000)) for _ in world.streams]


def _run(world: World, chance: random.Random) -> None:
    world.begin_run(chance.choice(world.streams), chance.choice((-3600, -1, 0, 5, 40)))


def _other_sets(world: World, chance: random.Random) -> None:
    """Other parameter sets are another segment."""
    stream = chance.choice(world.streams)
    stream.sps = stream.sps[:-1] + bytes([stream.sps[-1] ^ 2])


OPERATIONS: dict[str, tuple[int, Operation]] = {
    "second": (60, lambda world, chance: world.second(_sizes(world, chance))),
    "commit": (8, lambda world, chance: world.commit()),
    "run": (5, _run),
    "sets": (2, _other_sets),
    "lock": (2, World.lock),
    "gap": (3, World.open_gap),
    "erase": (4, World.erase),
}
"""Weight, and what is done. An operation may end in a tick, or leave that to the next one."""


def _write_without_an_end(world: World, chance: random.Random) -> None:
    world.write(world.make(_sizes(world, chance)))


def _commit_without_an_end(world: World, chance: random.Random) -> None:
    assert world.started is not None
    ring = world.started.ring
    if ring.can_commit:
        ring.archive.index.commit(ring.freeze())


def _locked_without_an_end(world: World, chance: random.Random) -> None:
    world.lock(chance)
    world.open_gap(chance)
    _write_without_an_end(world, chance)


def _erase_without_an_end(world: World, chance: random.Random) -> None:
    """Read, journalled, zeroed: the cut is in one of the three."""
    world.erase(chance)
    for _ in range(chance.randrange(3)):
        world.tick([])
        world.follow()
    world.write([])


LAST_DEEDS: dict[str, tuple[int, Operation]] = {
    "tick": (12, _write_without_an_end),
    "lock": (2, _locked_without_an_end),
    "erase": (4, _erase_without_an_end),
    "commit": (4, _commit_without_an_end),
    "rebuild": (1, lambda world, chance: world.rebuild_offline()),
}
"""What the power is cut in: nothing of it is acknowledged."""


def choose(table: dict[str, tuple[int, Operation]], chance: random.Random) -> Operation:
    weights = [weight for weight, _ in table.values()]
    return chance.choices([deed for _, deed in table.values()], weights)[0]
