"""Whether a camera still shows what it is to show: covered, blinded, turned away. Pure.

Never a fact: what is told is a reason to look. Nothing of a picture is kept but in memory, and what
is told names two moments of the ring, one as usual and one of now (docs/design/motion.md).
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum

from vonggac.motion.view import View, likeness, still_of

__all__ = ["Trouble", "TroubleTold", "TroubleWatch", "judge"]

_S = 1_000_000_000
_SAMPLE_NS = 10 * _S
_MINUTE_NS = 60 * _S
_SAMPLES_MIN = 3
_TELL_MINUTES = 3
"""In trouble one after the other until it is told; so many without until it is over."""
_STILL_MINUTES = 5
"""More for a picture that does not move at all: the first ones may be a quiet place."""
_LEARN_MINUTES = 10
_QUIET_MINUTES = 30
"""Until it is known how still a place can be."""
_BLOCKS_MIN = 6
"""With structure, of 48."""
_SLOWLY = 1 / 32
"""Of a minute in what is known: shadows wander, and a lorry that parks is known in an hour."""
_DAY_MINUTES = range(7 * 60, 17 * 60)
_NIGHT_UNTIL_MINUTE = 4 * 60 + 30
_NIGHT_FROM_MINUTE = 19 * 60 + 30
"""Of the box's local time; in between, light and filters change, and nothing is learnt."""


class Trouble(StrEnum):
    """Kinds; the words are published and never change."""

    COVERED = "covered"
    BLINDED = "blinded"
    TURNED = "turned"
    DEFOCUSED = "defocused"
    FROZEN = "frozen"
    DARK = "dark"


_MAY_BECOME_USUAL = (Trouble.TURNED, Trouble.DEFOCUSED)
"""Told a day ago, this is how the camera looks from now on: somebody has set it anew."""


@dataclass(frozen=True, slots=True)
class TroubleTold:
    """At its beginning and at its end; wall times in ns."""

    kind: Trouble
    from_ns: int
    """The first minute that was judged so; nothing may be known of those before it."""
    usual_ns: int
    """When it was last known to look as usual."""
    at_ns: int
    """A moment that shows it; at the end: one that is as usual again."""
    is_over: bool = False


def judge(now: View, known: View) -> Trouble | None:
    """One view against a known one; None: it is known again, or nothing can be said."""
    like = likeness(now, known)
    share = now.detail / max(known.detail, 0.1)
    if now.level <= 32 and known.level >= now.level + 12 and share < 0.35:
        return Trouble.DARK
    if like.blocks < _BLOCKS_MIN:
        return None
    if now.bright >= known.bright + 0.25 and like.known_again < 0.6:
        return Trouble.BLINDED
    is_soft = like.softer >= 0.7 and now.sharpness < 0.65 * known.sharpness
    if is_soft and like.coarse >= 0.85 and now.contrast > 0.3 * known.contrast:
        return Trouble.DEFOCUSED
    if like.flat >= 0.7:
        return Trouble.COVERED
    if like.known_again < 0.3:
        return Trouble.TURNED
    return None


def _can_say(known: View) -> bool:
    """Whether anything can be known again in it."""
    return likeness(known, known).blocks >= _BLOCKS_MIN


@dataclass(slots=True)
class _Known:
    """How a camera looks by day, or by night."""

    means: list[float]
    minutes: int = 1
    quiet: float = 1.0
    """The least share of means that changed within 10 s, of all minutes that were learnt."""
    view: View | None = None
    usual_ns: int = 0
    """The last moment that was learnt, or known again."""

    def learn(self, now: View, changed: float) -> None:
        """One more minute that is as usual."""
        self.minutes += 1
        part = max(1 / self.minutes, _SLOWLY)
        self.means = [old + part * (new - old) for old, new in zip(self.means, now.means)]  # noqa: B905
        self.view = None
        self.quiet = min(self.quiet, changed)

    @property
    def is_ready(self) -> bool:
        return self.minutes >= _LEARN_MINUTES

    def seen(self) -> View:
        """The picture that is known."""
        if self.view is None:
            self.view = View(bytes(map(round, self.means)))
        return self.view


class TroubleWatch:
    """Of one stream; 0.6 MB. `utc_offset_minutes`: of the clock by which it is day."""

    def __init__(self, utc_offset_minutes: int = 420, usual_after_minutes: int = 1440) -> None:
        self._offset_minutes = utc_offset_minutes
        self._usual_after_minutes = usual_after_minutes
        self._known: dict[bool, _Known] = {}
        """By whether it is day."""
        self._samples: list[tuple[int, bytes]] = []
        self._last: deque[tuple[int, Trouble | None]] = deque(maxlen=_STILL_MINUTES)
        self._told: TroubleTold | None = None

    def feed(self, wall_ns: int, means: bytes) -> list[TroubleTold]:
        """The means of a picture, in order; one in 10 s is taken, and each minute is judged."""
        if self._samples:
            step_ns = wall_ns - self._samples[-1][0]
            if 0 <= step_ns < _SAMPLE_NS:
                return []
            if not 0 <= step_ns < _MINUTE_NS:  # nobody knows what was in between
                self._samples.clear()
                self._last.clear()
        told = []
        is_whole = len(self._samples) >= _SAMPLES_MIN  # key frames may be half a minute apart
        if is_whole and wall_ns - self._samples[0][0] >= _MINUTE_NS:
            told = self._minute([means for _, means in self._samples], self._samples[-1][0])
            self._samples.clear()
        self._samples.append((wall_ns, means))
        return told

    def _minute(self, samples: list[bytes], at_ns: int) -> list[TroubleTold]:
        now = View(still_of(samples))
        changed = max(map(_changed, samples, samples[1:]))
        is_day = self._is_day(at_ns)
        own = self._own(is_day)
        if not own and self._told is not None:
            return []  # at night, of which nothing is known yet, nobody can say that it is over
        trouble = self._judge(now, changed, own)
        self._last.append((at_ns, trouble))
        if trouble is None:
            if is_day is not None and self._told is None:
                self._learn(is_day, now, changed)
            if not any(kind for _, kind in self._last):
                for known in self._knowing(is_day, now, own):
                    known.usual_ns = at_ns
        return self._tell(at_ns, own)

    def _knowing(self, is_day: bool | None, now: View, own: list[_Known]) -> list[_Known]:
        """For whom a minute without trouble is one as usual, not one of which nothing is known."""
        if is_day is not None:
            return [self._known[is_day]]  # it was learnt
        seen = [(known, known.seen()) for known in own]
        return [known for known, view in seen if _can_say(view) and judge(now, view) is None]

    def _is_day(self, at_ns: int) -> bool | None:
        """None: dusk, or dawn."""
        minute = (at_ns // _MINUTE_NS + self._offset_minutes) % 1440
        if minute in _DAY_MINUTES:
            return True
        is_night = minute < _NIGHT_UNTIL_MINUTE or minute >= _NIGHT_FROM_MINUTE
        return False if is_night else None

    def _own(self, is_day: bool | None) -> list[_Known]:
        """What is known of this time of day; of dusk once both are, for a filter turns then."""
        ready = [of for of, known in self._known.items() if known.is_ready]
        wanted = [True, False] if is_day is None else [is_day]
        return [self._known[of] for of in wanted] if set(wanted) <= set(ready) else []

    def _judge(self, now: View, changed: float, own: list[_Known]) -> Trouble | None:
        """None, too, where nothing is known."""
        found = [judge(now, known.seen()) for known in own]
        if not found:
            return None
        if None in found:
            return Trouble.FROZEN if self._is_frozen(changed, own) else None
        for known in self._known.values():  # clouds by which a camera takes it for night
            view = known.seen()
            is_other = known.is_ready and known not in own
            if is_other and _can_say(view) and judge(now, view) is None:
                return None
        return found[0]

    def _is_frozen(self, changed: float, own: list[_Known]) -> bool:
        return all(
            known.minutes >= _QUIET_MINUTES and known.quiet > 0 and changed < known.quiet / 4
            for known in own
        )

    def _learn(self, is_day: bool, now: View, changed: float) -> None:
        known = self._known.get(is_day)
        if known is None:
            self._known[is_day] = _Known(list(map(float, now.means)), quiet=changed)
        else:
            known.learn(now, changed)

    def _tell(self, at_ns: int, own: list[_Known]) -> list[TroubleTold]:
        last = list(self._last)[-_TELL_MINUTES:]
        if len(last) < _TELL_MINUTES:
            return []
        kinds = [kind for _, kind in last if kind is not None]
        told = self._told
        if told is not None:
            lasts_minutes = (at_ns - told.from_ns) // _MINUTE_NS
            is_usual = told.kind in _MAY_BECOME_USUAL and lasts_minutes >= self._usual_after_minutes
            if is_usual:
                self._known.clear()
            elif kinds:
                return []
            self._told = None
            self._last.clear()
            return [TroubleTold(told.kind, told.from_ns, told.usual_ns, at_ns, is_over=True)]
        if len(kinds) < _TELL_MINUTES:
            return []
        kind = Counter(kinds).most_common(1)[0][0]
        if kind is Trouble.FROZEN and any(one is not kind for _, one in self._all_last()):
            return []
        # Of those it was held against: at night a cover may have been learnt, and is usual there.
        usual_ns = max(known.usual_ns for known in own)
        self._told = TroubleTold(kind, last[0][0] - _MINUTE_NS, usual_ns, at_ns)
        return [self._told]

    def _all_last(self) -> list[tuple[int, Trouble | None]]:
        return [*self._last, *[(0, None)] * (_STILL_MINUTES - len(self._last))]


def _changed(one: bytes, other: bytes) -> float:
    """Share of means that are not the same."""
    return sum(a != b for a, b in zip(one, other, strict=True)) / len(one)
