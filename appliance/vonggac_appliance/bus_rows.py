"""Rows of what the recorder answers (`bus_control`): a stream, a camera, a disk as it sees them.

Fields are added at the end with a default, never changed.
"""

from __future__ import annotations

import msgspec


class Publisher(msgspec.Struct, frozen=True):
    """Where a camera that calls was called from, as the door for callers saw it."""

    address: str
    port: int
    tls: str
    """Version, such as TLSv1.3."""
    since_ns: int
    until_ns: int = 0
    """When it ended; 0: it publishes now."""

    def __str__(self) -> str:
        return f"{self.address} port {self.port}, {self.tls or 'TLS of no known version'}"


class SoundStatus(msgspec.Struct, frozen=True):
    """What becomes of a stream's sound, whose basis allows it. Counters are of the present run."""

    state: str
    """SoundState: recorded, silent, not-offered, not-carried, not-granted, put-off."""
    codec: str | None = None
    """aac, latm, pcma, pcmu, opus; None where none was granted."""
    what: str = ""
    """A sentence, for those who repair it."""
    packets: int = 0
    packets_lost: int = 0
    packets_odd: int = 0
    """Dropped, or dropped in part."""
    frames: int = 0
    dropped: int = 0
    """Frames for which there was no room, or which came too late."""
    holes: int = 0
    missing_ms: int = 0
    """All holes together."""
    last_frame_age_ms: int | None = None
    """None: none has come yet."""


class StreamStatus(msgspec.Struct, frozen=True):
    """A stream as the recorder sees it. Counters are of the present run."""

    name: str
    state: str
    codec: str | None = None
    width: int = 0
    height: int = 0
    gap_reason: str | None = None
    gap_start_ns: int | None = None
    run: int = 0
    bytes: int = 0
    samples: int = 0
    sync_samples: int = 0
    packets: int = 0
    packets_lost: int = 0
    damaged: int = 0
    dropped: int = 0
    keyframe_interval_ms: int = 0
    last_sample_age_ms: int = 0
    durable_until_ns: int | None = None
    recorded_ns: int = 0
    """Wall time recorded since the recorder started."""
    flood: bool = False
    counted_ns: int = 0
    """When the loop counted: what rates are measured between."""
    publisher: Publisher | None = None
    """Of a camera that calls: who sends it, or sent it last since the recorder started."""
    sound: SoundStatus | None = None
    """None while it is not recorded, and where its basis allows no sound."""


class CameraLearnt(msgspec.Struct, frozen=True):
    """What connections to a camera have taught (docs/ref/learnt.md). Null: nothing, or as usual."""

    transport: str | None = None
    keepalive: str | None = None
    login: str | None = None
    url_form: str | None = None
    session_rule: str | None = None
    habits: dict[str, int] = {}
    """By name: how often it was met."""
    refused_until_ns: int = 0
    """Its login was refused, and is not said again before; 0: it was not."""
    device: dict[str, str] = {}
    """What it says of itself: serial, realm, product, name."""
    other_device: dict[str, str] = {}
    """Of another one that answered in its place and waits for a person's word."""
    other_ns: int = 0
    """Since when; 0: none does."""
    certificate: bytes = b""
    other_certificate: bytes = b""


class CameraStatus(msgspec.Struct, frozen=True):
    """A camera; its state is that of its worst stream."""

    id: str
    state: str
    streams: list[StreamStatus]
    gap_reason: str | None = None
    what: str = ""
    learnt: CameraLearnt | None = None


class ScrubStatus(msgspec.Struct, frozen=True):
    """How far the reading again of a disk's footage has come."""

    read_bytes: int
    """Since its keeper began; so are `faults`."""
    faults: int
    began_ns: int
    """Of this round."""
    done: float
    """Of this round, 0 to 1."""


class DiskStatus(msgspec.Struct, frozen=True):
    """A disk as its keeper reports it."""

    uuid: str
    path: str
    state: str
    what: str = ""
    tick_ms: float = 0.0
    role: str = "recording"
    """recording; draining: no stream is to be on it any more."""
    streams: int = 0
    """How many are recorded on it."""
    disk: str = ""
    """Its id in the catalog; `uuid` is empty until the disk has come up."""
    scrub: ScrubStatus | None = None


class PushStatus(msgspec.Struct, frozen=True):
    """The door for cameras that call. Counts are since `push run` started."""

    is_open: bool
    """Whether `push run` takes calls."""
    publishing: int = 0
    """At this moment."""
    calls: int = 0
    refused: dict[str, int] = {}
    """By the reason: tls, time, words, key, rule, crowd."""


class DiskLocks(msgspec.Struct, frozen=True):
    """The locks that stand in a disk's journal, synced."""

    uuid: str
    path: str
    state: str
    locks: list[bytes] | None
    """Null while its keeper is down, or has not told yet: it takes them before it gives up any
    footage."""


class StreamRetention(msgspec.Struct, frozen=True):
    """What a disk holds of a stream, in sealed segments."""

    stream: bytes
    camera: bytes
    segments: int
    oldest_ns: int
    newest_ns: int
    bytes_a_day: int | None
    """None where it was recorded for less than an hour."""


class DiskRetention(msgspec.Struct, frozen=True):
    """How a disk stands to what was promised, as its keeper saw it within the last minutes."""

    uuid: str
    path: str
    capacity_bytes: int
    held_bytes: int
    pinned_bytes: int
    due_bytes: int
    held: str
    """Why nothing is erased by time; empty: nothing forbids it."""
    is_guarded: bool
    holds_days: float | None
    needed_bytes: int
    broken: list[bytes]
    """Cameras whose promise will not be kept."""
    tick_ms: float
    streams: list[StreamRetention]


class DiskBackup(msgspec.Struct, frozen=True):
    """The newest backup on a disk."""

    uuid: str
    path: str
    state: str
    room_bytes: int | None
    """The largest that it takes; 0: it has no place for any; None: its keeper has not said."""
    made_ns: int | None
    length: int
    generation: int
    what: str
    """Why the last one was not written."""
    is_writing: bool
