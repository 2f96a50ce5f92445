"""Ends of certificates, as those tell who show them: an alarm a day, some weeks before.

A door whose certificate has ended takes no camera that looks at it, and nobody would know why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from vonggac.ingest.backoff import StartLimiter
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.messages_push import PushCounts

__all__ = ["CertificateWatch"]

ALARM = "certificate-ends"
_DAY_NS = 24 * 3600 * 1_000_000_000
_CHANGES = 12
"""Of one section at once, and in a day: who listens is in the Internet's reach, and one that was
taken over must not push all other alarms out with a certificate that ends and ends not."""
_OF = {"push": "of the door for cameras that call", "serve": "of the page"}


class CertificateWatch:
    """In the recorder's one thread. `alarm` takes kind, subject and sentence."""

    def __init__(
        self,
        days: Mapping[str, int],
        alarm: Callable[[str, str, str], None],
        alarms: AlarmStore,
        *,
        wall: Clock = wall_ns,
        monotonic: Clock = time.monotonic_ns,
    ) -> None:
        """`days`: by section of the configuration, how long before its end it is an alarm."""
        self.ends_ns: dict[str, int] = {}
        """Wall time, by section, of those that are shown."""
        self._days = days
        self._alarm = alarm
        self._alarms = alarms
        self._wall = wall
        self._monotonic = monotonic
        self._told_ns: dict[str, int] = {}
        """By the clock that nobody sets."""
        a_day = StartLimiter(_CHANGES / 86_400, _CHANGES, _CHANGES, monotonic() / 1e9)
        self._changes = dict.fromkeys(days, a_day)

    def told(self, section: str, ends_ns: int) -> None:
        """Who listens for this section shows a certificate until then; 0: it does not say."""
        if ends_ns <= 0 or section not in self._days or self.ends_ns.get(section) == ends_ns:
            return
        changes, wait_s = self._changes[section].take(self._monotonic() / 1e9)
        if wait_s > 0:
            return  # it is told again
        self._changes[section] = changes
        self.ends_ns[section] = ends_ns
        self._told_ns.pop(section, None)
        if not self._is_soon(section):
            until = _date(ends_ns)
            self._alarms.settle(ALARM, section, f"renewed, until {until}", self._wall())

    def turn(self, counts: PushCounts | None) -> None:
        """Once a second. `counts`: what the door for cameras told last."""
        if counts is not None:
            self.told("push", counts.certificate_ends_ns)
        now_ns = self._monotonic()
        for section, ends_ns in self.ends_ns.items():
            last_ns = self._told_ns.get(section)
            is_due = last_ns is None or now_ns - last_ns >= _DAY_NS
            if is_due and self._is_soon(section):
                self._told_ns[section] = now_ns
                self._alarm(ALARM, section, _sentence(section, ends_ns, self._wall()))

    def _is_soon(self, section: str) -> bool:
        return self.ends_ns[section] - self._wall() <= self._days[section] * _DAY_NS


def _sentence(section: str, ends_ns: int, now_ns: int) -> str:
    if ends_ns <= now_ns:
        when = f"ended on {_date(ends_ns)}: whoever looks at it comes no more"
    else:
        when = f"ends on {_date(ends_ns)}, in {(ends_ns - now_ns) // _DAY_NS} days"
    return f"the certificate {_OF[section]} {when}; put a new one in its place"


def _date(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")
