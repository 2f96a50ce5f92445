"""Looks: nobody sees a byte before a line of the audit chain says who looks, at what and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vonggac_appliance.look import Look, LookAsk

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Caller, Session

__all__ = ["Look", "LookAsk", "Looks"]


class Looks(Protocol):
    """All looks that are open on this box. May be called from any thread."""

    def open(self, session: Session, caller: Caller, ask: LookAsk) -> Look:
        """Logs the look, then gives it.

        Raises Invalid (purpose, camera, kind, from, to), Missing (no such camera), Refused
        (`may_view` says no), Unavailable or StorageError (the chain). What is refused is logged.
        """

    def get(self, session: Session, look_id: str) -> Look:
        """An open look of this session, else Missing. Counts as a sign of life."""

    def renew(self, session: Session, caller: Caller, look_id: str) -> Look:
        """Logs the look anew; gives it with a fresh receipt."""

    def end(self, session: Session, look_id: str) -> None:
        """Ends it and writes the line that says so."""

    def end_session(self, session_id: str) -> None:
        """Ends all looks of a session that was signed out."""

    def hold(self, look_id: str, holder: object) -> None:
        """While anybody holds it, a look does not end for want of requests."""

    def release(self, look_id: str, holder: object) -> None:
        """The holder is gone."""

    def delivered(self, look_id: str, stream_id: bytes, from_ns: int, to_ns: int) -> None:
        """Pictures of this wall range were sent."""

    def for_camera(self, session: Session, camera_id: bytes) -> Look | None:
        """An open look of this session at a camera, for its still."""

    def sweep(self) -> None:
        """Each second: ends what nobody holds, and what has expired."""
