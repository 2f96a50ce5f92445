"""What the running recorder is asked and told, and its answers.

ZeroMQ ROUTER over `ipc://` below HOME/run; a request and its answer, one frame of MessagePack each.
Fields are added at the end with a default, never changed; `v` rises when a meaning changes.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from vonggac.registry.alarms import Alarm as AlarmRow
from vonggac_appliance.sockets import socket_path

__all__ = [
    "AcknowledgeAlarm",
    "AlarmsReply",
    "AskAlarms",
    "AskBackups",
    "AskLocks",
    "AskRetention",
    "BackupNow",
    "BackupsReply",
    "CameraLearnt",
    "CameraStatus",
    "Changed",
    "ConfirmRetention",
    "Control",
    "DiskBackup",
    "DiskLocks",
    "DiskRetention",
    "DiskStatus",
    "Failed",
    "ForgetLearnt",
    "LockRefused",
    "LocksReply",
    "Ok",
    "Reply",
    "RestartCamera",
    "RetentionReply",
    "SeeAlarms",
    "Status",
    "ScrubStatus",
    "StatusReply",
    "StreamRetention",
    "StreamStatus",
    "control_endpoint",
]


class Status(msgspec.Struct, frozen=True, tag="status"):
    """What is every camera doing? Answered with StatusReply."""

    v: int = 1


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """The catalog was written (a camera added, changed or removed): read it now."""

    v: int = 1


class RestartCamera(msgspec.Struct, frozen=True, tag="restart-camera"):
    """Ends a camera's sessions, releases it from quarantine and waiting, and starts anew."""

    camera: str
    v: int = 1


class ForgetLearnt(msgspec.Struct, frozen=True, tag="forget-learnt"):
    """Forgets what a camera's connections have taught, its log-in's floor too, and starts anew."""

    camera: str
    v: int = 1


class AskLocks(msgspec.Struct, frozen=True, tag="ask-locks"):
    """Which disk holds which lock? Answered with LocksReply."""

    v: int = 1


class LockRefused(msgspec.Struct, frozen=True, tag="lock-refused"):
    """A lock would have gone beyond its quota: the recorder raises the alarm."""

    camera: str
    what: str
    v: int = 1


class AskRetention(msgspec.Struct, frozen=True, tag="ask-retention"):
    """How far back does each disk reach, and what is promised? Answered with RetentionReply."""

    v: int = 1


class ConfirmRetention(msgspec.Struct, frozen=True, tag="confirm-retention"):
    """A person says that all that has expired may be erased, though it is more than half."""

    v: int = 1


class AskAlarms(msgspec.Struct, frozen=True, tag="ask-alarms"):
    """What does a person have to look at? Answered with AlarmsReply."""

    limit: int = 100
    """At most 200."""
    v: int = 1


class SeeAlarms(msgspec.Struct, frozen=True, tag="see-alarms"):
    """Somebody has these before his eyes; the first one is remembered."""

    numbers: list[int]
    by: str
    v: int = 1


class AcknowledgeAlarm(msgspec.Struct, frozen=True, tag="acknowledge-alarm"):
    """Somebody answers for an alarm. Answered with AlarmsReply, which holds it as it is now."""

    number: int
    by: str
    note: str = ""
    v: int = 1


class BackupNow(msgspec.Struct, frozen=True, tag="backup-now"):
    """Makes a backup of the home and has it written to every disk; answered before it is done."""

    v: int = 1


class AskBackups(msgspec.Struct, frozen=True, tag="ask-backups"):
    """How old is the backup on each disk? Answered with BackupsReply."""

    v: int = 1


Control = (
    Status
    | Changed
    | RestartCamera
    | ForgetLearnt
    | AskLocks
    | LockRefused
    | AskRetention
    | ConfirmRetention
    | AskAlarms
    | SeeAlarms
    | AcknowledgeAlarm
    | BackupNow
    | AskBackups
)


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


class StatusReply(msgspec.Struct, frozen=True, tag="status-reply"):
    """Everything at once; for 512 cameras of two streams about 330 KiB."""

    cameras: list[CameraStatus]
    disks: list[DiskStatus]
    loops: list[tuple[int, int]]
    """Number and pid."""
    at_ns: int
    v: int = 1
    alarms_open: int = 0


class DiskLocks(msgspec.Struct, frozen=True):
    """The locks that stand in a disk's journal, synced."""

    uuid: str
    path: str
    state: str
    locks: list[bytes] | None
    """Null while its keeper is down, or has not told yet: it takes them before it gives up any
    footage."""


class LocksReply(msgspec.Struct, frozen=True, tag="locks-reply"):
    """All disks of the recorder."""

    disks: list[DiskLocks]
    v: int = 1


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


class RetentionReply(msgspec.Struct, frozen=True, tag="retention-reply"):
    """Those disks that were looked at once."""

    disks: list[DiskRetention]
    v: int = 1


class Ok(msgspec.Struct, frozen=True, tag="ok"):
    """Done."""

    v: int = 1


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Not done. `code`: unknown-camera, malformed, failed, stopping."""

    code: str
    what: str
    v: int = 1


class AlarmsReply(msgspec.Struct, frozen=True, tag="alarms-reply"):
    """Open ones first, the newest of each first."""

    alarms: list[AlarmRow]
    v: int = 1


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


class BackupsReply(msgspec.Struct, frozen=True, tag="backups-reply"):
    """All disks of the recorder."""

    disks: list[DiskBackup]
    has_key: bool
    """False: no recovery key was made, so backups are off."""
    is_making: bool
    what: str
    """Why the last one could not be made; empty: it could."""
    v: int = 1


Reply = StatusReply | LocksReply | RetentionReply | AlarmsReply | BackupsReply | Ok | Failed

CONTROL: tuple[type[msgspec.Struct], ...] = (
    Status,
    Changed,
    RestartCamera,
    ForgetLearnt,
    AskLocks,
    LockRefused,
    AskRetention,
    ConfirmRetention,
    AskAlarms,
    SeeAlarms,
    AcknowledgeAlarm,
    BackupNow,
    AskBackups,
)


def control_endpoint(home: Path) -> Path:
    """The socket on which `record` is told what to do."""
    return socket_path(home, "operate", "control-record.sock")
