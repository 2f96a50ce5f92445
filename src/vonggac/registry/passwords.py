"""Which passwords are taken, and how they are kept: Argon2id.

A rule is told with its reason and is about what can be guessed. There are none about kinds of
characters (NIST SP 800-63B-4, 3.1.1.2): they make people write «Congan@123».
"""

from __future__ import annotations

import base64
import enum
import re
import secrets
import unicodedata
from collections.abc import Iterable

import argon2

from vonggac.errors import Invalid

__all__ = [
    "LENGTH_MAX",
    "LENGTH_MIN",
    "Hasher",
    "PasswordRefused",
    "Reason",
    "checked_password",
    "fold",
    "typed_password",
]

LENGTH_MIN = 12
"""Characters, counted after NFC."""
LENGTH_MAX = 128

# RFC 9106, 4: the second recommended option, for machines with little memory.
TIME_COST = 3
MEMORY_KIB = 64 * 1024
LANES = 4

_REST_MIN = 4
"""Letters and digits that must be left beside well-known words and rows of keys."""
_DISTINCT_MIN = 4

# What stands first in every guesser's list, folded as `fold` does, without spaces: the product and
# the office, words for a password, makers of cameras, phrases of Vietnamese passwords that leaked,
# rows of keys.
_WORDS = (
    "vonggac", "congan", "phuong", "canhsat", "khuvuc", "anninh", "trattu", "camera",
    "giamsat", "trucban", "chihuy", "truong", "quantri", "nguoidung", "taikhoan", "dangnhap",
    "antt", "cskv", "cabt", "vietnam", "hanoi", "saigon", "hochiminh", "tphcm", "danang",
    "caphuong", "thanhpho", "botuphap", "bocongan", "nhandan", "totquoc", "toquoc", "doclap",
    "tudo", "hanhphuc", "matkhau", "password", "passw0rd", "passwd", "pass", "admin",
    "administrator", "root", "user", "guest", "login", "default", "system", "secret", "letmein",
    "welcome", "changeme", "hikvision", "dahua", "kbvision", "ezviz", "imou", "onvif", "recorder",
    "anhyeuem", "emyeuanh", "iloveyou", "yeuem", "yeuanh", "anhnhoem", "khongbiet", "khongco",
    "conyeume", "yeugiadinh", "giadinh", "baoan", "xinchao", "chaoban", "toiyeu",
    "qwertyuiop", "qwerty", "qwert", "asdfghjkl", "asdfgh", "asdf", "zxcvbnm", "zxcvbn", "zxcv",
    "qazwsxedc", "qazwsx", "1q2w3e4r5t", "1q2w3e4r", "1q2w3e", "q1w2e3r4", "q1w2e3", "abc", "xyz",
)  # fmt: skip
_ROWS = ("0123456789", "1234567890", "9876543210", "0987654321", "abcdefghijklmnopqrstuvwxyz")
_DATE = re.compile(r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|(?:19|20)\d\d")
_REPEAT = re.compile(r"(.)\1\1+")
_NOT_WORDS = re.compile(r"[\W_]+")
# How a password is read: as it stands, and with signs meant as letters, or typed for digits.
_READINGS = tuple(
    str.maketrans(signs, meant)
    for signs, meant in (
        ("", ""),
        ("@$!", "asi"),
        ("@$!013457", "asioieast"),
        ("!@#$%^&*()", "1234567890"),
    )
)


class Reason(enum.StrEnum):
    """Why a password is refused; the page has a sentence for each."""

    SHORT = "short"
    LONG = "long"
    WELL_KNOWN = "well-known"
    NAME = "name"
    REPEATED = "repeated"
    UNREADABLE = "unreadable"


_SENTENCES = {
    Reason.SHORT: f"a password has at least {LENGTH_MIN} characters",
    Reason.LONG: f"a password has at most {LENGTH_MAX} characters",
    Reason.WELL_KNOWN: (
        "this password is made of words and rows of keys that every guesser tries first"
    ),
    Reason.NAME: "beside the names of the person and the box hardly anything of it is left",
    Reason.REPEATED: "this password repeats very few characters",
    Reason.UNREADABLE: "the password is no text",
}


class PasswordRefused(Invalid):
    """A password that is not taken; it stands neither here nor in the message."""

    def __init__(self, reason: Reason) -> None:
        super().__init__("password", _SENTENCES[reason])
        self.reason = reason


def typed_password(text: str) -> str:
    """`text` in the form that is hashed: NFC, since keyboards differ. Raises PasswordRefused."""
    if len(text) > 4 * LENGTH_MAX:  # NFC makes of four characters one, at most
        raise PasswordRefused(Reason.LONG)
    typed = unicodedata.normalize("NFC", text)
    try:
        typed.encode()
    except UnicodeEncodeError:  # half a surrogate pair: no keyboard writes that
        raise PasswordRefused(Reason.UNREADABLE) from None
    return typed


def checked_password(text: str, names: Iterable[str] = ()) -> str:
    """A new password in the form that is hashed; `names`: of the person and of the place.

    Raises PasswordRefused with the reason. What is well known is said to be, short or not.
    """
    typed = typed_password(text)
    own = sorted({word for name in names for word in _words_of(name)}, key=len, reverse=True)
    if _is_spent(typed, _WORDS):
        raise PasswordRefused(Reason.WELL_KNOWN)
    if len(typed) < LENGTH_MIN:
        raise PasswordRefused(Reason.SHORT)
    if len(typed) > LENGTH_MAX:
        raise PasswordRefused(Reason.LONG)
    if len(set(fold(typed))) < _DISTINCT_MIN:
        raise PasswordRefused(Reason.REPEATED)
    if own and _is_spent(typed, (*own, *_WORDS)):
        raise PasswordRefused(Reason.NAME)
    return typed


def fold(text: str) -> str:
    """`text` without case and without Vietnamese marks: «Đường» gives "duong"."""
    plain = unicodedata.normalize("NFKD", text.casefold()).replace("đ", "d")
    return "".join(character for character in plain if not unicodedata.combining(character))


class Hasher:
    """Argon2id at fixed costs. Each takes MEMORY_KIB: who calls bounds how many run at once."""

    def __init__(
        self, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB, lanes: int = LANES
    ) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost, memory_kib, lanes)
        costs = f"m={memory_kib},t={time_cost},p={lanes}"
        salt, nothing = (_base64(secrets.token_bytes(size)) for size in (16, 32))
        self._decoy = f"$argon2id$v=19${costs}${salt}${nothing}"

    def hash(self, password: str) -> str:
        """For the catalog; `password` comes from `checked_password`."""
        return self._argon2.hash(password)

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether `password`, from `typed_password`, is the one that was hashed.

        With None it is not, and takes as long.
        """
        try:
            return self._argon2.verify(self._decoy if kept is None else kept, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def _base64(raw: bytes) -> str:
    """Without padding, as Argon2's text form has it."""
    return base64.b64encode(raw).decode().rstrip("=")


def _words_of(name: str) -> set[str]:
    """A name's words, and all of them in one; shorter ones would eat up honest passwords."""
    words = _NOT_WORDS.split(fold(name))
    return {word for word in (*words, "".join(words)) if len(word) >= 3}


def _is_spent(typed: str, words: Iterable[str]) -> bool:
    """Whether nearly nothing is left once all that is well known was taken out."""
    plain = fold(typed)
    ordered = sorted(words, key=len, reverse=True)
    for reading in _READINGS:
        text = _NOT_WORDS.sub("", plain.translate(reading))
        if len(text) >= _REST_MIN and len(_rest(text, ordered)) < _REST_MIN:
            return True
    return False


def _rest(text: str, words: Iterable[str]) -> str:
    """`text` less words, dates, repeats and rows.

    A space takes the place of each, lest what stood left and right of it make a new word.
    """
    for word in words:
        text = text.replace(word, " ")
    text = _REPEAT.sub(" ", _DATE.sub(" ", text))
    for length in range(10, 2, -1):
        for row in _ROWS:
            for start in range(len(row) - length + 1):
                text = text.replace(row[start : start + length], " ")
    return text.replace(" ", "")
