"""What the audit chain says of looks, and what a restart of `serve` has to say of those it cut off.

A look's beginning, its renewals, its refusals and its end are lines; an end that cannot be written
now is written later, also after a restart: until then its row stands in HOME/serve. The row comes
before the first line: who is killed between the two owes an end without knowing the line's number.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vonggac.errors import Refused, StorageError, Unavailable
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.evidence.receipt import Permit
from vonggac_appliance import audit_client
from vonggac_appliance.look import Look, LookAsk
from vonggac_appliance.messages_audit import AuditAppend, AuditReceipt
from vonggac_appliance.serve_state import ServeState, decode_row, encode_row

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Caller, Session

__all__ = ["LookLog", "Who"]

_log = logging.getLogger("vonggac.serve")


@dataclass(frozen=True, slots=True)
class Who:
    """A signed-in person, as lines name him."""

    session: Session
    caller: Caller


class _LookRow(msgspec.Struct, frozen=True):
    """An open look, for whoever has to write its end."""

    line: int
    """Of its beginning; 0: that was being written."""
    object: str
    session: str
    person: str
    role: str
    address: str
    device: str
    delivered_ms: int = 0
    """At least so much; it is written every few seconds."""
    result: str = "serve ended"


class LookLog:
    """The service of one process; thread-safe."""

    def __init__(self, home: Path, state: ServeState) -> None:
        self._home = home
        self._state = state
        self._rows: dict[str, _LookRow] = {}
        self._unsaid: dict[str, _LookRow] = {}
        self._lock = threading.Lock()
        with state.read() as rows:
            for key, raw in rows.all("looks"):
                row = decode_row(raw, _LookRow)
                if row is not None and not row.line:
                    row = msgspec.structs.replace(row, result="ended by a restart")
                if row is not None:
                    self._unsaid[key.decode()] = row

    def begin(self, who: Who, ask: LookAsk, look: Look) -> Look:
        """The line before the first byte; gives the look with its line and its receipt.

        Raises Unavailable, Refused or StorageError where it cannot be written.
        """
        row = _row_of(who, look)
        with self._state.write() as rows:
            rows.put("looks", look.id.encode(), encode_row(row))
        try:
            event = self._event(who, ask, look.camera.code, "allowed")
            span = (look.shown_from_ns, look.to_ns)
            answer = self._permit(event, ask, span, [s.id for s in look.camera.streams])
        except BaseException:
            self._forget(look.id)
            raise
        self._remember(look.id, msgspec.structs.replace(row, line=answer.line))
        return replace(look, line=answer.line, receipt=answer.receipt)

    def again(
        self,
        who: Who,
        ask: LookAsk,
        code: str,
        look: tuple[int, int],
        streams: Iterable[bytes],
        line: int,
    ) -> AuditReceipt:
        """The line of a look that goes on. As `begin`."""
        event = msgspec.structs.replace(self._event(who, ask, code, "allowed"), about=line)
        return self._permit(event, ask, look, streams)

    def refuse(self, who: Who, ask: LookAsk, target: str, why: str, line: int = 0) -> None:
        """The line of an attempt."""
        event = self._event(who, ask, target, f"refused: {why}"[:TEXT_MAX])
        audit_client.append(self._home, msgspec.structs.replace(event, about=line))

    def note(self, delivered: dict[str, int]) -> None:
        """How much was delivered of open looks until now, in ms."""
        with self._lock:
            changed = {
                look_id: msgspec.structs.replace(row, delivered_ms=delivered[look_id])
                for look_id, row in self._rows.items()
                if delivered.get(look_id, 0) > row.delivered_ms
            }
            self._rows.update(changed)
        if changed:
            self._put(changed, only_known=True)

    def end(self, look_id: str, result: str, delivered_ms: int) -> None:
        """The line of an end; where it cannot be written now, `say_rest` does it later."""
        with self._lock:
            row = self._rows.pop(look_id, None)
            if row is None:
                return
        self._say(look_id, msgspec.structs.replace(row, result=result, delivered_ms=delivered_ms))

    def say_rest(self) -> None:
        """Writes the ends that are still owed."""
        with self._lock:
            owed = list(self._unsaid.items())
        for look_id, row in owed:
            if not self._say(look_id, row):
                return  # it will be no better for the next

    def _remember(self, look_id: str, row: _LookRow) -> None:
        """From now on a restart knows which line it has to end."""
        try:
            with self._state.write() as rows:
                rows.put("looks", look_id.encode(), encode_row(row))
        except StorageError:
            with self._lock:  # it is not opened, and its line asks for an end
                self._unsaid[look_id] = msgspec.structs.replace(row, result="not opened")
            raise
        with self._lock:
            self._rows[look_id] = row

    def _say(self, look_id: str, row: _LookRow) -> bool:
        event = AuditAppend(
            Action.LOOK_END,
            row.object,
            None,
            row.result,
            person=row.person,
            role=row.role,
            address=row.address,
            device=row.device,
            session=row.session,
            about=row.line,
            delivered_ms=row.delivered_ms,
        )
        try:
            audit_client.append(self._home, event)
        except (Unavailable, StorageError, Refused) as error:
            _log.warning("the end of a look is not written yet: %s", error)
            with self._lock:  # only now: before, `say_rest` would have said it as well
                self._unsaid[look_id] = row
            self._put({look_id: row})
            return False
        with self._lock:
            self._unsaid.pop(look_id, None)
        self._forget(look_id)
        return True

    def _permit(
        self, event: AuditAppend, ask: LookAsk, look: tuple[int, int], streams: Iterable[bytes]
    ) -> AuditReceipt:
        permit = Permit.LIVE if ask.kind == "live" else Permit.STORED
        return audit_client.append(
            self._home,
            msgspec.structs.replace(
                event,
                permit=permit,
                camera=ask.camera,
                streams=tuple(streams),
                from_ns=look[0],
                to_ns=look[1],
            ),
        )

    def _event(self, who: Who, ask: LookAsk, target: str, result: str) -> AuditAppend:
        purpose = ask.purpose
        return AuditAppend(
            Action.LIVE if ask.kind == "live" else Action.LOOK,
            target,
            None if purpose is None else (purpose.code.value, purpose.text[:TEXT_MAX]),
            result,
            person=who.session.person.name,
            role=str(who.session.person.role),
            address=who.caller.address,
            device=who.caller.device,
            session=who.session.id,
        )

    def _put(self, changed: dict[str, _LookRow], *, only_known: bool = False) -> None:
        """`only_known`: not those whose end was written meanwhile."""
        try:
            with self._state.write() as rows:
                for look_id, row in changed.items():
                    key = look_id.encode()
                    if not only_known or rows.get("looks", key) is not None:
                        rows.put("looks", key, encode_row(row))
        except StorageError as error:
            _log.warning("%s", error)

    def _forget(self, look_id: str) -> None:
        """A row that stays after its line was written gives a second line, never a missing one."""
        try:
            with self._state.write() as rows:
                rows.delete("looks", look_id.encode())
        except StorageError as error:
            _log.warning("%s", error)


def _row_of(who: Who, look: Look) -> _LookRow:
    """Of a look whose line is not written yet."""
    session, caller = who.session, who.caller
    return _LookRow(
        0,
        look.camera.code,
        session.id,
        session.person.name,
        str(session.person.role),
        caller.address,
        caller.device,
    )
