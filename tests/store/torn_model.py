"""What was promised by a ring whose power may be cut; and what may be missing afterwards.

It asks nobody who could be wrong: it is told what was acknowledged, and what the ring has taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vonggac.store.check_report import Problem
from vonggac.store.journal import Lock, OpenGap

Key = tuple[bytes, int, int]
"""Stream, run, sequence."""
Where = tuple[int, int, int]
"""Segment, epoch, offset."""
TORN_BEFORE_ACKNOWLEDGED = ("no chunk", "does not have its hash")
"""What `check` may say of chunks that nobody was told of."""


class Broken(AssertionError):
    """A promise is broken; its number stands first."""


@dataclass(frozen=True, slots=True)
class Made:
    """A chunk that a camera has delivered."""

    sha256: bytes
    start_ns: int
    end_ns: int
    second: int


@dataclass(slots=True)
class Model:
    """What was promised, and what may be missing."""

    made: dict[Key, Made] = field(default_factory=dict)
    durable: dict[Key, Where] = field(default_factory=dict)
    seen: dict[Key, Where] = field(default_factory=dict)
    """Never acknowledged, and there all the same when a disk was looked at."""
    given_up: set[tuple[int, int]] = field(default_factory=set)
    """(segment, epoch) that the ring has taken to use again: whole or gone."""
    sealed: dict[tuple[int, int], int] = field(default_factory=dict)
    """In which order segments were sealed, as far as that was acknowledged."""
    opened: dict[int, int] = field(default_factory=dict)
    """Epoch: the segment it was ever used for."""
    locks: tuple[Lock, ...] = ()
    gaps: dict[bytes, OpenGap] = field(default_factory=dict)
    recent: list[Key] = field(default_factory=list)
    """Made since the power was last cut."""
    second: int = 0
    erasing: set[Key] = field(default_factory=set)
    """On their way out: there or not."""
    erased: set[Key] = field(default_factory=set)
    may_lack_index: bool = False
    """It was taken away, or is being made again."""

    def copy(self) -> Model:
        return Model(
            dict(self.made),
            dict(self.durable),
            dict(self.seen),
            set(self.given_up),
            dict(self.sealed),
            dict(self.opened),
            self.locks,
            dict(self.gaps),
            list(self.recent),
            self.second,
            set(self.erasing),
            set(self.erased),
            self.may_lack_index,
        )

    def forget_wishes(self, found: Iterable[Key]) -> None:
        """The power came back, and these are there: nobody has journalled that they are to go,
        whatever an older wish, which was, has left to be done again.
        """
        self.erasing -= set(found)

    def settle_erasing(self, locks: Iterable[Lock], *, is_withdrawn: bool) -> None:
        """What was to be erased is gone. `is_withdrawn`: or stays as a whole, also what no lock
        holds, where one on any of it came before the intents were journalled.
        """
        if is_withdrawn:
            made = [(key[0], self.made[key]) for key in self.erasing]
            if not any(_overlaps(lock, *chunk) for lock in locks for chunk in made):
                raise Broken(f"6: {len(made)} chunks were to be erased, and stay without a lock")
        else:
            self.erased |= self.erasing
        self.erasing.clear()

    def is_locked(self, life: tuple[int, int], locks: Iterable[Lock]) -> bool:
        """Whether any chunk of a segment's life is."""
        chunks = self._chunks_of(life)
        return any(_overlaps(lock, stream, made) for lock in locks for stream, made in chunks)

    def may_be_pinned(self, life: tuple[int, int], locks: Iterable[Lock]) -> bool:
        """Whether a lock lies between its first and its last moment, where a clock that was set
        may have left nothing. What was found there counts as what was acknowledged does.
        """
        chunks = self._chunks_of(life)
        chunks += [(key[0], self.made[key]) for key, w in self.seen.items() if w[:2] == life]
        if not chunks:
            return False
        first_ns = min(made.start_ns for _, made in chunks)
        last_ns = max(made.end_ns for _, made in chunks)
        whole = Made(b"", first_ns, last_ns, 0)
        return any(_overlaps(lock, chunks[0][0], whole) for lock in locks)

    def _chunks_of(self, life: tuple[int, int]) -> list[tuple[bytes, Made]]:
        return [
            (key[0], self.made[key])
            for key, where in self.durable.items()
            if where[:2] == life and key not in self.erased and key not in self.erasing
        ]


def _overlaps(lock: Lock, stream: bytes, made: Made) -> bool:
    return lock.stream == stream and lock.from_ns < made.end_ns and made.start_ns < lock.to_ns


def may_be(problem: Problem, promised: set[Where]) -> bool:
    """Whether a cut may have torn what `check` names: only what was never acknowledged."""
    if not any(text in problem.what for text in TORN_BEFORE_ACKNOWLEDGED):
        return False
    if "does not have its hash" not in problem.what:
        return True  # `_judge_found` has seen that all that was acknowledged is there
    return all(problem.segment != w[0] or problem.offset != w[2] for w in promised)
