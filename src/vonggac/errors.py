"""Errors, and what their catcher should do.

VonggacError
+-- MediaError         bytes from a camera or a disk break a specification   -> count, drop, resync
+-- StorageError       the disk or the index refused; data may be at risk    -> stop the writer
|   +-- OutOfSpace     nothing can be reused before the write is tried again -> wait, alarm
+-- Unavailable        a camera, a process or a peer is not there            -> retry with a delay
+-- Refused            a rule says no (basis, rights, limits)                -> say which
+-- ConfigError        only a person can fix it                              -> exit 78, no retry
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "MediaError",
    "OutOfSpace",
    "Refused",
    "StorageError",
    "Unavailable",
    "VonggacError",
]


class VonggacError(Exception):
    """The root: something that was foreseen."""


class MediaError(VonggacError):
    """Bytes break a specification.

    `kind`: short, value, limit or unsupported; `rule`: the clause or the limit; `offset`: in bytes.
    """

    def __init__(self, kind: str, rule: str, offset: int = 0) -> None:
        super().__init__(f"{rule} ({kind} at byte {offset})")
        self.kind = kind
        self.rule = rule
        self.offset = offset


class StorageError(VonggacError):
    """The disk or the index refused."""


class OutOfSpace(StorageError):
    """Nothing can be reused."""


class Unavailable(VonggacError):
    """Something that should answer does not."""


class Refused(VonggacError):
    """A rule says no."""


class ConfigError(VonggacError):
    """Only a person can fix it; the message says where and what is allowed."""
