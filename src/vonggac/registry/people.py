"""Who may do what, and the rows of people. Whoever has a shell is `local:<uid>`."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from vonggac.errors import Invalid

__all__ = [
    "NAME_MAX",
    "Account",
    "Person",
    "Purpose",
    "PurposeCode",
    "Role",
    "checked_areas",
    "checked_name",
    "local_person",
    "name_key",
]

NAME_MAX = 64
"""Characters of a person's name."""


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


class Account(msgspec.Struct, frozen=True):
    """A person who signs in: a row of the catalog."""

    id: bytes
    """16 random bytes; what stands in the audit chain, while the name may change."""
    name: str
    """As it was typed, in NFC; what `name_key` makes of it is taken once."""
    role: Role
    password: str
    """Argon2id in its own text form, salt and costs included. Never shown, never logged."""
    created_ns: int
    areas: tuple[str, ...] = ()

    @property
    def person(self) -> Person:
        """Who asks for pictures when this account does."""
        return Person(self.id.hex(), self.role, self.areas)

    def __repr__(self) -> str:
        return f"Account({self.id.hex()}, {self.name!r}, {self.role})"


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
    """A case number or a sentence; *khác* says nothing without one."""

    @property
    def is_told(self) -> bool:
        """Whether it says anything; spaces, dots and what nobody sees are no words."""
        return self.code is not PurposeCode.OTHER or any(map(str.isalnum, self.text))


def local_person(uid: int) -> Person:
    """The person behind a shell of user `uid`."""
    return Person(f"local:{uid}", Role.LOCAL)


def checked_name(text: str) -> str:
    """`text` as a name is kept: NFC, single spaces. Raises Invalid("name")."""
    if len(text) > 4 * NAME_MAX:  # NFC makes of four characters one, at most
        raise Invalid("name", f"a name has at most {NAME_MAX} characters")
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise Invalid("name", "the name is empty")
    if len(name) > NAME_MAX:
        raise Invalid("name", f"a name has at most {NAME_MAX} characters")
    # Cf too: direction marks make one name look like another.
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise Invalid("name", "the name holds characters that nobody sees")
    return name


def checked_areas(role: Role, areas: Sequence[str]) -> tuple[str, ...]:
    """The resident groups as they are kept. Raises Invalid("areas").

    Cameras of no group have an empty one: whoever was given that would see all of them.
    """
    kept = tuple(dict.fromkeys(" ".join(area.split()) for area in areas))
    if "" in kept:
        raise Invalid("areas", "a resident group has a name")
    if bool(kept) != (role is Role.AREA_OFFICER):
        raise Invalid("areas", "an area officer has resident groups, and nobody else")
    return kept


def name_key(name: str) -> str:
    """What two names that people take for the same have in common; for comparison only."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", " ".join(plain.split()))
