"""What the running recorder is asked and told, and its answers, whose rows are in `bus_rows`.

ZeroMQ ROUTER over `ipc://` below HOME/run; a request and its answer, one frame of MessagePack each.
Fields are added at the end with a default, never changed; `v` rises when a meaning changes.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from vonggac.registry.alarms import Alarm as AlarmRow
from vonggac_appliance.bus_rows import (
    CameraLearnt,
    CameraStatus,
    DiskBackup,
    DiskLocks,
    DiskRetention,
    DiskStatus,
    PushStatus,
    ScrubStatus,
    SoundStatus,
    StreamRetention,
    StreamStatus,
)
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
    "CertificateSeen",
    "Changed",
    "ConfirmDevice",
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
    "PushStatus",
    "Reply",
    "RestartCamera",
    "RetentionReply",
    "SeeAlarms",
    "Status",
    "ScrubStatus",
    "SoundStatus",
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


class ConfirmDevice(msgspec.Struct, frozen=True, tag="confirm-device"):
    """Another device answered for a camera: it is the camera from now on, and is recorded."""

    camera: str
    is_known_back: bool = False
    """Instead: the one that was known is there again, and the other one nobody's."""
    v: int = 1


class AskLocks(msgspec.Struct, frozen=True, tag="ask-locks"):
    """Which disk holds which lock? Answered with LocksReply."""

    v: int = 1


class LockRefused(msgspec.Struct, frozen=True, tag="lock-refused"):
    """A lock would have gone beyond its quota: the recorder raises the alarm."""

    camera: str
    what: str
    v: int = 1


class CertificateSeen(msgspec.Struct, frozen=True, tag="certificate-seen"):
    """The page tells until when the certificate that it shows holds: the recorder raises alarms."""

    section: str
    """Of the configuration: `serve`."""
    ends_ns: int
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
    v: int = 1
    subject: str = ""
    """Those of it alone; empty: all."""


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
    | ConfirmDevice
    | AskLocks
    | LockRefused
    | CertificateSeen
    | AskRetention
    | ConfirmRetention
    | AskAlarms
    | SeeAlarms
    | AcknowledgeAlarm
    | BackupNow
    | AskBackups
)


class StatusReply(msgspec.Struct, frozen=True, tag="status-reply"):
    """Everything at once; for 512 cameras of two streams about 330 KiB."""

    cameras: list[CameraStatus]
    disks: list[DiskStatus]
    loops: list[tuple[int, int]]
    """Number and pid."""
    at_ns: int
    v: int = 1
    alarms_open: int = 0
    push: PushStatus | None = None
    """None: no port is set for cameras that call."""
    certificates: dict[str, int] = {}
    """Wall time in ns of the end of each that is shown, by section: `push`, `serve`."""


class LocksReply(msgspec.Struct, frozen=True, tag="locks-reply"):
    """All disks of the recorder."""

    disks: list[DiskLocks]
    v: int = 1


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
    ConfirmDevice,
    AskLocks,
    LockRefused,
    CertificateSeen,
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
