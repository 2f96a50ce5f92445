"""Every key of HOME/config.toml: what it holds, what is allowed, and how it is read.

`KEYS` is the whole of it: docs/ref/configuration.md is checked against this table.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from vonggac.errors import ConfigError
from vonggac.registry.camera import OwnerKind

__all__ = ["KEYS", "Address", "Key", "Kind", "Network", "Value", "Values", "value_of"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Value = int | str | tuple[Network, ...]

_NS = {"ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000}
_BYTES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_BITS = {"kbit/s": 1000, "Mbit/s": 1_000_000, "Gbit/s": 1_000_000_000}
_AMOUNT = re.compile(r"(\d{1,12}) ?([A-Za-z/]+)")


class Kind(enum.Enum):
    """What a key holds, and how people write it."""

    COUNT = enum.auto()
    DURATION = enum.auto()
    """A text such as "5 s"; kept in ns."""
    SIZE = enum.auto()
    """A text such as "64 MiB"; kept in bytes."""
    RATE = enum.auto()
    """A text such as "20 Mbit/s"; kept in bits per second."""
    NETWORKS = enum.auto()
    TEXT = enum.auto()
    """Kept as it stands; whoever uses it checks it. The bounds are of its length."""


INHERITED = ""
"""A number that is not said here: that of the section above holds."""
_UNITS = {Kind.DURATION: _NS, Kind.SIZE: _BYTES, Kind.RATE: _BITS}


@dataclass(frozen=True, slots=True)
class Key:
    """One key: where it stands, what it holds, what is allowed."""

    section: str
    name: str
    kind: Kind
    default: str | int | tuple[str, ...]
    """As it would stand in the file; a number's that is empty is that of the section above."""
    lowest: str | int = 0
    highest: str | int = 0
    """Both included; of no meaning for networks."""

    @property
    def allowed(self) -> str:
        """What may stand there, for an error and for the reference."""
        if self.kind is Kind.NETWORKS:
            return 'a list of networks such as ["192.168.1.0/24"]'
        if self.kind is Kind.TEXT:
            return f"a text of at most {self.highest} characters in one line"
        if self.kind is Kind.COUNT:
            return f"a whole number from {self.lowest} to {self.highest}"
        units = ", ".join(_UNITS[self.kind])
        return f'a text with its unit ({units}) from "{self.lowest}" to "{self.highest}"'


PRIVATE_NETWORKS = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
)

KEYS = (
    Key("cameras", "networks", Kind.NETWORKS, PRIVATE_NETWORKS),
    Key("cameras", "stall", Kind.DURATION, "5 s", "1 s", "60 s"),
    Key("cameras", "connect_timeout", Kind.DURATION, "5 s", "1 s", "60 s"),
    Key("cameras", "retry_min", Kind.DURATION, "1 s", "100 ms", "1 min"),
    Key("cameras", "retry_max", Kind.DURATION, "30 s", "1 s", "1 h"),
    Key("cameras", "starts_per_second", Kind.COUNT, 16, 1, 64),
    Key("cameras", "flood_rate", Kind.RATE, "100 Mbit/s", "1 Mbit/s", "1 Gbit/s"),
    Key("record", "cameras_per_loop", Kind.COUNT, 32, 1, 32),
    Key("record", "arena", Kind.SIZE, "384 MiB", "16 MiB", "2 GiB"),
    Key("backup", "hour", Kind.COUNT, 3, 0, 23),
    Key("locks", "quota_percent", Kind.COUNT, 20, 1, 50),
    Key("retention", "days_min", Kind.COUNT, 30, 0, 3650),
    Key("retention", "days_max", Kind.COUNT, 0, 0, 3650),
    Key("retention", "priority", Kind.COUNT, 5, 0, 9),
    *(
        Key(f"retention.{kind}", name, Kind.COUNT, default, 0, highest)
        for kind in OwnerKind
        for name, default, highest in (
            ("days_min", "", 3650),
            ("days_max", 30 if kind is OwnerKind.HOUSEHOLD else "", 3650),
            ("priority", "", 9),
        )
    ),
    Key("serve", "address", Kind.TEXT, "127.0.0.1", 0, 64),
    Key("serve", "port", Kind.COUNT, 8080, 1, 65535),
    Key("serve", "certificate", Kind.TEXT, "", 0, 4096),
    Key("serve", "key", Kind.TEXT, "", 0, 4096),
    Key("serve", "certificate_days", Kind.COUNT, 30, 1, 365),
    Key("serve", "threads", Kind.COUNT, 128, 16, 512),
    Key("serve", "metrics_networks", Kind.NETWORKS, ("127.0.0.0/8", "::1/128")),
    Key("push", "address", Kind.TEXT, "0.0.0.0", 0, 64),  # noqa: S104, TLS always, and off at first
    Key("push", "port", Kind.COUNT, 0, 0, 65535),
    Key("push", "certificate", Kind.TEXT, "", 0, 4096),
    Key("push", "key", Kind.TEXT, "", 0, 4096),
    Key("push", "certificate_days", Kind.COUNT, 30, 1, 365),
    Key("hooks", "address", Kind.TEXT, "", 0, 64),
    Key("motion", "cpu_percent", Kind.COUNT, 50, 1, 800),
    Key("motion", "folder", Kind.TEXT, "motion", 1, 4096),
    Key("motion", "size", Kind.SIZE, "4 GiB", "16 MiB", "1024 GiB"),
)


def value_of(key: Key, raw: object, where: str) -> Value:
    """`raw` as it is kept; None gives the default."""
    if raw is None and key.default == "" and key.kind is Kind.COUNT:
        return INHERITED
    raw = key.default if raw is None else raw
    wrong = ConfigError(f"{where}: {key.name} must be {key.allowed}")
    if key.kind is Kind.NETWORKS:
        return _networks(raw, wrong)
    if key.kind is Kind.TEXT:
        if not isinstance(raw, str) or len(raw) > int(key.highest) or not raw.isprintable():
            raise wrong
        return raw
    amount = _amount(key.kind, raw)
    lowest, highest = _amount(key.kind, key.lowest), _amount(key.kind, key.highest)
    if amount is None or lowest is None or highest is None or not lowest <= amount <= highest:
        raise wrong
    return amount


class Values:
    """What all keys hold, also where nobody set them. Raises TypeError where `KEYS` disagrees."""

    def __init__(self, found: Mapping[tuple[str, str], Value]) -> None:
        """`found`: by section and name."""
        self._values = {
            (key.section, key.name): found.get((key.section, key.name), value_of(key, None, ""))
            for key in KEYS
        }

    def is_inherited(self, section: str, name: str) -> bool:
        """Whether the section above holds."""
        return self._values[section, name] == INHERITED

    def whole(self, section: str, name: str) -> int:
        """A number, or what is kept as one."""
        value = self._values[section, name]
        if not isinstance(value, int):
            raise TypeError(f"{section}.{name} is no number")
        return value

    def text(self, section: str, name: str) -> str:
        """A text."""
        value = self._values[section, name]
        if not isinstance(value, str):
            raise TypeError(f"{section}.{name} is no text")
        return value

    def networks(self, section: str, name: str) -> tuple[Network, ...]:
        """A list of networks."""
        value = self._values[section, name]
        if not isinstance(value, tuple):
            raise TypeError(f"{section}.{name} is no list")
        return value


def _amount(kind: Kind, raw: object) -> int | None:
    if kind is Kind.COUNT:
        return raw if isinstance(raw, int) and not isinstance(raw, bool) else None
    match = _AMOUNT.fullmatch(raw) if isinstance(raw, str) else None
    unit = _UNITS[kind].get(match[2]) if match else None
    return int(match[1]) * unit if match and unit else None


def _networks(raw: object, wrong: ConfigError) -> tuple[Network, ...]:
    if not isinstance(raw, list | tuple) or not raw:
        raise wrong
    networks = []
    for item in raw:
        if not isinstance(item, str):
            raise wrong
        try:
            networks.append(ipaddress.ip_network(item))
        except ValueError as error:
            raise ConfigError(f"{wrong} ({error})") from error
    return tuple(networks)
