"""Masks of cameras, made and taken away: who may, the line in the audit chain, then the row.

A mask is left out of every search of its camera until somebody says otherwise, so none is in force
that the chain does not tell of, with its corners.
"""

from __future__ import annotations

from pathlib import Path

from vonggac.errors import Invalid, Refused, VonggacError
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.motion import region
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.masks import CameraMasks, Corners, Mask, may_set_masks
from vonggac.registry.people import Person
from vonggac.registry.rules import known
from vonggac_appliance import audit_client
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.messages_audit import AuditAppend
from vonggac_appliance.motion_looks import Searcher

__all__ = ["MotionMasks"]


class MotionMasks:
    """Of a home; the page's and the commands'. Thread-safe."""

    def __init__(self, home: Path, catalog: Catalog, *, clock: Clock = wall_ns) -> None:
        self._home = home
        self._catalog = catalog
        self._clock = clock

    def of(self, person: Person, camera_id: bytes) -> CameraMasks:
        """What a camera has. Missing where there is none such for this person."""
        return self._catalog.masks(self._camera(person, camera_id).id)

    def add(
        self, who: Searcher, camera_id: bytes, name: str, corners: Corners, by_name: str
    ) -> Mask:
        """One more, told to the chain first. `by_name`: what `who` is called.

        Raises Invalid (name, region), Refused, Missing (no such camera for this person),
        Unavailable or StorageError (the chain).
        """
        camera = self._camera(who.person, camera_id)
        self._expect(who, camera, Action.MOTION_MASK_ADD)
        before = self._catalog.masks(camera.id)
        masks = before.with_mask(name, corners, who.person, by_name, self._clock())
        hidden = region.union(region.polygon(mask.corners) for mask in masks.held)
        if hidden == region.EVERYWHERE:
            raise Invalid("region", "with this mask nothing of the picture would be searched")
        mask = masks.held[-1]
        points = " ".join(f"{x:g},{y:g}" for x, y in mask.corners)
        words = f"{camera.code}, mask {mask.number} «{mask.name}»: {points}"
        if len(words) > TEXT_MAX:
            raise Invalid("region", "so many corners find no room in the audit chain")
        self._put(who, Action.MOTION_MASK_ADD, words, masks, before)
        return mask

    def remove(self, who: Searcher, camera_id: bytes, number: int) -> Mask:
        """The one with this number is gone. Raises as `add`, and Missing where there is none."""
        camera = self._camera(who.person, camera_id)
        self._expect(who, camera, Action.MOTION_MASK_REMOVE)
        before = self._catalog.masks(camera.id)
        mask, masks = before.mask(number), before.without_mask(number)
        words = f"{camera.code}, mask {mask.number} «{mask.name}»"
        self._put(who, Action.MOTION_MASK_REMOVE, words, masks, before)
        return mask

    def _put(
        self, who: Searcher, action: str, words: str, masks: CameraMasks, before: CameraMasks
    ) -> None:
        """The line, then the row; where that fails, another line takes the first one back."""
        self._log(who, action, words, "allowed")
        try:
            self._catalog.put_masks(masks, before)
        except VonggacError as error:
            self._log(who, action, words, f"not done: {error}"[:TEXT_MAX])
            raise

    def _camera(self, person: Person, camera_id: bytes) -> Camera:
        return known(person, self._catalog.camera_by_id(camera_id))

    def _expect(self, who: Searcher, camera: Camera, action: str) -> None:
        if not may_set_masks(who.person):
            why = "masks are set by a commander or a technician"
            self._log(who, action, camera.code, f"refused: {why}")
            raise Refused(why)

    def _log(self, who: Searcher, action: str, words: str, result: str) -> None:
        is_named = bool(who.session)
        event = AuditAppend(
            action,
            words[:TEXT_MAX],
            None,
            result,
            person=who.person.name if is_named else None,
            role=str(who.person.role) if is_named else None,
            address=who.address,
            device=who.device,
            session=who.session,
        )
        audit_client.append(self._home, event)
