"""The states of a client session and what leads from one to the next.

Rule 1: what changes a session's state stands in `NEXT`.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Which answer a session waits for."""

    NEW = enum.auto()
    OPTIONS = enum.auto()
    DESCRIBE = enum.auto()
    SETUP = enum.auto()
    PLAY = enum.auto()
    PLAYING = enum.auto()
    TEARDOWN = enum.auto()
    ENDED = enum.auto()


class Step(enum.Enum):
    """What happened to a session."""

    START = enum.auto()
    ANSWERED = enum.auto()
    """What was waited for came, and was good; to OPTIONS any answer is."""
    TEARDOWN = enum.auto()
    """We give the session back."""
    FAILED = enum.auto()


NEXT: dict[tuple[State, Step], State] = {
    (State.NEW, Step.START): State.OPTIONS,
    (State.OPTIONS, Step.ANSWERED): State.DESCRIBE,
    (State.DESCRIBE, Step.ANSWERED): State.SETUP,
    (State.SETUP, Step.ANSWERED): State.PLAY,
    (State.PLAY, Step.ANSWERED): State.PLAYING,
    (State.TEARDOWN, Step.ANSWERED): State.ENDED,
    (State.SETUP, Step.TEARDOWN): State.TEARDOWN,
    (State.PLAY, Step.TEARDOWN): State.TEARDOWN,
    (State.PLAYING, Step.TEARDOWN): State.TEARDOWN,
    # PLAY failed after SETUP was granted: the camera still holds a session.
    (State.ENDED, Step.TEARDOWN): State.TEARDOWN,
    (State.NEW, Step.FAILED): State.ENDED,
    (State.OPTIONS, Step.FAILED): State.ENDED,
    (State.DESCRIBE, Step.FAILED): State.ENDED,
    (State.SETUP, Step.FAILED): State.ENDED,
    (State.PLAY, Step.FAILED): State.ENDED,
    (State.TEARDOWN, Step.FAILED): State.ENDED,
    (State.ENDED, Step.FAILED): State.ENDED,
    # A refused keep-alive ends nothing by itself: video decides.
    (State.PLAYING, Step.FAILED): State.PLAYING,
}

READING = frozenset((State.OPTIONS, State.DESCRIBE, State.SETUP, State.PLAY, State.TEARDOWN))
"""While these last, the session reads the connection itself."""
