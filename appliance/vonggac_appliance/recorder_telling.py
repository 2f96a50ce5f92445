"""What the recorder tells of its streams: to the bus, to the journal, to the list of alarms."""

from __future__ import annotations

import logging
import time
from typing import Protocol

from vonggac.media.chunk import GapReason
from vonggac_appliance import bus_events
from vonggac_appliance.alarm_store import AlarmStore
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.disks import Disks
from vonggac_appliance.events import Publisher

__all__ = ["Telling"]

_log = logging.getLogger("vonggac.record")


class Around(Protocol):
    """Where it goes."""

    alarms: AlarmStore
    publisher: Publisher
    disks: Disks
    is_ending: bool


class Telling:
    """In the recorder's one thread."""

    def __init__(self, around: Around) -> None:
        self._around = around

    def state_changed(self, session: StreamSession) -> None:
        """Tells the bus."""
        event = bus_events.CameraChanged(
            session.camera.code,
            session.stream.name,
            session.state,
            session.gap_reason,
            session.what,
            time.time_ns(),
        )
        self._around.publisher.send(event)

    def gap_opened(self, session: StreamSession) -> None:
        """Tells the journal and the bus."""
        message = session.gap_message()
        if message is None or self._around.is_ending:
            return  # nobody explains the hole of a stop: it reads *box stopped*
        if (keeper := self._around.disks.streams.of(session.stream.id)) is not None:
            keeper.gap_open(message)
        code, name = session.camera.code, session.stream.name
        words = GapReason(message.reason).words
        self._around.publisher.send(bus_events.GapOpened(code, name, message.start_ns, words))

    def gap_closed(self, session: StreamSession, start_ns: int, reason: GapReason) -> None:
        """Tells the bus; the journal learns it from the run's first claim."""
        code, name = session.camera.code, session.stream.name
        self._around.publisher.send(
            bus_events.GapClosed(
                code, name, start_ns, time.time_ns(), reason.words, session.progress.run
            )
        )

    def alarm(self, kind: str, subject: str, what: str) -> None:
        """Something a person has to look at."""
        _log.error("%s: %s", subject, what)
        now_ns = time.time_ns()
        self._around.alarms.note(kind, subject, what, now_ns)
        self._around.publisher.send(bus_events.Alarm(kind, subject, what, now_ns))
