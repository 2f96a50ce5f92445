"""HOME/config.toml as frozen values. It may be missing or empty; the program never writes it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vonggac.errors import ConfigError
from vonggac.registry.camera import OwnerKind
from vonggac.registry.retention import Classes, ClassLimits
from vonggac_appliance.config_keys import KEYS, Address, Network, Value, Values, value_of
from vonggac_appliance.config_lines import line_of

__all__ = [
    "BackupConfig",
    "CameraConfig",
    "Config",
    "LocksConfig",
    "MotionConfig",
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
    certificate_days: int = 30
    """So long before its certificate ends it is an alarm."""


@dataclass(frozen=True, slots=True)
class PushConfig:
    """The door for cameras that call. Checked by `push run`, as the page by `serve`."""

    address: str
    port: int
    """0: nobody may call."""
    certificate: str
    """As the page's; both are needed."""
    key: str
    certificate_days: int = 30


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """The motion index."""

    cpu_percent: int
    """Of one core, for decoding; 200 are two cores."""
    folder: str
    """Where it lies, below the home unless absolute; better on flash."""
    size_bytes: int
    """Of all of it: the oldest days go first."""


@dataclass(frozen=True, slots=True)
class HooksConfig:
    """Other people's programs."""

    address: str
    """Where they come, each at a port of its own; empty: none may."""


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
    motion: MotionConfig
    hooks: HooksConfig


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
                where = line_of(text, name, section, entry)
                raise ConfigError(f"{where}: [{section}] has no key {entry}; allowed: {allowed}")
            found[section, entry] = value_of(key, raw, line_of(text, name, section, entry))
    config = _assemble(Values(found))
    if config.cameras.retry_min_ns > config.cameras.retry_max_ns:
        where = line_of(text, name, "cameras", "retry_min")
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
    return line_of(text, str(path), section, entry)


def network_of(config: CameraConfig, address: Address) -> Network | None:
    """The configured network that `address` lies in; None: no camera may stand there."""
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped if mapped is not None else address
    return next((net for net in config.networks if plain in net), None)


def _limits(values: Values, section: str) -> ClassLimits:
    own = {
        name: values.whole("retention" if values.is_inherited(section, name) else section, name)
        for name in ("days_min", "days_max", "priority")
    }
    return ClassLimits(own["days_min"], own["days_max"] or None, own["priority"])


def _assemble(values: Values) -> Config:
    return Config(
        retention=Classes(
            _limits(values, "retention"),
            {kind: _limits(values, f"retention.{kind}") for kind in OwnerKind},
        ),
        cameras=CameraConfig(
            networks=values.networks("cameras", "networks"),
            stall_ns=values.whole("cameras", "stall"),
            connect_timeout_ns=values.whole("cameras", "connect_timeout"),
            retry_min_ns=values.whole("cameras", "retry_min"),
            retry_max_ns=values.whole("cameras", "retry_max"),
            starts_per_second=values.whole("cameras", "starts_per_second"),
            flood_rate_bps=values.whole("cameras", "flood_rate"),
        ),
        record=RecordConfig(
            cameras_per_loop=values.whole("record", "cameras_per_loop"),
            arena_bytes=values.whole("record", "arena"),
        ),
        backup=BackupConfig(hour=values.whole("backup", "hour")),
        locks=LocksConfig(quota_percent=values.whole("locks", "quota_percent")),
        serve=ServeConfig(
            address=values.text("serve", "address"),
            port=values.whole("serve", "port"),
            certificate=values.text("serve", "certificate"),
            key=values.text("serve", "key"),
            threads=values.whole("serve", "threads"),
            metrics_networks=values.networks("serve", "metrics_networks"),
            certificate_days=values.whole("serve", "certificate_days"),
        ),
        push=PushConfig(
            address=values.text("push", "address"),
            port=values.whole("push", "port"),
            certificate=values.text("push", "certificate"),
            key=values.text("push", "key"),
            certificate_days=values.whole("push", "certificate_days"),
        ),
        motion=MotionConfig(
            cpu_percent=values.whole("motion", "cpu_percent"),
            folder=values.text("motion", "folder"),
            size_bytes=values.whole("motion", "size"),
        ),
        hooks=HooksConfig(address=values.text("hooks", "address")),
    )


def _check_section(text: str, name: str, section: str, entries: object) -> None:
    sections = sorted({key.section for key in KEYS})
    if section not in sections or not isinstance(entries, dict):
        where = line_of(text, name, section, "")
        allowed = ", ".join(f"[{known}]" for known in sections)
        raise ConfigError(f"{where}: there is no section [{section}]; allowed: {allowed}")
