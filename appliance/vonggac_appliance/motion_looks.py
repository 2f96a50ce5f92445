"""A search of motion, or of marks, is a look: rules first, then its line, then its receipts.

The one way to a search, for the page and for commands: `motion run` answers nobody without the
receipts that are made here.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vonggac.errors import Invalid, Refused, TooMany
from vonggac.evidence.chain import SEARCH_MAX, TEXT_MAX, Action
from vonggac.evidence.look import LookPace
from vonggac.evidence.receipt import STREAMS_MAX, Permit
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, Purpose
from vonggac.registry.rules import known, may_view
from vonggac_appliance import audit_client, motion_words
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.messages_audit import AuditAppend
from vonggac_appliance.messages_motion import MotionQuery

__all__ = ["MotionLooks", "MotionPermit", "Searcher"]

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Searcher:
    """Who searches, as lines name him. From `session` on: of a person at the page."""

    person: Person
    session: str = ""
    address: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class MotionPermit:
    """What may be asked of `motion run`, and the lines that say so."""

    query: MotionQuery
    """As asked; it ends now at the latest."""
    receipts: tuple[bytes, ...]
    lines: tuple[int, ...]
    cameras: tuple[Camera, ...]
    """In the order of the query."""
    red: str = ""
    """Why the lines are red; empty: they are not."""


class MotionLooks:
    """Permits searches. Thread-safe; one a process."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        *,
        clock: Clock = wall_ns,
        monotonic: Clock = time.monotonic_ns,
    ) -> None:
        self._home = home
        self._catalog = catalog
        self._clock = clock
        self._monotonic = monotonic
        self._pace = LookPace()
        self._lock = threading.Lock()

    def permit(
        self,
        who: Searcher,
        purpose: Purpose | None,
        query: MotionQuery,
        *,
        is_heat: bool = False,
        has_masks: bool = True,
    ) -> MotionPermit:
        """Logs the search, then permits it: without what the cameras' masks hide, if `has_masks`.

        Raises Invalid, Missing (no such camera for this person), Refused (`may_view` says no),
        TooMany, Unavailable or StorageError (the chain). What is refused is logged too.
        """
        self._keep_pace(who, purpose)
        now_ns = self._clock()
        try:
            motion_words.check(query, now_ns)
            motion_words.check_regions(query)
            self._check_purpose(who.person, purpose)
            cameras = tuple(self._camera(who.person, w.camera) for w in query.cameras)
            query = msgspec.structs.replace(query, to_ns=min(query.to_ns, now_ns))
            query = self._with_masks(query, now_ns, is_heat=is_heat, has_masks=has_masks)
            red = self._check_view(who.person, cameras, purpose, query, now_ns)
        except Refused as error:
            self._refuse(who, purpose, query, str(error), is_heat=is_heat)
            raise
        codes = {camera.id: camera.code for camera in cameras}
        answers = []
        for words, ids in motion_words.groups(query, is_heat=is_heat):
            names = ", ".join(codes[i] for i in ids)
            event = self._event(who, purpose, names, "allowed", words, _action(query))
            answers.append(
                audit_client.append(
                    self._home,
                    msgspec.structs.replace(
                        event,
                        permit=Permit.SEARCH,
                        streams=ids,
                        from_ns=query.from_ns,
                        to_ns=query.to_ns,
                    ),
                )
            )
        receipts, lines = tuple(a.receipt for a in answers), tuple(a.line for a in answers)
        return MotionPermit(query, receipts, lines, cameras, red)

    def forget(self, session: str) -> None:
        """It has ended."""
        with self._lock:
            self._pace.forget(session)

    def _keep_pace(self, who: Searcher, purpose: Purpose | None) -> None:
        """Every search is a line, also one of a region that is being dragged."""
        if not who.session:
            return
        with self._lock:
            wait_ns, is_first = self._pace.wait_ns(who.session, self._monotonic())
        if wait_ns:
            what = "too many searches within a minute"
            if is_first:
                self._refuse(who, purpose, None, what)
            raise TooMany(what, wait_ns / 1e9)

    def _check_purpose(self, person: Person, purpose: Purpose | None) -> None:
        if purpose is not None and len(purpose.text) > TEXT_MAX:
            raise Invalid("purpose", f"a purpose has at most {TEXT_MAX} characters")

    def _with_masks(
        self, query: MotionQuery, now_ns: int, *, is_heat: bool, has_masks: bool
    ) -> MotionQuery:
        """It names the masks that each camera has, or none. Invalid where they hide all of it.

        Marks are not what moves all day: a mask hides none of them.
        """
        has_masks = has_masks and query.marks is None
        rows = {one.camera: self._catalog.masks(one.camera) for one in query.cameras}
        named = [
            msgspec.structs.replace(
                one, kept=[mask.number for mask in rows[one.camera].held if has_masks]
            )
            for one in query.cameras
        ]
        query = msgspec.structs.replace(query, cameras=named)
        if any(one.kept for one in named):
            kept = {one.camera: motion_words.kept_of(one, rows[one.camera]) for one in named}
            motion_words.check(query, now_ns)
            motion_words.check_regions(query, {} if is_heat else kept)
        return query

    def _camera(self, person: Person, camera_id: bytes) -> Camera:
        return known(person, self._catalog.camera_by_id(camera_id))

    def _check_view(
        self,
        person: Person,
        cameras: tuple[Camera, ...],
        purpose: Purpose | None,
        query: MotionQuery,
        now_ns: int,
    ) -> str:
        """Why the search is red, if it is. Refused for all cameras where it is for one."""
        red = ""
        for camera in cameras:
            answer = may_view(person, camera, query.from_ns, query.to_ns, purpose, now_ns)
            if not answer.is_allowed:
                raise Refused(f"{camera.code}: {answer.sentence}")
            red = red or (answer.sentence if answer.is_red else "")
        return red

    def _refuse(
        self,
        who: Searcher,
        purpose: Purpose | None,
        query: MotionQuery | None,
        why: str,
        *,
        is_heat: bool = False,
    ) -> None:
        """The lines of an attempt: those that the search would have had, without a permit."""
        result = f"refused: {why}"[:TEXT_MAX]
        from_ns, to_ns = (0, 0) if query is None else (query.from_ns, query.to_ns)
        span = (from_ns, to_ns) if 0 <= from_ns < to_ns < 1 << 62 else (0, 0)
        for words, ids in [("-", ())] if query is None else _attempted(query, is_heat=is_heat):
            names = ", ".join(map(self._name, ids))[:TEXT_MAX] or "-"
            event = self._event(who, purpose, names, result, words, _action(query))
            some = tuple(one for one in ids if len(one) == _ID_BYTES)[:STREAMS_MAX]
            audit_client.append(
                self._home,
                msgspec.structs.replace(event, streams=some, from_ns=span[0], to_ns=span[1]),
            )

    def _name(self, camera_id: bytes) -> str:
        found = self._catalog.camera_by_id(camera_id)
        return camera_id[:_ID_BYTES].hex() if found is None else found.code

    def _event(
        self,
        who: Searcher,
        purpose: Purpose | None,
        target: str,
        result: str,
        words: str,
        action: str,
    ) -> AuditAppend:
        is_named = bool(who.session)
        return AuditAppend(
            action,
            target[:TEXT_MAX],
            None if purpose is None else (purpose.code.value, purpose.text[:TEXT_MAX]),
            result,
            person=who.person.name if is_named else None,
            role=str(who.person.role) if is_named else None,
            address=who.address,
            device=who.device,
            session=who.session,
            search=words,
        )


def _attempted(query: MotionQuery, *, is_heat: bool) -> list[tuple[str, tuple[bytes, ...]]]:
    """Words and cameras of each line; of what makes no lines, or too many, of one."""
    ids = tuple(watched.camera for watched in query.cameras[: motion_words.CAMERAS_MAX])
    try:
        lines = motion_words.groups(query, is_heat=is_heat)
    except Invalid:
        return [("-", ids)]
    if not 1 <= len(lines) <= motion_words.LINES_MAX:
        lines = [(lines[0][0] if lines else "-", ids)]
    return [(words[:SEARCH_MAX], cameras) for words, cameras in lines]


def _action(query: MotionQuery | None) -> str:
    """What a line of it is called."""
    is_of_marks = query is not None and query.marks is not None
    return Action.MARK_LIST if is_of_marks else Action.MOTION_SEARCH
