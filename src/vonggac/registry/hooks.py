"""Grants to other people's programs: the catalog's row, and what it allows at a moment. Pure.

A row is never deleted: what was granted, by whom, until when and who revoked it stays to be read.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass

import msgspec

from vonggac.errors import Invalid, Refused
from vonggac.registry.camera import Camera, OwnerKind
from vonggac.registry.people import Account, Person, Purpose, PurposeCode, Role, checked_name
from vonggac.registry.rules import Viewing, may_record, may_view

__all__ = [
    "CAMERAS_MAX",
    "HELD_MAX",
    "Hook",
    "HookKind",
    "HookOrder",
    "check_camera",
    "may_deliver",
    "new_hook",
    "revoked",
]

_DAY_NS = 86_400 * 1_000_000_000
DAYS_MAX = 366
"""A grant that nobody looks at again would stay for ever."""
CAMERAS_MAX = 512
HELD_MAX = 32
"""Grants in force at a time: each has a port and sockets of its own."""
_PURPOSE_MAX = 300
_KEY = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
"""32 bytes in Z85 (ZeroMQ RFC 32)."""
_PORTS = range(1024, 65536)


class HookKind(enum.StrEnum):
    """What a program may have, or do."""

    EVENTS = "events"
    """What cameras do, and gaps."""
    MOTION = "motion"
    """Episodes of motion, as they begin and end."""
    KEY_FRAMES = "key-frames"
    """It may ask for the picture at a moment of the last minutes, one at a time."""
    MARKS = "marks"
    """It may say what it saw; it is given nothing by this."""


class Hook(msgspec.Struct, frozen=True):
    """A row of the catalog."""

    number: int
    """From 1; never given again."""
    name: str
    """Whose program it is."""
    purpose: str
    cameras: tuple[bytes, ...]
    kinds: tuple[HookKind, ...]
    port: int
    key: str
    """Its public CURVE key in Z85; the secret one never was in this box."""
    until_ns: int
    """First instant at which it has nothing any more."""
    approved_by: str
    """The commander's account, 32 hex digits."""
    approved_name: str
    made_by: str
    """As in the audit chain, such as `local:0`."""
    made_ns: int
    revoked_by: str = ""
    revoked_ns: int = 0
    """0: nobody has revoked it."""

    def is_held(self, now_ns: int) -> bool:
        """Whether it is in force: neither revoked nor over."""
        return not self.revoked_ns and now_ns < self.until_ns


@dataclass(frozen=True, slots=True)
class HookOrder:
    """What somebody wants to grant."""

    name: str
    purpose: str
    cameras: tuple[Camera, ...]
    kinds: tuple[HookKind, ...]
    port: int
    key: str
    until_ns: int


def new_hook(
    order: HookOrder, rows: list[Hook], commander: Account, made_by: Person, now_ns: int
) -> Hook:
    """The row of a grant. Raises Invalid with the option's name, Refused with the reason."""
    if commander.role is not Role.COMMANDER:
        raise Refused("a program is let in by a commander, and by nobody else")
    if not now_ns < order.until_ns <= now_ns + DAYS_MAX * _DAY_NS:
        raise Invalid("until", f"a grant ends, at most {DAYS_MAX} days ahead")
    if order.port not in _PORTS:
        raise Invalid("port", f"a port is a number from {_PORTS[0]} to {_PORTS[-1]}")
    if not _KEY.fullmatch(order.key):
        raise Invalid("key", "a public CURVE key is 40 characters of Z85")
    if not order.kinds:
        raise Invalid("kind", "a grant names what the program may have")
    if not 1 <= len(order.cameras) <= CAMERAS_MAX:
        raise Invalid("camera", f"a grant names 1 to {CAMERAS_MAX} cameras")
    held = [row for row in rows if row.is_held(now_ns)]
    if len(held) >= HELD_MAX:
        raise Refused(f"{len(held)} grants are in force, and there may not be more")
    if any(row.port == order.port for row in held):
        raise Refused(f"another hook has port {order.port}")
    if any(row.key == order.key for row in rows):
        raise Refused("a hook has, or had, this key: make a pair of its own for each")
    row = Hook(
        number=len(rows) + 1,
        name=checked_name(order.name),
        purpose=_checked_purpose(order.purpose),
        cameras=tuple(dict.fromkeys(camera.id for camera in order.cameras)),
        kinds=tuple(kind for kind in HookKind if kind in order.kinds),
        port=order.port,
        key=order.key,
        until_ns=order.until_ns,
        approved_by=commander.id.hex(),
        approved_name=commander.name,
        made_by=made_by.name,
        made_ns=now_ns,
    )
    for camera in order.cameras:
        check_camera(row, camera, now_ns)
    return row


def revoked(hook: Hook, by: Person, now_ns: int) -> Hook:
    """The row of a grant that ends now. Refused when it was revoked before."""
    if hook.revoked_ns:
        raise Refused(f"hook {hook.number} was revoked already")
    return msgspec.structs.replace(hook, revoked_by=by.name, revoked_ns=now_ns)


def check_camera(hook: Hook, camera: Camera, now_ns: int) -> None:
    """Refused with the reason where this camera may not be given to any program."""
    answer = _may_have(hook, camera, now_ns)
    if not answer.is_allowed:
        raise Refused(f"{camera.code}: {answer.sentence}")


def may_deliver(hook: Hook, camera: Camera, kind: HookKind, now_ns: int) -> bool:
    """Whether the program may have `kind` of `camera` at this moment."""
    is_granted = kind in hook.kinds and camera.id in hook.cameras
    return is_granted and hook.is_held(now_ns) and _may_have(hook, camera, now_ns).is_allowed


def _may_have(hook: Hook, camera: Camera, now_ns: int) -> Viewing:
    """As the commander who let it in: live, for its purpose, within the owner's agreement."""
    if camera.owner_kind is OwnerKind.HOUSEHOLD and not (camera.basis and camera.basis.hooks):
        return Viewing(False, "its owner has not agreed that other programs have it")
    if camera.owner_kind is OwnerKind.UNCLASSIFIED:
        return Viewing(False, "nobody has said whose camera this is")
    recording = may_record(camera, now_ns)
    if not recording.is_allowed:  # paused or withdrawn, also where there is no agreement
        return Viewing(False, recording.sentence)
    person = Person(hook.approved_by, Role.COMMANDER)
    purpose = Purpose(PurposeCode.OTHER, hook.purpose)
    return may_view(person, camera, now_ns, now_ns + 1, purpose, now_ns, is_live=True)


def _checked_purpose(text: str) -> str:
    purpose = " ".join(unicodedata.normalize("NFC", text).split())
    if not any(map(str.isalnum, purpose)) or not purpose.isprintable():
        raise Invalid("purpose", "a grant needs its purpose, in words that everybody sees")
    if len(purpose) > _PURPOSE_MAX:
        raise Invalid("purpose", f"a purpose has at most {_PURPOSE_MAX} characters")
    return purpose
