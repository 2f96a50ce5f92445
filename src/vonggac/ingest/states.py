"""What a stream is doing, and what moves it. docs/design/ingest.md draws this table."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Of a stream, and of a camera (its worst one). The words stand in `camera list --json`."""

    RECORDING = "recording"
    CONNECTING = "connecting"
    WAITING = "waiting"
    PAUSED = "paused"
    QUARANTINED = "quarantined"
    STOPPED = "stopped"


class Cause(enum.Enum):
    """What happened to a stream."""

    TRY = enum.auto()
    """Its turn has come: rules, disk and limiter allow a connection."""
    FIRST_VIDEO = enum.auto()
    """The first complete access unit of a run."""
    FAILED = enum.auto()
    """A connection did not come about or ended; it is tried again."""
    FORBIDDEN = enum.auto()
    """`may_record` says no."""
    CRASHES = enum.auto()
    """Its camera crashed its loop twice in ten minutes."""
    RELEASED = enum.auto()
    """A person restarted the camera, or the rule allows it again."""
    REMOVED = enum.auto()
    """It was taken out of the catalog, or the recorder ends."""


_EVERY = (State.RECORDING, State.CONNECTING, State.WAITING, State.PAUSED, State.QUARANTINED)

TABLE: dict[tuple[State, Cause], State] = {
    (State.STOPPED, Cause.RELEASED): State.WAITING,
    (State.WAITING, Cause.TRY): State.CONNECTING,
    (State.CONNECTING, Cause.FIRST_VIDEO): State.RECORDING,
    # The run after a loop's crash or a full arena has a first access unit of its own.
    (State.RECORDING, Cause.FIRST_VIDEO): State.RECORDING,
    (State.CONNECTING, Cause.FAILED): State.WAITING,
    (State.RECORDING, Cause.FAILED): State.WAITING,
    (State.WAITING, Cause.FAILED): State.WAITING,
    **{(state, Cause.FORBIDDEN): State.PAUSED for state in _EVERY},
    **{(state, Cause.CRASHES): State.QUARANTINED for state in _EVERY},
    **{(state, Cause.RELEASED): State.WAITING for state in _EVERY},
    **{(state, Cause.REMOVED): State.STOPPED for state in State},
}


def after(state: State, cause: Cause) -> State:
    """The state once `cause` happened. A pair that is not in the table is our own mistake."""
    assert (state, cause) in TABLE, f"{cause.name} while {state}"
    return TABLE[state, cause]


_SEVERITY = (
    State.QUARANTINED,
    State.PAUSED,
    State.WAITING,
    State.CONNECTING,
    State.RECORDING,
    State.STOPPED,
)


def of_camera(streams: list[State]) -> State:
    """The state of a camera from those of its streams: the worst, since that one needs a person."""
    return min(streams, key=_SEVERITY.index, default=State.STOPPED)
