"""Which device answers: what its answers say of it, and when they are another one's.

Pure. Cameras that put a serial number or a MAC address into the realm of their log-in tell
themselves apart from all others; all else is a model's words, cut to what an update of its
firmware leaves alone. docs/design/rtsp-interop.md, "Which device it is", says which change counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace

from vonggac.rtsp.challenges import parse_challenges
from vonggac.rtsp.messages import Response, for_people

__all__ = [
    "Device",
    "after",
    "agreeing",
    "differing",
    "is_other",
    "is_proven",
    "merged",
    "shares_nothing",
]

_TEXT_MAX = 80
_NUMBER = re.compile(r"\d[\d.,:*x_-]*")
_MAC = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])")
"""The whole realm of a Hikvision; behind `AXIS_` of an Axis."""
_HASH = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{32}(?![0-9A-Fa-f])")
"""Newer Dahuas: `Login to 11839e10161ff4ebab8e3260b8779f14`."""
_LOGIN_TO = re.compile(r"(?i)(?<=login to )[0-9a-z]{8,}$")
"""Older Dahuas and Amcrests: `Login to 4K01FD2PAJ6E3FF`."""
_SUFFIX = re.compile(r"(?<=\()[0-9A-Za-z]{4,}(?=\)$)")
"""Hikvision: `IP Camera(C1214)`, the end of its serial number."""
_FORMS = (("hash", _HASH), ("mac", _MAC), ("serial", _LOGIN_TO), ("suffix", _SUFFIX))


@dataclass(frozen=True, slots=True)
class Device:
    """What answers said; empty: they did not. Printable, short, without anything of a login."""

    serial: str = ""
    """`form:value`, of one device alone. Values of different forms cannot be compared."""
    realm: str = ""
    """The rest of the realm, its numbers replaced; so are those of all texts."""
    product: str = ""
    """The field Server."""
    name: str = ""
    """The session's, in the description."""

    def __str__(self) -> str:
        words = [self.serial.replace(":", " ", 1), self.realm, self.product, self.name]
        return ", ".join(word for word in words if word) or "nothing"

    def facts(self) -> dict[str, str]:
        """By name, without those that are not known."""
        return {name: text for name, text in asdict(self).items() if text}

    @staticmethod
    def of(facts: dict[str, str]) -> Device:
        """What `facts` gave; names that are not known are as if they were absent."""
        return Device(**{name: text for name, text in facts.items() if name in _NAMES})


_NAMES = tuple(field.name for field in fields(Device))
_TEXTS = tuple(name for name in _NAMES if name != "serial")


def after(device: Device, response: Response) -> Device:
    """What is known of who answers after one more answer."""
    server = response.headers.get("Server")
    if server is not None and not device.product:
        # The first counts: it is told before a login, and some name another part behind it.
        device = replace(device, product=_plain(server))
    challenges = parse_challenges(response.headers.get_all("WWW-Authenticate"))
    if response.status == 401 and challenges:
        serial, realm = _apart(challenges[0].realm)
        device = replace(device, serial=serial, realm=realm)
    if response.body:
        device = replace(device, name=_session_name(response.body))
    return device


def merged(before: Device, now: Device) -> Device:
    """What is known of a device that said `before` and says `now`."""
    return replace(before, **now.facts())


def differing(one: Device, other: Device) -> frozenset[str]:
    """The names of facts that both tell and that are not the same."""
    known, seen = one.facts(), other.facts()
    return frozenset(name for name in known.keys() & seen.keys() if known[name] != seen[name])


def agreeing(one: Device, other: Device) -> frozenset[str]:
    """The names of facts that both tell and that are the same."""
    known, seen = one.facts(), other.facts()
    return frozenset(name for name in known.keys() & seen.keys() if known[name] == seen[name])


def shares_nothing(known: Device, seen: Device, varying: Collection[str] = ()) -> bool:
    """Whether both tell a fact, and not one of them is the same.

    Stricter than `is_other`: before a password is said in the clear, one word may be all there is.
    """
    skipped = {*varying}
    if not _is_comparable(known.serial, seen.serial):
        skipped.add("serial")
    return bool(differing(known, seen) - skipped) and not agreeing(known, seen) - skipped


def is_other(
    known: Device, seen: Device, varying: Collection[str] = (), *, is_whole: bool = True
) -> bool:
    """Whether `seen` cannot be the device that is `known`.

    A serial number decides where both tell one of the same form. Words decide where two at least
    can be compared and not one is the same. `varying`: facts that change from one connection to
    the next and say nothing; `is_whole`: the description was heard, so words may be judged.
    """
    if "serial" not in varying and _is_comparable(known.serial, seen.serial):
        return known.serial != seen.serial
    pairs = [(getattr(known, name), getattr(seen, name)) for name in _TEXTS if name not in varying]
    told = [(one, other) for one, other in pairs if one and other]
    return is_whole and len(told) >= 2 and all(one != other for one, other in told)


def is_proven(known: Device, seen: Device, varying: Collection[str] = ()) -> bool:
    """Whether `seen` is the known device beyond doubt: by its serial number, not by its words."""
    return "serial" not in varying and bool(known.serial) and known.serial == seen.serial


def _is_comparable(one: str, other: str) -> bool:
    form = one.partition(":")[0]
    return bool(form) and form == other.partition(":")[0]


def _apart(realm: str) -> tuple[str, str]:
    """The serial number in a realm, and its other words."""
    text = for_people(realm)
    for form, pattern in _FORMS:
        found = pattern.search(text)
        if found is not None and re.search(r"\d", found[0]):
            value = re.sub(r"[:-]", "", found[0]).upper()
            rest = f"{text[: found.start()]}#{text[found.end() :]}"
            return f"{form}:{value}", _plain(rest)
    return "", _plain(text)


def _plain(text: str) -> str:
    """Without its numbers: versions, sizes, dates, channels."""
    words = " ".join(for_people(text).split())
    return _NUMBER.sub("#", words)[:_TEXT_MAX]


def _session_name(body: bytes) -> str:
    """RFC 4566 5.3; of a description that has none worth the name, what made it."""
    text = body.decode("utf-8", "replace")
    for pattern in (r"^s=(.*)$", r"^a=tool:(.*)$"):
        found = re.search(pattern, text, re.MULTILINE)
        if found is not None and found[1].strip(" -\r"):
            return _plain(found[1])
    return ""
