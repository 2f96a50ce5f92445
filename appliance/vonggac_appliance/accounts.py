"""Who uses the page: sign-in, sessions, and the first person."""

from __future__ import annotations

from dataclasses import dataclass

from vonggac.registry.people import Person

__all__ = ["DEVICE_MAX", "Caller", "Session"]

DEVICE_MAX = 200
"""Characters of what a browser calls itself."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from."""

    address: str
    """Of the network, as the kernel tells it."""
    device: str
    """What the browser calls itself, at most DEVICE_MAX characters, without control characters."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in, and how long that holds."""

    id: str
    """16 hex digits, public: stands in audit lines, opens nothing."""
    person: Person
    """`name` is the account's id, 32 hex digits."""
    display_name: str
    created_ns: int
    until_ns: int
    """When it ends if nothing more is asked."""
