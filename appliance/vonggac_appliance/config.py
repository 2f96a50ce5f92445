"""HOME/config.toml as frozen values. It may be missing or empty; the program never writes it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vonggac.errors import ConfigError
from vonggac.registry.camera import OwnerKind
from vonggac.registry.retention import Classes, ClassLimits
from vonggac_appliance.config_keys import INHERITED, KEYS, Address, Network, Value, value_of

__all__ = [
    "BackupConfig",
    "CameraConfig",
    "Config",
    "LocksConfig",
    "PushConfig",
    "RecordConfig",
    "ServeConfig",
    "load",
    "network_of",
    "parse",
    "where",
]


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """How cameras are reached and watched."""

    networks: tuple[Network, ...]
    """A camera's address must lie in one of these, after resolution."""
    stall_ns: int
    """Without a complete access unit for that long the camera is stalled."""
    connect_timeout_ns: int
    retry_min_ns: int
    retry_max_ns: int
    starts_per_second: int
    """New sessions a second, over all cameras."""
    flood_rate_bps: int
    """A stream that sends more is in flood: access units are dropped, never its neighbours'."""


@dataclass(frozen=True, slots=True)
class RecordConfig:
    """The recorder's processes."""

    cameras_per_loop: int
    arena_bytes: int
    """Shared memory of a loop at most: 10 s of its cameras' video; pages not used cost nothing."""


@dataclass(frozen=True, slots=True)
class BackupConfig:
    """Backups of the home to the disks."""

    hour: int
    """Of the box's own time: from then on that night's is made."""


@dataclass(frozen=True, slots=True)
class LocksConfig:
    """Footage that must stay."""

    quota_percent: int
    """Of a disk's segments: more than that is not locked, so that recording goes on."""


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """The page. What it needs beyond its form is checked by `serve`: the recorder must start with
    a page that cannot."""

    address: str
    """An IP address of this box; any but loopback needs a certificate."""
    port: int
    certificate: str
    """File with the chain in PEM, below the home unless absolute; empty: no TLS."""
    key: str
    """File with its private key in PEM."""
    threads: int
    """Requests under way at once; each open page holds one for its socket."""
    metrics_networks: tuple[Network, ...]
    """Who may ask for /metrics, without a session."""


@dataclass(frozen=True, slots=True)
class PushConfig:
    """The door for cameras that call. Checked by `push run`, as the page by `serve`."""

    address: str
    port: int
    """0: nobody may call."""
    certificate: str
    """As the page's; both are needed."""
    key: str


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration."""

    cameras: CameraConfig
    record: RecordConfig
    locks: LocksConfig
    serve: ServeConfig
    backup: BackupConfig
    retention: Classes
    """How long footage is kept, by kind of owner."""
    push: PushConfig


def load(home: Path) -> Config:
    """HOME/config.toml; all defaults where there is none. Raises ConfigError."""
    path = home / "config.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is no UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Config:
    """The configuration that `text` says; `name` is what errors call it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}") from error
    known = {(key.section, key.name): key for key in KEYS}
    found: dict[tuple[str, str], Value] = {}
    for section, entries in _sections(document):
        _check_section(text, name, section, entries)
        for entry, raw in entries.items():
            key = known.get((section, entry))
            if key is None:
                allowed = ", ".join(key.name for key in KEYS if key.section == section)
                where = _where(text, name, section, entry)
                raise ConfigError(f"{where}: [{section}] has no key {entry}; allowed: {allowed}")
            found[section, entry] = value_of(key, raw, _where(text, name, section, entry))
    config = _assemble(found)
    if config.cameras.retry_min_ns > config.cameras.retry_max_ns:
        where = _where(text, name, "cameras", "retry_min")
        raise ConfigError(f"{where}: retry_min must not be longer than retry_max")
    return config


def _sections(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A table in a table is a section of its own, such as [retention.household]."""
    for section, entries in document.items():
        if not isinstance(entries, dict):
            yield section, entries
            continue
        nested = {k: v for k, v in entries.items() if isinstance(v, dict)}
        yield section, {k: v for k, v in entries.items() if k not in nested}
        for name, inner in nested.items():
            yield f"{section}.{name}", inner


def where(home: Path, section: str, entry: str) -> str:
    """`FILE, line N` of a key, for an error that is found after loading."""
    path = home / "config.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    return _where(text, str(path), section, entry)


def network_of(config: CameraConfig, address: Address) -> Network | None:
    """The configured network that `address` lies in; None: no camera may stand there."""
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped if mapped is not None else address
    return next((net for net in config.networks if plain in net), None)


def _assemble(found: dict[tuple[str, str], Value]) -> Config:
    values = {
        (key.section, key.name): found.get((key.section, key.name), value_of(key, None, ""))
        for key in KEYS
    }

    def whole(section: str, name: str) -> int:
        value = values[section, name]
        if not isinstance(value, int):
            raise TypeError(f"{section}.{name} is no number")
        return value

    def text(section: str, name: str) -> str:
        value = values[section, name]
        if not isinstance(value, str):
            raise TypeError(f"{section}.{name} is no text")
        return value

    def networks(section: str, name: str) -> tuple[Network, ...]:
        value = values[section, name]
        if not isinstance(value, tuple):
            raise TypeError(f"{section}.{name} is no list")
        return value

    def limits(section: str) -> ClassLimits:
        own = {
            name: whole("retention", name)
            if values[section, name] == INHERITED
            else whole(section, name)
            for name in ("days_min", "days_max", "priority")
        }
        return ClassLimits(own["days_min"], own["days_max"] or None, own["priority"])

    return Config(
        retention=Classes(
            limits("retention"), {kind: limits(f"retention.{kind}") for kind in OwnerKind}
        ),
        cameras=CameraConfig(
            networks=networks("cameras", "networks"),
            stall_ns=whole("cameras", "stall"),
            connect_timeout_ns=whole("cameras", "connect_timeout"),
            retry_min_ns=whole("cameras", "retry_min"),
            retry_max_ns=whole("cameras", "retry_max"),
            starts_per_second=whole("cameras", "starts_per_second"),
            flood_rate_bps=whole("cameras", "flood_rate"),
        ),
        record=RecordConfig(
            cameras_per_loop=whole("record", "cameras_per_loop"),
            arena_bytes=whole("record", "arena"),
        ),
        backup=BackupConfig(hour=whole("backup", "hour")),
        locks=LocksConfig(quota_percent=whole("locks", "quota_percent")),
        serve=ServeConfig(
            address=text("serve", "address"),
            port=whole("serve", "port"),
            certificate=text("serve", "certificate"),
            key=text("serve", "key"),
            threads=whole("serve", "threads"),
            metrics_networks=networks("serve", "metrics_networks"),
        ),
        push=PushConfig(
            address=text("push", "address"),
            port=whole("push", "port"),
            certificate=text("push", "certificate"),
            key=text("push", "key"),
        ),
    )


def _check_section(text: str, name: str, section: str, entries: object) -> None:
    sections = sorted({key.section for key in KEYS})
    if section not in sections or not isinstance(entries, dict):
        where = _where(text, name, section, "")
        allowed = ", ".join(f"[{known}]" for known in sections)
        raise ConfigError(f"{where}: there is no section [{section}]; allowed: {allowed}")


def _where(text: str, name: str, section: str, entry: str) -> str:
    """`FILE, line N` of a key; tomllib does not tell, so the lines are looked through."""
    inside = ""
    header = re.compile(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]")
    for number, line in enumerate(text.splitlines(), 1):
        match = header.match(line)
        if match:
            inside = match[1]
            if not entry and section in (inside, inside.split(".")[0]):
                return f"{name}, line {number}"
            continue
        key = line.split("=")[0].replace('"', "").replace(" ", "").strip()
        full = f"{inside}.{key}" if inside else key
        if full == f"{section}.{entry}" or (not entry and full.split(".")[0] == section):
            return f"{name}, line {number}"
    return name
