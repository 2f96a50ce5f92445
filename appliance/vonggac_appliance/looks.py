"""Looks: nobody sees a byte before a line of the audit chain says who looks, at what and why.

docs/design/looks.md tells how long one lasts and what ends it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import Invalid, Missing, NotSignedIn, Refused, TooMany
from vonggac.evidence.chain import TEXT_MAX
from vonggac.evidence.look import (
    LIVE_BACK_NS,
    UNHELD_NS,
    Delivered,
    LookPace,
    check_stored,
    lifetime_ns,
)
from vonggac.registry.camera import Camera, Mode, OwnerKind
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose
from vonggac.registry.rules import may_know, may_view
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.look import Kind, Look, LookAsk
from vonggac_appliance.look_footage import LookFootage
from vonggac_appliance.look_log import LookLog, Who
from vonggac_appliance.serve_state import ServeState

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Caller, Session

__all__ = ["Kind", "Look", "LookAsk", "Looks"]

_OF_SESSION_MAX = 64
_OF_BOX_MAX = 512
_NOTE_NS = 5_000_000_000
_ID_BYTES = 16
_GONE_MAX = 1024


@dataclass(slots=True)
class _Open:
    """An open look, and who is there."""

    look: Look
    ask: LookAsk
    delivered: Delivered = field(default_factory=Delivered)
    holders: set[int] = field(default_factory=set)
    seen_ns: int = 0
    """Monotonic: the last sign of life."""


class Looks:
    """All looks that are open on this box. Thread-safe; one a process."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        state: ServeState,
        *,
        clock: Clock = wall_ns,
        monotonic: Clock = time.monotonic_ns,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._monotonic = monotonic
        self._log = LookLog(home, state)
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._gone: deque[str] = deque(maxlen=_GONE_MAX)
        """Sessions that have ended: who was asking meanwhile gets nothing any more."""
        self._noted_ns = 0
        self._pace = LookPace()
        self.footage = LookFootage(home, catalog, self.delivered, self.is_open, clock)

    def open(self, session: Session, caller: Caller, ask: LookAsk) -> Look:
        """Logs the look, then gives it.

        Raises Invalid (purpose, from, to), Missing (no such camera for this person), Refused
        (`may_view` says no), TooMany, Unavailable or StorageError (the chain). What is refused is
        logged; where even that cannot be, Unavailable is what is raised.
        """
        who = Who(session, caller)
        self._keep_pace(who, ask, ask.camera.hex()[: 2 * _ID_BYTES] or "-")
        camera = self._catalog.camera_by_id(ask.camera)
        if camera is not None and not may_know(session.person, camera):
            camera = None
        now_ns = self._clock()
        try:
            self._check(session, ask, camera)
            assert camera is not None
            look = self._make(session, ask, camera, now_ns)
        except Refused as error:
            target = (ask.camera[:_ID_BYTES].hex() or "-") if camera is None else camera.code
            self._log.refuse(who, ask, target, str(error))
            raise
        look = self._log.begin(who, ask, look)
        with self._lock:
            self._open[look.id] = _Open(look, ask, seen_ns=self._monotonic())
            is_gone = session.id in self._gone
        if is_gone:  # while the line was being written
            self._end([look.id], "signed out")
            raise NotSignedIn("the session has ended")
        return look

    def get(self, session: Session, look_id: str) -> Look:
        """An open look of this session, else Missing. Counts as a sign of life."""
        with self._lock:
            found = self._of(session, look_id)
            found.seen_ns = self._monotonic()
            return found.look

    def is_open(self, look_id: str) -> bool:
        """Whether anything may be shown by it."""
        return look_id in self._open

    def of_session(self, session: Session) -> list[Look]:
        """All open looks of a session, the oldest first."""
        with self._lock:
            return [o.look for o in self._open.values() if o.look.session == session.id]

    def for_camera(self, session: Session, camera_id: bytes) -> Look | None:
        """The newest open look of this session at a camera, for its still."""
        now_ns = self._clock()
        looks = [
            look
            for look in self.of_session(session)
            if look.camera.id == camera_id and now_ns < look.expires_ns
        ]
        return looks[-1] if looks else None

    def renew(self, session: Session, caller: Caller, look_id: str) -> Look:
        """Logs the look anew; gives it with a fresh receipt. Raises as `open`, and Missing."""
        with self._lock:
            found = self._of(session, look_id)
            found.seen_ns = self._monotonic()
        old, ask, who = found.look, found.ask, Who(session, caller)
        self._keep_pace(who, ask, old.camera.code)
        camera = self._catalog.camera_by_id(ask.camera)
        now_ns = self._clock()
        try:
            if camera is None:
                raise Missing("there is no such camera")
            new = self._make(session, ask, camera, now_ns)
        except Refused as error:
            self._log.refuse(who, ask, old.camera.code, str(error), old.line)
            raise
        new = replace(new, id=old.id, line=old.line, opened_ns=old.opened_ns)
        if ask.kind == "stored":
            new = replace(new, shown_from_ns=min(old.shown_from_ns, new.shown_from_ns))
        span = (new.shown_from_ns, new.to_ns)
        streams = [stream.id for stream in camera.streams]
        answer = self._log.again(who, ask, camera.code, span, streams, old.line)
        with self._lock:
            found = self._of(session, look_id)  # it may have been ended meanwhile
            found.look = replace(new, receipt=answer.receipt)
            return found.look

    def end(self, session: Session, look_id: str) -> None:
        """Ends it and writes the line that says so. Missing where it is none of this session."""
        with self._lock:
            self._of(session, look_id)
        self._end([look_id], "done")

    def end_session(self, session_id: str) -> None:
        """Ends all looks of a session that was signed out or has run out."""
        with self._lock:
            self._gone.append(session_id)
            self._pace.forget(session_id)
            ids = [i for i, o in self._open.items() if o.look.session == session_id]
        self._end(ids, "signed out")

    def hold(self, look_id: str, holder: object) -> None:
        """While anybody holds it, a look does not end for want of requests."""
        with self._lock:
            found = self._open.get(look_id)
            if found is not None:
                found.holders.add(id(holder))

    def release(self, look_id: str, holder: object) -> None:
        """The holder is gone."""
        with self._lock:
            found = self._open.get(look_id)
            if found is not None and id(holder) in found.holders:
                found.holders.discard(id(holder))
                found.seen_ns = self._monotonic()

    def delivered(self, look_id: str, stream_id: bytes, from_ns: int, to_ns: int) -> None:
        """Pictures of this wall range were sent. What both streams showed counts once."""
        with self._lock:
            found = self._open.get(look_id)
            if found is not None:
                found.delivered.add(from_ns, to_ns)
                found.seen_ns = self._monotonic()

    def sweep(self) -> None:
        """Each second: ends what nobody holds, and what has expired; writes what is owed."""
        now_ns, turn_ns = self._clock(), self._monotonic()
        with self._lock:
            expired = [i for i, o in self._open.items() if now_ns >= o.look.expires_ns]
            left = [
                i
                for i, o in self._open.items()
                if not o.holders and turn_ns - o.seen_ns >= UNHELD_NS and i not in expired
            ]
            is_due = turn_ns - self._noted_ns >= _NOTE_NS
            noted = {i: o.delivered.total_ms for i, o in self._open.items()} if is_due else {}
        self._end(expired, "expired")
        self._end(left, "nobody is there")
        if is_due:
            self._noted_ns = turn_ns
            self._log.note(noted)
        self._log.say_rest()
        self.footage.forget()

    def close(self) -> None:
        """Ends all looks: `serve` ends."""
        with self._lock:
            ids = list(self._open)
        self._end(ids, "serve ended")
        self.footage.leases.close_idle(0.0)

    def _keep_pace(self, who: Who, ask: LookAsk, target: str) -> None:
        """Every look is a line. TooMany, of which the first in a row is a line, too."""
        with self._lock:
            wait_ns, is_first = self._pace.wait_ns(who.session.id, self._monotonic())
        if wait_ns:
            what = "too many looks within a minute"
            if is_first:
                self._log.refuse(who, ask, target, what)
            raise TooMany(what, wait_ns / 1e9)

    def _of(self, session: Session, look_id: str) -> _Open:
        """Under the lock."""
        found = self._open.get(look_id)
        if (
            found is None
            or found.look.session != session.id
            or self._clock() >= found.look.expires_ns
        ):
            raise Missing("there is no such look")
        return found

    def _check(self, session: Session, ask: LookAsk, camera: Camera | None) -> None:
        if ask.purpose is None or not ask.purpose.is_told:
            raise Invalid("purpose", "a purpose comes before the picture")
        if len(ask.purpose.text) > TEXT_MAX:
            raise Invalid("purpose", f"a purpose has at most {TEXT_MAX} characters")
        if len(ask.camera) != _ID_BYTES:
            raise Invalid("camera", "a camera's id has 32 hexadecimal digits")
        if camera is None:
            raise Missing("there is no such camera")
        if not camera.streams:
            raise Invalid("camera", "the camera has no stream")
        with self._lock:
            own = sum(o.look.session == session.id for o in self._open.values())
            if own >= _OF_SESSION_MAX or len(self._open) >= _OF_BOX_MAX:
                raise TooMany("too many looks are open", 5.0)

    def _make(self, session: Session, ask: LookAsk, camera: Camera, now_ns: int) -> Look:
        """The look as it would be, without its line. Invalid, Refused."""
        lasts_ns = lifetime_ns(camera.owner_kind is OwnerKind.HOUSEHOLD)
        is_live = ask.kind == "live"
        from_ns, to_ns = ask.from_ns, ask.to_ns
        if is_live:
            from_ns, to_ns = _live_range(camera, now_ns, lasts_ns)
        else:
            check_stored(from_ns, to_ns, now_ns)
            if camera.basis is not None and camera.basis.mode is not Mode.RECORDED_AND_LIVE:
                to_ns = min(to_ns, now_ns)  # what grows is live, a few seconds late
        purpose = ask.purpose
        answer = may_view(session.person, camera, from_ns, to_ns, purpose, now_ns, is_live=is_live)
        if not answer.is_allowed:
            raise Refused(answer.sentence)
        assert isinstance(purpose, Purpose)
        return Look(
            id=secrets.token_hex(16),
            session=session.id,
            camera=camera,
            kind=ask.kind,
            streams=camera.streams,
            from_ns=from_ns,
            to_ns=to_ns,
            shown_from_ns=self.footage.shown_from(camera.streams, from_ns, to_ns),
            purpose=purpose,
            line=0,
            receipt=b"",
            opened_ns=now_ns,
            expires_ns=now_ns + lasts_ns,
        )

    def _end(self, ids: list[str], result: str) -> None:
        """All of them stop showing at once; then come the lines, which may have to wait."""
        with self._lock:
            found = [(i, self._open.pop(i)) for i in ids if i in self._open]
        for look_id, _ in found:
            self.footage.leases.drop(look_id)
        for look_id, ended in found:
            self._log.end(look_id, result, ended.delivered.total_ms)


def _live_range(camera: Camera, now_ns: int, lasts_ns: int) -> tuple[int, int]:
    """From the GOP that is being sent until the look has to be logged again, or its basis ends."""
    from_ns, to_ns = now_ns - LIVE_BACK_NS, now_ns + lasts_ns
    if camera.basis is not None:
        from_ns = min(max(from_ns, camera.basis.from_ns), now_ns)
        if camera.basis.until_ns is not None:
            to_ns = max(min(to_ns, camera.basis.until_ns), now_ns)
    return from_ns, to_ns
