"""How long a camera's footage is kept: its own limits, those of its class, its owner's agreement.

Pure. What is done about it stands in `vonggac.store.retention`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from vonggac.registry.camera import Basis, Camera, OwnerKind, Retention

__all__ = ["DAYS_MAX", "PRIORITY_MAX", "ClassLimits", "Classes", "Policy", "Removed", "policy_of"]

DAYS_MAX = 3650
PRIORITY_MAX = 9


class Removed(msgspec.Struct, frozen=True):
    """A camera that was taken out: its footage is kept no longer for that."""

    id: bytes
    code: str
    streams: tuple[tuple[bytes, str], ...]
    """Id and name of each."""
    owner_kind: OwnerKind
    removed_ns: int
    retention: Retention | None = None
    retention_cap_days: int | None = None

    @classmethod
    def of(cls, camera: Camera, removed_ns: int) -> Removed:
        """What is remembered of it; neither its address nor its password."""
        return cls(
            camera.id,
            camera.code,
            tuple((stream.id, stream.name) for stream in camera.streams),
            camera.owner_kind,
            removed_ns,
            camera.retention,
            _cap_of(camera.basis),
        )


@dataclass(frozen=True, slots=True)
class ClassLimits:
    """What the configuration says for cameras of one kind of owner."""

    days_min: int
    days_max: int | None
    """None: as long as there is room."""
    priority: int


@dataclass(frozen=True, slots=True)
class Classes:
    """Limits by owner; `default` where a camera's owner is not known any more."""

    default: ClassLimits
    kinds: Mapping[OwnerKind, ClassLimits]

    def of(self, kind: OwnerKind) -> ClassLimits:
        return self.kinds.get(kind, self.default)


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for a camera, and whose word that is: `agreement`, `camera` or `class`."""

    days_min: int
    days_max: int | None
    priority: int
    min_by: str
    max_by: str
    """Empty where nothing limits it."""


def policy_of(camera: Camera | Removed, classes: Classes) -> Policy:
    """The limits of a camera: its own before its class's, and nothing beyond its agreement."""
    of_class = classes.of(camera.owner_kind)
    own = camera.retention or Retention()
    days_min, min_by = _first((own.days_min, "camera"), (of_class.days_min, "class"))
    days_max, max_by = of_class.days_max, "class"
    if own.days_max is not None:
        days_max, max_by = own.days_max or None, "camera"  # 0 lifts the class's limit
    cap = camera.retention_cap_days if isinstance(camera, Removed) else _cap_of(camera.basis)
    if cap is not None and (days_max is None or cap < days_max):
        days_max, max_by = cap, "agreement"
    if days_max is None:
        max_by = ""
    elif days_min > days_max:
        days_min, min_by = days_max, max_by
    priority, _ = _first((own.priority, "camera"), (of_class.priority, "class"))
    return Policy(days_min, days_max, priority, min_by, max_by)


def _first(own: tuple[int | None, str], other: tuple[int, str]) -> tuple[int, str]:
    return other if own[0] is None else (own[0], own[1])


def _cap_of(basis: Basis | None) -> int | None:
    return None if basis is None else basis.retention_cap_days
