"""May this camera be recorded, may this person look, or know of it. Pure; obeyed by every process.

What is refused says why in a sentence, what is allowed may still be *red*: done, but shown as
something a commander has to put right.
"""

from __future__ import annotations

from dataclasses import dataclass

from vonggac.errors import Missing
from vonggac.media.chunk import GapReason
from vonggac.registry.camera import AdminState, Basis, Camera, Hours, Mode, OwnerKind
from vonggac.registry.people import Person, Purpose, Role

__all__ = [
    "Recording",
    "Viewing",
    "is_indexed",
    "known",
    "may_know",
    "may_record",
    "may_record_sound",
    "may_view",
    "pauses_for_another_device",
]

_NS_PER_MINUTE = 60 * 1_000_000_000
_NS_PER_DAY = 1440 * _NS_PER_MINUTE
_MINUTES_PER_DAY = 1440
OPERATOR_BACK_NS = 2 * 60 * _NS_PER_MINUTE
"""How far back a duty operator replays (evidence 5.1)."""

_OFFICERS = (Role.AREA_OFFICER, Role.DETECTIVE, Role.OPERATOR)
_NO_PICTURES = {
    Role.TECHNICIAN: "a technician sees a test still only",
    Role.AUDITOR: "an auditor sees no video",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """The answer of `may_record`."""

    is_allowed: bool
    sentence: str = ""
    """Why not, or why red; empty when there is nothing to say."""
    gap: GapReason = GapReason.UNKNOWN
    """What the gap is called while it is not allowed."""
    is_red: bool = False


@dataclass(frozen=True, slots=True)
class Viewing:
    """The answer of `may_view`."""

    is_allowed: bool
    sentence: str = ""
    is_red: bool = False


def may_record(camera: Camera, now_ns: int) -> Recording:
    """Whether `camera` may be recorded at `now_ns`."""
    if camera.admin_state is AdminState.PAUSED:
        return Recording(False, f"paused by {camera.admin_state_by}", GapReason.PAUSED)
    if camera.admin_state is AdminState.WITHDRAWN:
        return Recording(False, "withdrawn by its owner", GapReason.AGREEMENT_ENDED)
    if camera.basis is not None:
        return _within_basis(camera, camera.basis, now_ns)
    if camera.owner_kind is OwnerKind.HOUSEHOLD:
        sentence = "a household camera needs an agreement before it is recorded"
        return Recording(False, sentence, GapReason.AGREEMENT_ENDED)
    return _allowed(camera)


def is_indexed(camera: Camera, now_ns: int) -> bool:
    """Whether a camera's motion and marks may be known: who comes to a household is its own affair.

    Pictures stay for as long as their retention says; what tells of them does not.
    """
    if camera.admin_state is AdminState.WITHDRAWN:
        return False
    basis = camera.basis
    if basis is None:
        return camera.owner_kind is not OwnerKind.HOUSEHOLD
    if basis.mode in (Mode.REGISTRY_ONLY, Mode.EXTRACT_ON_REQUEST):
        return False
    return basis.until_ns is None or now_ns < basis.until_ns


def pauses_for_another_device(camera: Camera) -> bool:
    """Whether another device at its address is not recorded before a person has confirmed it.

    A router that gives a household's address to somebody else must not show us a neighbour's rooms.
    """
    return camera.owner_kind is OwnerKind.HOUSEHOLD


def may_record_sound(camera: Camera) -> bool:
    """Whether its sound may be recorded, where the camera may: only if its basis says so, and never
    of a State-owned one, for those stand in public places."""
    basis = camera.basis
    return basis is not None and basis.audio and camera.owner_kind is not OwnerKind.STATE


def may_know(person: Person, camera: Camera) -> bool:
    """Whether `person` may learn that `camera` exists (evidence P-9).

    Who may not is told what he would be told of a camera that there is not; it is in none of his
    counts.
    """
    if person.role in _OFFICERS and camera.owner_kind is OwnerKind.UNCLASSIFIED:
        return False
    return person.role is not Role.AREA_OFFICER or camera.area in person.areas


def known(person: Person, camera: Camera | None) -> Camera:
    """The camera, where `person` may know of it. Raises Missing, of any other as of none."""
    if camera is None or not may_know(person, camera):
        raise Missing("there is no such camera")
    return camera


def may_view(
    person: Person,
    camera: Camera,
    from_ns: int,
    to_ns: int,
    purpose: Purpose | None,
    now_ns: int,
    *,
    is_live: bool = False,
) -> Viewing:
    """Whether `person` may see `camera` in [from_ns, to_ns).

    `purpose` None is refused to everybody but a local shell, whose look is then red.
    """
    if to_ns <= from_ns:
        return Viewing(False, "the range is empty")
    refusal = _role_refusal(person, camera, from_ns, purpose, now_ns, is_live) or _basis_refusal(
        camera, from_ns, to_ns, now_ns, is_live
    )
    if refusal:
        return Viewing(False, refusal)
    if purpose is None or not purpose.is_told:
        if person.role is not Role.LOCAL:
            return Viewing(False, "a purpose comes before the picture")
        return Viewing(True, "no purpose was given", is_red=True)
    if camera.owner_kind is OwnerKind.UNCLASSIFIED:
        return Viewing(True, "nobody has said whose camera this is", is_red=True)
    return Viewing(True)


def _within_basis(camera: Camera, basis: Basis, now_ns: int) -> Recording:
    if basis.mode in (Mode.REGISTRY_ONLY, Mode.EXTRACT_ON_REQUEST):
        sentence = f"agreement of mode {basis.mode} does not allow recording here"
        return Recording(False, sentence, GapReason.AGREEMENT_ENDED)
    if now_ns < basis.from_ns:
        return Recording(False, "the agreement has not begun", GapReason.PAUSED)
    if basis.until_ns is not None and now_ns >= basis.until_ns:
        return Recording(False, "the agreement has ended", GapReason.AGREEMENT_ENDED)
    if basis.hours and not _in_hours(basis.hours, basis.utc_offset_minutes, now_ns):
        return Recording(False, "outside the hours agreed", GapReason.PAUSED)
    return _allowed(camera)


def _allowed(camera: Camera) -> Recording:
    if camera.owner_kind is OwnerKind.UNCLASSIFIED:
        return Recording(True, "nobody has said whose camera this is", is_red=True)
    return Recording(True)


def _in_hours(hours: tuple[Hours, ...], utc_offset_minutes: int, now_ns: int) -> bool:
    minute = (now_ns // _NS_PER_MINUTE + utc_offset_minutes) % _MINUTES_PER_DAY
    return any(
        span.start_minutes <= minute < span.end_minutes
        if span.start_minutes < span.end_minutes
        else minute >= span.start_minutes or minute < span.end_minutes
        for span in hours
    )


def _role_refusal(
    person: Person,
    camera: Camera,
    from_ns: int,
    purpose: Purpose | None,
    now_ns: int,
    is_live: bool,
) -> str:
    if person.role in _NO_PICTURES:
        return _NO_PICTURES[person.role]
    if person.role in _OFFICERS and camera.owner_kind is OwnerKind.UNCLASSIFIED:
        return "an unclassified camera is not shown to officers"
    if person.role is Role.AREA_OFFICER and camera.area not in person.areas:
        return "the camera is outside this officer's area"
    if person.role is Role.OPERATOR and not is_live and from_ns < now_ns - OPERATOR_BACK_NS:
        return "an operator replays the last two hours only"
    if (
        person.role is Role.DETECTIVE
        and not is_live
        and (purpose is None or not purpose.text.strip())
    ):
        return "a detective needs a case number"
    return ""


def _basis_refusal(camera: Camera, from_ns: int, to_ns: int, now_ns: int, is_live: bool) -> str:
    """What the owner's agreement refuses, to whomever."""
    basis = camera.basis
    if basis is None:
        if camera.owner_kind is OwnerKind.HOUSEHOLD:
            return "a household camera without an agreement is not shown"
        return ""
    if basis.mode in (Mode.REGISTRY_ONLY, Mode.EXTRACT_ON_REQUEST):
        return f"agreement of mode {basis.mode} does not allow looking here"
    if is_live and basis.mode is not Mode.RECORDED_AND_LIVE:
        return "the agreement does not allow live view"
    if is_live and not may_record(camera, now_ns).is_allowed:
        return may_record(camera, now_ns).sentence
    if from_ns < basis.from_ns or (basis.until_ns is not None and to_ns > basis.until_ns):
        return "the range reaches outside the agreement"
    cap_days = basis.retention_cap_days
    if cap_days is not None and from_ns < now_ns - cap_days * _NS_PER_DAY:
        return f"nothing older than the agreed {cap_days} days is shown"
    return ""
