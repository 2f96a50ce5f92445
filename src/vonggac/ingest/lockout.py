"""A login that a camera refused, and how long it is not said again. Pure.

Hikvision and Dahua lock an account after a handful of wrong passwords, some until a reboot. So this
outlives connections, and restarts of the recorder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
