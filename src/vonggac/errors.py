"""Errors, and what their catcher should do.

VonggacError
+-- MediaError         bytes from a camera or a disk break a specification   -> count, drop, resync
+-- StorageError       the disk or the index refused; data may be at risk    -> stop the writer
|   +-- OutOfSpace     nothing can be reused before the write is tried again -> wait, alarm
+-- Unavailable        a camera, a process or a peer is not there            -> retry with a delay
+-- Refused            a rule says no (basis, rights, limits)                -> say which
|   +-- Invalid        what was asked makes no sense                         -> name the field
|   +-- Missing        there is no such thing, or not for this person        -> say no more
|   +-- Gone           it was here and its place was used again              -> never other footage
|   +-- NotSignedIn    nobody known is behind the request                    -> sign in
|   +-- TooMany        too often or too much at once                         -> try again later
+-- ConfigError        only a person can fix it                              -> exit 78, no retry
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "Gone",
    "Invalid",
    "MediaError",
    "Missing",
    "NotSignedIn",
    "OutOfSpace",
    "Refused",
    "StorageError",
    "TooMany",
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


class Invalid(Refused):
    """What was asked makes no sense; `field` is the one that is wrong."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


class Missing(Refused):
    """There is no such thing; or there is, and this person may not learn so."""


class Gone(Refused):
    """It was here, and its place on the disk was used again."""


class NotSignedIn(Refused):
    """Nobody known is behind the request: no session, or one that has ended."""


class TooMany(Refused):
    """Too often, or too much at once; `retry_after_s` from now it may be tried again."""

    def __init__(self, what: str, retry_after_s: float) -> None:
        super().__init__(what)
        self.retry_after_s = retry_after_s


class ConfigError(VonggacError):
    """Only a person can fix it; the message says where and what is allowed."""
