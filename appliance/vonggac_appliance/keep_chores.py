"""What a keeper does beside its ticks: each such duty is a chore in a file of its own.

A chore lives in the keeper's main thread and never waits: what blocks on the disk goes into the
tick's batch (`Ring.plan`) or to a thread of the chore's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from vonggac.store.index import IndexDamaged
from vonggac.store.ring import Ring
from vonggac_appliance import sockets
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import KeeperAlarm

__all__ = ["Chore", "Chores", "Desk"]

_log = logging.getLogger("vonggac.keep")

_TURN_S = 1.0

Obey = Callable[[sockets.Message], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a chore has at hand."""

    ring: Ring
    home: Path
    say: Callable[[Kind, msgspec.Struct], None]
    """To the parent."""
    hurry: Callable[[], None]
    """Has the next tick begin at once, though no chunk came."""

    def alarm(self, kind: str, subject: str, what: str) -> None:
        """Something a person has to look at; the parent publishes it."""
        self.say(Kind.KEEPER_ALARM, KeeperAlarm(kind, subject, what))


class Chore(Protocol):
    """One duty."""

    @property
    def obeys(self) -> Mapping[Kind, Obey]:
        """Which of the parent's messages are its business."""
        ...

    def turn(self, now_s: float) -> None:
        """Once a second, by the monotonic clock."""
        ...

    def close(self) -> None:
        """The keeper ends."""
        ...


class Chores:
    """All of a keeper's."""

    def __init__(self, chores: list[Chore], failed: Callable[[str, str], None]) -> None:
        """`failed`: told the name of a chore that broke, and what happened."""
        self._chores = chores
        self._broken: list[Chore] = []
        self._failed = failed
        self._routes = {int(kind): obey for c in chores for kind, obey in c.obeys.items()}
        self._turned_s = 0.0

    def obey(self, message: sockets.Message) -> bool:
        """Whether a chore took the parent's message."""
        route = self._routes.get(message.kind)
        if route is None:
            return False
        route(message)
        return True

    def turn(self, now_s: float) -> None:
        """Called in every turn of the keeper; passed on once a second.

        A chore that breaks has no further turns, and is told of: recording goes on without it.
        """
        if now_s - self._turned_s < _TURN_S:
            return
        self._turned_s = now_s
        for chore in [chore for chore in self._chores if chore not in self._broken]:
            try:
                chore.turn(now_s)
            except IndexDamaged:
                raise  # the keeper ends, and the next one makes the index again
            except Exception as error:  # noqa: BLE001  # whatever it is, the next tick's chunks come first
                _log.exception("%s is given up until the keeper starts anew", _name(chore))
                self._broken.append(chore)
                self._failed(_name(chore), f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """In the order in which they were given."""
        for chore in self._chores:
            chore.close()


def _name(chore: Chore) -> str:
    return type(chore).__name__
