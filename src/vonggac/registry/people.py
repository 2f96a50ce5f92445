"""Who may do what. Before people are registered, whoever has a shell is `local:<uid>`."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Person", "Purpose", "PurposeCode", "Role", "local_person"]


class Role(enum.StrEnum):
    """Fixed roles (evidence 5.1); what is not granted is denied."""

    COMMANDER = "commander"
    AREA_OFFICER = "area-officer"
    DETECTIVE = "detective"
    OPERATOR = "operator"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"
    LOCAL = "local"
    """A shell on the box. It may look like a commander; every look is logged like his."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks for a picture."""

    name: str
    """In the audit chain: a person's id, or `local:<uid>`."""
    role: Role
    areas: tuple[str, ...] = ()
    """The resident groups an area officer answers for."""


class PurposeCode(enum.StrEnum):
    """The closed list of evidence X-2, plus *khác* for free text."""

    CRIME = "hình sự"
    ADMINISTRATIVE = "vi phạm hành chính"
    TRAFFIC = "tai nạn giao thông"
    RESCUE = "cứu nạn"
    SUBJECT = "yêu cầu của chủ thể dữ liệu"
    OTHER = "khác"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why somebody looks."""

    code: PurposeCode
    text: str
    """A case number or a sentence."""


def local_person(uid: int) -> Person:
    """The person behind a shell of user `uid`."""
    return Person(f"local:{uid}", Role.LOCAL)
