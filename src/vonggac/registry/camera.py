"""What the catalog knows of a camera. Values only; what may be done with it stands in `rules`.

Rows are msgspec structs stored as maps: a field with a default may be added, none may change its
meaning. Times are wall time in ns since 1970 UTC.
"""

from __future__ import annotations

import enum

import msgspec

__all__ = [
    "AdminState",
    "Basis",
    "Camera",
    "Hours",
    "Identity",
    "Mode",
    "OwnerKind",
    "Push",
    "Retention",
    "Stream",
    "Transport",
    "Uplink",
]


class OwnerKind(enum.StrEnum):
    """Whose camera it is: what the law asks of it depends on this."""

    STATE = "state"
    AGENCY = "agency"
    SCHOOL = "school"
    BUSINESS = "business"
    HOUSEHOLD = "household"
    RESIDENT_GROUP = "resident-group"
    UNCLASSIFIED = "unclassified"
    """Nobody has said yet: recorded, shown red, hidden from officers."""


class Uplink(enum.StrEnum):
    """How its pictures come here."""

    DIRECT = "direct"
    HOUSEHOLD_WIFI = "household-wifi"
    MOBILE_4G = "4g"
    UNKNOWN = "unknown"


class AdminState(enum.StrEnum):
    """What a person has decided about it; not whether it answers."""

    WORKING = "working"
    AWAITING_REPAIR = "awaiting-repair"
    """Told so by a person; connecting goes on, for it may come back by itself."""
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    """By its owner, who owes no reason."""


class Transport(enum.StrEnum):
    """How RTP travels; what is asked for first, where a camera has not taught which works."""

    TCP = "tcp"
    UDP = "udp"


class Mode(enum.StrEnum):
    """What the owner agreed to (evidence O-1)."""

    REGISTRY_ONLY = "A"
    EXTRACT_ON_REQUEST = "B"
    RECORDED = "C"
    RECORDED_AND_LIVE = "D"


class Hours(msgspec.Struct, frozen=True):
    """A daily span in minutes of the local day; an end not after its start passes midnight."""

    start_minutes: int
    end_minutes: int


class Basis(msgspec.Struct, frozen=True):
    """The legal basis on which a camera is recorded: an agreement or a decision."""

    mode: Mode
    from_ns: int
    until_ns: int | None = None
    """First instant that is not covered; None where nothing ends it (State cameras)."""
    hours: tuple[Hours, ...] = ()
    """When it may record; empty means always."""
    utc_offset_minutes: int = 420
    """Of the clock that `hours` mean; Vietnam keeps +07:00 all year."""
    retention_cap_days: int | None = None
    """Nothing older is kept or shown; None where only the box's own rule caps it."""
    audio: bool = False
    document: str = ""
    """Number of the signed paper."""
    hooks: bool = False
    """Whether programs of others may be let in to a household's camera (`registry.hooks`)."""


class Stream(msgspec.Struct, frozen=True):
    """One encoding a camera offers, by one RTSP address."""

    id: bytes
    """16 random bytes; stands in every segment."""
    name: str
    """`main` or `sub`."""
    url: str
    """Without user and password, always."""
    transport: Transport = Transport.TCP


class Identity(msgspec.Struct, frozen=True):
    """What the device at the address was, so that another one there is noticed."""

    fingerprint: bytes
    """SHA-256 over what does not change between its answers."""
    learnt_ns: int
    serial: str = ""
    """ONVIF serial number where the device tells one."""


class Retention(msgspec.Struct, frozen=True):
    """How long this camera's footage is kept, where that differs from its class's."""

    days_min: int | None = None
    """Promised. None: as its class."""
    days_max: int | None = None
    """Older is erased. None: as its class; 0: nothing but the agreement limits it."""
    priority: int | None = None
    """0 to 9: where promises cannot all be kept, the lowest is broken first. None: as its class."""
    set_by: str = ""
    """Who set it, such as `local:0`."""
    set_ns: int = 0


class Push(msgspec.Struct, frozen=True):
    """How a camera that calls the box is known: nobody can call it, behind its owner's router."""

    key_sha256: bytes
    """Of the key it shows; the key itself stands in the camera alone."""
    made_ns: int
    made_by: str = ""
    """Who made the key, such as `local:0`."""


class Camera(msgspec.Struct, frozen=True):
    """A camera's row."""

    id: bytes
    """16 random bytes; stands in every segment, while the code may change."""
    code: str
    """What people call it, unique in the box."""
    streams: tuple[Stream, ...]
    created_ns: int
    point: str = ""
    """The place («điểm»); several eyes may share one."""
    area: str = ""
    """The resident group (tổ dân phố) it belongs to; scopes officers."""
    owner_kind: OwnerKind = OwnerKind.UNCLASSIFIED
    uplink: Uplink = Uplink.UNKNOWN
    admin_state: AdminState = AdminState.WORKING
    admin_state_by: str = ""
    """Who set it, such as `local:0`."""
    admin_state_ns: int = 0
    purpose: str = ""
    """What it is there for, in writing."""
    basis: Basis | None = None
    identity: Identity | None = None
    """Learnt from its answers; None before the first connection."""
    retention: Retention | None = None
    """None: as the configuration has it for its owner's kind."""
    tls_authority: str = ""
    """Certificates in PEM that vouch for it over TLS. Empty: the first one it shows counts."""
    push: Push | None = None
    """None: it is called at its streams' addresses. Else it calls, and they are empty."""

    def stream(self, name: str) -> Stream | None:
        """The stream called `name`, or None where the camera has none."""
        return next((stream for stream in self.streams if stream.name == name), None)
