"""Wrong passwords, counted in the memory of `serve`; how long to wait is `registry.sign_in`'s."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vonggac.errors import TooMany
from vonggac.registry.people import name_key
from vonggac.registry.sign_in import NO_TRIES, Tries

__all__ = ["Guesses", "TooSoon", "name_guessed", "network_of"]

KEYS_MAX = 4096
"""Accounts and addresses held in mind. An address has to wait after three, so they fill slowly."""


class TooSoon(TooMany):
    """The wait is not over; what was typed was not looked at."""

    def __init__(self, retry_after_s: float, *, is_first: bool) -> None:
        super().__init__("too many wrong passwords", retry_after_s)
        self.is_first = is_first
        """Of this wait: the audit chain is told once, or whoever asks often fills its disk."""


@dataclass(slots=True)
class _Held:
    tries: Tries = NO_TRIES
    is_told: bool = False


class Guesses:
    """Thread-safe. A try counts as wrong from its start, so that many at once gain nothing."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def begin(self, keys: Sequence[str]) -> None:
        """A try under all of `keys`. Raises TooSoon while one of them has to wait."""
        with self._lock:
            now_ns = self._clock()
            held = [self._held[key] for key in keys if key in self._held]
            waiting = [one for one in held if one.tries.wait_ns(now_ns)]
            if waiting:
                is_first = not any(one.is_told for one in waiting)
                for one in waiting:
                    one.is_told = True
                longest_ns = max(one.tries.wait_ns(now_ns) for one in waiting)
                raise TooSoon(longest_ns / 1e9, is_first=is_first)
            for key in keys:
                self._make_room(key, now_ns)
                one = self._held.setdefault(key, _Held())
                one.tries, one.is_told = one.tries.more(now_ns), False

    def take_back(self, keys: Sequence[str]) -> None:
        """The try was no guess: it was right, or never looked at."""
        with self._lock:
            for key in keys:
                if key in self._held:
                    self._held[key].tries = self._held[key].tries.less()

    def forget(self, key: str) -> None:
        """Whoever this is has shown to know the password."""
        with self._lock:
            self._held.pop(key, None)

    def _make_room(self, key: str, now_ns: int) -> None:
        if key in self._held or len(self._held) < KEYS_MAX:
            return
        kept = {k: one for k, one in self._held.items() if not one.tries.is_forgotten(now_ns)}
        while len(kept) >= KEYS_MAX:
            kept.pop(min(kept, key=lambda k: kept[k].tries.last_ns))
        self._held = kept


def network_of(address: str) -> str:
    """Whose tries count together: an address, or the 2⁶⁴ that one IPv6 machine may choose from."""
    with contextlib.suppress(ValueError):
        found = ipaddress.ip_address(address)
        if found.version == 6 and found.ipv4_mapped is None:
            return f"network {ipaddress.ip_network((found, 64), strict=False)}"
    return f"address {address}"


def name_guessed(name: str) -> str:
    """A name as typed, as a key: nothing readable stays in memory, and it has one length."""
    key = name_key(name).encode("utf-8", "surrogatepass")
    return f"name {hashlib.sha256(key).hexdigest()}"
