"""Masks of a camera: what searches of its motion leave out by default. Values and rules, pure.

A mask never changes: it is made and taken away, and its number is never given again, so that a line
of the audit chain that names one says which. The index of motion knows nothing of them.
"""

from __future__ import annotations

import math

import msgspec

from vonggac.errors import Invalid, Missing, Refused
from vonggac.registry.people import Person, Role, checked_name, name_key

__all__ = ["CORNERS_MAX", "HELD_MAX", "CameraMasks", "Corners", "Mask", "may_set_masks"]

Corners = tuple[tuple[float, float], ...]
"""In order, 0..1 from the top left; a rectangle is its four."""

HELD_MAX = 8
"""Of a camera: each search says which it left out."""
CORNERS_MAX = 20
"""Of one: all of them stand in the line of the audit chain that says it was made."""
_PRECISION = 4
"""Decimals of a corner, as in the words of a search."""
_MAY_SET = (Role.COMMANDER, Role.TECHNICIAN, Role.LOCAL)
"""Who looks after cameras; and the commander, who sees the picture that a mask is drawn on."""


class Mask(msgspec.Struct, frozen=True):
    """A tree, a flag, the clock in the picture."""

    number: int
    """From 1 in its camera; never given again."""
    name: str
    corners: Corners
    made_by: str
    """As in the audit chain: a person's id or `local:0`."""
    made_name: str
    """What he was called."""
    made_ns: int


class CameraMasks(msgspec.Struct, frozen=True):
    """A camera's row in the catalog; one that was never written has no masks."""

    camera: bytes
    last: int = 0
    """The highest number that was ever given."""
    held: tuple[Mask, ...] = ()

    def mask(self, number: int) -> Mask:
        """Raises Missing."""
        found = next((mask for mask in self.held if mask.number == number), None)
        if found is None:
            raise Missing(f"the camera has no mask {number}")
        return found

    def with_mask(
        self, name: str, corners: Corners, by: Person, by_name: str, now_ns: int
    ) -> CameraMasks:
        """With one more, the last. Raises Invalid (name, region), Refused where there are many."""
        name = checked_name(name)
        if any(name_key(mask.name) == name_key(name) for mask in self.held):
            raise Invalid("name", f"the camera has a mask «{name}» already")
        if len(self.held) >= HELD_MAX:
            raise Refused(f"the camera has {HELD_MAX} masks, and there may not be more")
        if not 3 <= len(corners) <= CORNERS_MAX:
            raise Invalid("region", f"a mask has 3 to {CORNERS_MAX} corners")
        if not all(math.isfinite(part) for corner in corners for part in corner):
            raise Invalid("region", "a mask needs finite numbers")
        kept = tuple((round(x, _PRECISION), round(y, _PRECISION)) for x, y in corners)
        mask = Mask(self.last + 1, name, kept, by.name, by_name, now_ns)
        return CameraMasks(self.camera, mask.number, (*self.held, mask))

    def without_mask(self, number: int) -> CameraMasks:
        """Raises Missing."""
        gone = self.mask(number)
        held = tuple(mask for mask in self.held if mask is not gone)
        return msgspec.structs.replace(self, held=held)


def may_set_masks(person: Person) -> bool:
    """Whether somebody may make masks and take them away, of cameras that he may know of."""
    return person.role in _MAY_SET
