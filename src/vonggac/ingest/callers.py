"""Who may call the box at once, and how long a wrong key has to wait. Time is an argument.

Many homes share one address of their carrier. So nobody is shut out for what a neighbour does: a
refusal is slow, and where callers crowd it is the one who has dawdled longest that has to go.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from vonggac.ingest.backoff import StartLimiter, start_limiter

__all__ = ["Dawdler", "Pace", "Refusals", "Rivals", "neighbourhood", "who_goes"]

PENDING_MAX = 64
"""Callers that do not publish yet, in all: 400 KiB each at most, most of it TLS's."""
PENDING_OF_ONE_MAX = 8
"""And from one neighbourhood."""
CALLS_PER_SECOND = 32.0
"""TLS handshakes: a millisecond or two of a processor each."""
CALLS_OF_ONE_PER_SECOND = 8.0
"""Of one neighbourhood; more are let go without one. As many may come at once."""

_FIRST_S = 0.5
_MOST_S = 8.0
"""A caller has ten seconds in all."""
_FORGOTTEN_S = 900.0
_KNOWN_MAX = 4096
_RIVAL_S = 90.0
"""Longer than any stall is waited for (60 s)."""
_RIVAL_PAUSE_S = 60.0
"""Between two calls of one who goes on calling."""


@dataclass(frozen=True, slots=True)
class Dawdler:
    """A caller that does not publish yet."""

    number: int
    neighbourhood: str
    since_s: float
    camera: str = ""
    """Whose key it has shown; empty: none yet."""


def neighbourhood(address: str) -> str:
    """Whom a bound is for: an IPv4 address, or an IPv6 network of 64 bits, which one home has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def who_goes(waiting: Sequence[Dawdler], comes: str) -> int | None:
    """The number of the one who makes room for a caller of neighbourhood `comes`; None: there is.

    The oldest of the same neighbourhood where that has too many, else the oldest of all. Whoever
    has shown a key is spared, or strangers in their crowds would throw out cameras a moment before
    they publish; but one a camera alone, or its key would open the whole waiting room.
    """
    same = [one for one in waiting if one.neighbourhood == comes]
    crowd = same if len(same) >= PENDING_OF_ONE_MAX else waiting
    if crowd is waiting and len(waiting) < PENDING_MAX:
        return None
    spared = {one.camera: one.number for one in reversed(waiting) if one.camera}
    strangers = [one for one in crowd if one.number != spared.get(one.camera)]
    return min(strangers or crowd, key=lambda one: one.since_s).number


@dataclass(slots=True)
class Pace:
    """How fast each neighbourhood calls; the newest 4,096 are remembered."""

    _known: OrderedDict[str, StartLimiter] = field(default_factory=OrderedDict)

    def is_too_fast(self, who: str, now_s: float) -> bool:
        """Whether this call is one too many: it is let go, and not counted against the next."""
        known = self._known.pop(who, None) or start_limiter(CALLS_OF_ONE_PER_SECOND, now_s)
        after, wait_s = known.take(now_s)
        self._known[who] = known if wait_s > 0 else after
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)
        return wait_s > 0


@dataclass(slots=True)
class Refusals:
    """Wrong keys by neighbourhood; the newest 4,096 are remembered."""

    _known: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)
    """How many, and monotonic seconds of the last one."""

    def one_more(self, who: str, now_s: float) -> float:
        """Seconds until this one is answered: doubling from half a second to eight."""
        count, last_s = self._known.pop(who, (0, now_s))
        count = 1 if now_s - last_s > _FORGOTTEN_S else count + 1
        self._known[who] = (count, now_s)
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)
        return min(_FIRST_S * float(1 << min(count - 1, 16)), _MOST_S)


@dataclass(slots=True)
class Rivals:
    """Callers with the right key of a stream that somebody else sends, by stream.

    A camera whose address has changed is refused for as long as its old connection takes to fall
    silent. Who is refused for longer is another one, and the key is in two hands.
    """

    _since: dict[bytes, tuple[str, float, float]] = field(default_factory=dict)
    """Where from, seconds of the first and of the last refusal."""

    def refused(self, stream: bytes, holds: str, calls: str, now_s: float) -> bool:
        """Whether two have the key. `holds`, `calls`: neighbourhoods of both."""
        if holds == calls:
            return False
        who, first_s, last_s = self._since.get(stream, (calls, now_s, now_s))
        if who != calls or now_s - last_s > _RIVAL_PAUSE_S:
            first_s = now_s
        self._since[stream] = calls, first_s, now_s
        return now_s - first_s >= _RIVAL_S

    def ended(self, stream: bytes) -> None:
        """Nobody sends it now: whoever calls next may be the camera."""
        self._since.pop(stream, None)
