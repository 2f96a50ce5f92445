"""Alarms for those who may know of them: asked from the recorder, or read where none runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vonggac.errors import Missing, Refused, Unavailable
from vonggac.evidence.chain import Action
from vonggac.registry.alarms import ROWS_MAX, Alarm
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Person, Role
from vonggac.registry.rules import may_know
from vonggac_appliance import alarm_store, audit_client, bus_control, control
from vonggac_appliance.accounts import Session
from vonggac_appliance.messages_audit import AuditAppend

__all__ = ["SHOWN_MAX", "AlarmList", "Alarms"]

SHOWN_MAX = 200
_DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True)
class Alarms:
    """What one person may know of."""

    rows: tuple[Alarm, ...]
    is_recorder_answering: bool
    """False: read from the home; nobody can acknowledge anything now."""
    ids: Mapping[str, bytes] = field(default_factory=dict)
    """Of the cameras that he may know of, by their codes: their pages are found by them."""

    @property
    def open_count(self) -> int:
        return sum(row.is_open for row in self.rows)


class AlarmList:
    """Of a home; the page's and the commands'."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self._home = home
        self._catalog = catalog

    def of(self, person: Person, seen_by: str = "") -> Alarms:
        """The newest, open ones first; `seen_by` is noted with each that nobody had seen."""
        known, is_answering = self._known(person)
        fresh = [row.number for row in known if not row.seen_ns]
        if is_answering and seen_by and fresh:
            control.ask(self._home, bus_control.SeeAlarms(fresh, seen_by), _DEADLINE_S)
        return Alarms(known, is_answering, self._ids(person))

    def open_of(self, person: Person, camera: str) -> tuple[Alarm, ...]:
        """Of one camera, by its code: what nobody has acknowledged, however much else is open."""
        return tuple(row for row in self._known(person, camera)[0] if row.is_open)

    def acknowledge(self, session: Session, number: int, note: str) -> Alarm:
        """He answers for it; his line in the audit chain comes first.

        Raises Missing, Refused (an auditor changes nothing), Unavailable.
        """
        if session.person.role is Role.AUDITOR:
            raise Refused("an auditor looks and changes nothing")
        found = [row for row in self.of(session.person).rows if row.number == number]
        if not found:
            raise Missing(f"there is no alarm {number}")
        event = AuditAppend(
            Action.ALARM_ACKNOWLEDGE,
            f"alarm {number}: {found[0].kind}, {found[0].subject}",
            None,
            "done",
            person=session.person.name,
            role=session.person.role,
            session=session.id,
        )
        audit_client.append(self._home, event)
        return acknowledge(self._home, number, session.display_name, note)

    def _ids(self, person: Person) -> dict[str, bytes]:
        return {c.code: c.id for c in self._catalog.cameras() if may_know(person, c)}

    def _known(self, person: Person, subject: str = "") -> tuple[tuple[Alarm, ...], bool]:
        """The newest without those of cameras that he may not know of (evidence P-9); whether the
        recorder told them.
        """
        hidden = {c.code for c in self._catalog.cameras() if not may_know(person, c)}
        # Others' alarms take no place of his.
        rows, is_answering = self._rows(ROWS_MAX if hidden else SHOWN_MAX, subject)
        known = (row for row in rows if not hidden & _names_of(row.subject))
        return tuple(itertools.islice(known, SHOWN_MAX)), is_answering

    def _rows(self, most: int, subject: str) -> tuple[list[Alarm], bool]:
        try:
            reply = control.ask(
                self._home, bus_control.AskAlarms(most, subject=subject), _DEADLINE_S
            )
        except Unavailable:
            rows = alarm_store.read_stopped(self._home)
            found = [row for row in rows if subject in ("", row.subject)]
            return alarm_store.newest(found, most), False
        if not isinstance(reply, bus_control.AlarmsReply):
            raise Unavailable(f"the recorder does not tell its alarms: {reply}")
        # One from before this version tells those of all.
        return [row for row in reply.alarms if subject in ("", row.subject)], True


def acknowledge(home: Path, number: int, by: str, note: str) -> Alarm:
    """The alarm as it is now. Raises Missing, Unavailable."""
    reply = control.ask(home, bus_control.AcknowledgeAlarm(number, by, note), _DEADLINE_S)
    if isinstance(reply, bus_control.AlarmsReply) and reply.alarms:
        return reply.alarms[0]
    if isinstance(reply, bus_control.Failed) and reply.code == "unknown-alarm":
        raise Missing(reply.what)
    raise Unavailable(f"the recorder did not take it: {reply}")


def _names_of(subject: str) -> set[str]:
    """The cameras that a subject may name: `cam1`, `cam1/main`, `lock 7, cam1`."""
    return {word.partition("/")[0].strip() for word in subject.split(",")}
