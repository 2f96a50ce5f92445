"""Log-ins that cameras refused, and how long they are not said again. Pure.

Hikvision and Dahua lock an account after a handful of wrong passwords, some until a reboot. So this
outlives connections, and restarts of the recorder.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vonggac.ingest.backoff import WRONG_PASSWORD, Backoff


@dataclass(frozen=True, slots=True)
class Lockout:
    """Which login, how often in a row it was refused, and when last (wall time, ns)."""

    login: bytes
    """What stands for it: nothing of the password can be computed from this."""
    failures: int
    at_ns: int

    def wait_s(self, login: bytes, now_ns: int, rule: Backoff = WRONG_PASSWORD) -> float:
        """How long `login` has to wait; 0 for another one, which was never refused."""
        if login != self.login:
            return 0.0
        whole_s = rule.delay_s(self.failures, 0.0)
        return min(whole_s, max(0.0, whole_s - (now_ns - self.at_ns) / 1e9))

    def looked_at(self, now_ns: int) -> Lockout:
        """Begun now, where the clock was set back behind its beginning.

        Or it would be waited for anew each time, until the clock is there again: years, perhaps.
        """
        return replace(self, at_ns=now_ns) if now_ns < self.at_ns else self


def refused(before: Lockout | None, login: bytes, now_ns: int) -> Lockout:
    """After one more refusal."""
    failures = before.failures if before is not None and before.login == login else 0
    return Lockout(login, failures + 1, now_ns)


_REFUSERS_MAX = 2
"""Cameras of an account that refuse before all of them wait: one may have lost its rights alone.
Two refusals of the first and one of the second stay below the five at which most lock."""


@dataclass(slots=True)
class Refusals:
    """Of one account, a user at an address and port, since it took a login last.

    The channels of a recorder are many cameras and one account, which counts for all of them.
    """

    failures: int = 0
    """Rounds of waiting in a row."""
    at_ns: int = 0
    """Wall time of the newest refusal."""
    cameras: set[int] = field(default_factory=set)
    """Whoever was refused, by what its caller knows it by."""

    def refuses(self, camera: int, now_ns: int) -> None:
        """One connection more on which a login was refused."""
        self.cameras.add(camera)
        self.failures, self.at_ns = self.failures + 1, now_ns

    def joins(self, camera: int, before: Lockout) -> None:
        """What a camera remembers of an earlier life of the recorder."""
        self.cameras.add(camera)
        self.failures = max(self.failures, before.failures)
        self.at_ns = max(self.at_ns, before.at_ns)

    def accepts(self) -> None:
        """A login was taken: the account is not locked, and has begun to count anew."""
        self.cameras.clear()
        self.failures, self.at_ns = 0, 0

    def forgets(self, camera: int) -> None:
        """It is gone, or says something else by now."""
        self.cameras.discard(camera)
        if not self.cameras:
            self.accepts()

    def pardons(self) -> None:
        """A person wants it tried now: one login, by one camera."""
        self.at_ns = 0

    def wait_s(self, now_ns: int, rule: Backoff = WRONG_PASSWORD) -> float:
        """How long all cameras of the account wait; 0 while one may try."""
        if len(self.cameras) < _REFUSERS_MAX:
            return 0.0
        self.at_ns = min(self.at_ns, now_ns)  # as `Lockout.looked_at`
        whole_s = rule.delay_s(self.failures, 0.0)
        return max(0.0, whole_s - (now_ns - self.at_ns) / 1e9)

    @property
    def connection_max(self) -> int:
        """Refusals on one connection before it is given up: two, and one after any was refused."""
        return 1 if self.cameras else 2
